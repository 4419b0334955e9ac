"""Precision and false alarms of a rule from what was measured: hand-computed values, bounds, names and which texts count."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.detect.text.made import pattern
from tocsin.detect.text.calibration import DOCUMENT, TOLD_ONLY, WORDS, Measured, digest, pooled, roles
from tocsin.detect.text.patterns import Pattern

COUNTS = st.integers(1, 30_000).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n)))
MADE = st.builds(lambda planted, ordinary: Measured(*planted, *ordinary), COUNTS, COUNTS)


def test_precision_is_the_theorem_of_bayes() -> None:
    # of 10,000 texts 100 hold an item, of which half is found; of the 9,900 others 1 in 100 alarms: 50 of 149 findings are right
    made = Measured(planted=20, found=10, texts=1_000, wrong=10)
    assert made.precision().value == pytest.approx(50 / 149)
    assert made.precision(base=0.5).value == pytest.approx(0.25 / (0.25 + 0.005))
    assert made.alarms.value == pytest.approx(10)


def test_bounds_take_the_worst_and_the_best_of_both_shares() -> None:
    # Wilson with z = 1.96: 10 of 10 is 0.7225 to 1, 0 of 1,000 is 0 to 0.003827
    made = Measured(10, 10, 1_000, 0)
    assert made.precision().low == pytest.approx(0.007225 / (0.007225 + 0.99 * 0.003827), abs=1e-3)
    assert made.precision().value == made.precision().high == 1
    assert made.alarms.low == 0
    assert made.alarms.high == pytest.approx(3.827, abs=1e-3)


def test_what_finds_nothing_is_never_right() -> None:
    assert Measured(10, 0, 100, 5).precision().value == 0
    assert Measured(10, 0, 100, 0).precision() == (0.0, 0.0, 1.0)


def test_what_was_not_looked_at_is_not_known() -> None:
    nothing = Measured(0, 0, 0, 0)
    assert nothing.precision().low == 0
    assert nothing.precision().high == 1
    assert (nothing.alarms.low, nothing.alarms.high) == (0, 1_000)


@given(made=MADE, base=st.floats(0.001, 0.5))
def test_an_estimate_lies_within_its_bounds(made: Measured, base: float) -> None:
    for low, value, high in ((i.low, i.value, i.high) for i in (made.precision(base), made.alarms)):
        assert -1e-12 <= low <= value + 1e-12
        assert value <= high + 1e-12
    assert made.precision(base).high <= 1


@given(made=MADE)
def test_one_more_wrong_finding_never_makes_a_rule_better(made: Measured) -> None:
    worse = made._replace(wrong=min(made.wrong + 1, made.texts))
    assert worse.precision().value <= made.precision().value
    assert worse.precision().low <= made.precision().low + 1e-12
    assert worse.alarms.high >= made.alarms.high - 1e-9


@given(made=MADE)
def test_items_that_are_more_frequent_make_findings_surer(made: Measured) -> None:
    assert made.precision(0.02).value >= made.precision(0.01).value


@pytest.mark.parametrize(
    ("wrong", "word"), [(0, "very-high"), (10, "high"), (60, "medium"), (900, "low"), (26_000, "low")]
)
def test_a_precision_has_the_name_of_its_lower_bound(wrong: int, word: str) -> None:
    made = Measured(100, 100, 26_000, wrong)
    assert made.word == word
    bound = next(bound for bound, name in WORDS if name == word)
    assert made.precision().low >= bound


def test_roles_are_pooled_over_texts_and_not_over_what_was_planted() -> None:
    parts = [Measured(10, 9, 100, 1), Measured(10, 9, 50, 0), Measured(10, 9, 7, 2)]
    assert pooled(parts) == Measured(10, 9, 157, 3)
    assert pooled(parts[:1]) == parts[0]


@pytest.mark.parametrize(
    ("kind", "own", "expected"),
    [
        ("secret", ("system", "user", "assistant", "tool", "retrieved"), ("user", "assistant", DOCUMENT)),
        ("injection", ("retrieved", "tool"), (DOCUMENT,)),
        ("injection", ("user", "retrieved"), ("user", DOCUMENT)),
        ("personal_data", ("assistant",), ("assistant",)),
        ("personal_data", ("system",), ()),
        ("tool_call", ("tool",), ("assistant",)),
    ],
)
def test_which_ordinary_texts_stand_for_the_roles_of_a_rule(
    kind: str, own: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    assert roles(replace(pattern("p", "x"), kind=kind, roles=own)) == expected  # type: ignore[arg-type]


CHANGED = {
    "expression": "other",
    "validator": "luhn",
    "context": ("word",),
    "confidence": 0.123,
    "roles": ("user",),
    "keywords": ("key",),
    "entropy": 2.5,
    "bare": 0.1,
    "ignore_case": True,
}


@pytest.mark.parametrize("name", CHANGED)
def test_a_measurement_ends_with_what_decides_a_finding(name: str) -> None:
    one = pattern("p", "x")
    assert digest(replace(one, **{name: CHANGED[name]})) != digest(one)


@pytest.mark.parametrize("name", TOLD_ONLY)
def test_a_measurement_outlives_a_change_of_words(name: str) -> None:
    assert name in {field.name for field in fields(Pattern)}
    one = pattern("p", "x")
    changed = ("x",) if isinstance(getattr(one, name), tuple) else "another"
    assert digest(replace(one, **{name: changed})) == digest(one)


def test_a_digest_does_not_depend_on_what_was_computed_before() -> None:
    one = pattern("p", "x")
    before = digest(one)
    assert one.compiled.pattern
    assert one.sought
    assert digest(one) == before == digest(replace(one))
