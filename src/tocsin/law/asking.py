"""Which question to answer first: where it happened, what the organization is, and then what decides most duties.

A question decides a duty that some answer to it alone would make certain or make fall away, or whose clock it would move. What
decides nothing alone is not asked while something else does: mostly the next answers make it needless.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from tocsin.law.clocks import FAR, FILED
from tocsin.law.conditions import Compare, Condition, comparisons, pending, truth
from tocsin.law.obligations import of_regime
from tocsin.law.places import reached
from tocsin.law.regime import FactKind, Library, Regime
from tocsin.model.event import Json
from tocsin.model.law import ANCHORS, Case, Fact, Obligation, Question, Status, Truth

ALARMING = (Status.BINDING, Status.DORMANT)
"""Statuses worth a question: proposals, guidelines and expired law never alarm."""
COUNTRIES = "countries"
KINDS = "organization_kinds"
GATES = (COUNTRIES, KINDS)
"""Asked first, however much the others decide: they rule out the law of other places and of other sectors at one stroke."""
DATE = "date."
NEXT_DAYS = (timedelta(-1), timedelta(0), timedelta(1))
"""An instant may fall on the day before or after at an authority: what is in force on any of them counts."""
Owed = Mapping[str, Obligation]


def questions(case: Case, library: Library, switches: Mapping[str, str] | None = None) -> tuple[Question, ...]:
    """The open facts and missing dates that some duty still turns on, the most decisive first.

    A fact is asked for only while it can still change something: nothing that belongs to a regime which is already ruled out, and
    nothing about the stages of a regime before it is known to apply.
    """
    used = switches or {}
    now = {regime.id: _of(case, regime, library, used) for regime in library.regimes if _worth(case, regime, library)}
    open_facts: dict[str, list[Regime]] = {}
    for regime_id, owed in now.items():
        if owed:
            for name in _turning_on(case, library.by_id[regime_id], owed):
                open_facts.setdefault(name, []).append(library.by_id[regime_id])
    asked = [_fact(case, library, used, name, users, now) for name, users in open_facts.items()]
    asked = [question for question in asked if question.decides] or asked
    asked += [*_countries(case, library), *_dates(library, (o for by_id in now.values() for o in by_id.values()))]
    place = {name: number for number, name in enumerate(library.facts)}
    return tuple(
        sorted(asked, key=lambda question: (*_rank(question), place.get(question.fact, len(place)), question.fact))
    )


def _rank(question: Question) -> tuple[int, int, datetime]:
    """Of equals, what the law names first is asked first: a death before damage to property."""
    gate = GATES.index(question.fact) if question.fact in GATES else len(GATES)
    return gate, -len(question.decides), question.earliest_due or FAR


def _of(case: Case, regime: Regime, library: Library, switches: Mapping[str, str]) -> Owed:
    return {o.id: o for o in of_regime(case, regime, library, switches, False) if o.status in ALARMING}


def _worth(case: Case, regime: Regime, library: Library) -> bool:
    """Whether the regime may still bind: touched, and not ruled out by its own condition."""
    touched = reached(case, regime.jurisdiction, library)
    return touched is Truth.YES and truth(regime.applies, case.facts) is not Truth.NO


def _turning_on(case: Case, regime: Regime, owed: Owed) -> frozenset[str]:
    """The open facts that decide whether the regime applies; once it does, those that decide its stages and deadlines.

    What hangs on the kind of organization waits for that answer: a hospital is not asked what only banks are asked.
    """
    gates = pending(regime.applies, case.facts)
    if gates:
        return gates & {KINDS} or gates
    stages = {o.stage for o in owed.values()}
    days = {case.as_of.date(), *(at.date() + step for at in case.anchors.values() for step in NEXT_DAYS)}
    inner: list[Condition] = [r.when for r in regime.reroutings]
    inner += [period.when for period in regime.periods if any(map(period.covers, days))]
    for stage in regime.stages:
        if stage.id in stages:
            inner += [stage.when, *(dated.when for dated in stage.deadlines if any(map(dated.covers, days)))]
    return frozenset(name for condition in inner for name in pending(condition, case.facts))


def _fact(
    case: Case,
    library: Library,
    switches: Mapping[str, str],
    name: str,
    users: Iterable[Regime],
    now: Mapping[str, Owed],
) -> Question:
    """What the fact decides: every duty that some answer would settle."""
    kind = library.facts[name]
    decided: dict[str, Obligation] = {}
    choices: set[str] = set()
    for regime in users:
        before = now[regime.id]
        for answer in _answers(regime, kind):
            choices.update(answer if isinstance(answer, list) else ())
            supposed = {**case.facts, name: Fact(name, answer, "supposed", "law ask", case.as_of)}
            after = _of(replace(case, facts=supposed), regime, library, switches)
            decided |= {i: o for i, o in before.items() if _settles(o, after.get(i))}
    shown = tuple(choice for choice in kind.choices if choice in choices) if kind.type == "set" else _choices(kind)
    earliest = min((o.operational_due or FAR for o in decided.values()), default=FAR)
    due = None if earliest == FAR else earliest
    meanings = {choice: kind.meanings[choice] for choice in shown if choice in kind.meanings}
    return Question(name, kind.text, kind.help, kind.type, shown, tuple(sorted(decided)), due, kind.citation, meanings)


def _choices(kind: FactKind) -> tuple[str, ...]:
    return kind.choices or (("yes", "no") if kind.type == "truth" else ())


def _answers(regime: Regime, kind: FactKind) -> Iterator[Json]:
    """Answers that could make a difference to the regime: both truths, every choice, the values that it compares with."""
    if kind.type == "truth":
        yield from (True, False)
        return
    if kind.type == "choice":
        yield from kind.choices
        return
    compared = [c for condition in regime.conditions for c in comparisons(condition) if c.fact == kind.name]
    for one in compared:
        yield from _around(one, kind)


def _around(compared: Compare, kind: FactKind) -> Iterator[Json]:
    value = compared.value
    if kind.type == "set" and isinstance(value, int):
        yield from ([], list(kind.choices[:value]), list(kind.choices))
    elif kind.type == "set":
        yield from ([choice] for choice in (value if isinstance(value, tuple) else (value,)))
        yield []
    elif kind.type == "number":
        yield from (value, value - 1, value + 1)
    elif kind.type == "date":
        yield from (str(value), "0001-01-01", "9999-12-31")
    else:
        yield from (*(value if isinstance(value, tuple) else (value,)), "none of these")


def _settles(before: Obligation, after: Obligation | None) -> bool:
    """Whether a duty that was possible is certain or gone, or one that was certain is owed otherwise."""
    if before.truth is Truth.UNKNOWN:
        return after is None or after.truth is not Truth.UNKNOWN
    return after is None or _owed(before) != _owed(after)


def _owed(duty: Obligation) -> object:
    return duty.truth, duty.operational_due, duty.label, duty.status, duty.recipients


def _countries(case: Case, library: Library) -> Iterator[Question]:
    """Where it happened, as long as a jurisdiction may be touched without anyone having said so."""
    maybe = [r for r in library.regimes if reached(case, r.jurisdiction, library) is Truth.UNKNOWN and _alive(case, r)]
    if maybe:
        places = tuple(sorted({regime.jurisdiction for regime in maybe}))
        decides = tuple(sorted(f"{regime.id}.{stage.id}" for regime in maybe for stage in regime.stages))
        help_ = "ISO 3166 codes with the state where it has law of its own, separated by commas, for instance DE,US-CA."
        text = "In which countries and states did it happen, or are the people who are affected?"
        yield Question(COUNTRIES, text, help_, "text", places, decides, None, None)


def _alive(case: Case, regime: Regime) -> bool:
    today = case.as_of.date()
    binds = any(period.status in ALARMING and period.covers(today) for period in regime.periods)
    return binds and truth(regime.applies, case.facts) is not Truth.NO


def _dates(library: Library, owed: Iterable[Obligation]) -> Iterator[Question]:
    """The dates without which a clock that is owed does not run; later stages wait for their own filings and are not asked for."""
    missing: dict[str, list[Obligation]] = {}
    for one in owed:
        waits = one.anchor_at is None and not one.anchor.startswith(FILED)
        if waits and one.truth is Truth.YES and not one.discharged_at and library.by_id[one.regime].counts(one.stage):
            missing.setdefault(one.anchor, []).append(one)
    for anchor, waiting in missing.items():
        base, _, role = anchor.partition(".")
        text = f"When was it that {ANCHORS[base]}{f' as {role}' if role else ''}?"
        help_ = "The clock does not run before this date is known. Leave it open if it has not happened yet."
        waiting.sort(key=lambda one: one.id)
        ids = tuple(one.id for one in waiting)
        yield Question(DATE + anchor, text, help_, "instant", (), ids, None, waiting[0].citations[0])
