"""Lengths of time, zones, countries and identifiers: what is taken and what is refused."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.document.fields import COUNTRIES, country, duration, identifier, near, visible, zone, zones


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("30s", timedelta(seconds=30)),
        ("1 second", timedelta(seconds=1)),
        ("15m", timedelta(minutes=15)),
        ("15 min", timedelta(minutes=15)),
        ("90 minutes", timedelta(hours=1.5)),
        ("2h", timedelta(hours=2)),
        ("1.5 h", timedelta(minutes=90)),
        ("72 hours", timedelta(days=3)),
        ("1d", timedelta(days=1)),
        (" 2 days ", timedelta(days=2)),
        ("4 weeks", timedelta(weeks=4)),
        ("1w", timedelta(weeks=1)),
    ],
)
def test_lengths_of_time_are_read_as_people_write_them(text: str, length: timedelta) -> None:
    assert duration(text) == length


@pytest.mark.parametrize(
    "value",
    ["", "0h", "0.0 d", "-1h", "1", "h", "1 fortnight", "1h30", "1 month", "1y", "99999999w", 60, None, True, "1H"],
)
def test_other_lengths_are_refused_with_examples(value: object) -> None:
    with pytest.raises(ValueError, match="such as 15m, 2h, 1d or 4w"):
        duration(value)


@given(st.text(max_size=12))
def test_any_text_is_a_length_or_refused(text: str) -> None:
    try:
        length = duration(text)
    except ValueError:
        return
    assert length > timedelta(0)


@pytest.mark.parametrize("name", ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"])
def test_zones_are_iana_names(name: str) -> None:
    assert zone(name) == name


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("Europe/Berln", "Europe/Berlin"), ("europe/paris", "Europe/Paris"), ("US/Pacfic", "US/Pacific")],
)
def test_a_wrong_zone_comes_with_the_nearest_right_one(wrong: str, right: str) -> None:
    with pytest.raises(ValueError, match=f"did you mean '{right}'"):
        zone(wrong)


@pytest.mark.parametrize("value", ["CEST+", "+01:00", "", 5, None, "localtime", "../etc/passwd"])
def test_offsets_nicknames_and_paths_are_no_zones(value: object) -> None:
    with pytest.raises(ValueError, match="IANA time zone"):
        zone(value)


def test_zones_that_differ_from_machine_to_machine_are_left_out() -> None:
    assert not zones() & {"localtime", "Factory", "posixrules"}


def test_all_249_countries_are_there_and_each_has_two_capitals() -> None:
    assert len(COUNTRIES) == 249
    assert all(len(code) == 2 and code.isascii() and code.isupper() for code in COUNTRIES)


@pytest.mark.parametrize("code", ["DE", "EU", "US-CA", "GB-SCT", "FR-75", "JP"])
def test_countries_regions_and_the_union(code: str) -> None:
    assert country(code) == code


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [("UK", "GB"), ("EL", "GR"), ("de", "DE"), ("us-ca", "US-CA"), ("eu", "EU"), ("UK-SCT", "GB-SCT")],
)
def test_a_country_that_is_nearly_right_is_put_right(wrong: str, meant: str) -> None:
    with pytest.raises(ValueError, match=f"did you mean '{meant}'"):
        country(wrong)


@pytest.mark.parametrize("value", ["XX", "Germany", "", "DE-", "DE-ABCD", "US-c a", 49, None, False, "D"])
def test_other_countries_are_refused(value: object) -> None:
    with pytest.raises(ValueError, match="ISO 3166"):
        country(value)


def test_what_cannot_be_put_right_is_not_suggested() -> None:
    with pytest.raises(ValueError, match=r"or EU$"):
        country("US-CAL1")


@pytest.mark.parametrize("name", ["a", "credit-model", "model_2", "2b", "x" * 64])
def test_identifiers_that_files_and_streams_can_carry(name: str) -> None:
    assert identifier(name) == name


@pytest.mark.parametrize("name", ["", "Credit", "-a", "_a", "a b", "a/b", "../a", "a.b", "ä", "x" * 65, "a\n"])
def test_identifiers_that_they_cannot(name: str) -> None:
    with pytest.raises(ValueError, match="a-z, 0-9"):
        identifier(name)


@pytest.mark.parametrize("text", ["a\x1b[31mred", "nul\x00", "bell\x07", "back\x08", "\x7f", "\x9b"])
def test_text_that_would_steer_a_terminal_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="control characters"):
        visible(text)


@pytest.mark.parametrize("text", ["two\nlines", "a\ttab", "Ünïcödé 日本語", "zero\u200dwidth", "emoji 🙂"])
def test_other_text_is_taken_as_it_is(text: str) -> None:
    assert visible(text) == text


def test_the_nearest_name_is_found_whatever_its_case() -> None:
    assert near("TOLERANCE", ["tolerance", "group"]) == "; did you mean 'tolerance'?"
    assert near("tolerence", ["tolerance", "group"]) == "; did you mean 'tolerance'?"


def test_nothing_is_suggested_when_nothing_is_near() -> None:
    assert near("xyz", ["tolerance", "group"]) == ""
    assert near("a", []) == ""
