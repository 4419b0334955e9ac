"""The words of `model.telemetry` as Arrow types."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from tocsin.model.policy import ColumnMapping
from tocsin.model.telemetry import FEATURE, GROUP, TABLES, Table, Type

TYPES: dict[Type, pa.DataType] = {
    "time": pa.timestamp("us", tz="UTC"),
    "text": pa.string(),
    "category": pa.dictionary(pa.int32(), pa.string()),
    "number": pa.float64(),
    "flag": pa.bool_(),
    "count": pa.int64(),
}


def type_of(table: Table, column: str, source: ColumnMapping) -> Type:
    """The type of a column of the table; a feature is what its mapping says."""
    if column.startswith(GROUP):
        return "category"
    if column.startswith(FEATURE):
        return source.type
    return next(known.type for known in TABLES[table] if known.name == column)


def schema(table: Table, columns: Mapping[str, ColumnMapping]) -> pa.Schema:
    """The schema of a system's rows: every column of the table, then its groups and features by name."""
    names = [column.name for column in TABLES[table]]
    names += sorted(name for name in columns if name.startswith((GROUP, FEATURE)))
    return pa.schema([pa.field(n, TYPES[type_of(table, n, columns.get(n) or ColumnMapping())]) for n in names])


def required(table: Table) -> tuple[str, ...]:
    """The columns that may not be null."""
    return tuple(column.name for column in TABLES[table] if column.required)
