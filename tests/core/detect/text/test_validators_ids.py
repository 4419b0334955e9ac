"""Check digits: published numbers are confirmed, and of ten last digits at most one is right."""

from __future__ import annotations

import string
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.detect.text.validators import VALIDATORS
from tocsin.detect.text.validators_ids import CHECKS, Linear, crossed, dated, luhn, spelled, total, verhoeff

PUBLISHED = [
    ("au_medicare", "2123456701"),
    ("br_cnh", "02650306461"),
    ("br_cns", "898001160660761"),
    ("br_pis", "17033259504"),
    ("br_voter", "004356870906"),
    ("de_ik", "101575519"),
    ("de_kvnr", "A123456780"),
    ("de_pension", "65170839J003"),
    ("de_pension", "15070649C103"),
    ("hk_id", "A1234563"),
    ("hk_id", "AB9876543"),
    ("lu_matricule", "1893120105732"),
    ("machine_readable", "L898902C36"),
    ("mx_clabe", "002010077777777771"),
    ("nz_nhi", "CGC2720"),
    ("pl_id_card", "ABA300000"),
    ("ru_snils", "11223344595"),
    ("sg_nric", "S1234567D"),
    ("sg_nric", "M1234567K"),
    ("sv_dui", "000162975"),
    ("tw_id", "A123456789"),
    ("us_dea", "AB1234563"),
    ("us_npi", "1234567893"),
    ("uy_ci", "12345672"),
    ("vehicle", "1M8GDM9AXKP042788"),
]


@pytest.mark.parametrize(("name", "number"), PUBLISHED)
def test_published_numbers_are_confirmed(name: str, number: str) -> None:
    assert CHECKS[name](number)


@pytest.mark.parametrize(("name", "number"), PUBLISHED)
def test_punctuation_and_small_letters_do_not_matter_to_the_validator(name: str, number: str) -> None:
    written = f"{number[:3].lower()}-{number[3:6]} {number[6:]}"
    assert VALIDATORS[name](written) == [(0, len(written))]


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("au_medicare", "2123456711"),
        ("br_cnh", "02650306462"),
        ("br_cns", "898001160660762"),
        ("br_pis", "17033259505"),
        ("br_voter", "004356870907"),
        ("br_voter", "004356872906"),
        ("de_ik", "101575518"),
        ("de_kvnr", "A123456781"),
        ("de_lanr", "123456900"),
        ("de_pension", "65170839J004"),
        ("de_pension", "65990839J003"),
        ("hk_id", "A1234564"),
        ("lu_matricule", "1893120105733"),
        ("machine_readable", "L898902C37"),
        ("machine_readable", "CFGHJKLMN"),
        ("mx_clabe", "002010077777777772"),
        ("nz_nhi", "CGC2721"),
        ("numbered", "12"),
        ("numbered", "1111111"),
        ("pl_id_card", "ABA300001"),
        ("ru_snils", "11223344596"),
        ("ru_snils", "00100199863"),
        ("sg_nric", "S1234567E"),
        ("sv_dui", "000162976"),
        ("tw_id", "A123456788"),
        ("us_dea", "AB1234564"),
        ("us_npi", "1234567894"),
        ("uy_ci", "12345673"),
        ("vehicle", "1M8GDM9A1KP042788"),
    ],
)
def test_a_wrong_character_is_not(name: str, number: str) -> None:
    assert not CHECKS[name](number)


LAST_DIGIT = {
    "br_cns": 15,
    "de_ik": 9,
    "hu_taj": 9,
    "hu_tax_id": 10,
    "luhn": 12,
    "mx_clabe": 18,
    "pt_niss": 11,
    "sv_dui": 9,
    "us_npi": 10,
    "uy_ci": 8,
    "br_pis": 11,
    "kr_frn": 13,
}


@pytest.mark.parametrize(("name", "length"), LAST_DIGIT.items())
@given(data=st.data())
def test_of_ten_last_digits_at_most_one_is_right(name: str, length: int, data: st.DataObject) -> None:
    head = data.draw(st.text(string.digits, min_size=length - 1, max_size=length - 1))
    assert sum(CHECKS[name](head + digit) for digit in string.digits) <= 1


@pytest.mark.parametrize(("name", "length"), LAST_DIGIT.items())
@given(data=st.data())
def test_the_digit_after_the_right_one_is_wrong(name: str, length: int, data: st.DataObject) -> None:
    head = data.draw(st.text(string.digits, min_size=length - 1, max_size=length - 1))
    right = [digit for digit in string.digits if CHECKS[name](head + digit)]
    after = [str((int(digit) + 1) % 10) for digit in right]
    assert [digit for digit in after if CHECKS[name](head + digit)] == []


