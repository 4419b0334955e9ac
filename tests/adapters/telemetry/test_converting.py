"""Values into the types of telemetry: both ways to convert a column give the same."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.adapters.telemetry.converting import LATEST, converted
from tocsin.adapters.telemetry.schema import TYPES
from tocsin.model.policy import ColumnMapping
from tocsin.model.telemetry import Type

PLAIN = ColumnMapping()
ODD = "certainly no value of that type"


def values(array: pa.Array | list[Any], kind: Type, **source: Any) -> list[Any]:
    """The converted values, with the kind of mistake in place of each that was rejected."""
    array = array if isinstance(array, pa.Array) else pa.array(array)
    result = converted(array, kind, ColumnMapping(**source))
    assert result.array.type == TYPES[kind]
    found = result.array.to_pylist()
    for row, reason in result.rejected.items():
        assert found[row] is None
        found[row] = reason.kind
    return found


def alone(value: Any, kind: Type, **source: Any) -> Any:
    return values([value], kind, **source)[0]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


TIMES = [
    ("2026-11-01T10:00:00Z", "2026-11-01T10:00:00+00:00"),
    ("2026-11-01T10:00:00+02:00", "2026-11-01T08:00:00+00:00"),
    ("2026-11-01 10:00:00.123456-05:30", "2026-11-01T15:30:00.123456+00:00"),
    ("2026-11-01T10:00:00.123456789Z", "2026-11-01T10:00:00.123456+00:00"),
    ("2026-11-01T10:00Z", "2026-11-01T10:00:00+00:00"),
    ("20261101T100000Z", "2026-11-01T10:00:00+00:00"),
    (" 2026-11-01T10:00:00Z ", "2026-11-01T10:00:00+00:00"),
]


@pytest.mark.parametrize(("text", "expected"), TIMES)
def test_iso_times_with_an_offset(text: str, expected: str) -> None:
    assert alone(text, "time") == at(expected)


def test_all_kinds_of_offset_in_one_column() -> None:
    assert values([text for text, _ in TIMES], "time") == [at(expected) for _, expected in TIMES]


@pytest.mark.parametrize("text", ["2026-11-01T10:00:00", "2026-11-01 10:00", "2026-11-01"])
def test_a_naive_time_is_rejected_with_its_remedy(text: str) -> None:
    result = converted(pa.array(["2026-11-01T10:00:00Z", text]), "time", PLAIN)
    (reason,) = result.rejected.values()
    assert list(result.rejected) == [1]
    assert (reason.kind, reason.value) == ("a time without an offset", text)
    assert "`zone:`" in reason.remedy


@pytest.mark.parametrize("moment", [datetime(2026, 7, 1, 10), date(2026, 7, 1)])  # noqa: DTZ001 - naive on purpose
def test_naive_timestamps_and_dates_are_rejected_too(moment: Any) -> None:
    assert alone(moment, "time") == "a time without an offset"


@pytest.mark.parametrize("given_", ["2026-07-01T12:00:00", "2026-07-01T12:00:00.000000001", datetime(2026, 7, 1, 12)])  # noqa: DTZ001
def test_a_zone_places_naive_times(given_: Any) -> None:
    assert alone(given_, "time", zone="Europe/Berlin") == at("2026-07-01T10:00:00Z")


def test_a_zone_leaves_times_with_an_offset_alone() -> None:
    texts = ["2026-07-01T12:00:00", "2026-07-01T12:00:00Z", "2026-01-01T12:00:00"]
    expected = [at("2026-07-01T10:00:00Z"), at("2026-07-01T12:00:00Z"), at("2026-01-01T11:00:00Z")]
    assert values(texts, "time", zone="Europe/Berlin") == expected
    assert values(texts[1:2], "time", zone="Europe/Berlin") == expected[1:2]


@pytest.mark.parametrize("others", [[], [ODD]])
def test_a_time_that_clocks_show_twice_is_the_first(others: list[str]) -> None:
    found = values(["2026-10-25T02:30:00", *others], "time", zone="Europe/Berlin")
    assert found[0] == at("2026-10-25T00:30:00Z")


@pytest.mark.parametrize("others", [[], [ODD]])
def test_a_time_that_clocks_skip_is_rejected(others: list[str]) -> None:
    found = values(["2026-03-29T02:30:00", *others], "time", zone="Europe/Berlin")
    assert found[0] == "a time that clocks in Europe/Berlin skip"


@pytest.mark.parametrize(
    ("unit", "number"),
    [
        ("unix_s", 1782900000),
        ("unix_ms", 1782900000000),
        ("unix_us", 1782900000000000),
        ("unix_ns", 1782900000000000000),
    ],
)
@pytest.mark.parametrize("write", [int, str, lambda n: f" {n} "])
def test_unix_times(unit: str, number: int, write: Any) -> None:
    assert alone(write(number), "time", format=unit) == at("2026-07-01T10:00:00Z")


def test_unix_nanoseconds_lose_nothing_above_the_microsecond() -> None:
    assert values([1_782_900_000_123_456_789], "time", format="unix_ns") == [at("2026-07-01T10:00:00.123456Z")]
    assert values(["1782900000123456789", ODD], "time", format="unix_ns")[0] == at("2026-07-01T10:00:00.123456Z")


@pytest.mark.parametrize("others", [[], [ODD]])
def test_unix_seconds_with_a_fraction(others: list[str]) -> None:
    assert values(["1782900000.25", *others], "time", format="unix_s")[0] == at("2026-07-01T10:00:00.25Z")
    assert alone(1_782_900_000.25, "time", format="unix_s") == at("2026-07-01T10:00:00.25Z")


@pytest.mark.parametrize("number", [10**12, -5, 10**17, 2**62, 1e300, math.inf, math.nan])
def test_a_unix_time_in_the_wrong_unit_is_rejected(number: float) -> None:
    found = alone(number, "time", format="unix_s")
    assert found in ("a time before 1970 or after 2199", "not a time")


def test_a_time_outside_the_believable_is_rejected_among_others() -> None:
    texts = [
        "0001-01-01T00:00:00Z",
        "1969-12-31T23:59:59Z",
        "1970-01-01T00:00:00Z",
        "2199-12-31T23:59:59Z",
        "9999-12-31T23:59:59Z",
    ]
    assert [isinstance(found, datetime) for found in values(texts, "time")] == [False, False, True, True, False]
    assert alone(LATEST, "time") == "a time before 1970 or after 2199"


def test_a_strptime_format_reads_other_times() -> None:
    assert alone("01.07.2026 12:00", "time", format="%d.%m.%Y %H:%M", zone="Europe/Berlin") == at(
        "2026-07-01T10:00:00Z"
    )
    assert alone("01/Jul/2026:12:00:00 +0200", "time", format="%d/%b/%Y:%H:%M:%S %z") == at("2026-07-01T10:00:00Z")
    assert alone("2026-07-01", "time", format="%d.%m.%Y") == "not a time"


@pytest.mark.parametrize(
    "text", [ODD, "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "25:00", "1782900000", "2026-11-01T10:00:61Z"]
)
def test_what_is_no_time_is_rejected(text: str) -> None:
    assert alone(text, "time") in ("not a time", "a time without an offset")


def test_timestamps_of_any_unit_and_zone_are_taken() -> None:
    for unit in ("s", "ms", "us", "ns"):
        assert values(pa.array([at("2026-07-01T10:00:00Z")], pa.timestamp(unit, "America/New_York")), "time") == [
            at("2026-07-01T10:00:00Z")
        ]


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        (1, 1.0),
        (2.5, 2.5),
        ("2.5", 2.5),
        (" 2.5 ", 2.5),
        ("1e3", 1000.0),
        (True, 1.0),
        (Decimal("2.5"), 2.5),
        ("", None),
        (" ", None),
    ],
)
def test_numbers(given_: Any, expected: float | None) -> None:
    assert alone(given_, "number") == expected
    assert values([str(given_).lower() if given_ is not True else "1", ODD], "number") == [expected, "not a number"]


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, "NaN", "inf", "-Infinity"])
def test_numbers_that_are_not_finite_are_rejected(number: Any) -> None:
    assert values([number, type(number)(1)], "number") == ["not a finite number", 1.0]


@pytest.mark.parametrize("text", ["high", "1,5", "0x10", "1_000", "1 000", "--1"])
def test_what_is_no_number_is_rejected(text: str) -> None:
    assert alone(text, "number") == "not a number"


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        (3, 3),
        ("3", 3),
        (3.0, 3),
        ("3.0", 3),
        (0, 0),
        ("", None),
        (-1, "not a count"),
        (1.5, "not a count"),
        ("1.5", "not a count"),
        (1e30, "not a count"),
        ("many", "not a number"),
        (math.nan, "not a finite number"),
        (str(2**63), "not a count"),
    ],
)
def test_counts(given_: Any, expected: Any) -> None:
    assert alone(given_, "count") == expected


@pytest.mark.parametrize("text", ["true", "True", "1", "yes", "Y", "t", "1.0", " on "])
def test_words_for_true(text: str) -> None:
    assert alone(text, "flag") is True


@pytest.mark.parametrize("text", ["false", "FALSE", "0", "no", "N", "f", "0.0", "off"])
def test_words_for_false(text: str) -> None:
    assert alone(text, "flag") is False


@pytest.mark.parametrize(
    ("given_", "expected"), [(True, True), (0, False), (1.0, True), ("", None), (2, "neither true nor false")]
)
def test_flags_of_other_types(given_: Any, expected: Any) -> None:
    assert alone(given_, "flag") == expected


@pytest.mark.parametrize("others", [[], [ODD]])
def test_thresholds_make_flags(others: list[str]) -> None:
    scores = ["4", "4.5", "5", *others]
    assert values(scores, "flag", above=4.0)[:3] == [False, True, True]
    assert values(scores, "flag", at_least=4.5)[:3] == [False, True, True]


def test_nan_is_not_above_anything() -> None:
    assert values([math.nan, 1.0], "flag", above=0.5) == ["not a finite number", True]
    assert values(["", "1"], "flag", at_least=0.5) == [None, True]


@pytest.mark.parametrize(
    ("wanted", "given_", "expected"),
    [
        ("approved", ["approved", "declined", None], [True, False, None]),
        (1, [1, 0, None], [True, False, None]),
        (1, [1.0, 0.5], [True, False]),
        (1, ["1", "1.0", "one"], [True, True, False]),
        (True, ["yes", "no", "perhaps"], [True, False, "neither true nor false"]),
        (False, [True, False], [False, True]),
        ("1", [1, 2], [True, False]),
        ("true", [True, False], [True, False]),
    ],
)
def test_equal_values_make_flags(wanted: Any, given_: list[Any], expected: list[Any]) -> None:
    assert values(given_, "flag", equals=wanted) == expected


@pytest.mark.parametrize("kind", ["text", "category"])
def test_everything_can_be_text_and_looks_the_same_whatever_its_neighbours(kind: Type) -> None:
    assert values([1, 2], kind) == ["1", "2"]
    assert values([1, 2.5], kind) == ["1", "2.5"]
    assert values([True, None], kind) == ["true", None]
    assert values(pa.array([b"ab", b"\xff"]), kind) == ["ab", r"\xff"]
    assert values([date(2026, 7, 1)], kind) == ["2026-07-01"]


def test_dictionaries_and_large_texts_are_taken() -> None:
    assert values(pa.array(["a", "b", "a"]).dictionary_encode(), "text") == ["a", "b", "a"]
    assert values(pa.array(["1", "2"], pa.large_string()), "number") == [1.0, 2.0]


@pytest.mark.parametrize("kind", sorted(TYPES))
def test_nothing_is_nothing_in_every_type(kind: Type) -> None:
    assert values(pa.nulls(2), kind) == [None, None]
    assert values(pa.array([], pa.string()), kind) == []
    assert values(pa.array([None], pa.string()), kind) == [None]


@given(st.lists(st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2199, 1, 1)), min_size=1, max_size=5))  # noqa: DTZ001
def test_both_ways_give_the_same_time(moments: list[datetime]) -> None:
    texts = [(moment.replace(tzinfo=UTC) + timedelta(0)).isoformat() for moment in moments]
    assert values([*texts, ODD], "time")[:-1] == values(texts, "time") == [at(text) for text in texts]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=5))
def test_both_ways_give_the_same_number(numbers: list[float]) -> None:
    texts = [repr(number) for number in numbers]
    assert values([*texts, ODD], "number")[:-1] == values(texts, "number") == numbers
