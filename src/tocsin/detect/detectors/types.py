"""Types: how often a text is not what its column should hold, e.g. a number, a date or JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import pyarrow as pa

from tocsin.detect.streams.measure import Amounts, Measure, of_texts
from tocsin.detect.streams.watch import kind, limit_of
from tocsin.model.detector import Parameter
from tocsin.model.finding import Category

LONGEST = 10_000
"""Characters of a value that are parsed; a longer one does not fit, so that a hostile value costs little."""
_FLAGS = frozenset(("true", "false", "yes", "no", "0", "1"))
FORMS: Mapping[str, Callable[[str], Any]] = {
    "number": float,
    "whole": int,
    "time": datetime.fromisoformat,
    "flag": lambda text: {flag: flag for flag in _FLAGS}[text.lower()],
    "json": json.loads,
    "uuid": UUID,
}
"""What a value must be read by without an error."""


def fits(text: str, form: str) -> bool:
    """Whether the text, without spaces around it, can be read as that form."""
    if len(text) > LONGEST:
        return False
    try:
        FORMS[form](text.strip())
    except (ValueError, KeyError, OverflowError, RecursionError):
        return False
    return True


def _amounts(batch: pa.RecordBatch, parameters: Mapping[str, Any]) -> Amounts:
    form = str(parameters["form"])
    filled, odd = of_texts(batch, str(parameters["column"]), lambda text: not fits(text, form))
    return Amounts(filled, odd.astype(float))


MEASURE = Measure(
    name="types",
    category=Category.MODEL_FAILURE,
    table="predictions",
    noun="share of values of another type",
    columns=lambda parameters: (str(parameters["column"]),),
    amounts=_amounts,
    harm="What reads this column gets something that it does not understand.",
    blind_spots=(
        "Columns whose type the mapping fixes never get here with another: such rows stand in quarantine, with their reason.",
        "A value that can be read may still mean something else: 03/04 is a day in April or in March.",
        "Empty values do not count: see missing values.",
    ),
    next_steps=(
        "Read the rows of the sample: which source, which release of the client?",
        "Ask whoever supplies the column what changed on that date.",
    ),
)

DETECTOR = kind(
    MEASURE,
    "Types",
    "An alarm says: values that cannot be read as the column's type are more frequent than the limit or the stream's own past allows.",
    limit_of("the share of values of another type that is accepted"),
    Parameter("column", str, None, "the column of text", column="text", required=True),
    Parameter("form", str, None, "what its values should be", tuple(FORMS), required=True),
    either=True,
)
