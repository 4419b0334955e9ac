"""Failed calls: how often a call to the model or a tool ends in an error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from tocsin.detect.streams.measure import Amounts, Measure, of_texts
from tocsin.detect.streams.watch import kind, limit_of
from tocsin.model.finding import Category


def _amounts(batch: pa.RecordBatch, _: Mapping[str, Any]) -> Amounts:
    role = of_texts(batch, "role", frozenset(("assistant", "tool")).__contains__)[1]
    failed = of_texts(batch, "error", lambda error: error != "")[1]
    return Amounts(role, failed.astype(float))


MEASURE = Measure(
    name="failed_calls",
    category=Category.MODEL_FAILURE,
    table="interactions",
    noun="share of failed calls",
    columns=lambda _: ("role", "error"),
    amounts=_amounts,
    harm="The system answers with errors, or not at all.",
    blind_spots=(
        "Errors that the application hides or turns into an answer are not seen: see refusals.",
        "Only messages of the roles assistant and tool count as calls.",
    ),
    next_steps=(
        "Group the rows of the sample by the error's type.",
        "Look at the provider's status and at releases since that date.",
    ),
)

DETECTOR = kind(
    MEASURE,
    "Failed calls",
    "An alarm says: calls fail more often than the limit or the stream's own past allows.",
    limit_of("the share of failed calls that is accepted"),
    required=("role", "error"),
)
