"""Units to buckets: every person, account or session falls into one of `m` buckets by a keyed hash, and stays there.

The key is the workspace's secret salt, so that nobody can choose the bucket he falls into, and counts per bucket name nobody.
"""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
import pyarrow as pa

Indices = np.ndarray[tuple[int], np.dtype[np.int64]]


def buckets(units: pa.Array, count: int, salt: bytes) -> Indices:
    """The bucket of each unit, 0 to count-1. Rows without a unit share bucket 0, which costs power, never validity."""
    if count == 1:
        return np.zeros(len(units), np.int64)
    if not pa.types.is_dictionary(units.type):
        units = units.cast(pa.string()).dictionary_encode()
    table = np.fromiter(
        (_hash(unit, salt) % count for unit in units.dictionary.to_pylist()), np.int64, len(units.dictionary)
    )
    indices = units.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return np.where(indices < 0, 0, table[indices] if len(table) else 0)


def mixed(segments: pa.Array, rows: pa.Array, salt: bytes) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    """A keyed 64-bit hash of each row's place: the order in which a bounded sample prefers rows (splitmix64 finalizer)."""
    names = segments.dictionary.to_pylist()
    table = np.fromiter((_hash(name, salt) for name in names), np.uint64, len(names))
    z = rows.to_numpy().astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + table[segments.indices.to_numpy()]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(z ^ (z >> np.uint64(31)))


def _hash(text: str, salt: bytes) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8, key=salt[:64]).digest(), "little")
