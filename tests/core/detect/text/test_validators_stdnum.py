"""No number is found on one day and missed on another: the modules of python-stdnum that read a clock get a fixed day."""

from __future__ import annotations

import datetime
import re
import sys
from collections.abc import Iterator
from importlib import import_module
from inspect import getsource
from types import ModuleType

import pytest

from tocsin.content.loaders import patterns
from tocsin.detect.text.validators import STDNUM, validator
from tocsin.detect.text.validators_stdnum import REFERENCE, steady

CLOCKS = re.compile(r"\.(?:today|now|utcnow|time_ns|time|localtime|gmtime|monotonic)\(")
NAMED = sorted({one.validator for one in patterns.load().items if STDNUM.fullmatch(one.validator)})
READERS = ["stdnum.be.ssn", "stdnum.dk.cpr", "stdnum.kr.rrn", "stdnum.no.fodselsnummer", "stdnum.ro.onrc"]
READERS += ["stdnum.se.personnummer", "stdnum.sg.uen", "stdnum.za.idnr"]
REAL = (datetime, datetime.date, datetime.datetime)


def imported(module: ModuleType) -> Iterator[ModuleType]:
    """The module and those of python-stdnum that it imports, however deep."""
    yield module
    for value in list(vars(module).values()):
        if isinstance(value, ModuleType) and value.__name__.startswith("stdnum."):
            yield from imported(value)


def reads_a_clock(module: ModuleType) -> bool:
    return bool(CLOCKS.search(getsource(module)))


def test_the_patterns_name_modules_and_these_of_them_read_a_clock() -> None:
    assert len(NAMED) > 150
    assert [name for name in NAMED if any(map(reads_a_clock, imported(import_module(name))))] == READERS


@pytest.mark.parametrize("name", NAMED)
def test_no_named_module_can_reach_todays_date(name: str) -> None:
    for module in filter(reads_a_clock, imported(steady(name))):
        held = list(vars(module).values())
        assert not [value for value in held if any(value is real for real in REAL)], module.__name__
        assert not [value for value in held if isinstance(value, ModuleType) and value.__name__ == "time"]


@pytest.mark.parametrize("name", READERS)
def test_what_others_import_keeps_its_clock(name: str) -> None:
    theirs = import_module(name)
    assert steady(name) is not theirs
    assert steady(name) is steady(name)
    assert sys.modules[name] is theirs
    assert vars(theirs)["datetime"] in REAL


def test_a_module_without_dates_is_taken_as_it_is() -> None:
    assert steady("stdnum.de.idnr") is import_module("stdnum.de.idnr")
    with pytest.raises(ModuleNotFoundError):
        steady("stdnum.de.none")


@pytest.mark.parametrize(
    ("number", "right"),
    [
        ("3112304000", True),  # seventh digit 4 and a year below 37: born on 31 December 2030
        ("0101314000", False),  # the next day
    ],
)
def test_the_last_day_of_the_reference_year_is_today(number: str, right: bool) -> None:
    assert bool(validator("stdnum.dk.cpr")(number)) is right


def test_singapore_entities_end_with_the_reference_year() -> None:
    letters, weights = "ABCDEFGHJKLMNPQRSTUVWX0123456789", (4, 3, 5, 3, 10, 2, 2, 5, 7)
    for bare, right in (("T30LL0001", True), ("T31LL0001", False)):
        total = sum(letters.index(one) * weight for one, weight in zip(bare, weights, strict=True))
        assert bool(validator("stdnum.sg.uen")(bare + letters[(total - 5) % 11])) is right, bare


def test_romanian_register_numbers_end_with_the_reference_year() -> None:
    for year, right in ((REFERENCE - 1, True), (REFERENCE, True), (REFERENCE + 1, False)):
        bare = f"J{year}00000100"  # J, year, six digits of order, county 00 after 2024
        check = sum(map(int, "4" + bare[1:])) % 10  # J is 74, of which the last digit counts
        assert bool(validator("stdnum.ro.onrc")(f"{bare}{check}")) is right, year


def test_belgian_numbers_of_this_century_end_with_the_reference_year() -> None:
    for year, right in ((17, True), (30, True), (31, False)):
        bare = f"{year}0730033"
        check = 97 - int("2" + bare) % 97  # born since 2000: a 2 stands before the nine digits
        assert bool(validator("stdnum.be.ssn")(f"{bare}{check:02d}")) is right, year


def test_south_african_and_swedish_centuries_turn_after_the_reference_year() -> None:
    assert steady("stdnum.za.idnr").get_birth_date("3001015009087") == datetime.date(2030, 1, 1)
    assert steady("stdnum.za.idnr").get_birth_date("3101015009087") == datetime.date(1931, 1, 1)
    assert steady("stdnum.se.personnummer").get_birth_date("300101-0000") == datetime.date(2030, 1, 1)
    assert steady("stdnum.se.personnummer").get_birth_date("310101-0000") == datetime.date(1931, 1, 1)
