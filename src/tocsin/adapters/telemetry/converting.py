"""Source values -> the types of `model.telemetry`, a column at a time.

Each type has a whole-column way and a one-value way. The whole-column way gives None, or Arrow's error, as soon as any value
needs a second look; then each distinct value is converted by itself, and those that do not fit are named. Both give the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tocsin.adapters.telemetry.schema import TYPES
from tocsin.model.policy import ColumnMapping
from tocsin.model.telemetry import Type

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
"""A time outside these two is a wrong unit or a wrong clock."""
UNIX = {"unix_s": 1_000_000, "unix_ms": 1_000, "unix_us": 1, "unix_ns": 0}
"""Microseconds in a unit; nanoseconds are divided instead."""
TRUE = frozenset({"true", "1", "yes", "y", "t", "on"})
FALSE = frozenset({"false", "0", "no", "n", "f", "off"})
NAIVE = "a time without an offset"
NAIVE_REMEDY = "log times with an offset, or say `zone:` for this column in systems/<id>.yaml"
COUNT_MAX = 2**63 - 1


class Reason(NamedTuple):
    """Why a value was rejected: what kind of mistake, the value's beginning, what to do."""

    kind: str
    value: str
    remedy: str = ""


class Misfit(ValueError):
    """A value that does not fit its column."""

    def __init__(self, kind: str, value: object, remedy: str = "") -> None:
        super().__init__(kind)
        self.reason = Reason(kind, str(value)[:60], remedy)


class Converted(NamedTuple):
    """The column in its type, null where a value did not fit, and why each of those rows was rejected."""

    array: pa.Array
    rejected: Mapping[int, Reason]


def converted(array: pa.Array, kind: Type, source: ColumnMapping) -> Converted:
    """The array in the column's type."""
    target = TYPES[kind]
    if pa.types.is_null(array.type):
        return Converted(
            pa.nulls(len(array), pa.string()).cast(target) if kind == "category" else pa.nulls(len(array), target), {}
        )
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_large_string(array.type) or pa.types.is_string_view(array.type):
        array = array.cast(pa.string())
    try:
        whole = _WHOLE[kind](array, source)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError):
        whole = None
    return Converted(whole, {}) if whole is not None else _one_by_one(array, kind, source)


def _one_by_one(array: pa.Array, kind: Type, source: ColumnMapping) -> Converted:
    """Each distinct value converted by itself."""
    distinct = array.dictionary_encode()
    values: list[Any] = []
    reasons: dict[int, Reason] = {}
    for index, value in enumerate(distinct.dictionary.to_pylist()):
        try:
            values.append(_ONE[kind](value, source))
        except Misfit as misfit:
            values.append(None)
            reasons[index] = misfit.reason
    indices = distinct.indices.fill_null(-1).to_numpy()
    rows = np.flatnonzero(np.isin(indices, list(reasons)))
    plain = pa.string() if kind == "category" else TYPES[kind]
    fitted = pa.array(values, plain).take(distinct.indices).cast(TYPES[kind])
    return Converted(fitted, {int(row): reasons[int(indices[row])] for row in rows})


def _whole_time(array: pa.Array, source: ColumnMapping) -> pa.Array | None:
    if source.format in UNIX:
        micros = _unix(array, source.format)
        return _within(micros.cast(TYPES["time"])) if micros is not None else None
    if pa.types.is_string(array.type) and source.format is None:
        array = _iso(array, source.zone)
    elif pa.types.is_date(array.type):
        array = array.cast(pa.timestamp("us"))
    if not pa.types.is_timestamp(array.type):
        return None
    if array.type.tz is None:
        if source.zone is None:
            return None
        array = pc.assume_timezone(array, source.zone, ambiguous="earliest", nonexistent="raise")
    return _within(array.cast(TYPES["time"], safe=False))


def _iso(array: pa.Array, zone: str | None) -> pa.Array:
    """ISO 8601 text as timestamps: all with an offset, or, when a zone is known, all without. Raises ArrowInvalid otherwise."""
    names = (None, "UTC") if zone else ("UTC",)
    for name in names:
        for unit in ("us", "ns"):
            try:
                return array.cast(pa.timestamp(unit, name))
            except pa.ArrowInvalid:
                continue
    raise pa.ArrowInvalid("not one kind of time")


def _unix(array: pa.Array, unit: str) -> pa.Array | None:
    """Whole microseconds. Raises ArrowInvalid when a value is no number or far too large."""
    factor = UNIX[unit]
    if pa.types.is_string(array.type):
        try:
            array = array.cast(pa.int64())
        except pa.ArrowInvalid:
            array = array.cast(pa.float64())
    if pa.types.is_integer(array.type):
        array = array.cast(pa.int64())
        return pc.multiply_checked(array, factor) if factor else pc.divide(array, 1_000)
    if not pa.types.is_floating(array.type):
        return None
    return pc.round(pc.multiply(array, factor) if factor else pc.divide(array, 1_000)).cast(pa.int64())


def _within(times: pa.Array) -> pa.Array | None:
    """The times if all lie in the believable range."""
    span = pc.min_max(times.cast(pa.int64()))
    low, high = span["min"].as_py(), span["max"].as_py()
    if low is None:
        return times
    return times if low >= 0 and high < (LATEST - EPOCH) // timedelta(microseconds=1) else None


