"""Source columns -> the table's columns, a column at a time; a row with a value that does not fit is rejected with its reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tocsin.adapters.telemetry.chunks import Bad, Chunk
from tocsin.adapters.telemetry.schema import TYPES, required, schema, type_of
from tocsin.document.checking import near
from tocsin.model.errors import BadInput, Place, Problem
from tocsin.model.policy import ColumnMapping, TelemetryMapping
from tocsin.model.telemetry import ROLES, TABLES

UNIX = {"unix_s": 1_000_000, "unix_ms": 1_000, "unix_us": 1, "unix_ns": -1_000}
TRUE = frozenset({"true", "1", "yes", "y", "t"})
FALSE = frozenset({"false", "0", "no", "n", "f"})
NAIVE = "a time without an offset"
NAIVE_REMEDY = "log times with an offset, or add `zone:` to the time column of the system"


class Misfit(ValueError):
    """A value that does not fit its column, with what to do about it."""

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(what)
        self.remedy = remedy


class Mapped(NamedTuple):
    """The rows that fit, and those that do not."""

    rows: pa.RecordBatch
    lines: np.ndarray
    bad: tuple[Bad, ...]


def plan(telemetry: TelemetryMapping, *, canonical: bool) -> Mapping[str, ColumnMapping]:
    """Where each column comes from; a reader with canonical columns needs nothing said."""
    if not canonical:
        return telemetry.columns
    own = {column.name: ColumnMapping(column=column.name) for column in TABLES[telemetry.table]}
    return own | dict(telemetry.columns)


def mapped(chunk: Chunk, telemetry: TelemetryMapping, columns: Mapping[str, ColumnMapping]) -> Mapped:
    """The chunk's rows in the table's schema."""
    rows = len(chunk.lines)
    target = schema(telemetry.table, columns)
    rejected: dict[int, tuple[str, str]] = {}
    arrays = []
    for field in target:
        kind = type_of(telemetry.table, field.name)
        source = columns.get(field.name)
        array = _source(chunk, source, rows)
        arrays.append(_converted(array, kind, source or ColumnMapping(), field.name, rejected))
    batch = pa.record_batch(arrays, schema=target)
    for name in required(telemetry.table):
        for row in np.flatnonzero(batch.column(name).is_null().to_numpy(zero_copy_only=False)):
            rejected.setdefault(int(row), (f"{name} is missing", f"every row needs {name}"))
    if telemetry.table == "interactions":
        _check_roles(batch, rejected)
    bad = tuple(
        Bad(int(chunk.lines[index]), what, remedy, _raw(chunk, index))
        for index, (what, remedy) in sorted(rejected.items())
    )
    if not bad:
        return Mapped(batch, chunk.lines, ())
    keep = np.ones(rows, bool)
    keep[list(rejected)] = False
    return Mapped(batch.filter(pa.array(keep)), chunk.lines[keep], bad)


def check_columns(chunk: Chunk, columns: Mapping[str, ColumnMapping], name: str) -> None:
    """Raise BadInput for each column that the mapping names and the file does not have; all at once."""
    there = list(chunk.columns)
    missing = [
        (target, source.column) for target, source in columns.items() if source.column and source.column not in there
    ]
    if missing:
        raise BadInput(
            Problem(
                Place(name, field=target),
                f"there is no column {column!r} in the file",
                (near(column, there).removeprefix("; ") or f"it has: {', '.join(map(str, there[:30]))}"),
            )
            for target, column in missing
        )


def _source(chunk: Chunk, source: ColumnMapping | None, rows: int) -> pa.Array:
    if source is None:
        return pa.nulls(rows)
    if source.column is None:
        return pa.array([source.constant] * rows)
    array = chunk.columns.get(source.column)
    return pa.nulls(rows) if array is None else array


def _converted(
    array: pa.Array, kind: str, source: ColumnMapping, name: str, rejected: dict[int, tuple[str, str]]
) -> pa.Array:
    """The array in the column's type. The quick way is tried first; rows that do not fit become null and are rejected."""
    target = TYPES[kind]  # type: ignore[index]
    if pa.types.is_null(array.type):
        return array.cast(pa.string()).cast(target) if kind == "category" else pa.nulls(len(array), target)
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    try:
        whole = _WHOLE[kind](array, source)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError):
        whole = None
    if whole is not None:
        return whole
    distinct = array.dictionary_encode()
    values, reasons = [], {}
    for index, value in enumerate(distinct.dictionary.to_pylist()):
        try:
            values.append(_ONE[kind](value, source))
        except Misfit as misfit:
            values.append(None)
            reasons[index] = (f"{name}: {misfit}", misfit.remedy)
    indices = distinct.indices.fill_null(-1).to_numpy()
    for row in np.flatnonzero(np.isin(indices, list(reasons))):
        rejected.setdefault(int(row), reasons[int(indices[row])])
    plain = pa.string() if kind == "category" else target
    return pa.array(values, plain).take(distinct.indices).cast(target)


