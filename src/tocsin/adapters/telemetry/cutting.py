"""Rows of a file in parts, one for each segment. Where the cuts are depends on the rows alone, not on how they arrive."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tocsin.adapters.telemetry.chunks import NONE, Lines

ROW_BYTES = 64
"""What a row weighs beside its texts."""


class Part(NamedTuple):
    """Rows for one segment, the line of each, and whether they are the last of the file."""

    rows: pa.Table
    lines: Lines
    last: bool


class Size(NamedTuple):
    """How large a part may be: the first row that would exceed either begins the next part."""

    rows: int = 250_000
    bytes: int = 64 << 20


def parts(pieces: Iterable[tuple[pa.RecordBatch, Lines]], size: Size) -> Iterator[Part]:
    """The rows in parts; the last one is empty only when there is no row at all."""
    held: list[tuple[pa.RecordBatch, Lines]] = []
    count, weight = 0, 0
    for batch, lines in pieces:
        weights = _weights(batch)
        start = 0
        while start < batch.num_rows:
            room = _fitting(weights[start:], size.rows - count, size.bytes - weight, empty=not count)
            if room:
                held.append((batch.slice(start, room), lines[start : start + room]))
                count, weight = count + room, weight + int(weights[start : start + room].sum())
                start += room
            if start < batch.num_rows:
                yield _joined(held, last=False)
                held, count, weight = [], 0, 0
    yield _joined(held, last=True)


def _fitting(weights: Lines, rows: int, room: int, *, empty: bool) -> int:
    """How many of the next rows still fit; one always fits in an empty part."""
    fits = int(np.searchsorted(np.cumsum(weights[:rows]), room, side="right"))
    return max(fits, 1) if empty else fits


def _weights(batch: pa.RecordBatch) -> Lines:
    """What each row weighs: its texts' bytes and a little."""
    weights = np.full(batch.num_rows, ROW_BYTES, np.int64)
    for column in batch.columns:
        if pa.types.is_string(column.type):
            weights += pc.fill_null(pc.binary_length(column), 0).to_numpy(zero_copy_only=False)
    return weights


def _joined(held: list[tuple[pa.RecordBatch, Lines]], *, last: bool) -> Part:
    if not held:
        return Part(pa.table({}), NONE, last)
    rows = pa.Table.from_batches([batch for batch, _ in held]).unify_dictionaries()
    return Part(rows, np.concatenate([lines for _, lines in held]), last)
