"""Every match holds the end of its anchor, wherever it stands; and no text makes the reports very many."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.detect.text.made import pattern, patterns
from tocsin.content.loaders import patterns as shipped
from tocsin.detect.text import gates
from tocsin.detect.text.engine import prepared, scan
from tocsin.detect.text.places import BITS, BYTES_PER_END, ENDS_FREE, NUMBER, Place, Places, TooMany, hyperscan
from tocsin.detect.text.seeking import Sought, sought

pytestmark = pytest.mark.skipif(hyperscan is None, reason="no wheel for this processor")


def anywhere(number: int, anchor: str) -> Place:
    """An anchor that is looked for everywhere."""
    return Place(number, Sought(anchor, 1, 1, 9, gates.literal(anchor)), lambda: anchor)


def near_digits(number: int, anchor: str, expression: str) -> Place:
    """An anchor of an expression that holds digits."""
    return Place(number, sought(expression, anchor, False), lambda: anchor)


LABELLED = near_digits(3, r"(?:label|no)[^\n0-9]{0,9}[0-9]", r"(?:label|no)[^\n0-9]{0,9}\d{5}")
WORD = anywhere(0, "word")
SAMPLES = [text for file in shipped.written() for text in file.positive]
NOISE = ["1 ", "12 34 56 78", "9" * 40, "7" * 300, "\n", "no ", "é", " ", "x" * 120, "-", "A1B2C3D4", "\u65e5\u672c"]


def shown(places: Places, text: bytes) -> list[tuple[int, int]]:
    return [(code & NUMBER, code >> BITS) for code in places.ends(text)]


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        (b"", []),
        (b"word", [(0, 4)]),
        (b"no 12345", [(3, 4)]),
        (b"no 1234, word", [(3, 4), (0, 13)]),
        (b"no 123", []),
        (b"label: 12 34 5 word no 1 2 3 4", [(3, 8), (0, 19), (3, 24)]),
        (b"no 12345" + b" " * 500 + b"no 12345", [(3, 4), (3, 512)]),
        (b"1234 no " + b"5" * 400, [(3, 9)]),
        (b"no 1" + b"0" * 5_000 + b"1 no 2", [(3, 4), (3, 5_010)]),
    ],
)
def test_ends_stand_where_they_stand_in_the_whole_text(text: bytes, ends: list[tuple[int, int]]) -> None:
    assert shown(Places([WORD, LABELLED]), text) == ends


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(SAMPLES), st.sampled_from(NOISE)), max_size=8).map(" ".join))
def test_every_match_holds_the_end_of_its_anchor(text: str) -> None:
    """Planted items side by side and between digits, against `re` on the whole text."""
    data, looking = text.encode(), prepared(shipped.load())
    ends: dict[int, list[int]] = {}
    for code in looking.places.ends(data):
        ends.setdefault(code & NUMBER, []).append(code >> BITS)
    for number, one in enumerate(shipped.load().items):
        for match in one.compiled.finditer(data) if one.expression else ():
            assert any(match.start() < end <= match.end() for end in ends.get(number, [])), (one.id, match)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([*SAMPLES[:400], *NOISE]), max_size=6).map(" ".join))
def test_counted_ends_are_the_ends_while_there_are_few(text: str) -> None:
    places = prepared(shipped.load()).places
    assert places.first_ends(text.encode(), 10_000) == places.ends(text.encode())


def test_a_text_of_nothing_but_ends_is_given_up_and_counted() -> None:
    places = Places([anywhere(0, "a"), LABELLED])
    text = b"a" * 100_000 + b" no 12345"
    with pytest.raises(TooMany):
        places.ends(text)
    codes = places.first_ends(text, 50)
    assert [code >> BITS for code in codes if code & NUMBER == 0] == list(range(1, 52))
    assert [code >> BITS for code in codes if code & NUMBER == 3] == [100_005]


def test_where_digits_are_very_many_the_whole_text_is_near_them() -> None:
    places = Places([LABELLED])
    text = b"1 2 3 4 " * 10_000 + b"no 12345" + b" " * 300 + b"no 7"
    with pytest.raises(TooMany):
        places.ends(text)
    assert [code >> BITS for code in places.first_ends(text, 50)] == [80_004, 80_312]


def test_how_many_ends_a_text_may_have() -> None:
    places = Places([anywhere(0, "a")])
    most = ENDS_FREE + 16_000 // BYTES_PER_END
    assert len(places.ends((b"a" * most).ljust(16_000))) == most
    with pytest.raises(TooMany):
        places.ends((b"a" * (most + 1)).ljust(16_000))


def test_rows_beside_one_that_is_given_up_are_searched_as_ever() -> None:
    pair = patterns(pattern("digit", r"[0-9]", kind="injection"), pattern("key", r"key-[0-9]{4}", kind="injection"))
    rows = ["key-1234", "7" * 300_000, "8 key-9999", ""]
    fast, slow = scan(rows * 5, pair, "hyperscan"), scan(rows * 5, pair, "plain")
    assert fast == slow
    assert fast.truncated == (1, 5, 9, 13, 17)
    assert {hit.row for hit in fast.hits if hit.pattern == 1} == {n for n in range(20) if n % 4 in (0, 2)}


def test_no_anchor_gives_no_end() -> None:
    assert Places([]).ends(b"anything 12345") == []
    (alone,) = Places([LABELLED]).groups
    assert list(alone.written()) == [gates.GATE], "of an anchor near digits nothing but the digits"


def test_expressions_are_parted_by_their_literals() -> None:
    made = [anywhere(n, one) for n, one in enumerate(["[0-9]", "[a-z]", "ab", "abc", "abcd", "[x]", r"\bword"])]
    assert [[number for number, _ in group.names] for group in Places(made).groups] == [[0, 5], [1], [2, 3], [4, 6]]
    assert re.compile(gates.GATE.replace(r"\z", r"\Z")).search("12-34 ")
