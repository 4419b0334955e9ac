"""Mean: the mean of a column of numbers, cut off at a floor and a ceiling, against a limit or the stream's own past."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from tocsin.detect.streams.measure import Amounts, Measure, between, numbers
from tocsin.detect.streams.watch import kind, limit_of
from tocsin.model.detector import Parameter
from tocsin.model.finding import Category


def _amounts(batch: pa.RecordBatch, parameters: Mapping[str, Any]) -> Amounts:
    known, number = numbers(batch, str(parameters["column"]))
    return Amounts(known, between(np.where(known, number, 0.0), *_span(parameters)))


def _span(parameters: Mapping[str, Any]) -> tuple[float, float]:
    return float(parameters["floor"]), float(parameters["ceiling"])


def _check(parameters: Mapping[str, Any]) -> tuple[str, str] | None:
    low, high = _span(parameters)
    if low >= high:
        return "ceiling", f"the ceiling must be above the floor ({low:g})"
    limit = parameters["limit"]
    if limit is not None and not low < limit < high:
        return "limit", f"the limit must lie between the floor and the ceiling ({low:g} to {high:g})"
    return None


MEASURE = Measure(
    name="mean",
    category=Category.MODEL_FAILURE,
    table="predictions",
    noun="mean",
    columns=lambda parameters: (str(parameters["column"]),),
    amounts=_amounts,
    fraction=True,
    direction="both",
    span=_span,
    unit=lambda parameters: str(parameters["unit_name"]),
    harm="The numbers are larger than is normal.",
    blind_spots=(
        "Numbers beyond floor and ceiling count as floor and ceiling: a few enormous ones look like large ones.",
        "A high ceiling makes the detector slow, a low one blind: take what one row in a hundred exceeds.",
        "A change of shape that leaves the mean alone is not seen: see drift.",
    ),
    next_steps=(
        "Compare the release dates of the model with the date of the change.",
        "Look at the segments that the finding names, and at a sample of the rows.",
    ),
)

DETECTOR = kind(
    MEASURE,
    "Mean",
    "An alarm says: in the traffic served, the mean (cut off) is above or below the limit or what it was at first, beyond the tolerance.",
    limit_of("the mean that is accepted", low=None, high=None),
    Parameter("column", str, None, "the column of numbers", column="number", required=True),
    Parameter("floor", float, 0.0, "numbers below this count as this"),
    Parameter("ceiling", float, None, "numbers above this count as this", required=True),
    Parameter("unit_name", str, "", "the unit of the numbers, for display"),
    Parameter("direction", str, "both", "which way is bad", ("up", "down", "both")),
    either=True,
    check=_check,
)
