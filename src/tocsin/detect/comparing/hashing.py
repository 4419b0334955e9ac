"""Units to buckets without a loop: a column of any length is hashed as whole arrays.

The buckets serve one report only and are written nowhere, so no secret is needed; the watching detectors use a keyed hash.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

Hashes = np.ndarray[tuple[int], np.dtype[np.uint64]]
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def mixed(values: Hashes) -> Hashes:
    """Each number with its bits stirred (splitmix64 finalizer)."""
    z = values + _GOLDEN
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(z ^ (z >> np.uint64(31)))


def hashed(column: pa.Array) -> Hashes:
    """A hash of each value's text or number; equal values hash alike, in whatever batch they stand. A null hashes to 0."""
    if pa.types.is_dictionary(column.type):
        table = np.append(hashed(column.dictionary), np.uint64(0))
        return np.asarray(table[pc.fill_null(column.indices, len(table) - 1).to_numpy(zero_copy_only=False)])
    if pa.types.is_integer(column.type):
        whole = pc.fill_null(column, 0).to_numpy(zero_copy_only=False).astype(np.int64).view(np.uint64)
        return np.where(_known(column), mixed(whole), np.uint64(0))
    return _of_texts(column.cast(pa.large_string()))


def buckets(column: pa.Array, count: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The bucket of each row, 0 to count-1. Rows without a unit share bucket 0, which makes intervals wider, never too narrow."""
    return np.asarray((hashed(column) % np.uint64(count)).astype(np.int64))


def _known(column: pa.Array) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return np.asarray(column.is_valid().to_numpy(zero_copy_only=False))


def _of_texts(column: pa.Array) -> Hashes:
    """Eight bytes at a time: as many steps as the longest text has words."""
    if not len(column):
        return np.zeros(0, np.uint64)
    _, offsets, data = column.buffers()
    ends = np.frombuffer(offsets, np.int64, len(column) + 1, column.offset * 8)
    start, left = ends[:-1], np.diff(ends)
    raw = np.zeros(int(ends[-1]) + 8, np.uint8)
    raw[: ends[-1]] = np.frombuffer(data, np.uint8, int(ends[-1])) if data is not None and ends[-1] else 0
    words = np.lib.stride_tricks.as_strided(raw.view(np.uint8)[:8].view(np.uint64), (len(raw) - 7,), (1,))
    result = mixed(left.astype(np.uint64))
    at, rows = start.copy(), np.flatnonzero(left > 0)
    while len(rows):
        part = words[at[rows]]
        short = left[rows] < 8
        bits = (np.minimum(left[rows], 7) * 8).astype(np.uint64)
        part = np.where(short, part & ((np.uint64(1) << bits) - np.uint64(1)), part)
        result[rows] = mixed(result[rows] ^ part)
        at[rows] += 8
        left[rows] -= 8
        rows = rows[left[rows] > 0]
    return np.where(_known(column), result, np.uint64(0))
