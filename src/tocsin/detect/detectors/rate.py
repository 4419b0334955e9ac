"""Rate: how often a column says something, against a limit or against the stream's own past. The most general detector of rates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from tocsin.detect.streams.measure import Amounts, Measure, flag, numbers, of_texts, valid
from tocsin.detect.streams.watch import kind, limit_of
from tocsin.model.detector import Parameter
from tocsin.model.finding import Category


def _amounts(batch: pa.RecordBatch, parameters: Mapping[str, Any]) -> Amounts:
    column = str(parameters["column"])
    above, below, values = (parameters[name] for name in ("above", "below", "values"))
    if parameters["missing"]:
        return Amounts(np.ones(batch.num_rows, bool), (~valid(batch, column)).astype(float))
    if values:
        known, found = of_texts(batch, column, frozenset(values).__contains__)
        return Amounts(known, found.astype(float))
    if above is None and below is None:
        known, found = flag(batch, column)
        return Amounts(known, found.astype(float))
    known, number = numbers(batch, column)
    over = number > (np.inf if above is None else above)
    under = number < (-np.inf if below is None else below)
    return Amounts(known, (over | under).astype(float))


def _check(parameters: Mapping[str, Any]) -> tuple[str, str] | None:
    limits = parameters["above"] is not None or parameters["below"] is not None
    given = [limits, bool(parameters["values"]), bool(parameters["missing"])]
    if sum(given) > 1:
        return "column", "give `above` and `below`, or `values`, or `missing: true`, not several of them"
    if not any(given) and parameters["column"] not in ("decision", "label"):
        return "column", "say what counts: `above`, `below`, `values` or `missing: true` (flags need none)"
    return None


MEASURE = Measure(
    name="rate",
    category=Category.MODEL_FAILURE,
    table="predictions",
    noun="rate",
    columns=lambda parameters: (str(parameters["column"]),),
    amounts=_amounts,
    direction="up",
    harm="What is counted here happens more often than is normal.",
    blind_spots=(
        "What the rate does not count it does not see: the rest of the distribution may move.",
        "A shock common to a whole window moves the rate of all rows together: see the mode on the finding.",
        "Below about five counted rows a window, changes are found late: take longer windows.",
    ),
    next_steps=(
        "Compare the release dates of the model with the date of the change.",
        "Look at the segments that the finding names, and at a sample of the rows.",
    ),
)

DETECTOR = kind(
    MEASURE,
    "Rate",
    "An alarm says: in the traffic served, the rate is above (or below) the limit or what it was at first, beyond the tolerance.",
    limit_of("the rate that is accepted"),
    Parameter("column", str, None, "the column that is looked at", column="any", required=True),
    Parameter("above", float, None, "count rows whose number is above this"),
    Parameter("below", float, None, "count rows whose number is below this"),
    Parameter("values", list, [], "count rows whose text is one of these"),
    Parameter("missing", bool, False, "count rows without a value"),
    Parameter("direction", str, "up", "which way is bad", ("up", "down", "both")),
    either=True,
    check=_check,
)