def _whole_time(array: pa.Array, source: ColumnMapping) -> pa.Array | None:
    """A column of times at once; None when it needs a look at each value."""
    if pa.types.is_timestamp(array.type) and array.type.tz:
        return array.cast(TYPES["time"], safe=False)
    naive = None
    if pa.types.is_timestamp(array.type) or pa.types.is_date(array.type):
        naive = array.cast(pa.timestamp("us"), safe=False)
    elif source.format in UNIX and (pa.types.is_integer(array.type) or pa.types.is_floating(array.type)):
        factor = UNIX[source.format]
        micros = pc.divide(array, -factor) if factor < 0 else pc.multiply(array, factor)
        return pc.cast(micros, pa.int64(), safe=False).cast(TYPES["time"])
    elif pa.types.is_string(array.type) and source.format is None:
        naive = array.cast(pa.timestamp("us")) if source.zone else None
        if naive is None:
            return array.cast(TYPES["time"])
    if naive is None or source.zone is None:
        return None
    return pc.assume_timezone(naive, source.zone, ambiguous="earliest", nonexistent="latest").cast(TYPES["time"])


def _one_time(value: Any, source: ColumnMapping) -> datetime:
    try:
        if source.format in UNIX:
            factor = UNIX[source.format]
            micros = float(value) / -factor if factor < 0 else float(value) * factor
            return datetime.fromtimestamp(micros / 1e6, UTC)
        text = str(value).strip()
        at = datetime.strptime(text, source.format) if source.format else datetime.fromisoformat(text)  # noqa: DTZ007
    except (ValueError, OverflowError, OSError):
        raise Misfit(f"{str(value)[:60]!r} is not a time", "write ISO 8601 with an offset, or set `format:`") from None
    if at.tzinfo is None and source.zone is None:
        raise Misfit(f"{str(value)[:60]!r} is {NAIVE}", NAIVE_REMEDY)
    return (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(source.zone or "UTC"))).astimezone(UTC)


def _whole_number(array: pa.Array, source: ColumnMapping) -> pa.Array | None:  # noqa: ARG001 - all converters are alike
    numbers = array.cast(pa.float64())
    return numbers if pc.all(pc.is_finite(numbers)).as_py() is not False else None


def _one_number(value: Any, source: ColumnMapping) -> float:  # noqa: ARG001
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise Misfit(f"{str(value)[:60]!r} is not a number") from None
    if not np.isfinite(number):
        raise Misfit(f"{number} is not a finite number", "log a missing value as empty or null")
    return number


def _whole_count(array: pa.Array, source: ColumnMapping) -> pa.Array:  # noqa: ARG001
    return array.cast(pa.int64())


def _one_count(value: Any, source: ColumnMapping) -> int:
    number = _one_number(value, source)
    if number != int(number):
        raise Misfit(f"{str(value)[:60]!r} is not a whole number")
    return int(number)


def _whole_flag(array: pa.Array, source: ColumnMapping) -> pa.Array | None:
    if source.above is not None:
        return pc.greater(array.cast(pa.float64()), source.above)
    if source.at_least is not None:
        return pc.greater_equal(array.cast(pa.float64()), source.at_least)
    if source.equals is not None:
        return pc.equal(array.cast(pa.string()), str(source.equals))
    return array if pa.types.is_boolean(array.type) else None


def _one_flag(value: Any, source: ColumnMapping) -> bool:
    if source.above is not None or source.at_least is not None:
        number = _one_number(value, source)
        return number > source.above if source.above is not None else number >= (source.at_least or 0.0)
    text = str(value).strip().lower().removesuffix(".0")
    if text in TRUE or text in FALSE:
        return text in TRUE
    raise Misfit(f"{str(value)[:60]!r} is neither true nor false", "map it with `equals:`, `above:` or `at_least:`")


def _whole_text(array: pa.Array, source: ColumnMapping) -> pa.Array:  # noqa: ARG001
    return array.cast(pa.string())


def _whole_category(array: pa.Array, source: ColumnMapping) -> pa.Array:  # noqa: ARG001
    return array.cast(pa.string()).dictionary_encode()


def _one_text(value: Any, source: ColumnMapping) -> str:  # noqa: ARG001
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)


_Whole = Callable[[pa.Array, ColumnMapping], pa.Array | None]
_WHOLE: dict[str, _Whole] = {
    "time": _whole_time,
    "number": _whole_number,
    "count": _whole_count,
    "flag": _whole_flag,
    "text": _whole_text,
    "category": _whole_category,
}
_ONE: dict[str, Callable[[Any, ColumnMapping], Any]] = {
    "time": _one_time,
    "number": _one_number,
    "count": _one_count,
    "flag": _one_flag,
    "text": _one_text,
    "category": _one_text,
}


def _check_roles(batch: pa.RecordBatch, rejected: dict[int, tuple[str, str]]) -> None:
    role = batch.column("role")
    known = np.array([value in ROLES for value in role.dictionary.to_pylist()], bool)
    indices = role.indices.fill_null(-1).to_numpy()
    for index in np.flatnonzero(indices >= 0) if len(known) and not known.all() else ():
        if not known[indices[index]]:
            what = f"role: {role.dictionary[indices[index]].as_py()[:60]!r} is not a role"
            rejected.setdefault(int(index), (what, f"roles are: {', '.join(ROLES)}"))


def _raw(chunk: Chunk, index: int) -> str:
    """The row as it was read, for quarantine."""
    row = {name: array[index].as_py() for name, array in chunk.columns.items()}
    return ", ".join(f"{name}={str(value)[:200]}" for name, value in row.items() if value is not None)[:2_000]
