"""Naming groups: those that stand apart are named, and nobody whose only fault is to be compared with them."""

from __future__ import annotations

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from tocsin.detect.streams.naming import Named, named
from tocsin.detect.streams.telling import Statement

SIX = ("a", "b", "c", "d", "e", "f")


def above(*pairs: str) -> list[Statement]:
    """Statements written as `ab`: a is above b."""
    return [Statement(high, low) for high, low in pairs]


def test_a_group_that_all_others_exceed_is_named_alone() -> None:
    found = named(above("af", "bf", "cf", "df", "ef"), SIX, "a")
    assert found == [Named("f", "lower", ("a", "b", "c", "d", "e"))]
    assert str(found[0]) == "f is lower than a, b, c, d, e"


def test_the_largest_group_is_enough_to_be_named() -> None:
    assert named(above("af"), SIX, "a") == [Named("f", "lower", ("a",))]
    assert named(above("fa"), SIX, "a") == [Named("f", "higher", ("a",))]


def test_a_pair_of_small_groups_names_neither() -> None:
    assert named(above("bf", "cf"), SIX, "a") == []


def test_half_of_the_others_are_enough_and_fewer_are_not() -> None:
    assert [one.group for one in named(above("bf", "cf", "df"), SIX, "a")] == ["f"]
    assert named(above("bd", "cd"), ("a", "b", "c", "d", "e"), "a") == [Named("d", "lower", ("b", "c"))]


def test_when_the_largest_group_strays_the_others_are_not_named_for_it() -> None:
    assert named(above("ba", "ca", "da", "ea", "fa"), SIX, "a") == [Named("a", "lower", ("b", "c", "d", "e", "f"))]


def test_two_groups_that_fall_together_are_both_named_most_differences_first() -> None:
    found = named(above("ae", "be", "ce", "de", "af", "bf", "cf"), SIX, "a")
    assert [(one.group, one.side, len(one.others)) for one in found] == [("e", "lower", 4), ("f", "lower", 3)]


def test_nothing_shown_names_nobody() -> None:
    assert named([], SIX, "a") == []


@given(st.lists(st.sampled_from([Statement(*pair) for pair in permutations(SIX, 2)]), unique=True))
def test_every_name_rests_on_statements_that_were_shown(shown: list[Statement]) -> None:
    for one in named(shown, SIX, "a"):
        for other in one.others:
            pair = Statement(other, one.group) if one.side == "lower" else Statement(one.group, other)
            assert pair in shown
    assert named(shown[::-1], SIX, "a") == named(shown, SIX, "a")


def test_what_is_told_is_json() -> None:
    assert Named("f", "lower", ("a", "b")).told() == {"group": "f", "side": "lower", "others": ["a", "b"]}