def _one_time(value: Any, source: ColumnMapping) -> datetime | None:
    text = str(value).strip()
    if not text:
        return None
    try:
        at = _read_time(value, text, source)
    except (ValueError, OverflowError):
        raise Misfit("not a time", value, "write ISO 8601 with an offset, or say `format:` for this column") from None
    if at.tzinfo is None:
        at = _placed(at, value, source.zone)
    if not EPOCH <= at < LATEST:
        raise Misfit("a time before 1970 or after 2199", value, "is the unit of the column right?")
    return at.astimezone(UTC)


def _read_time(value: Any, text: str, source: ColumnMapping) -> datetime:
    if source.format not in UNIX:
        if isinstance(value, datetime):
            return value
        return datetime.strptime(text, source.format) if source.format else datetime.fromisoformat(text)  # noqa: DTZ007
    factor = UNIX[source.format]
    try:
        whole = int(text)
        micros = whole * factor if factor else whole // 1_000
    except ValueError:
        micros = round(float(text) * factor if factor else float(text) / 1_000)
    return EPOCH + timedelta(microseconds=micros)


def _placed(naive: datetime, value: object, zone: str | None) -> datetime:
    """The local time in its zone; of a time that the clock shows twice, the first."""
    if zone is None:
        raise Misfit(NAIVE, value, NAIVE_REMEDY)
    at = naive.replace(tzinfo=ZoneInfo(zone))
    if at.astimezone(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None) != naive:
        raise Misfit(f"a time that clocks in {zone} skip", value, "log times with an offset")
    return at


def _whole_number(array: pa.Array, source: ColumnMapping) -> pa.Array | None:  # noqa: ARG001 - all converters are alike
    numbers = array.cast(pa.float64())
    return numbers if pc.all(pc.is_finite(numbers)).as_py() is not False else None


def _one_number(value: Any, source: ColumnMapping) -> float | None:  # noqa: ARG001
    if isinstance(value, str) and not value.strip():
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = None
    if number is None or "_" in str(value):
        raise Misfit("not a number", value, "mend the log, or map another column")
    if not np.isfinite(number):
        raise Misfit("not a finite number", value, "log a missing value as empty or null")
    return number


def _whole_count(array: pa.Array, source: ColumnMapping) -> pa.Array | None:  # noqa: ARG001
    counts = array.cast(pa.int64())
    return counts if (pc.min(counts).as_py() or 0) >= 0 else None


def _one_count(value: Any, source: ColumnMapping) -> int | None:
    number = _one_number(value, source)
    if number is None:
        return None
    if number != int(number) or not 0 <= number < COUNT_MAX:
        raise Misfit("not a count", value, "counts are whole and not negative")
    return int(number)


def _whole_flag(array: pa.Array, source: ColumnMapping) -> pa.Array | None:
    if source.above is not None or source.at_least is not None:
        numbers = _whole_number(array, source)
        if numbers is None:
            return None
        return (
            pc.greater(numbers, source.above)
            if source.above is not None
            else pc.greater_equal(numbers, source.at_least)
        )
    if isinstance(source.equals, str):
        return pc.equal(array, source.equals) if pa.types.is_string(array.type) else None
    return array if source.equals is None and pa.types.is_boolean(array.type) else None


def _one_flag(value: Any, source: ColumnMapping) -> bool | None:
    if source.above is not None or source.at_least is not None:
        number = _one_number(value, source)
        if number is None:
            return None
        return number > source.above if source.above is not None else number >= (source.at_least or 0.0)
    if source.equals is not None:
        return _equal(value, source.equals)
    return _truth(value)


def _truth(value: Any) -> bool | None:
    text = str(value).strip().lower().removesuffix(".0")
    if text in TRUE or text in FALSE:
        return text in TRUE
    if not text:
        return None
    raise Misfit("neither true nor false", value, "map it with `equals:`, `above:` or `at_least:`")


def _equal(value: Any, wanted: Any) -> bool | None:
    """Whether the value is the wanted one; 1, 1.0 and "1" are one number, and a flag is compared as a flag."""
    if isinstance(wanted, bool):
        truth = _truth(value)
        return None if truth is None else truth is wanted
    if isinstance(wanted, int | float):
        try:
            return float(value) == float(wanted)
        except (TypeError, ValueError):
            return False
    return _one_text(value, ColumnMapping()) == str(wanted)


def _whole_text(array: pa.Array, source: ColumnMapping) -> pa.Array | None:  # noqa: ARG001
    return None if pa.types.is_floating(array.type) else array.cast(pa.string())


def _whole_category(array: pa.Array, source: ColumnMapping) -> pa.Array | None:
    texts = _whole_text(array, source)
    return None if texts is None else texts.dictionary_encode()


def _one_text(value: Any, source: ColumnMapping) -> str:  # noqa: ARG001
    """The value as text; a number that is whole is written without a fraction, whatever its neighbours are."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else str(value)


_WHOLE: dict[Type, Callable[[pa.Array, ColumnMapping], pa.Array | None]] = {
    "time": _whole_time,
    "number": _whole_number,
    "count": _whole_count,
    "flag": _whole_flag,
    "text": _whole_text,
    "category": _whole_category,
}
_ONE: dict[Type, Callable[[Any, ColumnMapping], Any]] = {
    "time": _one_time,
    "number": _one_number,
    "count": _one_count,
    "flag": _one_flag,
    "text": _one_text,
    "category": _one_text,
}
