"""Missing values: how often a column that the model needs is empty."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from tocsin.detect.streams.measure import Amounts, Measure, valid
from tocsin.detect.streams.watch import kind, limit_of
from tocsin.model.detector import Parameter
from tocsin.model.finding import Category


def _amounts(batch: pa.RecordBatch, parameters: Mapping[str, Any]) -> Amounts:
    return Amounts(np.ones(batch.num_rows, bool), (~valid(batch, str(parameters["column"]))).astype(float))


MEASURE = Measure(
    name="missing_values",
    category=Category.MODEL_FAILURE,
    table="predictions",
    noun="share of missing values",
    columns=lambda parameters: (str(parameters["column"]),),
    amounts=_amounts,
    harm="The model decides without knowing this.",
    blind_spots=(
        "A placeholder (0, -1, unknown) is a value: watch it with `rate`.",
        "A column that no file has any more is refused on reading, unless its mapping says `optional`.",
    ),
    next_steps=(
        "Ask whoever supplies the column what changed on that date.",
        "Find out what the model does with a missing value.",
    ),
)

DETECTOR = kind(
    MEASURE,
    "Missing values",
    "An alarm says: the column is empty more often than the limit or the stream's own past allows.",
    limit_of("the share of empty values that is accepted"),
    Parameter("column", str, None, "the column that should be filled", column="any", required=True),
    either=True,
)
