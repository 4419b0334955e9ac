"""Kleene's three values, and the reason for every verdict."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import product
from typing import Any as Value

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.law.conditions import (
    ALWAYS,
    All,
    Any,
    Compare,
    Condition,
    Not,
    comparisons,
    conjunction,
    disjunction,
    judge,
    names,
    outline,
)
from tocsin.model.law import Fact, Truth

Y, N, U = Truth.YES, Truth.NO, Truth.UNKNOWN
AT = datetime(2026, 11, 24, tzinfo=UTC)


def facts(**values: Value) -> dict[str, Fact]:
    return {name: Fact(name, value, "s", "yilmaz", AT) for name, value in values.items()}


def truth(condition: Condition, **values: Value) -> Truth:
    return judge(condition, facts(**values)).truth


@pytest.mark.parametrize(
    ("left", "right", "both", "either"),
    [
        (Y, Y, Y, Y), (Y, N, N, Y), (Y, U, U, Y),
        (N, Y, N, Y), (N, N, N, N), (N, U, N, U),
        (U, Y, U, Y), (U, N, N, U), (U, U, U, U),
    ],
)  # fmt: skip
def test_the_tables_of_kleene(left: Truth, right: Truth, both: Truth, either: Truth) -> None:
    assert conjunction((left, right)) is both
    assert disjunction((left, right)) is either


def test_of_nothing_all_hold_and_none_does() -> None:
    assert conjunction(()) is Y
    assert disjunction(()) is N
    assert truth(ALWAYS) is Y


VALUE = {Y: True, N: False, U: None}


@pytest.mark.parametrize(("a", "b"), list(product((Y, N, U), repeat=2)))
def test_not_all_is_any_not(a: Truth, b: Truth) -> None:
    parts = (Compare("a", "is", True), Compare("b", "is", True))
    given_ = {"a": VALUE[a], "b": VALUE[b]}
    assert truth(Not(All(parts)), **given_) is truth(Any((Not(parts[0]), Not(parts[1]))), **given_)


@pytest.mark.parametrize(
    ("operator", "wanted", "value", "expected"),
    [
        ("is", True, True, Y),
        ("is", True, False, N),
        ("is", "high", "high", Y),
        ("is", "high", "risk", N),
        ("in", ("DE", "FR"), "FR", Y),
        ("in", ("DE", "FR"), "ES", N),
        ("contains", "DE", ["DE", "FR"], Y),
        ("contains", "ES", ["DE", "FR"], N),
        ("starts_with", "annex_iii", "annex_iii.5b", Y),
        ("starts_with", "annex_iii", "annex_i_a", N),
        ("at_least", 100, 100, Y),
        ("at_least", 100, 99, N),
        ("at_most", 5, 5, Y),
        ("at_most", 5, 6, N),
        ("before", date(2027, 12, 2), "2027-12-01", Y),
        ("before", date(2027, 12, 2), "2027-12-02", N),
        ("on_or_after", date(2027, 12, 2), date(2027, 12, 2), Y),
        ("on_or_after", date(2027, 12, 2), datetime(2027, 12, 1, 23, 59, tzinfo=UTC), N),
    ],
)
def test_every_comparison(operator: Value, wanted: Value, value: Value, expected: Truth) -> None:
    assert truth(Compare("f", operator, wanted), f=value) is expected


@pytest.mark.parametrize("given_", [{}, {"f": None}])
def test_a_fact_that_is_missing_or_empty_is_unknown_and_never_no(given_: dict[str, Value]) -> None:
    reason = judge(Compare("f", "is", True), facts(**given_))
    assert reason.truth is U
    assert reason.text == "f: not known yet"


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        (Compare("personal_data", "is", True), "personal data: yes (personal_data = yes, said by yilmaz)"),
        (Compare("personal_data", "is", False), "no personal data: no (personal_data = yes, said by yilmaz)"),
        (Compare("people", "at_least", 5), "people at least 5: yes (people = 7, said by yilmaz)"),
        (Compare("people", "at_least", 5, "many people"), "many people: yes (people = 7, said by yilmaz)"),
        (Not(Compare("people", "at_least", 9)), "not: people at least 9: no (people = 7, said by yilmaz)"),
    ],
)
def test_the_reason_in_plain_words(condition: Condition, text: str) -> None:
    assert judge(condition, facts(personal_data=True, people=7)).text == text


def test_the_reason_is_a_tree() -> None:
    condition = All((Compare("a", "is", True), Any((Compare("b", "is", True), Compare("c", "is", True)))), "serious")
    reason = judge(condition, facts(a=True, b=False))
    assert (reason.text, reason.truth) == ("serious", U)
    assert [part.truth for part in reason.because] == [Y, U]
    assert [part.truth for part in reason.because[1].because] == [N, U]


def test_names_and_comparisons_are_found_at_any_depth() -> None:
    condition = Not(All((Compare("a", "is", True), Any((Compare("b", "is", 1), Not(Compare("a", "is", 2)))))))
    assert names(condition) == {"a", "b"}
    assert [c.fact for c in comparisons(condition)] == ["a", "b", "a"]
    assert names(ALWAYS) == frozenset()


@pytest.mark.parametrize(
    ("condition", "lines"),
    [
        (ALWAYS, []),
        (Compare("death", "is", True), [(0, "death")]),
        (Compare("placed_on_market_on", "on_or_after", "2027-12-02"), [(0, "placed on market on or after 2027-12-02")]),
        (Not(Compare("risk", "is", "unlikely")), [(0, "not"), (1, "risk is unlikely")]),
        (
            All((Compare("a", "is", True), Any((Compare("b", "is", True, "a b"),), "either")), "serious"),
            [(0, "serious: all of"), (1, "a"), (1, "either: any of"), (2, "a b")],
        ),
    ],
)
def test_an_outline_needs_no_facts(condition: Condition, lines: list[tuple[int, str]]) -> None:
    assert list(outline(condition)) == lines


def conditions() -> st.SearchStrategy[Condition]:
    leaf = st.sampled_from("abc").map(lambda name: Compare(name, "is", True))
    return st.recursive(
        leaf,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3).map(lambda parts: All(tuple(parts))),
            st.lists(inner, max_size=3).map(lambda parts: Any(tuple(parts))),
            inner.map(Not),
        ),
        max_leaves=8,
    )


@given(conditions(), st.dictionaries(st.sampled_from("abc"), st.booleans()), st.sampled_from("abc"), st.booleans())
def test_an_answer_never_turns_a_certain_verdict_round(
    condition: Condition, known: dict[str, bool], name: str, answer: bool
) -> None:
    """Kleene's logic is monotone: what is certain with open questions stays so whatever the answers."""
    before = truth(condition, **known)
    after = truth(condition, **{name: answer} | known)
    assert before is U or after is before


@pytest.mark.parametrize(("met", "expected"), [([], N), (["a"], N), (["a", "b"], Y), (["a", "b", "c"], Y), (None, U)])
def test_at_least_two_of_a_set_counts_its_members(met: list[str] | None, expected: Truth) -> None:
    assert truth(Compare("met", "at_least", 2), met=met) is expected


def test_at_most_one_of_a_set_counts_its_members() -> None:
    assert truth(Compare("met", "at_most", 1), met=["a"]) is Y
    assert truth(Compare("met", "at_most", 1), met=["a", "b"]) is N
