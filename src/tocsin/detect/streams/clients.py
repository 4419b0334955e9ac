"""The window state of clients: how many rows each asked, how many of them near the threshold, and how much of the input space they visit.

Clients fall into `CELLS` cells by a keyed hash, inputs into `REGIONS` regions: those that agree in all columns to an octave are one region,
and a keyed hash numbers them. Counts add and samples are bottom-k by hash, so any split of the rows gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np
import pyarrow as pa

from tocsin.detect.streams.buckets import Hashes, buckets, contents, keyed, mixed
from tocsin.detect.streams.contrast import Floats
from tocsin.detect.streams.drifting.keys import Whole
from tocsin.detect.streams.measure import Flags, numbers
from tocsin.model.errors import BadInput, Place
from tocsin.model.finding import RowRef
from tocsin.model.telemetry import ROW, SEGMENT

VERSION = 1
CELLS, REGIONS, SAMPLE = 512, 128, 5
_COARSE = np.int64(-1) << np.int64(52)
"""Keeps sign and exponent of a float64: numbers of one octave, 32 to 64 say, are one."""

Table = np.ndarray[tuple[int, int], np.dtype[np.int64]]
Asked = tuple[int, int, str, int]
"""(hash of the row, digest of the client, segment, row)."""


class Clients(NamedTuple):
    """Rows by cell and region (int64[CELLS, REGIONS]), rows with a score and those near (int64[2, CELLS]), a sample of each cell's rows."""

    visits: Table
    scored: Table
    sample: dict[int, tuple[Asked, ...]]

    @property
    def rows(self) -> Whole:
        """int64[CELLS]: the rows of each cell."""
        return np.asarray(self.visits.sum(axis=1))

    def refs(self, cell: int) -> tuple[RowRef, ...]:
        """The sampled rows of a cell, in stored order."""
        return tuple(RowRef(segment, row) for segment, row in sorted(asked[2:] for asked in self.sample[cell]))

    def client(self, cell: int) -> tuple[int, int, int]:
        """The digest that has most of a cell's sampled rows, how many it has, and how many there are."""
        digests = sorted(asked[1] for asked in self.sample[cell])
        top = max(digests, key=digests.count)
        return top, digests.count(top), len(digests)


def zero() -> Clients:
    """No rows."""
    return Clients(np.zeros((CELLS, REGIONS), np.int64), np.zeros((2, CELLS), np.int64), {})


def counted(batch: pa.RecordBatch, columns: Sequence[str], threshold: float, margin: float, salt: bytes) -> Clients:
    """The state of these rows; a row without a unit is nobody's and is passed over."""
    batch = batch.filter(batch.column("unit").is_valid())
    if not batch.num_rows:
        return zero()
    units = batch.column("unit").cast(pa.string())
    cell = buckets(units, CELLS, salt)
    region = (contents(_coarse(batch, columns), columns, salt) % np.uint64(REGIONS)).astype(np.int64)
    known, score = numbers(batch, "score")
    near = known & (np.abs(np.where(known, score, 0.0) - threshold) < margin)
    visits = np.bincount(cell * REGIONS + region, minlength=CELLS * REGIONS).astype(np.int64).reshape(CELLS, REGIONS)
    return Clients(visits, np.stack([_by_cell(cell, known), _by_cell(cell, near)]), _sampled(batch, units, cell, salt))


def merged(left: Clients, right: Clients) -> Clients:
    """The state of both sets of rows."""
    sample = {
        cell: tuple(sorted(left.sample.get(cell, ()) + right.sample.get(cell, ()))[:SAMPLE])
        for cell in sorted(left.sample.keys() | right.sample.keys())
    }
    return Clients(left.visits + right.visits, left.scored + right.scored, sample)


def to_bytes(state: Clients) -> bytes:
    """Versioned bytes; equal states give equal bytes."""
    visits = state.visits.ravel()
    place = np.flatnonzero(visits)
    packed = (
        place.astype("<u2").tobytes(),
        visits[place].astype("<i8").tobytes(),
        state.scored.astype("<i8").tobytes(),
    )
    return msgspec.msgpack.encode((VERSION, *packed, state.sample))


def from_bytes(data: bytes) -> Clients:
    """The inverse of `to_bytes`. Raises BadInput for damaged bytes or an unknown version."""
    shape = tuple[int, bytes, bytes, bytes, dict[int, tuple[Asked, ...]]]
    try:
        version, places, counts, scored, sample = msgspec.msgpack.decode(data, type=shape)
        if version != VERSION:
            raise ValueError(f"version {version}")
        visits = np.zeros(CELLS * REGIONS, np.int64)
        visits[np.frombuffer(places, "<u2")] = np.frombuffer(counts, "<i8")
        table = np.frombuffer(scored, "<i8").astype(np.int64).reshape(2, CELLS)
    except (msgspec.DecodeError, ValueError) as error:
        raise BadInput.at(
            Place("window state"), f"these bytes are no clients: {error}", "count the window again"
        ) from None
    return Clients(visits.reshape(CELLS, REGIONS), table, sample)


def _by_cell(cell: Whole, flags: Flags) -> Whole:
    return np.bincount(cell[flags], minlength=CELLS).astype(np.int64)


def _coarse(batch: pa.RecordBatch, columns: Sequence[str]) -> pa.RecordBatch:
    """The columns with their numbers cut to an octave; texts stay as they are."""
    cut = {column: _cut(batch.column(column)) for column in columns}
    return pa.RecordBatch.from_pydict({ROW: batch.column(ROW), **cut})


def _cut(array: pa.Array) -> pa.Array:
    if not (pa.types.is_floating(array.type) or pa.types.is_integer(array.type)):
        return array
    missing = array.is_null().to_numpy(zero_copy_only=False)
    values: Floats = array.cast(pa.float64()).fill_null(0).to_numpy(zero_copy_only=False)
    coarse = np.where(np.isnan(values), np.nan, (values.view(np.int64) & _COARSE).view(np.float64))
    return pa.array(coarse, mask=missing)


def _sampled(batch: pa.RecordBatch, units: pa.Array, cell: Whole, salt: bytes) -> dict[int, tuple[Asked, ...]]:
    """Of each cell the rows that hash smallest."""
    hashes: Hashes = mixed(batch.column(SEGMENT), batch.column(ROW), salt)
    order = np.lexsort((hashes, cell))
    ordered = cell[order]
    rank = np.arange(len(order)) - np.searchsorted(ordered, ordered)
    chosen = order[rank < SAMPLE]
    places = pa.array(chosen)
    digests = [keyed(unit, salt) for unit in units.take(places).to_pylist()]
    segments, rows = (batch.column(name).take(places).to_pylist() for name in (SEGMENT, ROW))
    sample: dict[int, tuple[Asked, ...]] = {}
    asked = zip(hashes[chosen].tolist(), digests, segments, rows, strict=True)
    for at, one in zip(cell[chosen].tolist(), asked, strict=True):
        sample[at] = (*sample.get(at, ()), one)
    return sample
