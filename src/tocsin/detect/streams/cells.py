"""Whom a row belongs to: the value of one attribute, or the cell where the values of several meet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tocsin.detect.streams.measure import texts

CROSS = " & "
"""Between the values of a cell, e.g. `female & young`; a value that holds it would be ambiguous, and its rows do not count."""


def cells(batch: pa.RecordBatch, columns: Sequence[str]) -> pa.DictionaryArray:
    """The cell of each row as a dictionary array; null where an attribute is not known."""
    if len(columns) == 1:
        return texts(batch, columns[0])
    first, *others = (_coded(texts(batch, column)) for column in columns)
    for other in others:
        first = _crossed(first, other)
    return pa.DictionaryArray.from_arrays(
        pa.array(first.codes, mask=first.codes < 0), pa.array(first.names, pa.string())
    )


def marked(group: pa.DictionaryArray, mark: str) -> pa.DictionaryArray:
    """The same with `mark` before every name."""
    if not mark:
        return group
    names = pa.array([f"{mark}{name}" for name in group.dictionary.to_pylist()], pa.string())
    return pa.DictionaryArray.from_arrays(group.indices, names)


class _Coded(NamedTuple):
    """Names, and the place of each row's name among them; -1 where it has none."""

    names: list[str]
    codes: np.ndarray[tuple[int], np.dtype[np.int64]]


def _coded(values: pa.DictionaryArray) -> _Coded:
    names = values.dictionary.to_pylist()
    codes = pc.fill_null(values.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    clear = np.array([name is not None and CROSS not in name for name in names] + [False], bool)
    return _Coded(names, np.where(clear[codes], codes, -1))


def _crossed(left: _Coded, right: _Coded) -> _Coded:
    """The pairs of values that occur; only they are named, however many values there are."""
    known = (left.codes >= 0) & (right.codes >= 0)
    wide = max(len(right.names), 1)
    found, place = np.unique(left.codes[known] * wide + right.codes[known], return_inverse=True)
    codes = np.full(len(known), -1, np.int64)
    codes[known] = place
    return _Coded([f"{left.names[n // wide]}{CROSS}{right.names[n % wide]}" for n in found.tolist()], codes)
