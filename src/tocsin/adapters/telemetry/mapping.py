"""Source columns -> the table's columns; a row with a value that does not fit is rejected with its reason."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tocsin.adapters.telemetry.chunks import Bad, Chunk, Lines, filtered
from tocsin.adapters.telemetry.converting import Reason, converted
from tocsin.adapters.telemetry.schema import required, schema, type_of
from tocsin.document.checking import near
from tocsin.model.errors import BadInput, Place, Problem
from tocsin.model.policy import ColumnMapping, TelemetryMapping
from tocsin.model.telemetry import ROLES, TABLES, Table

NAMES_SHOWN = 30
ONLY = "telemetry.only"
OPTIONAL = "Say `optional: true` if the log leaves it out"


class Mapped(NamedTuple):
    """The rows that fit in the table's schema, the line of each, and the rows that do not fit."""

    rows: pa.RecordBatch
    lines: Lines
    bad: tuple[Bad, ...]
    left_out: int = 0
    """Rows that belong to another system."""


class Plan(NamedTuple):
    """Where each column of a table comes from."""

    table: Table
    columns: Mapping[str, ColumnMapping]
    only: Mapping[str, tuple[str, ...]] = {}

    def wanted(self) -> AbstractSet[str]:
        """The source columns that are read."""
        return {source.column for source in self.columns.values() if source.column is not None} | set(self.only)


def plan(telemetry: TelemetryMapping, *, canonical: bool) -> Plan:
    """Where each column comes from; a reader with canonical columns needs nothing said."""
    if not canonical:
        return Plan(telemetry.table, telemetry.columns, telemetry.only)
    own = {column.name: ColumnMapping(column=column.name, optional=True) for column in TABLES[telemetry.table]}
    return Plan(telemetry.table, own | dict(telemetry.columns), telemetry.only)


def mapped(chunk: Chunk, plan: Plan) -> Mapped:
    """The chunk's rows of this system in the table's schema."""
    chunk, left_out = _own(chunk, plan)
    count = len(chunk.lines)
    target = schema(plan.table, plan.columns)
    rejected: dict[int, Reason] = {}
    arrays = []
    for field in target:
        source = plan.columns.get(field.name) or ColumnMapping()
        array, misfits = converted(_source(chunk, source, count), type_of(plan.table, field.name, source), source)
        arrays.append(array)
        for row, reason in misfits.items():
            rejected.setdefault(row, reason._replace(kind=f"{field.name}: {reason.kind}"))
    batch = pa.record_batch(arrays, schema=target)
    for name in required(plan.table):
        for empty in np.flatnonzero(batch.column(name).is_null().to_numpy(zero_copy_only=False)):
            rejected.setdefault(int(empty), Reason(f"{name}: missing", "", f"every row needs {name}"))
    if plan.table == "interactions":
        _check_roles(batch.column("role"), rejected)
    return _parted(chunk, batch, rejected)._replace(left_out=left_out)


def _own(chunk: Chunk, plan: Plan) -> tuple[Chunk, int]:
    """The rows that have the values of `only`, and how many have not; a row without such a column is not of the system."""
    if not plan.only:
        return chunk, 0
    keep = np.ones(len(chunk.lines), bool)
    for name, values in plan.only.items():
        column = chunk.columns.get(name)
        plain = pa.nulls(len(keep), pa.string()) if column is None else column.cast(pa.string())
        keep &= pc.is_in(plain, pa.array(values, pa.string())).to_numpy(zero_copy_only=False)
    return filtered(chunk, keep), int((~keep).sum())


def _parted(chunk: Chunk, batch: pa.RecordBatch, rejected: Mapping[int, Reason]) -> Mapped:
    """The rows that fit, and the others with their reasons."""
    if not rejected:
        return Mapped(batch, chunk.lines, ())
    bad = [_bad(chunk, row, reason) for row, reason in sorted(rejected.items())]
    keep = np.ones(batch.num_rows, bool)
    keep[list(rejected)] = False
    return Mapped(batch.filter(pa.array(keep)), chunk.lines[keep], tuple(bad))


def _bad(chunk: Chunk, row: int, reason: Reason) -> Bad:
    what = f"{reason.kind}: {reason.value!r}" if reason.value else reason.kind
    return Bad(int(chunk.lines[row]), what, reason.remedy, chunk.raw(row), reason.kind)


def missing_columns(plan: Plan, seen: Collection[str]) -> dict[str, str]:
    """The columns whose source the file does not have, though it must: table's column (or `only`) -> source column."""
    needed = {
        target: source.column
        for target, source in plan.columns.items()
        if source.column is not None and not source.optional
    }
    needed |= {f"{ONLY}.{column}": column for column in plan.only}
    return {target: column for target, column in needed.items() if column not in seen}


def refused(name: str, missing: Mapping[str, str], names: Sequence[str]) -> BadInput:
    """The error for columns that the mapping names and the file does not have."""
    return BadInput(
        Problem(
            Place(name, field=target),
            f"there is no column {column!r} in the file",
            _nearest(column, names) if target.startswith(f"{ONLY}.") else f"{_nearest(column, names)} {OPTIONAL}",
        )
        for target, column in missing.items()
    )


def _nearest(column: str, names: Sequence[str]) -> str:
    there = ", ".join(names[:NAMES_SHOWN]) + (", ..." if len(names) > NAMES_SHOWN else "")
    return near(column, list(names)).removeprefix("; ") or f"it has: {there or 'nothing'}."


def _source(chunk: Chunk, source: ColumnMapping, count: int) -> pa.Array:
    if source.column is None:
        return pa.nulls(count) if source.constant is None else pa.array([source.constant] * count)
    array = chunk.columns.get(source.column)
    return pa.nulls(count) if array is None else array


def _check_roles(role: pa.DictionaryArray, rejected: dict[int, Reason]) -> None:
    names = role.dictionary.to_pylist()
    unknown = [index for index, name in enumerate(names) if name not in ROLES]
    indices = role.indices.fill_null(-1).to_numpy()
    for row in np.flatnonzero(np.isin(indices, unknown)) if unknown else ():
        reason = Reason("role: not a role", names[indices[row]][:60], f"roles are: {', '.join(ROLES)}")
        rejected.setdefault(int(row), reason)
