"""Tokens: the mean number of tokens that a call reads and writes, cut off at a ceiling."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from tocsin.detect.streams.contrast import Floats
from tocsin.detect.streams.measure import Flags, numbers
from tocsin.detect.streams.per_call import per_call
from tocsin.model.detector import Parameter


def _used(batch: pa.RecordBatch) -> tuple[Flags, Floats]:
    """Read and written together; where only one of them is known, that one."""
    (known_in, read), (known_out, written) = numbers(batch, "tokens_in"), numbers(batch, "tokens_out")
    return known_in | known_out, np.where(known_in, read, 0.0) + np.where(known_out, written, 0.0)


DETECTOR = per_call(
    "tokens",
    "Tokens of a call",
    "mean number of tokens of a call (cut off)",
    _used,
    ("tokens_in", "tokens_out"),
    Parameter("ceiling", float, 32_768.0, "a call with more tokens counts as this: what few calls exceed", low=1),
    Parameter("unit_name", str, "tokens", "the unit, for display"),
)
