"""What is compared: the kind of each column, and the columns that play a part, from the schemas and the first rows of the reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tocsin.detect.comparing.cells import Codes, Floats, Scale, codes, counted, cuts, read, scale
from tocsin.model.errors import Place, Problem, UsageFault

BUCKETS = 256
"""Into which units are hashed; each is one observation where intervals allow for people who come back."""
FEW_VALUES = 10
"""A column of numbers with at most so many different ones in the first rows is compared value by value."""
TEXT_SHARE, TEXT_VALUES = 0.5, 100
"""Text is compared by its length when more than this share of the first rows, and so many, differ."""
TOP_VALUES = 31
PARTS = 10
ERROR = "|{label} - {score}|"


class Kind(StrEnum):
    """How a column is compared."""

    NUMBER = "number"
    CATEGORY = "category"
    TEXT = "text length"


@dataclass(frozen=True, slots=True)
class Roles:
    """The columns that play a part; empty: none does."""

    label: str = ""
    decision: str = ""
    score: str = ""
    unit: str = ""
    groups: tuple[str, ...] = ()
    positive: str = ""
    """The value of label and decision that means yes; empty: true, yes, y, t and 1 do."""

    def named(self) -> dict[str, str]:
        """Each option that names a column, with the column."""
        single = {"--label": self.label, "--decision": self.decision, "--score": self.score, "--unit": self.unit}
        return {o: c for o, c in single.items() if c} | {f"--group {name}": name for name in self.groups}


@dataclass(frozen=True, slots=True)
class Column:
    """One column that is compared."""

    name: str
    kind: Kind
    source: tuple[str, ...]
    """The columns of the file that it is made of."""
    scale: Scale = field(default=Scale())
    starts: tuple[int, ...] = (0,)
    """Runs of cells over which clusters of units are counted."""
    top: tuple[str, ...] = ()
    """Values over which clusters of units are counted."""


class Left(NamedTuple):
    """A column that is not compared, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """All of it: both sides are counted by the same plan, so that their counts can be set side by side."""

    columns: tuple[Column, ...]
    roles: Roles
    left: tuple[Left, ...] = ()
    regression: bool = False
    """Whether the label is a quantity."""
    crossing: tuple[str, ...] = field(default=())
    """Group columns that are crossed."""

    @property
    def buckets(self) -> int:
        """1 without units."""
        return BUCKETS if self.roles.unit else 1

    def wanted(self) -> tuple[str, ...]:
        """The columns that have to be read, each once."""
        sources = (name for column in self.columns for name in column.source)
        return tuple(dict.fromkeys((*sources, *self.roles.named().values())))


def plan(sample: pa.RecordBatch, current: pa.Schema, roles: Roles) -> Plan:
    """From the first rows of the reference and the schema of the current side.

    Raises:
        UsageFault: an option names a column that is not in both.
    """
    _check(sample, current, roles)
    regression = bool(roles.label and roles.score and not roles.positive and _is_quantity(sample, roles.label))
    left, columns = [], []
    taken = {roles.unit} | ({roles.decision, roles.label} if not regression else set())
    for name in dict.fromkeys((*sample.schema.names, *current.names)):
        kind = _kind(sample, current, name)
        if name in taken:
            continue
        if isinstance(kind, Kind):
            columns.append(_column(sample, Column(name, kind, (name,))))
        else:
            left.append(Left(name, kind))
    if regression:
        name = ERROR.format(label=roles.label, score=roles.score)
        columns.append(_column(sample, Column(name, Kind.NUMBER, (roles.label, roles.score))))
    crossing = roles.groups if len(roles.groups) > 1 else ()
    return Plan(tuple(columns), roles, tuple(left), regression, crossing)


def numbers(batch: pa.RecordBatch, column: Column) -> Floats:
    """The values of a column of numbers or of text lengths; NaN where there is none."""
    if column.kind is Kind.TEXT:
        return _floats(pc.utf8_length(plain(batch.column(column.source[0])).cast(pa.large_string())))
    first, *rest = (_floats(batch.column(name)) for name in column.source)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.abs(first - rest[0])) if rest else first


