"""An anchor is found in every match of its expression, and says between which places the match begins."""

from __future__ import annotations

import re
from re import _parser as sre  # type: ignore[attr-defined]

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.detect.text import anchors
from tocsin.detect.text.anchors import UNBOUNDED, derived, width
from tocsin.detect.text.anchors import given as by_hand


@pytest.mark.parametrize(
    ("expression", "found", "nearest", "farthest"),
    [
        (r"ghp_[A-Za-z0-9]{36,255}\b", "ghp_" + "a" * 36, 40, 40),
        (r"(?<![\w.])[A-Z]{3}-\d{4}(?!\d)", "ABC-1234", 8, 8),
        (r"\b[a-z0-9]{1,64}@(?:[a-z0-9-]{1,63}\.){1,5}[a-z]{2,18}\b", "@mail.", 4, 129),
        (r"(?:1|2)\d{0,40}adafruit=[a-z]{4}", "adafruit=abcd", 14, 54),
        (r"x[0-9]{3} ?[0-9]{4}Q", "x123 4567Q", 9, 10),
    ],
)
def test_the_rarest_stretch_is_chosen(expression: str, found: str, nearest: int, farthest: int) -> None:
    anchor = derived(expression, False)
    assert re.fullmatch(anchor.expression, found)
    assert (anchor.nearest, anchor.farthest) == (nearest, farthest)
    assert anchor.exact == (nearest == farthest)


@pytest.mark.parametrize(
    ("expression", "matching"),
    [
        (r"(?i)stop it", ["STOP IT", "Stop iT"]),
        (r"(?i:stop) it", ["STOP it"]),
        (r"[^a-z]{3}!", ["ABC!", "\x00\n!!"]),
        (r"a.c", ["abc", "a c"]),
        (r"\D\S\W\s\w\d", ["xy z1"[:0] + "ax- z1"]),
        (r"(?>ab|c)d++e", ["abde", "cddde"]),
        (r"(ab|c)-\1", ["ab-ab", "c-c"]),
        (r"(?:a|bc|def)x", ["ax", "bcx", "defx"]),
        (r"q(?=u)u", ["qu"]),
        (r"[\x80-\xff]{2}k", ["\x80\xffk"]),
    ],
)
def test_every_construct_is_read(expression: str, matching: list[str]) -> None:
    anchor = derived(expression, False)
    for text in matching:
        assert re.search(expression.encode(), text.encode("latin-1")), text
        assert re.search(anchor.expression.encode(), text.encode("latin-1")), anchor.expression


def test_a_construct_without_an_equal_is_told() -> None:
    with pytest.raises(ValueError, match="groupref_exists"):
        derived(r"(a)?b(?(1)c|d)", False)


def test_case_is_folded_where_asked() -> None:
    assert re.fullmatch(derived("Key", True).expression, "kEY")
    assert not re.fullmatch(derived("Key", False).expression, "kEY")


def test_by_hand_the_match_begins_anywhere_before() -> None:
    anchor = by_hand("ab|cd", True, 30)
    assert re.fullmatch(anchor.expression, "AB")
    assert (anchor.nearest, anchor.farthest) == (1, 30)


def test_widths() -> None:
    assert width(r"a{2,5}b") == 6
    assert width(r"a+") == UNBOUNDED


piece = st.sampled_from(
    [
        "a",
        "Z",
        "[0-9]",
        "[a-f]",
        r"\w",
        " ?",
        "-",
        "x{2,4}",
        "(?:ab|c)",
        "(?:ab|cd){1,2}",
        "[0-9]{3}",
        r"\.",
        ".{0,5}",
        "q{1,90}",
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(piece, min_size=1, max_size=6).map("".join), st.data())
def test_a_match_begins_within_the_bounds(expression: str, data: st.DataObject) -> None:
    if not sre.parse(expression).getwidth()[0]:
        return
    anchor = derived(expression, False)
    text = data.draw(st.from_regex(expression, fullmatch=True).filter(str.isascii))
    ends = {
        end
        for end in range(len(text) + 1)
        for start in range(end + 1)
        if re.fullmatch(anchor.expression, text[start:end])
    }
    assert any(end - anchor.farthest <= 0 <= end - anchor.nearest for end in ends), anchor


def test_rare_things_have_more_bits() -> None:
    assert anchors._bits(frozenset(b"@")) > anchors._bits(frozenset(b"e"))
    assert anchors._bits(frozenset(range(256))) == 0
