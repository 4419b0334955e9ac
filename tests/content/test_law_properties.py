"""What holds of the whole shipped library, whatever the answers: monotony, independence of order, and that every clock is found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tocsin.content.loaders import law, vectors
from tocsin.law.asking import ALARMING, COUNTRIES, DATE, questions
from tocsin.law.conditions import comparisons
from tocsin.law.obligations import obligations
from tocsin.law.regime import FactKind, Library, Regime
from tocsin.law.vectors import Vector
from tocsin.model.law import Case, Fact, Obligation, Status, Truth

LIBRARY = law.load()
CASES: dict[str, tuple[Vector, ...]] = {regime.id: vectors.load(regime.id) for regime in LIBRARY.regimes}
REGIMES = [pytest.param(regime, id=regime.id) for regime in LIBRARY.regimes]
QUIET = settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


def alone(regime: Regime) -> Library:
    return replace(LIBRARY, regimes=(regime,))


def owed(case: Case, library: Library = LIBRARY, *, no: bool = False) -> dict[str, Obligation]:
    return {one.id: one for one in obligations(case, library, explain_no=no)}


def answered(case: Case, name: str, value: Any) -> Case:
    return replace(case, facts={**case.facts, name: Fact(name, value, "test", "test", case.as_of)})


def answers(regime: Regime, kind: FactKind) -> st.SearchStrategy[Any]:
    """Answers of the fact's type that the regime may tell apart."""
    compared = [c.value for condition in regime.conditions for c in comparisons(condition) if c.fact == kind.name]
    values = sorted({str(v) for one in compared for v in (one if isinstance(one, tuple) else (one,))})
    if kind.type == "truth":
        return st.booleans()
    if kind.type == "choice":
        return st.sampled_from(kind.choices)
    if kind.type == "set":
        return st.lists(
            st.sampled_from([v for v in values if v in kind.choices] or kind.choices[:3]), unique=True, max_size=4
        )
    if kind.type == "number":
        numbers = [float(v) for v in values] or [0.0]
        return st.sampled_from([n + step for n in numbers for step in (-1, 0, 1)])
    if kind.type == "date":
        return st.sampled_from([*values, "2001-01-01", "2035-01-01"])
    return st.sampled_from([*values, "none"])


@st.composite
def situations(draw: st.DrawFn) -> tuple[Regime, Case]:
    """A regime, and one of its cases with some answers changed and others forgotten."""
    regime = draw(st.sampled_from(LIBRARY.regimes))
    case = draw(st.sampled_from(CASES[regime.id])).case
    for name in sorted(regime.facts):
        what = draw(st.sampled_from(("keep", "keep", "forget", "change")))
        if what == "change":
            case = answered(case, name, draw(answers(regime, LIBRARY.facts[name])))
        elif what == "forget":
            case = answered(case, name, None)
    return regime, case


@given(situations(), st.integers(0, 40 * 24))
@QUIET
def test_a_later_awareness_never_gives_an_earlier_deadline(situation: tuple[Regime, Case], hours: int) -> None:
    """As long as the same rule judges it: an act that changes in between may shorten a period."""
    regime, case = situation
    moved = {name: at + timedelta(hours=hours) for name, at in case.anchors.items() if name.startswith("aware")}
    later = replace(case, anchors={**case.anchors, **moved}, as_of=case.as_of + timedelta(hours=hours))
    before, after = owed(case, alone(regime), no=True), owed(later, alone(regime), no=True)
    for name in before.keys() & after.keys():
        one, other = before[name], after[name]
        if (one.label, one.status) == (other.label, other.status) and one.operational_due and other.operational_due:
            assert one.operational_due <= other.operational_due
            if one.trace[0].instant == one.anchor_at and one.calendar == other.calendar:
                assert (one.legal_latest or one.operational_due) <= (other.legal_latest or other.operational_due)


@given(situations(), st.data())
@QUIET
def test_a_known_fact_never_removes_what_was_certain(situation: tuple[Regime, Case], data: st.DataObject) -> None:
    regime, case = situation
    open_ones = [n for n in sorted(regime.facts) if case.facts.get(n) is None or case.facts[n].value is None]
    assume(open_ones)
    name = data.draw(st.sampled_from(open_ones))
    known = answered(case, name, data.draw(answers(regime, LIBRARY.facts[name])))
    certain = {i for i, one in owed(case, alone(regime)).items() if one.truth is Truth.YES}
    still = {i for i, one in owed(known, alone(regime)).items() if one.truth is Truth.YES}
    assert certain <= still


@given(situations(), st.data())
@QUIET
def test_answers_only_narrow(situation: tuple[Regime, Case], data: st.DataObject) -> None:
    """What was ruled out stays ruled out, and nothing appears that was not possible before."""
    regime, case = situation
    open_ones = [n for n in sorted(regime.facts) if case.facts.get(n) is None or case.facts[n].value is None]
    assume(open_ones)
    name = data.draw(st.sampled_from(open_ones))
    known = answered(case, name, data.draw(answers(regime, LIBRARY.facts[name])))
    assert set(owed(known, alone(regime))) <= set(owed(case, alone(regime)))


