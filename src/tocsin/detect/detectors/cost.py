"""Cost: the mean cost of a call, cut off at a ceiling."""

from __future__ import annotations

import pyarrow as pa

from tocsin.detect.streams.contrast import Floats
from tocsin.detect.streams.measure import Flags, numbers
from tocsin.detect.streams.per_call import per_call
from tocsin.model.detector import Parameter


def _used(batch: pa.RecordBatch) -> tuple[Flags, Floats]:
    return numbers(batch, "cost")


DETECTOR = per_call(
    "cost",
    "Cost of a call",
    "mean cost of a call (cut off)",
    _used,
    ("cost",),
    Parameter(
        "ceiling",
        float,
        None,
        "a call that costs more counts as this: what one call in a hundred exceeds",
        low=1e-9,
        required=True,
    ),
    Parameter("unit_name", str, "", "the currency, for display"),
)
