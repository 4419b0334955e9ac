"""Of overlapping matches the most certain stands, then the longest; injection overlaps freely."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.detect.text.made import pattern
from tocsin.detect.text.overlaps import Match, resolved
from tocsin.detect.text.patterns import RANK

CHECKSUM = pattern("c", "x", precedence="checksum")
SPECIFIC = pattern("s", "x", precedence="specific")
GENERIC = pattern("g", "x", precedence="generic")
ATTACK = pattern("a", "x", kind="injection", precedence="specific")


@pytest.mark.parametrize(
    ("found", "kept"),
    [
        ([(SPECIFIC, 0, 0, 9), (CHECKSUM, 1, 2, 6)], [(1, 2, 6)]),
        ([(GENERIC, 0, 0, 9), (SPECIFIC, 1, 0, 4)], [(1, 0, 4)]),
        ([(GENERIC, 0, 0, 4), (GENERIC, 1, 2, 9)], [(1, 2, 9)]),
        ([(GENERIC, 0, 0, 4), (GENERIC, 1, 4, 9)], [(0, 0, 4), (1, 4, 9)]),
        ([(GENERIC, 0, 0, 4), (GENERIC, 0, 0, 4)], [(0, 0, 4)]),
        ([(ATTACK, 0, 0, 30), (CHECKSUM, 1, 5, 9), (ATTACK, 2, 3, 8)], [(0, 0, 30), (2, 3, 8), (1, 5, 9)]),
        ([], []),
    ],
)
def test_which_stands(found: list[Any], kept: list[tuple[int, int, int]]) -> None:
    assert _kept(found) == [Match(*match) for match in kept]


def _kept(found: list[Any]) -> list[Match]:
    """What stands of (pattern, place, start, end), the place being one of any numbering."""
    order = sorted({place for _, place, *_ in found})
    by_place = {place: pattern for pattern, place, *_ in found}
    matches = [Match(order.index(place), start, end) for _, place, start, end in found]
    kept = resolved(matches, [by_place[place] for place in order])
    return sorted((m._replace(pattern=order[m.pattern]) for m in kept), key=lambda m: (m.start, m.end, m.pattern))


def test_of_equal_matches_the_surer_one_stands() -> None:
    unsure, sure = Match(0, 3, 9, 0.4), Match(1, 3, 9, 0.8)
    assert resolved([unsure, sure], [GENERIC, GENERIC]) == [sure]


spans = st.tuples(st.integers(0, 60), st.integers(1, 12)).map(lambda pair: (pair[0], pair[0] + pair[1]))
SET = (CHECKSUM, SPECIFIC, GENERIC, ATTACK, GENERIC)
matches = st.lists(
    st.tuples(st.integers(0, len(SET) - 1), spans).map(lambda m: (SET[m[0]], m[0], *m[1])),
    max_size=30,
    unique_by=lambda m: m[1:],
)


@given(matches)
def test_what_stands_is_apart_and_in_order(found: list[Any]) -> None:
    kept = _kept(found)
    assert kept == sorted(kept, key=lambda m: (m.start, m.end, m.pattern))
    assert {tuple(m)[:3] for m in kept} <= {m[1:] for m in found}
    standing = [m for m in kept if SET[m.pattern].kind != "injection"]
    assert all(one.end <= other.start for one, other in pairwise(standing))
    assert len(kept) - len(standing) == sum(pattern.kind == "injection" for pattern, *_ in found)


@given(matches)
def test_nothing_falls_without_something_better_in_its_place(found: list[Any]) -> None:
    kept = _kept(found)
    for lost, place, start, end in found:
        if lost.kind == "injection" or Match(place, start, end) in kept:
            continue
        winners = [m for m in kept if m.start < end and start < m.end and SET[m.pattern].kind != "injection"]
        better = [(RANK[SET[w.pattern].precedence], w.start - w.end) for w in winners]
        assert min(better) <= (RANK[lost.precedence], start - end)


@given(matches)
def test_the_order_of_finding_does_not_matter(found: list[Any]) -> None:
    assert _kept(found) == _kept(found[::-1])
