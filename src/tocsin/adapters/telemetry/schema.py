"""The words of `model.telemetry` as Arrow types."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from tocsin.model.telemetry import FEATURE, GROUP, TABLES, Table, Type

TYPES: dict[Type, pa.DataType] = {
    "time": pa.timestamp("us", tz="UTC"),
    "text": pa.string(),
    "category": pa.dictionary(pa.int32(), pa.string()),
    "number": pa.float64(),
    "flag": pa.bool_(),
    "count": pa.int64(),
}


def type_of(table: Table, column: str) -> Type:
    """The type of a column of the table; features are numbers unless they turn out to be text."""
    if column.startswith(GROUP):
        return "category"
    if column.startswith(FEATURE):
        return "number"
    return next(known.type for known in TABLES[table] if known.name == column)


def schema(table: Table, mapped: Iterable[str]) -> pa.Schema:
    """The schema of a system's rows: every column of the table, then its groups and features by name."""
    names = [column.name for column in TABLES[table]]
    names += sorted(name for name in mapped if name.startswith((GROUP, FEATURE)))
    return pa.schema([pa.field(name, TYPES[type_of(table, name)]) for name in names])


def required(table: Table) -> tuple[str, ...]:
    """The columns that may not be null."""
    return tuple(column.name for column in TABLES[table] if column.required)
