"""Units to buckets: every person, account or session falls into one of `m` buckets by a keyed hash, and stays there.

The key is the workspace's secret salt, so that nobody can choose the bucket he falls into, and counts per bucket name nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
import pyarrow as pa

Indices = np.ndarray[tuple[int], np.dtype[np.int64]]
Hashes = np.ndarray[tuple[int], np.dtype[np.uint64]]


def buckets(units: pa.Array, count: int, salt: bytes) -> Indices:
    """The bucket of each unit, 0 to count-1. Rows without a unit share bucket 0, which costs power, never validity."""
    if count == 1:
        return np.zeros(len(units), np.int64)
    if not pa.types.is_dictionary(units.type):
        units = units.cast(pa.string()).dictionary_encode()
    table = np.fromiter(
        (keyed(unit, salt) % count for unit in units.dictionary.to_pylist()), np.int64, len(units.dictionary)
    )
    indices = units.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return np.where(indices < 0, 0, table[indices] if len(table) else 0)


def mixed(segments: pa.Array, rows: pa.Array, salt: bytes) -> Hashes:
    """A keyed 64-bit hash of each row's place: the order in which a bounded sample prefers rows (splitmix64 finalizer)."""
    names = segments.dictionary.to_pylist()
    table = np.fromiter((keyed(name, salt) for name in names), np.uint64, len(names))
    return scattered(
        rows.to_numpy().astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + table[segments.indices.to_numpy()]
    )


def scattered(z: Hashes) -> Hashes:
    """Numbers mixed so that each bit depends on all (splitmix64 finalizer)."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(z ^ (z >> np.uint64(31)))


def contents(batch: pa.RecordBatch, columns: Sequence[str], salt: bytes) -> Hashes:
    """A keyed 64-bit hash of what each row holds in these columns; equal values of equal columns give equal hashes, missing ones too."""
    found = np.full(batch.num_rows, keyed("", salt), np.uint64)
    for column in columns:
        found = scattered(found * np.uint64(0x9E3779B97F4A7C15) + _values(batch.column(column), salt))
    return found


def _values(array: pa.Array, salt: bytes) -> Hashes:
    if pa.types.is_floating(array.type) or pa.types.is_integer(array.type) or pa.types.is_boolean(array.type):
        missing = array.is_null().to_numpy(zero_copy_only=False)
        number = array.cast(pa.float64()).fill_null(0).to_numpy(zero_copy_only=False) + 0.0  # -0.0 is 0.0
        number = np.where(np.isnan(number), np.nan, number)
        return np.asarray(np.where(missing, np.uint64(1), scattered(number.view(np.uint64) + np.uint64(2))), np.uint64)
    if not pa.types.is_dictionary(array.type):
        array = array.cast(pa.string()).dictionary_encode()
    table = [keyed(value, salt) for value in array.dictionary.cast(pa.string()).to_pylist()]
    indices = array.indices.fill_null(len(table)).to_numpy(zero_copy_only=False)
    return np.asarray(np.array([*table, 1], np.uint64)[indices])


def keyed(text: str, salt: bytes) -> int:
    """A keyed 64-bit hash of a text."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8, key=salt[:64]).digest(), "little")
