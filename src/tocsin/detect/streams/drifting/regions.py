"""Vectors as keys: on which side of each of a few planes through the origin they lie.

The planes are drawn by a seed and the vectors' length alone, so that a vector's region depends on nothing else, and counts merge exactly.
Charikar, STOC 2002 (signs of random projections): two vectors are parted by a plane with the probability of their angle over pi.
"""

from __future__ import annotations

from functools import lru_cache

import msgspec
import numpy as np
import pyarrow as pa

from tocsin.detect.streams.drifting.keys import MISSING, Whole, of_text
from tocsin.detect.streams.drifting.looking import Values
from tocsin.detect.streams.measure import texts

AT_ONCE = 4_096
"""Vectors that are multiplied at once: memory stays small."""
Vectors = np.ndarray[tuple[int, int], np.dtype[np.float64]]


def regions(column: pa.Array, planes: int, seed: int) -> Values:
    """The region of each vector; what is no list of finite numbers is missing."""
    values = _lists(column)
    keys = np.full(len(values), MISSING, np.int64)
    lengths = np.array([0 if value is None else len(value) for value in values], np.int64)
    names: dict[int, str] = {}
    for length in np.unique(lengths[lengths > 0]).tolist():
        rows = np.flatnonzero(lengths == length)
        for part in np.array_split(rows, -(-len(rows) // AT_ONCE)):
            vectors = np.array([values[row] for row in part.tolist()], np.float64)
            finite = np.asarray(np.isfinite(vectors).all(axis=1))
            codes = _sides(np.where(finite[:, None], vectors, 0.0), planes, seed)
            told = {code: f"region {code:0{planes}b}" for code in np.unique(codes[finite]).tolist()}
            names |= {of_text(name): name for name in told.values()}
            keys[part[finite]] = [of_text(told[code]) for code in codes[finite].tolist()]
    return Values.of_rows(keys, names)


@lru_cache(maxsize=32)
def directions(length: int, planes: int, seed: int) -> Vectors:
    """[planes, length]: plus or minus one, so that no rounding depends on the machine that drew them."""
    drawn = np.random.Generator(np.random.PCG64([seed, length])).integers(0, 2, (planes, length))
    return np.asarray(2.0 * drawn - 1.0, np.float64).reshape(planes, length)


def _sides(vectors: Vectors, planes: int, seed: int) -> Whole:
    """The sides as the bits of a number; a sum is taken row by row, so that it does not depend on the rows beside it."""
    found = np.zeros(len(vectors), np.int64)
    for plane in directions(vectors.shape[1], planes, seed):
        found = 2 * found + ((vectors * plane).sum(axis=1) > 0)
    return found


def _lists(column: pa.Array) -> list[list[float] | None]:
    """Each row's list of numbers; None where there is none."""
    if pa.types.is_list(column.type) or pa.types.is_large_list(column.type) or pa.types.is_fixed_size_list(column.type):
        return [value if value and None not in value else None for value in column.to_pylist()]
    coded = texts_of(column)
    table = [_read(text) for text in coded.dictionary.to_pylist()]
    return [None if code is None else table[code] for code in coded.indices.to_pylist()]


def texts_of(column: pa.Array) -> pa.DictionaryArray:
    """The column as a dictionary of texts."""
    return texts(pa.RecordBatch.from_arrays([column], ["vector"]), "vector")


def _read(text: str | None) -> list[float] | None:
    try:
        return msgspec.json.decode(text or "", type=list[float]) or None
    except msgspec.DecodeError:
        return None
