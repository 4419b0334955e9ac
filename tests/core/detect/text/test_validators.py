"""Structure decides: published examples are confirmed, one wrong character is not."""

from __future__ import annotations

import string
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.detect.text import validators
from tocsin.detect.text.validators import VALIDATORS, luhn

CARDS = (
    "4111111111111111",
    "4222222222222",
    "5500005555555559",
    "2223003122003222",
    "378282246310005",
    "6011111111111117",
    "30569309025904",
    "3530111333300000",
)
IBANS = (
    "DE89370400440532013000",
    "GB82WEST12345698765432",
    "FR1420041010050500013M02606",
    "NO9386011117947",
    "MT84MALT011000012345MTLCAST001S",
    "CH9300762011623852957",
)


def accepted(name: str, text: str) -> list[str]:
    """The parts of the text that the validator confirms."""
    return [text[start:end] for start, end in VALIDATORS[name](text)]


class TestCards:
    @pytest.mark.parametrize("number", CARDS)
    def test_numbers_that_the_schemes_publish_for_tests(self, number: str) -> None:
        assert accepted("card", number) == [number]

    @pytest.mark.parametrize("number", CARDS)
    def test_any_other_last_digit_is_no_card(self, number: str) -> None:
        others = [number[:-1] + digit for digit in string.digits if digit != number[-1]]
        assert [other for other in others if accepted("card", other)] == []

    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("4111 1111 1111 1111", ["4111 1111 1111 1111"]),
            ("4111-1111-1111-1111", ["4111-1111-1111-1111"]),
            ("12 4111 1111 1111 1111 34", ["4111 1111 1111 1111"]),
            ("4111111111111111 378282246310005", ["4111111111111111", "378282246310005"]),
            ("94111111111111111", []),
            ("0000000000000000", []),
            ("1111111111111117", []),
        ],
    )
    def test_a_card_begins_and_ends_where_a_group_does(self, text: str, found: list[str]) -> None:
        assert accepted("card", text) == found

    @given(st.text(string.digits, min_size=2, max_size=18))
    def test_exactly_one_last_digit_completes_a_number(self, body: str) -> None:
        complete = [digit for digit in string.digits if luhn(body + digit)]
        assert len(complete) == (0 if len(set(body)) == 1 and body[0] == "0" else 1)


class TestIbans:
    @pytest.mark.parametrize("number", IBANS)
    def test_those_of_the_registry(self, number: str) -> None:
        assert accepted("iban", number) == [number]
        spaced = " ".join(number[at : at + 4] for at in range(0, len(number), 4))
        assert accepted("iban", spaced) == [spaced]

    @pytest.mark.parametrize("number", IBANS)
    def test_two_digits_exchanged_are_noticed(self, number: str) -> None:
        places = [n for n in range(4, len(number) - 1) if number[n] != number[n + 1]]
        swapped = [number[:n] + number[n + 1] + number[n] + number[n + 2 :] for n in places]
        assert [other for other in swapped if accepted("iban", other)] == []

    @pytest.mark.parametrize("text", ["XX89370400440532013000", "DE8937040044053201300", "DE89", "", "DE89 3704 0044"])
    def test_other_lengths_and_countries_are_none(self, text: str) -> None:
        assert accepted("iban", text) == []

    def test_two_in_a_row_are_two(self) -> None:
        assert accepted("iban", f"{IBANS[0]} {IBANS[1]}") == list(IBANS[:2])

    @pytest.mark.parametrize("country", sorted(validators.IBAN_LENGTHS))
    def test_lengths_lie_within_the_standard(self, country: str) -> None:
        assert 15 <= validators.IBAN_LENGTHS[country] <= 34


