"""Values as ordered whole numbers: fine cells that any set of rows can be counted in before a reference is known.

A float64 becomes the whole number that its bits name, in the order of the values, so that neighbouring floats are neighbouring keys.
A cell of level L is all keys that agree but for their last L bits. The level of a set of rows is the least at which it fills at most
so many cells: it depends on the rows alone, never falls when rows are added, and so any two sets merge exactly. A text becomes a hash.
"""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

Whole = np.ndarray[tuple[int], np.dtype[np.int64]]
Floats = np.ndarray[tuple[int], np.dtype[np.float64]]

MISSING = np.iinfo(np.int64).max
"""The key of a row without a value; no float but NaN has it, and no cell of a level above 0."""
BITS = 64
_SIGN = np.int64(MISSING)


def of_numbers(values: Floats) -> Whole:
    """The key of each number; NaN is missing, infinities are the outermost values."""
    bits = (values + 0.0).view(np.int64)
    keys = np.where(bits < 0, bits ^ _SIGN, bits)
    return np.where(np.isnan(values), MISSING, keys)


def number(key: int) -> float:
    """The number of a key: the inverse of `of_numbers`; a key beyond infinity is infinity."""
    least, most = (int(key) for key in of_numbers(np.array([-np.inf, np.inf])))
    bits = np.int64(min(max(key, least), most))
    return float((bits ^ _SIGN if bits < 0 else bits).view(np.float64))


def of_text(text: str) -> int:
    """The key of a text: 62 bits of a hash, so that it is never that of a missing value."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little") >> 2


def of_texts(values: pa.DictionaryArray) -> Whole:
    """The key of each text; null is missing."""
    table = np.array([MISSING if text is None else of_text(text) for text in values.dictionary.to_pylist()], np.int64)
    codes = pc.fill_null(values.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    return np.asarray(np.append(table, MISSING)[codes])


def coarser(cells: Whole, bits: int) -> Whole:
    """The cells that these belong to at a level `bits` higher."""
    return cells if not bits else np.where(cells == MISSING, MISSING, cells >> min(bits, BITS - 1))


def bits_needed(distinct: Whole, most: int) -> int:
    """By how many levels these ascending cells must be coarsened to be at most `most`."""
    known = distinct[distinct != MISSING]
    low, high = 0, BITS - 1
    while low < high:
        middle = (low + high) // 2
        filled = 1 + int(np.count_nonzero(np.diff(known >> middle)))
        low, high = (low, middle) if filled <= most else (middle + 1, high)
    return low


def roundest(low: int, high: int) -> int:
    """The key in (low, high] with the most zeros at its end: the boundary that survives the most coarsening."""
    if low < 0 <= high:
        return 0
    place = (low ^ high).bit_length() - 1
    return high >> place << place
