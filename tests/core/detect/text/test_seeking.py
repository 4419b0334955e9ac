"""What is shipped about how a pattern is looked for is what follows from its expression."""

from __future__ import annotations

import re

import pytest

from tocsin.content.loaders import patterns as shipped
from tocsin.detect.text import anchors, gates
from tocsin.detect.text.seeking import anchor, sought

ITEMS = [one for one in shipped.load().items if one.expression]


@pytest.mark.parametrize("one", ITEMS, ids=lambda one: one.id)
def test_shipped_numbers_are_those_of_the_expression(one: shipped.Pattern) -> None:
    assert "sought" in vars(one), "it is not derived at the start"
    assert one.sought == sought(one.expression, one.anchor, one.ignore_case)
    assert one.sought.nearest <= one.sought.farthest
    assert one.sought.near_digits is (gates.margins(one.expression, one.ignore_case) is not None)


def test_another_anchor_has_another_digest() -> None:
    digests = {sought("ab[0-9]{4}", given, False).digest for given in ("", "ab", "b", "ab[0-9]")}
    assert len(digests) == 4
    assert sought("ab", "", False).digest != sought("ab", "", True).digest


@pytest.mark.parametrize(
    ("expression", "given_anchor", "nearest", "farthest"),
    [
        ("key[ =]{1,3}[a-z]{8}", "key[ =]{1,3}[a-z]", 5, 7),
        (r"\bkey[0-9]{8,90}", r"\bkey", 3, 3),
        ("(?:no|number)[^0-9]{0,9}[0-9]{6}", "(?:no|number)[^0-9]{0,30}[0-9]", 3, 37),
        ("(?:no|number)[^0-9]{0,9}[0-9]{6}", "(?:mo|te)[^0-9]{0,30}[0-9]", 1, 21),
        (r"\b[a-z]{3}-[0-9]{4}", "-[0-9]{4}", 1, 8),
        (r"\b[a-z]{3}-[0-9]{4}", r"\b-[0-9]", 1, 8),
    ],
)
def test_where_a_match_begins_before_the_end_of_its_anchor(
    expression: str, given_anchor: str, nearest: int, farthest: int
) -> None:
    """An anchor that begins as the expression does says it exactly; of another one only the longest match is known."""
    found = anchor(expression, given_anchor, False)
    assert (found.nearest, found.farthest) == (nearest, farthest)
    assert found == anchors.given(given_anchor, False, anchors.width(expression), expression)


@pytest.mark.parametrize("one", [one for one in ITEMS if one.anchor], ids=lambda one: one.id)
def test_each_match_holds_an_anchor_that_ends_where_it_is_looked_for(one: shipped.Pattern) -> None:
    (file,) = [file for file in shipped.written() if file.id == one.id]
    told = anchor(one.expression, one.anchor, one.ignore_case)
    for text in map(str.encode, file.positive):
        ends = [place.end(1) for place in re.finditer(b"(?=(" + told.expression.encode() + b"))", text)]
        for match in one.compiled.finditer(text):
            assert any(match.start() + told.nearest <= end <= match.start() + told.farthest for end in ends), text