def encoded(column: pa.Array) -> pa.DictionaryArray:
    """The column as a dictionary of texts; NaN is missing."""
    if pa.types.is_dictionary(column.type):
        return column
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), None, column)
    if pa.types.is_null(column.type):
        column = column.cast(pa.string())
    coded = (
        column.dictionary_encode()
        if not pa.types.is_boolean(column.type)
        else column.cast("string").dictionary_encode()
    )
    return pa.DictionaryArray.from_arrays(coded.indices, coded.dictionary.cast(pa.string()))


def plain(column: pa.Array) -> pa.Array:
    """The column without a dictionary."""
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def _floats(column: pa.Array) -> Floats:
    return np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False))


def _check(sample: pa.RecordBatch, current: pa.Schema, roles: Roles) -> None:
    reference = sample.schema
    problems = [
        Problem(Place(field=option), f"the {side} has no column {name!r}", f"its columns: {_listed(schema.names)}")
        for option, name in roles.named().items()
        for side, schema in (("reference", reference), ("current data", current))
        if name not in schema.names
    ]
    if problems:
        raise UsageFault("; ".join(f"{p.place}: {p.what}" for p in problems), problems[0].remedy)
    if roles.unit and sample.num_rows and sample.column(roles.unit).null_count == sample.num_rows:
        raise UsageFault(
            f"--unit: {roles.unit!r} has no value in the first rows", "leave --unit out, or fill the column"
        )
    if not set(reference.names) & set(current.names):
        raise UsageFault("the two have no column in common", f"the reference has {_listed(reference.names)}")


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")


def _kind(sample: pa.RecordBatch, current: pa.Schema, name: str) -> Kind | str:
    """How the column is compared, or why it is not."""
    if name not in current.names:
        return "only in the reference"
    if name not in sample.schema.names:
        return "only in the current data"
    ours, theirs = _family(sample.schema.field(name).type), _family(current.field(name).type)
    if "nothing" in (ours, theirs):
        ours = theirs = theirs if ours == "nothing" else ours
    if ours != theirs:
        return f"{ours} in the reference, {theirs} in the current data"
    return _compared(sample.column(name), ours)


def _compared(column: pa.Array, family: str) -> Kind | str:
    if family in ("flag", "nothing"):
        return Kind.CATEGORY
    if family == "text":
        different = len(encoded(column).dictionary) if not pa.types.is_null(column.type) else 0
        return Kind.TEXT if different > max(TEXT_VALUES, TEXT_SHARE * len(column)) else Kind.CATEGORY
    if family == "number":
        return Kind.CATEGORY if 0 < pc.count_distinct(column.cast(pa.float64())).as_py() <= FEW_VALUES else Kind.NUMBER
    return f"a {family} column"


_FAMILIES: Mapping[str, Any] = {
    "nothing": (pa.types.is_null,),
    "flag": (pa.types.is_boolean,),
    "number": (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal),
    "time": (pa.types.is_temporal,),
    "text": (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view),
}


def _family(kind: pa.DataType) -> str:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return next((name for name, tests in _FAMILIES.items() if any(test(kind) for test in tests)), "nested or binary")


def _is_quantity(sample: pa.RecordBatch, name: str) -> bool:
    column = sample.column(name)
    if _family(column.type) != "number":
        return False
    values = _floats(column)
    return not bool(np.isin(values[~np.isnan(values)], (0.0, 1.0)).all())


def _column(sample: pa.RecordBatch, column: Column) -> Column:
    """The column with its scale, or with its frequent values, as the first rows have them."""
    if column.kind is Kind.CATEGORY:
        found = pc.value_counts(encoded(sample.column(column.source[0]))).to_pylist()
        ranked = sorted((-int(row["counts"]), str(row["values"])) for row in found if row["values"] is not None)
        return Column(column.name, column.kind, column.source, top=tuple(value for _, value in ranked[:TOP_VALUES]))
    values = numbers(sample, column)
    by = scale(values)
    cells: Codes = codes(values, by)
    starts = cuts(read(counted(values, cells)).ordered, PARTS)
    return Column(column.name, column.kind, column.source, by, tuple(starts.tolist()))
