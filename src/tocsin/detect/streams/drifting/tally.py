"""The window state of drift detectors: rows per fine cell and bucket of units, whole numbers only, of bounded size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec
import numpy as np
import pyarrow as pa

from tocsin.detect.streams.buckets import buckets, mixed
from tocsin.detect.streams.drifting.keys import Whole, bits_needed, coarser
from tocsin.model.errors import BadInput, Place
from tocsin.model.finding import RowRef
from tocsin.model.telemetry import ROW, SEGMENT

VERSION = 1
SAMPLE = 16
NAME_MAX = 60
"""Characters of a category that are kept for display."""

Sample = tuple[tuple[int, str, int, int], ...]
"""(keyed hash, segment, row, key of the value) ascending."""


def _none() -> Whole:
    return np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True)
class Tally:
    """Rows per (cell, bucket): three columns of equal length, ordered by cell, then bucket; every pair once."""

    level: int = 0
    cells: Whole = field(default_factory=_none)
    buckets: Whole = field(default_factory=_none)
    counts: Whole = field(default_factory=_none)
    sample: Sample = ()
    united: int = 0
    """Rows that carry a unit."""
    names: Mapping[int, str] = field(default_factory=dict)
    """The text of each cell, where values are texts and none were put together."""

    @property
    def rows(self) -> int:
        """All rows, those without a value too."""
        return int(self.counts.sum())

    def marginal(self) -> tuple[Whole, Whole]:
        """The cells, missing ones included, and the rows of each."""
        found, place = np.unique(self.cells, return_inverse=True)
        return found, np.bincount(place, weights=self.counts, minlength=len(found)).astype(np.int64)

    def refs(self, low: int, high: int) -> tuple[RowRef, ...]:
        """The sampled rows whose key lies in [low, high), in stored order."""
        chosen = sorted((segment, row) for _, segment, row, key in self.sample if low <= key < high)
        return tuple(RowRef(segment, row) for segment, row in chosen)


def tallied(
    keys: Whole, batch: pa.RecordBatch, count: int, salt: bytes, most: int, names: Mapping[int, str] | None = None
) -> Tally:
    """The state of these rows: a key for each row of the batch, units hashed to `count` buckets, at most `most` cells."""
    if not len(keys):
        return Tally()
    unit = batch.column("unit").cast(pa.string())
    order = mixed(batch.column(SEGMENT), batch.column(ROW), salt)
    bucket = buckets(unit, count, salt)
    if unit.null_count:
        nameless = unit.is_null().to_numpy(zero_copy_only=False)
        bucket = np.where(nameless, (order % np.uint64(count)).astype(np.int64), bucket)
    chosen = np.argpartition(order, SAMPLE - 1)[:SAMPLE] if len(order) > SAMPLE else np.arange(len(order))
    segments, rows = batch.column(SEGMENT), batch.column(ROW)
    sample = sorted((int(order[i]), segments[int(i)].as_py(), rows[int(i)].as_py(), int(keys[i])) for i in chosen)
    united = len(unit) - unit.null_count
    return _fitted(
        keys, bucket, np.ones(len(keys), np.int64), Tally(0, sample=tuple(sample), united=united), most, names
    )


def merged(left: Tally, right: Tally, most: int) -> Tally:
    """The state of both sets of rows."""
    level = max(left.level, right.level)
    parts = [(coarser(one.cells, level - one.level), one.buckets, one.counts) for one in (left, right)]
    cells, bucket, counts = (np.concatenate(column) for column in zip(*parts, strict=True))
    sample = tuple(sorted({*left.sample, *right.sample})[:SAMPLE])
    known = {**left.names, **right.names} if not level else {}
    return _fitted(cells, bucket, counts, Tally(level, sample=sample, united=left.united + right.united), most, known)


def _fitted(
    cells: Whole, bucket: Whole, counts: Whole, rest: Tally, most: int, names: Mapping[int, str] | None
) -> Tally:
    """The pairs put together, in the finest cells of which there are at most `most`."""
    bits = bits_needed(np.unique(cells), most)
    level = rest.level + bits
    cells = coarser(cells, bits)
    order = np.lexsort((bucket, cells))
    cells, bucket, counts = cells[order], bucket[order], counts[order]
    first = np.ones(len(cells), bool)
    first[1:] = (np.diff(cells) != 0) | (np.diff(bucket) != 0)
    starts = np.flatnonzero(first)
    summed = np.add.reduceat(counts, starts) if len(starts) else counts
    known = {key: name[:NAME_MAX] for key, name in (names or {}).items()} if not level else {}
    return Tally(level, cells[starts], bucket[starts], summed, rest.sample, rest.united, known)


def to_bytes(tally: Tally) -> bytes:
    """Versioned bytes: msgpack; equal states give equal bytes."""
    found, place = np.unique(tally.cells, return_inverse=True)
    return msgspec.msgpack.encode(
        (
            VERSION,
            tally.level,
            found.astype("<i8").tobytes(),
            np.diff(place, prepend=0).tolist(),
            tally.buckets.tolist(),
            tally.counts.tolist(),
            tally.sample,
            tally.united,
            sorted(tally.names.items()),
        )
    )


_SHAPE = tuple[int, int, bytes, list[int], list[int], list[int], Sample, int, list[tuple[int, str]]]


def from_bytes(data: bytes) -> Tally:
    """The inverse of `to_bytes`. Raises BadInput for damaged bytes or an unknown version."""
    try:
        version, level, raw, steps, bucket, counts, sample, united, names = msgspec.msgpack.decode(data, type=_SHAPE)
        if version != VERSION:
            raise ValueError(f"version {version}")
        place = np.cumsum(np.array(steps, np.int64))
        cells = np.frombuffer(raw, "<i8").astype(np.int64)[place]
        columns = [np.array(column, np.int64) for column in (bucket, counts)]
        if len({len(cells), *map(len, columns)}) > 1:
            raise ValueError("columns of different lengths")
    except (msgspec.DecodeError, ValueError, IndexError) as error:
        place_of = Place("window state")
        raise BadInput.at(place_of, f"these bytes are no drift counts: {error}", "count the window again") from None
    return Tally(level, cells, columns[0], columns[1], sample, united, dict(names))