@pytest.mark.parametrize(
    ("name", "yes", "no"),
    [
        ("ssn", ["219-09-9998", "001-01-0001", "899-99-9999"], ["000-12-3456", "666-12-3456", "900-12-3456"]),
        ("ssn", [], ["123-00-4567", "123-45-0000", "078-05-1120"]),
        ("ssn_labelled", ["219 09 9998", "536228731", "987-65-4321"], ["000-12-3456", "666123456", "123-00-4567", "078051120"]),
        ("iban_small", ["de89370400440532013000"], ["de89370400440532013001", "xx89370400440532013000"]),
        ("ipv4", ["8.8.8.8", "172.15.0.1", "172.32.0.1", "193.168.0.1"], ["10.0.0.1", "127.0.0.1", "192.168.1.1"]),
        ("ipv4", [], ["172.16.0.1", "172.31.255.255", "192.0.2.7", "203.0.113.9", "169.254.1.1", "224.0.0.1", "1.2.3.256"]),
        ("mail", ["a@corp.de", "x@my-example.com"], ["a@example.com", "a@mail.example.org", "a@host.test", "a@b.invalid", "a@localhost"]),
        ("phone", ["+49 30 123456", "030-1234567"], ["1234567", "+1 111 111 1111", "1234567890123456"]),
        ("date", ["1980-12-31", "31.12.1980", "12/31/1980"], ["1980-13-32", "32.13.1980", "0/0/1980"]),
        ("german_tax_id", ["86095742719", "47036892816"], ["86095742718", "12345678901", "11111111111"]),
        ("secret", ["k9Qz7Lw2Rt5Vx8Bn3Mp6"], ["aaaaaaaaaaaaaaaa", "your_api_key_here_1234", "EXAMPLEKEY9Qz7Lw2"]),
    ],
)  # fmt: skip
def test_structures(name: str, yes: list[str], no: list[str]) -> None:
    assert [text for text in yes if accepted(name, text) != [text]] == []
    assert [text for text in no if accepted(name, text)] == []


@pytest.mark.parametrize("validate", VALIDATORS.values(), ids=VALIDATORS)
@given(data=st.data())
def test_spans_are_in_order_apart_and_inside(
    validate: Callable[[str], list[tuple[int, int]]], data: st.DataObject
) -> None:
    shapes = {
        validators.card: st.text("0123456789 -", min_size=13, max_size=60),
        validators.iban: st.text("DEGB0123456789 ", max_size=60),
        validators.ssn: st.from_regex(r"[0-9]{3}-[0-9]{2}-[0-9]{4}", fullmatch=True),
        validators.ipv4: st.from_regex(r"[0-9]{1,3}(\.[0-9]{1,3}){3}", fullmatch=True),
        validators.date: st.from_regex(r"[0-9]{1,4}-[0-9]{1,2}-[0-9]{1,4}", fullmatch=True),
        validators.mail: st.from_regex(r"[a-z]{1,5}@[a-z]{1,5}\.[a-z]{2,4}", fullmatch=True),
        validators.german_tax_id: st.text(string.digits, min_size=11, max_size=11),
    }
    text = data.draw(shapes.get(validate, st.text(string.printable, max_size=40)))
    spans = validate(text)
    edges = [edge for span in spans for edge in span]
    assert edges == sorted(edges)
    assert all(0 <= start < end <= len(text) for start, end in spans) or text == ""


def doubled(number: str) -> bool:
    """Luhn's check as ISO/IEC 7812-1 tells it: every second digit from the right is doubled and its digits added up."""
    added = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit) * (2 if place % 2 else 1)
        added += value // 10 + value % 10
    return added % 10 == 0 and len(set(number)) > 1


@given(st.text(string.digits, min_size=1, max_size=20), st.sampled_from(["", " ", "-"]))
def test_luhn_is_the_check_of_the_standard(number: str, between: str) -> None:
    assert luhn(number) is doubled(number)
    assert luhn(between.join(number)) is doubled(number)


@given(st.text("3456789012", min_size=12, max_size=20))
def test_a_card_in_one_group_is_the_card_in_a_group_among_others(number: str) -> None:
    alone = accepted("card", number)
    assert alone == [part for part in accepted("card", f"{number} 1") if part == number]
    assert alone in ([], [number])
