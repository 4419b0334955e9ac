"""Days off: countries from the library, the Commission from dated data of our own."""

from __future__ import annotations

from datetime import date

import pytest

from tocsin.content.loaders import law
from tocsin.content.loaders.calendars import calendar, made_up


@pytest.mark.parametrize(
    ("country", "day", "working"),
    [
        ("DE", date(2026, 10, 3), False),  # a Saturday and German Unity Day
        ("DE", date(2028, 10, 3), False),  # German Unity Day, a Tuesday
        ("DE", date(2028, 4, 17), False),  # Easter Monday
        ("FR", date(2026, 7, 14), False),
        ("DE", date(2026, 7, 14), True),
        ("NL", date(2026, 4, 27), False),  # King's Day
        ("IE", date(2026, 3, 17), False),
        ("EU", date(2026, 5, 14), False),  # Ascension
        ("EU", date(2026, 7, 14), True),
        ("EU", date(2026, 12, 28), False),  # between the years
    ],
)
def test_days_off_that_can_be_looked_up(country: str, day: date, working: bool) -> None:
    assert calendar(country).working(day) is working


@pytest.mark.parametrize("country", sorted(law.load().places))
def test_every_country_with_an_authority_has_days_off_and_its_data_named(country: str) -> None:
    found = calendar(country)
    assert found.days_off(2027) or country == "EU"
    assert found.version


def test_years_that_nobody_has_published_have_weekends_only() -> None:
    union = calendar("EU")
    assert union.days_off(2031) == frozenset()
    assert not union.working(date(2031, 1, 4))
    assert "2025 to 2026" in union.version
    assert union.years == {2025, 2026}
    assert calendar("DE").years is None


@pytest.mark.parametrize(
    ("code", "day", "working"),
    [
        ("VN", date(2026, 8, 22), True),  # a Saturday worked for Monday 31 August
        ("VN", date(2026, 8, 31), False),
        ("VN", date(2026, 8, 29), False),  # the next Saturday is off as ever
        ("CN", date(2026, 10, 10), True),  # a Saturday worked for the National Day week
        ("CN", date(2026, 10, 11), False),
        ("TW", date(2025, 2, 8), True),  # a Saturday worked for Lunar New Year
        ("HU", date(2026, 8, 8), False),  # worked in Hungary, but Regulation 1182/71 knows no working Saturday
        ("SA", date(2026, 11, 27), False),  # a Friday
        ("SA", date(2026, 11, 29), True),  # a Sunday
        ("IL", date(2026, 11, 28), False),  # a Saturday
    ],
)
def test_weekends_that_are_made_working_days_count_where_the_law_of_the_place_counts_them(
    code: str, day: date, working: bool
) -> None:
    assert law.load().places[code].calendar.working(day) is working


def test_a_year_whose_made_up_days_nobody_has_published_has_none() -> None:
    assert made_up("VN", 2026) == {date(2026, 8, 22)}
    assert made_up("VN", 2035) == frozenset()
    assert all(day.year == 2025 for day in made_up("CN", 2025))
