"""Numbers are found however they are grouped and whatever stands beside them, and not in what is no number."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.detect.text.made import pattern, patterns
from tocsin.content.loaders import patterns as shipped
from tocsin.detect.text.engine import Engine, hyperscan, scan
from tocsin.detect.text.numbers import TRIES_PER_TEXT, _begin
from tocsin.detect.text.patterns import Patterns
from tocsin.detect.text.validators import luhn

ENGINES: list[Engine] = ["plain"] if hyperscan is None else ["plain", "hyperscan"]
both = pytest.mark.parametrize("which", ENGINES)
CARD = Patterns((shipped.load().by_id["payment_card"],))
EIGHT = patterns(pattern("eight", "", digits=(8,)), pattern("parted", "", digits=(9,), separators=" -./"))


def shown(text: str, which: Engine, wanted: Patterns = CARD) -> list[str]:
    return [text[hit.start : hit.end] for hit in scan([text], wanted, which).hits]


@both
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2024 4111 1111 1111 1111", ["4111 1111 1111 1111"]),
        ("4111 1111 1111 1111 5500 0055 5555 5559", ["4111 1111 1111 1111", "5500 0055 5555 5559"]),
        ("4111-1111-1111-1111 5500-0055-5555-5559", ["4111-1111-1111-1111", "5500-0055-5555-5559"]),
        ("3782 822463 10005", ["3782 822463 10005"]),
        ("4111111111111111 12/29 123", ["4111111111111111"]),
        ("call 030 1234 5678, card 4111 1111 1111 1111.", ["4111 1111 1111 1111"]),
        ("卡号4111111111111111。", ["4111111111111111"]),
        ("3 4 0 6 1 6 7 5 4 3 4 2 1 2 1", []),
        ("labels 4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 7", []),
        ("4 1 1 1 1 1 1 1 1 1 1 1 1 111", []),
        ("1 2 3 4111 1111 1111 1111 4 5 6", ["4111 1111 1111 1111"]),
        ("0.4111111111111111", []),
        ("3,4111111111111111", []),
        ("4111111111111111,5", []),
        ("id_4111111111111111", []),
        ("a716-4111111111111111", []),
        ("4111111111111111-abc", []),
        ("4111111111111111@mail", []),
        ("+4111111111111111", []),
        ("4111.1111.1111.1111", []),
        ("4111  1111  1111  1111", []),
    ],
)
def test_cards(text: str, found: list[str], which: Engine) -> None:
    assert shown(text, which) == found


@both
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("12345678", ["12345678"]),
        ("12 34 56 78", ["12 34 56 78"]),
        ("1 23 4 5678", ["1 23 4 5678"]),
        ("1 2 3 45678", []),
        ("1 2 3 4 5 6 7 8", []),
        ("123.456.789", ["123.456.789"]),
        ("1234.5678", []),
        ("12345678 9", ["12345678 9"]),
        ("1234567", []),
    ],
)
def test_lengths_and_separators(text: str, found: list[str], which: Engine) -> None:
    assert shown(text, which, EIGHT) == found


@both
def test_the_context_of_each_pattern_decides(which: Engine) -> None:
    tax = pattern("tax", "", digits=(8,), context=("tax id", "steuernummer"), bare=0.2)
    health = pattern("health", "", digits=(8,), context=("krankenkasse", "健康保険"))
    rows = ["Tax ID: 12345678", "12345678", "Krankenkasse 12345678", "健康保険 12345678", "tax 12345678 id"]
    hits = scan(rows, patterns(health, tax), which).hits
    assert [(hit.row, hit.pattern, hit.score) for hit in hits] == [
        (0, 1, 0.9),
        (1, 1, 0.2),
        (2, 0, 0.9),
        (3, 0, 0.9),
        (4, 1, 0.2),
    ]


@both
def test_a_validator_of_stdnum_by_its_name(which: Engine) -> None:
    pesel = patterns(pattern("pesel", "", digits=(11,), validator="stdnum.pl.pesel"))
    assert shown("44051401359 and 44051401358", which, pesel) == ["44051401359"]


@both
def test_a_text_of_nothing_but_groups_is_cut_and_told(which: Engine) -> None:
    found = scan(["12 " * 20_000], EIGHT, which)
    assert found.truncated == (0,)
    assert 20 < len(found.hits) <= (TRIES_PER_TEXT + 60_000 // 128) / 4


@both
def test_a_long_list_of_single_digits_is_cut_and_told_as_well(which: Engine) -> None:
    found = scan(["1 " * 20_000], EIGHT, which)
    assert (found.hits, found.truncated) == ((), (0,))
    assert shown("1 2 3 4 5 1234 5678", which, EIGHT) == ["5 1234 5678"]


@settings(max_examples=200, deadline=None)
@given(st.text("0123456789 -./x", max_size=400))
def test_both_engines_see_the_same_numbers(text: str) -> None:
    results = [scan([text], EIGHT, which) for which in ENGINES]
    assert results == results[:1] * len(results)


@given(st.integers(1, 500), st.text("0123456789 ", max_size=5))
def test_the_begin_of_a_run_is_found_from_anywhere_in_it(length: int, before: str) -> None:
    some = random.Random(length)
    run = "".join(some.choice(["7", "7", "7 "]) for _ in range(length)).strip()
    text = f"{before}x{run}y".encode()
    first = len(before) + 1
    for place in range(first, first + len(run)):
        if text[place] != ord(" "):
            assert _begin(text, place) == first


def test_luhn_on_planted_numbers() -> None:
    some = random.Random(5)
    for _ in range(50):
        body = "4" + "".join(some.choice("0123456789") for _ in range(14))
        number = next(body + str(check) for check in range(10) if luhn(body + str(check)))
        assert shown(f"pay {number[:4]} {number[4:8]} {number[8:12]} {number[12:]} now", ENGINES[-1])