def every(regime: Regime, kind: FactKind) -> list[Any]:
    """One answer of each sort that the regime may tell apart."""
    compared = [c.value for condition in regime.conditions for c in comparisons(condition) if c.fact == kind.name]
    values = [v for one in compared for v in (one if isinstance(one, tuple) else (one,))]
    several: dict[str, list[Any]] = {
        "truth": [True, False],
        "choice": list(kind.choices),
        "set": [[], *([v] for v in values if isinstance(v, str)), list(kind.choices[:4])],
        "number": [step + v for v in values if not isinstance(v, str) for step in (-1, 0)],
        "date": [*values, "2001-01-01", "2035-01-01"],
        "text": [*values, "none"],
    }
    return several[kind.type]


@pytest.mark.parametrize("regime", REGIMES)
def test_no_single_answer_to_an_open_question_removes_what_was_certain(regime: Regime) -> None:
    """Each case counted by hand, with each of its facts forgotten in turn, then answered in every way."""
    library = alone(regime)
    for vector in CASES[regime.id]:
        for name in sorted(regime.facts):
            case = answered(vector.case, name, None)
            before = owed(case, library)
            certain = {i for i, one in before.items() if one.truth is Truth.YES}
            for value in every(regime, LIBRARY.facts[name]):
                after = owed(answered(case, name, value), library)
                assert certain <= {i for i, one in after.items() if one.truth is Truth.YES}, (vector.name, name, value)
                assert set(after) <= set(before), (vector.name, name, value)


@given(situations(), st.randoms(use_true_random=False))
@settings(QUIET, max_examples=60)
def test_the_order_of_packs_does_not_matter(situation: tuple[Regime, Case], shuffled: Any) -> None:
    _, case = situation
    regimes = list(LIBRARY.regimes)
    shuffled.shuffle(regimes)
    other = replace(LIBRARY, regimes=tuple(regimes))
    assert obligations(case, other) == obligations(case, LIBRARY)
    assert questions(case, other) == questions(case, LIBRARY)


@given(situations())
@settings(QUIET, max_examples=150)
def test_packs_do_not_know_each_other(situation: tuple[Regime, Case]) -> None:
    """What a regime says is the same in the library and alone: displacement rests on facts, not on other packs."""
    regime, case = situation
    together = {name: one for name, one in owed(case).items() if one.regime == regime.id}
    assert together == owed(case, alone(regime))


@given(situations())
@settings(QUIET, max_examples=150)
def test_a_question_is_asked_only_if_some_answer_changes_something(situation: tuple[Regime, Case]) -> None:
    regime, case = situation
    library = alone(regime)
    ids = set(owed(case, library))
    for question in questions(case, library):
        assert question.fact.startswith(DATE) or question.fact == COUNTRIES or question.fact in regime.facts
        assert set(question.decides) <= ids
        assert question.fact not in case.facts or case.facts[question.fact].value is None


def truthful(vector: Vector, regime: Regime) -> Iterator[str]:
    """Answer what is asked about the case as it was, starting from nothing; gives what was asked, in order."""
    case = replace(vector.case, facts={}, countries=())
    library = alone(regime)
    for _ in range(60):
        asked = [q for q in questions(case, library) if not q.fact.startswith(DATE)]
        if not asked:
            break
        name = asked[0].fact
        yield name
        if name == COUNTRIES:
            case = replace(case, countries=vector.case.countries)
        else:
            fact = vector.case.facts.get(name)
            case = answered(
                case, name, fact.value if fact and fact.value is not None else _otherwise(LIBRARY.facts[name])
            )
    else:
        pytest.fail(f"{regime.id}, {vector.name}: the questions have no end")
    certain = {i for i, one in owed(case, library).items() if one.truth is Truth.YES}
    wanted = {
        f"{regime.id}.{stage}"
        for stage, one in vector.expect.items()
        if one.truth is Truth.YES and one.status in ALARMING
    }
    assert wanted <= certain, "what was counted by hand is found"


def _otherwise(kind: FactKind) -> Any:
    """An answer for what the case does not speak of."""
    return {"truth": False, "number": 0, "text": "none", "set": [], "date": "2001-01-01"}.get(kind.type) or (
        kind.choices[0] if kind.type == "choice" else {"truth": False, "number": 0, "set": []}.get(kind.type)
    )


@pytest.mark.parametrize("regime", REGIMES)
def test_every_clock_that_binds_is_found_by_the_questions(regime: Regime) -> None:
    """Asked from nothing, each case that was counted by hand arrives at its duties."""
    binding = {p.status for p in regime.periods} & {Status.BINDING, Status.DORMANT}
    if not binding:
        assert all(not q.decides for v in CASES[regime.id] for q in questions(v.case, alone(regime)))
        return
    stages: set[str] = set()
    for vector in CASES[regime.id]:
        speaks = [s for s, one in vector.expect.items() if one.truth is Truth.YES and one.status in ALARMING]
        if speaks:
            asked = list(truthful(vector, regime))
            assert len(asked) == len(set(asked))
            assert not asked or asked[0] == COUNTRIES
            stages |= {stage.partition("@")[0] for stage in speaks}
    assert stages, "at least one questionnaire path"
