"""Refusals: how often the assistant declines to answer, by its wording."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from tocsin.detect.streams.measure import Amounts, Measure, of_texts
from tocsin.detect.streams.watch import kind, limit_of
from tocsin.model.finding import Category

_WORDS = (
    r"\bI(?:'m| am) (?:sorry|unable|not able)\b|\bI (?:can(?:no|')t|won't|must decline|am not permitted)\b|\bas an AI\b",
    r"\bich kann (?:dir|Ihnen|das|dabei) (?:leider )?nicht\b|\b(?:leider|tut mir leid),? (?:kann|darf) ich\b",
    r"\bje (?:suis désolé|ne peux pas|ne suis pas en mesure)\b|\blo siento,? (?:pero )?no puedo\b|\bmi dispiace,? (?:ma )?non posso\b",
)
_REFUSAL = re.compile("|".join(_WORDS), re.IGNORECASE)
_OPENING = 300
"""Characters of an answer that are looked at: a refusal says so at once."""


def _amounts(batch: pa.RecordBatch, _: Mapping[str, Any]) -> Amounts:
    role = of_texts(batch, "role", "assistant".__eq__)[1]
    filled, refused = of_texts(batch, "text", lambda text: bool(_REFUSAL.search(text[:_OPENING])))
    return Amounts(role & filled, refused.astype(float))


MEASURE = Measure(
    name="refusals",
    category=Category.MODEL_FAILURE,
    table="interactions",
    noun="share of refusals",
    columns=lambda _: ("role", "text"),
    amounts=_amounts,
    direction="both",
    harm="The assistant declines to help more (or less) often than it did.",
    blind_spots=(
        "Known wordings in English, German, French, Spanish and Italian only.",
        "An apology that goes on to help counts as a refusal: it is the change that tells, not the level.",
        "Fewer refusals may mean that safeguards were lost: that direction alarms, too.",
    ),
    next_steps=(
        "Read refused and answered messages from before and after the change.",
        "Compare the releases of model and system prompt with the date of the change.",
    ),
)

DETECTOR = kind(
    MEASURE,
    "Refusals",
    "An alarm says: the share of answers worded as refusals is above or below the limit or what it was at first.",
    limit_of("the share of refusals that is normal"),
    required=("role", "text"),
)
