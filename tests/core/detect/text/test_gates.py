"""What every match of an expression holds is read off the expression, and held to matches themselves."""

from __future__ import annotations

import re

import pytest

from tocsin.content.loaders import patterns as shipped
from tocsin.detect.text.gates import DIGITS_MIN, FARTHEST, GATE, Margins, literal, margins

FILES = [file for file in shipped.written() if file.expression and margins(file.expression, file.ignore_case)]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (r"a\d{4}b", Margins(5, 1)),
        (r"\d{4}", Margins(4, 0)),
        (r"\b\d{4,9}(?!x)", Margins(9, 0)),
        (r"(?:ab|c)[^\n]{0,10}(\d{2} ?\d{3})x?", Margins(18, 1)),
        (r"\d{2}[ ./-]?\d[-]\d", Margins(6, 0)),
        (r"(?:\d[ -]?){4}z", Margins(7, 2)),
        (r"(?:\d{4}|x\d{5})y", Margins(6, 1)),
        (r"(?:0[1-9]|1[0-2])(?:19|20)yy", Margins(4, 2)),
        (r"(?i:no)\d{3}(?:\d{2}){1,3}", Margins(7, 4)),
        (r"\d{4}[a-z]{1,9}\d{5}", Margins(4, 14)),
    ],
)
def test_how_far_a_match_reaches_from_its_digits(expression: str, expected: Margins) -> None:
    assert margins(expression, False) == expected


@pytest.mark.parametrize(
    "expression",
    [
        r"\d{3}",
        r"\d{2}  \d{2}",
        r"\d{2}[ a]?\d{2}",
        r"\d{2}x?\d{2}",
        r"\d{2}\d{0,4}-\d",
        r"(?:\d{4}|x\d{3})y",
        r"[0-9A]{8}",
        r"\d{3}(?:\d{4})?",
        r"word",
        rf"a{{{FARTHEST}}}\d{{4}}",
        r"(a)x{0,5}\1\1\1",
    ],
)
def test_where_digits_are_not_certain_or_too_far_nothing_is_promised(expression: str) -> None:
    assert margins(expression, False) is None


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.id)
def test_every_match_of_a_shipped_pattern_keeps_its_promise(file: shipped.PatternFile) -> None:
    """Of the digits behind which the gate ends in or just behind the match, some lie within the margins of both its edges."""
    promised = margins(file.expression, file.ignore_case)
    assert promised
    expression = re.compile(file.expression.encode(), re.IGNORECASE if file.ignore_case else 0)
    gate = re.compile(rf"(?=({GATE[: GATE.rindex('(?:')]}))".encode())
    for text in map(str.encode, file.positive):
        for match in expression.finditer(text):
            ends = [
                one.end(1) for one in gate.finditer(text) if match.start() <= one.start(1) <= one.end(1) <= match.end()
            ]
            held = [
                end for end in ends if end - match.start() <= promised.before and match.end() - end <= promised.after
            ]
            assert held, (text, match)


def test_most_national_numbers_promise_digits() -> None:
    assert len(FILES) > 180
    assert DIGITS_MIN == 4


@pytest.mark.parametrize(
    ("expression", "length"),
    [
        ("abc", 3),
        ("(?i:abc)", 3),
        (r"\bab[cd]e[a-z]fgh", 4),
        ("(?:password|pass)=", 4),
        ("(?:a|bcd)xy", 2),
        ("[a-z]{5}", 0),
        ("ab{3}c", 1),
        ("(?:ab){2}", 4),
        (r"a\b(?=z)b", 2),
        ("a?", 0),
    ],
)
def test_the_longest_literal_that_every_match_holds(expression: str, length: int) -> None:
    assert literal(expression) == length
