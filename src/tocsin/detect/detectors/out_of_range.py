"""Out of range: how often a number lies where it cannot, infinity included."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from tocsin.detect.streams.measure import Amounts, Measure, numbers
from tocsin.detect.streams.watch import kind, limit_of
from tocsin.model.detector import Parameter
from tocsin.model.finding import Category


def _amounts(batch: pa.RecordBatch, parameters: Mapping[str, Any]) -> Amounts:
    known, number = numbers(batch, str(parameters["column"]))
    return Amounts(known, ((number < parameters["lowest"]) | (number > parameters["highest"])).astype(float))


def _check(parameters: Mapping[str, Any]) -> tuple[str, str] | None:
    if parameters["lowest"] >= parameters["highest"]:
        return "highest", f"it must be above the lowest ({parameters['lowest']:g})"
    return None


MEASURE = Measure(
    name="out_of_range",
    category=Category.MODEL_FAILURE,
    table="predictions",
    noun="share of impossible values",
    columns=lambda parameters: (str(parameters["column"]),),
    amounts=_amounts,
    harm="The model decides on values that cannot be true.",
    blind_spots=(
        "A wrong value inside the range is not seen: see drift.",
        "A change of unit (metres, feet) may stay inside the range: see drift.",
    ),
    next_steps=(
        "Read the rows of the sample: which source, which release of the client?",
        "Ask whoever supplies the column what changed on that date.",
    ),
)

DETECTOR = kind(
    MEASURE,
    "Out of range",
    "An alarm says: numbers lie outside the range more often than the limit or the stream's own past allows.",
    limit_of("the share of impossible values that is accepted"),
    Parameter("column", str, None, "the column of numbers", column="number", required=True),
    Parameter("lowest", float, None, "the least number that can be", required=True),
    Parameter("highest", float, None, "the greatest number that can be", required=True),
    either=True,
    check=_check,
)
