"""The window state of a metric: how many rows, their exact sum, and the rows with the smallest and largest values.

Sums are whole numbers of 2**-20: adding is exact, so any split of the rows gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tocsin.detect.streams.contrast import Floats
from tocsin.model.errors import BadInput, Place
from tocsin.model.finding import RowRef
from tocsin.model.telemetry import ROW, SEGMENT

VERSION = 1
WHOLE = 1 << 20
LARGEST = 1e15
"""Values beyond this, infinity too, count as this."""
SAMPLE = 5
_HALF = 32
_BYTES = 16

Places = np.ndarray[tuple[int], np.dtype[np.int64]]
Extreme = tuple[float, str, int]
"""(value, segment, row)."""


class Sums(NamedTuple):
    """Rows with a value, their sum in units of 1/`WHOLE`, all rows, and the rows with the smallest and the largest values."""

    rows: int = 0
    total: int = 0
    every: int = 0
    low: tuple[Extreme, ...] = ()
    high: tuple[Extreme, ...] = ()

    @property
    def sum(self) -> float:
        """The sum of the values."""
        return self.total / WHOLE

    @property
    def mean(self) -> float | None:
        """The mean of the values; None without any."""
        return self.sum / self.rows if self.rows else None


def counted(known: np.ndarray[tuple[int], np.dtype[np.bool_]], values: Floats, batch: pa.RecordBatch) -> Sums:
    """The state of these rows; a value counts where it is known."""
    index = np.flatnonzero(known)
    if not len(index):
        return Sums(every=batch.num_rows)
    number = np.clip(values[index], -LARGEST, LARGEST)
    low, high = _smallest(batch, index, number), _smallest(batch, index, -number)
    return Sums(
        len(index), _exact(number), batch.num_rows, low, tuple((-value, segment, row) for value, segment, row in high)
    )


def merged(left: Sums, right: Sums) -> Sums:
    """The state of both sets of rows."""
    return Sums(
        left.rows + right.rows,
        left.total + right.total,
        left.every + right.every,
        tuple(sorted(left.low + right.low)[:SAMPLE]),
        tuple(sorted(left.high + right.high, key=_downwards)[:SAMPLE]),
    )


def refs(extremes: Iterable[Extreme]) -> tuple[RowRef, ...]:
    """The rows, in stored order."""
    return tuple(RowRef(segment, row) for segment, row in sorted((segment, row) for _, segment, row in extremes))


def to_bytes(state: Sums) -> bytes:
    """Versioned bytes; equal states give equal bytes."""
    total = state.total.to_bytes(_BYTES, "little", signed=True)
    return msgspec.msgpack.encode((VERSION, state.rows, total, state.every, state.low, state.high))


def from_bytes(data: bytes) -> Sums:
    """The inverse of `to_bytes`. Raises BadInput for damaged bytes or an unknown version."""
    shape = tuple[int, int, bytes, int, tuple[Extreme, ...], tuple[Extreme, ...]]
    try:
        version, rows, total, every, low, high = msgspec.msgpack.decode(data, type=shape)
        if version != VERSION:
            raise ValueError(f"version {version}")
    except (msgspec.DecodeError, ValueError) as error:
        raise BadInput.at(
            Place("window state"), f"these bytes are no sums: {error}", "count the window again"
        ) from None
    return Sums(rows, int.from_bytes(total, "little", signed=True), every, low, high)


def _exact(values: Floats) -> int:
    """The sum in units of 1/`WHOLE`: upper and lower halves are added apart, so that nothing overflows or is rounded."""
    whole = np.rint(values * WHOLE)
    upper = np.floor(whole / (1 << _HALF))
    lower = whole - upper * (1 << _HALF)
    return (int(upper.astype(np.int64).sum()) << _HALF) + int(lower.astype(np.int64).sum())


def _smallest(batch: pa.RecordBatch, index: Places, values: Floats) -> tuple[Extreme, ...]:
    """The rows with the smallest values; of equal ones the first in stored order."""
    few = min(SAMPLE, len(values))
    near = np.flatnonzero(values <= np.partition(values, few - 1)[few - 1])
    places = pa.array(index[near])
    segment, row = batch.column(SEGMENT).take(places), batch.column(ROW).take(places)
    rank = pc.rank(segment.cast(pa.string()), tiebreaker="dense").to_numpy()
    chosen = np.lexsort((row.to_numpy(), rank, values[near]))[:few].tolist()
    return tuple((float(values[near[at]]), segment[at].as_py(), row[at].as_py()) for at in chosen)


def _downwards(extreme: Extreme) -> tuple[float, str, int]:
    return -extreme[0], extreme[1], extreme[2]