@pytest.mark.parametrize("name", sorted(set(CHECKS) - {"numbered", "machine_readable"}))
def test_a_text_that_is_too_short_is_none(name: str) -> None:
    assert VALIDATORS[name]("1") == []
    assert VALIDATORS[name]("") == []


def test_personal_numbers_of_hungary_rise_or_fall() -> None:
    rising = next(d for d in string.digits if CHECKS["hu_personal"](f"1850315123{d}"))
    falling = [d for d in string.digits if CHECKS["hu_personal"](f"3010315124{d}")]
    assert rising.isdigit()
    assert len(falling) <= 2
    assert not CHECKS["hu_personal"]("18513151230")


@pytest.mark.parametrize(
    ("number", "right"),
    [("281234567840", True), ("281234567855", False), ("991234567840", False), ("", False)],
)
def test_affiliations_of_spain_need_their_rest(number: str, right: bool) -> None:
    assert bool(VALIDATORS["es_naf"](number)) is right


@given(st.integers(1, 52), st.integers(0, 99_999_999))
def test_one_rest_of_97_is_right_for_spain(province: int, number: int) -> None:
    head = f"{province:02d}{number:08d}"
    right = [rest for rest in range(100) if CHECKS["es_naf"](f"{head}{rest:02d}")]
    assert len(right) in (1, 2)  # a rest below three is also written with 97 more, and that is not given out
    assert right[0] < 97


@given(st.integers(1_001_999, 999_999_999))
def test_one_pair_of_digits_is_right_for_russia(number: int) -> None:
    assert sum(CHECKS["ru_snils"](f"{number:09d}{rest:02d}") for rest in range(100)) == 1


@given(st.text(string.digits, min_size=1, max_size=20))
def test_verhoeff_agrees_with_the_table_of_its_author(number: str) -> None:
    multiply = [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
        [1, 2, 3, 4, 0, 6, 7, 8, 9, 5],
        [2, 3, 4, 0, 1, 7, 8, 9, 5, 6],
        [3, 4, 0, 1, 2, 8, 9, 5, 6, 7],
        [4, 0, 1, 2, 3, 9, 5, 6, 7, 8],
        [5, 9, 8, 7, 6, 0, 4, 3, 2, 1],
        [6, 5, 9, 8, 7, 1, 0, 4, 3, 2],
        [7, 6, 5, 9, 8, 2, 1, 0, 4, 3],
        [8, 7, 6, 5, 9, 3, 2, 1, 0, 4],
        [9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
    ]
    permuted = [list(range(10)), [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]]
    for _ in range(6):
        permuted.append([permuted[-1][place] for place in permuted[1]])
    state = 0
    for place, digit in enumerate(reversed(number)):
        state = multiply[state][permuted[place % 8][int(digit)]]
    assert verhoeff(number) is (state == 0)


@given(st.text(string.digits, min_size=2, max_size=20))
def test_luhn_by_its_definition(number: str) -> None:
    doubled = [int(d) if n % 2 == 0 else sum(divmod(2 * int(d), 10)) for n, d in enumerate(reversed(number))]
    assert luhn(number) is (sum(doubled) % 10 == 0 and len(set(number)) > 1)


@pytest.mark.parametrize(
    ("found", "digits"), [("A1", [0, 1, 1]), ("Z9", [2, 6, 9]), ("12", [1, 2]), ("", []), ("J0", [1, 0, 0])]
)
def test_letters_are_spelled_by_their_place_in_the_alphabet(found: str, digits: list[int]) -> None:
    assert spelled(found) == digits


@pytest.mark.parametrize(
    ("found", "real"), [("850315", True), ("000229", True), ("010229", False), ("851301", False), ("850300", False)]
)
def test_six_digits_are_a_date_or_not(found: str, real: bool) -> None:
    assert dated(found) is real


def test_sums() -> None:
    assert total((1, 2, 3), (4, 5, 6)) == 32
    assert total((1, 2), (4, 5, 6)) == 14
    assert crossed([9, 1], (2,)) is False
    assert crossed([9, 9], (2,)) is True


@pytest.mark.parametrize(
    ("rule", "found", "holds"),
    [
        (Linear((1, 2, -1), 10), "125", True),
        (Linear((1, 2, -1), 10), "126", False),
        (Linear((1, 2, -1), 10), "12", False),
        (Linear((1, 2, -1), 10), "1-5", False),
        (Linear((1,), 11), "B", True),
        (Linear((1, 1), 10, rest=9), "45", True),
    ],
)
def test_a_weighted_sum_holds_or_not(rule: Callable[[str], bool], found: str, holds: bool) -> None:
    assert rule(found) is holds
