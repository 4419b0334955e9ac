"""What is allowed is no finding: by words, by expressions, on the value, the match or the line."""

from __future__ import annotations

import pytest

from tests.core.detect.text.made import pattern, patterns
from tocsin.detect.text.allowing import Allowance
from tocsin.detect.text.engine import Engine, hyperscan, scan

ENGINES: list[Engine] = ["plain"] if hyperscan is None else ["plain", "hyperscan"]
TEXT = b"first line\nkey = abcEXAMPLE123 # shown\nlast"
MATCH, VALUE = (11, 30), (17, 30)


@pytest.mark.parametrize(
    ("allowance", "permitted"),
    [
        (Allowance(words=("example",)), True),
        (Allowance(words=("sample",)), False),
        (Allowance(expressions=("^abc",)), True),
        (Allowance(expressions=("^key",)), False),
        (Allowance(expressions=("^key",), target="match"), True),
        (Allowance(expressions=("shown$",), target="line"), True),
        (Allowance(expressions=("^first",), target="line"), False),
        (Allowance(words=("example",), expressions=("nothing",), every=True), False),
        (Allowance(words=("example",), expressions=("abc",), every=True), True),
        (Allowance(words=("sample",), expressions=("abc",), every=True), False),
        (Allowance(words=("sample",), expressions=("abc",)), True),
        (Allowance(words=("example",), every=True), True),
        (Allowance(), False),
    ],
)
def test_what_is_permitted(allowance: Allowance, permitted: bool) -> None:
    assert allowance.permits(TEXT, MATCH, VALUE) is permitted


def test_the_line_at_the_end_of_the_text() -> None:
    assert Allowance(expressions=("^b$",), target="line").permits(b"a\nb", (2, 3), (2, 3))


@pytest.mark.parametrize("which", ENGINES)
def test_group_entropy_keywords_and_allowance_of_a_pattern(which: Engine) -> None:
    token = pattern(
        "token",
        r"(?i)acme.{0,12}[:=] ?([a-z0-9]{12})\b",
        group=1,
        entropy=2.5,
        keywords=("acme",),
        allow=(Allowance(words=("sample",)),),
    )
    rows = ["acme_key = a1b2c3d4e5f6", "ACME: aaaaaaaaaaaa", "acme: samplekey123", "other: a1b2c3d4e5f6"]
    assert [rows[hit.row][hit.start : hit.end] for hit in scan(rows, patterns(token), which).hits] == ["a1b2c3d4e5f6"]


@pytest.mark.parametrize("which", ENGINES)
def test_what_is_not_confirmed_is_tried_again_one_byte_on(which: Engine) -> None:
    token = patterns(pattern("token", r"[a-z0-9]{6}", entropy=2.5))
    assert [(hit.start, hit.end) for hit in scan(["aaaaaab2c3d4"], token, which).hits] == [(5, 11)]
