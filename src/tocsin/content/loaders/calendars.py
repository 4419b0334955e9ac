"""Days off: countries from the `holidays` library, the EU institutions from our own dated data."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from importlib.metadata import version
from importlib.resources import files

from tocsin.document.checking import Strict, checked
from tocsin.law.counting import Calendar
from tocsin.model.law import Confidence

NAMES = {"UK": "GB", "EL": "GR"}
"""Codes that Union documents use where ISO 3166 has others."""


class _InstitutionFile(Strict):
    id: str
    name: str
    source: str
    read_on: date
    confidence: Confidence
    version: str
    days_off: dict[str, tuple[date, ...]]


@lru_cache
def calendar(country: str) -> Calendar:
    """The calendar of a country (ISO 3166, or EU for the Commission). Its version names the data that it was computed from."""
    if country == "EU":
        return _institutions()
    code = NAMES.get(country, country)
    return Calendar(code, _data(), lambda year: _country(code, year))


@lru_cache(maxsize=512)
def made_up(code: str, year: int) -> frozenset[date]:
    """The days of a weekend in that year that the country's government made working days; a year that is not published has none."""
    import holidays  # noqa: PLC0415 - 0.2 s that a case without days need not pay

    return frozenset(day for day in holidays.country_holidays(code, years=year).weekend_workdays if day.year == year)


@lru_cache(maxsize=1)
def _data() -> str:
    """What the days off of countries are computed from; asked once, since every look reads the whole description of the package."""
    return f"holidays {version('holidays')}"


@lru_cache
def _institutions() -> Calendar:
    name = "calendars/eu_institutions.yaml"
    data = checked(files("tocsin.content").joinpath(name).read_bytes(), name, _InstitutionFile)
    days = {int(year): frozenset(off) for year, off in data.days_off.items()}
    mark = f"{data.version} ({data.confidence}), {min(days)} to {max(days)}"
    return Calendar("EU", mark, lambda year: days.get(year, frozenset()), years=frozenset(days))


@lru_cache(maxsize=512)
def _country(code: str, year: int) -> frozenset[date]:
    import holidays  # noqa: PLC0415 - 0.2 s that a case without days need not pay

    country, _, subdivision = code.partition("-")
    return frozenset(holidays.country_holidays(country, subdiv=subdivision or None, years=year))
