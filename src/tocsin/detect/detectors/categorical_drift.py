"""Categorical drift: have the shares of the values of a text column changed?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from tocsin.detect.streams.drifting.drift import kind
from tocsin.detect.streams.drifting.looking import DRIFT_STEPS, HIDDEN, Looked, Values, of_categories
from tocsin.detect.streams.measure import texts
from tocsin.model.detector import Parameter


def _values(batch: pa.RecordBatch, parameters: Mapping[str, Any]) -> Values:
    return Values.of_rows(*of_categories(texts(batch, str(parameters["column"]))))


LOOKED = Looked(
    name="categorical_drift",
    table="predictions",
    columns=lambda parameters: (str(parameters["column"]),),
    values=_values,
    ordered=lambda _: False,
    subject=lambda parameters: str(parameters["column"]),
    harm="The model decides on a mixture of cases unlike the one that it was built and tested on.",
    blind_spots=(
        *HIDDEN,
        "The 50 most frequent values of the first windows are followed one by one, all others as one: a move among those is not seen.",
        "Many small moves, each in another value, are found later than one that is as large as all of them.",
        "Windows with more than 4,096 different values are counted in cells of a hash, in which values share a cell.",
    ),
    next_steps=DRIFT_STEPS,
)

DETECTOR = kind(
    LOOKED,
    "Categorical drift",
    "An alarm says: in the traffic served, a value is more or less frequent than in the reference, beyond the tolerance.",
    Parameter("column", str, None, "the column of text", column="text", required=True),
    either=True,
)
