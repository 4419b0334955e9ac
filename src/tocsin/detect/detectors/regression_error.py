"""Error of a numeric prediction: the mean absolute difference from what turned out, cut off at a ceiling."""

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
    (told, predicted), (known, actual) = (numbers(batch, parameters[name]) for name in ("predicted", "actual"))
    with np.errstate(invalid="ignore"):
        error = np.abs(predicted - actual)
    counts = told & known & ~np.isnan(error)
    return Amounts(counts, between(np.where(counts, error, 0.0), 0.0, float(parameters["ceiling"])))


MEASURE = Measure(
    name="regression_error",
    category=Category.MODEL_FAILURE,
    table="predictions",
    noun="mean absolute error",
    columns=lambda parameters: (str(parameters["predicted"]), str(parameters["actual"])),
    amounts=_amounts,
    fraction=True,
    span=lambda parameters: (0.0, float(parameters["ceiling"])),
    unit=lambda _: "",
    harm="Predictions are further from what turns out.",
    blind_spots=(
        "Errors above the ceiling count as the ceiling: a few enormous errors look like large ones.",
        "A low ceiling makes the detector quicker and blinder, a high one slower.",
        "Errors in both directions count alike: a bias of the prediction shows in drift.",
    ),
    next_steps=(
        "Compare the release dates of the model with the date of the change.",
        "Look at the rows of the sample: which inputs do they share?",
        "Look at drift of the features since the date of the change.",
    ),
    tags=("nist.ai_rmf.MEASURE-2.5",),
)

DETECTOR = kind(
    MEASURE,
    "Regression error",
    "An alarm says: in the traffic served, the mean absolute error (cut off) is above the limit or above what it was at first.",
    limit_of("the mean absolute error that is accepted", high=None),
    Parameter("predicted", str, "score", "the column of the prediction", column="number"),
    Parameter("actual", str, None, "the column of what turned out", column="number", required=True),
    Parameter("ceiling", float, None, "an error above this counts as this", low=1e-9, required=True),
)
