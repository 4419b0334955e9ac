"""Numeric drift: has the distribution of a column of numbers changed?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from tocsin.detect.streams.drifting.drift import kind
from tocsin.detect.streams.drifting.looking import DRIFT_STEPS, HIDDEN, Looked, Values, of_scores
from tocsin.model.detector import Parameter


def _values(batch: pa.RecordBatch, parameters: Mapping[str, Any]) -> Values:
    return of_scores(batch, str(parameters["column"]))


LOOKED = Looked(
    name="numeric_drift",
    table="predictions",
    columns=lambda parameters: (str(parameters["column"]),),
    values=_values,
    ordered=lambda _: True,
    subject=lambda parameters: str(parameters["column"]),
    harm="The model decides on numbers unlike those that it was built and tested on.",
    blind_spots=(
        *HIDDEN,
        "A move inside the cells of the reference (tenths of its rows) that leaves their shares alone is not seen.",
        "A move from one middle cell to another that changes neither rank nor spread on average is not seen.",
    ),
    next_steps=DRIFT_STEPS,
)

DETECTOR = kind(
    LOOKED,
    "Numeric drift",
    "An alarm says: in the traffic served, the numbers are higher or lower, more or less spread, or more often extreme or missing "
    "than in the reference, beyond the tolerance.",
    Parameter("column", str, None, "the column of numbers", column="number", required=True),
    either=True,
)
