"""What a stream detector measures: a number from 0 to 1 per row, with the words and units in which people speak of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tocsin.detect.streams.contrast import Floats
from tocsin.model.finding import Category
from tocsin.model.telemetry import Table

Flags = np.ndarray[tuple[int], np.dtype[np.bool_]]
WHOLE = 1 << 20
"""Fixed point of measures that are not flags: sums of whole numbers merge bit for bit."""


class Amounts(NamedTuple):
    """Which rows count, and how much: from 0 to 1 (float[n]; anything where a row does not count)."""

    counts: Flags
    amount: Floats


@dataclass(frozen=True, slots=True)
class Measure:
    """One thing that is measured, and its words."""

    name: str
    category: Category
    table: Table
    noun: str
    """E.g. `error rate`."""
    columns: Callable[[Mapping[str, Any]], tuple[str, ...]]
    amounts: Callable[[pa.RecordBatch, Mapping[str, Any]], Amounts]
    harm: str
    blind_spots: tuple[str, ...]
    next_steps: tuple[str, ...]
    tags: tuple[str, ...] = ()
    direction: Literal["up", "down", "both"] = "up"
    """Which way is bad."""
    fraction: bool = False
    """Whether amounts lie between 0 and 1, other than at the ends only."""
    span: Callable[[Mapping[str, Any]], tuple[float, float]] = lambda _: (0.0, 1.0)
    """The values in users' units that 0 and 1 stand for."""
    unit: Callable[[Mapping[str, Any]], str] = lambda _: "share"
    """`share`, or the unit of the column, e.g. `ms`."""

    @property
    def full(self) -> int:
        """The fixed-point number that stands for one."""
        return WHOLE if self.fraction else 1


def flag(batch: pa.RecordBatch, column: str) -> tuple[Flags, Flags]:
    """(known, true) of a column of flags."""
    values = batch.column(column).cast(pa.bool_())
    return _flags(values.is_valid()), _flags(pc.fill_null(values, fill_value=False))


def numbers(batch: pa.RecordBatch, column: str) -> tuple[Flags, Floats]:
    """(known, value) of a column of numbers; NaN is not known, infinity is, and a column of text holds no numbers."""
    if not (pa.types.is_floating(batch.column(column).type) or pa.types.is_integer(batch.column(column).type)):
        return np.zeros(batch.num_rows, bool), np.zeros(batch.num_rows)
    values = pc.fill_null(batch.column(column).cast(pa.float64()), np.nan).to_numpy(zero_copy_only=False)
    return ~np.isnan(values), values


def texts(batch: pa.RecordBatch, column: str) -> pa.Array:
    """The column as a dictionary array of text."""
    values = batch.column(column)
    return values if pa.types.is_dictionary(values.type) else values.cast(pa.string()).dictionary_encode()


def of_texts(batch: pa.RecordBatch, column: str, test: Callable[[str], bool]) -> tuple[Flags, Flags]:
    """(known, passes the test) of a column of text; each different text is tested once."""
    values = texts(batch, column)
    table = np.array([value is not None and test(value) for value in values.dictionary.to_pylist()], bool)
    codes = pc.fill_null(values.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    return codes >= 0, (table[codes] & (codes >= 0)) if len(table) else np.zeros(len(codes), bool)


def valid(batch: pa.RecordBatch, column: str) -> Flags:
    """Which rows have a value: NaN is none."""
    values = batch.column(column)
    known = _flags(values.is_valid())
    return known & numbers(batch, column)[0] if pa.types.is_floating(values.type) else known


def between(values: Floats, low: float, high: float) -> Floats:
    """Values as shares of the way from low to high, cut off at the ends."""
    return np.asarray((np.clip(values, low, high) - low) / (high - low))


def _flags(array: pa.Array) -> Flags:
    return np.asarray(array.to_numpy(zero_copy_only=False)).astype(bool)
