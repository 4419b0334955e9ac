"""Who must be told what by when, and why: a pure function of facts, anchors and packs. The order of packs does not matter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from tocsin.law.conditions import ALWAYS, conjunction, judge
from tocsin.law.counting import NO_HOLIDAYS, Counted, count
from tocsin.law.regime import Dated, Library, Place, Regime, Rerouting, Stage
from tocsin.model.law import Case, Citation, Confidence, Fact, Obligation, Question, Reason, Recipient, Status, Truth

NOWHERE = Place("", "UTC", NO_HOLIDAYS, {})
FAR = datetime.max.replace(tzinfo=UTC)
UNION = "EU"


def obligations(
    case: Case, library: Library, switches: Mapping[str, str] | None = None, *, explain_no: bool = False
) -> tuple[Obligation, ...]:
    """What the case owes or may owe, the most urgent first; with `explain_no` also what it does not owe, and why.

    A regime whose facts are open is *possible*: its truth is UNKNOWN and its instants are the earliest that it could have.
    """
    found = (owed for regime in library.regimes for owed in _regime(case, regime, library, switches or {}))
    kept = [owed for owed in found if explain_no or owed.truth is not Truth.NO]
    return tuple(sorted(kept, key=lambda o: (o.status is not Status.BINDING, o.operational_due or FAR, o.id)))


def questions(case: Case, library: Library, switches: Mapping[str, str] | None = None) -> tuple[Question, ...]:
    """The open facts, those first that decide most obligations, then those with the earliest instant at stake."""
    now = {o.id: o for o in obligations(case, library, switches, explain_no=True)}
    asked = []
    for name in sorted(_open(case, library, now.values())):
        kind = library.facts[name]
        decided: set[str] = set()
        for answer in (True, False) if kind.type == "truth" else kind.choices:
            fact = Fact(name, answer, "supposed", "law ask", case.as_of)
            supposed = replace(case, facts={**case.facts, name: fact})
            then = obligations(supposed, library, switches, explain_no=True)
            decided |= {o.id for o in then if o.id in now and _differs(now[o.id], o)}
        relevant = decided or {
            o.id for o in now.values() if o.truth is Truth.UNKNOWN and name in _facts(library, o.regime)
        }
        due = min((now[i].operational_due or FAR for i in relevant), default=FAR)
        earliest = None if due == FAR else due
        choices = kind.choices or (("yes", "no") if kind.type == "truth" else ())
        asked.append(
            Question(name, kind.text, kind.help, kind.type, choices, tuple(sorted(decided)), earliest, kind.citation)
        )
    return tuple(sorted(asked, key=lambda q: (-len(q.decides), q.earliest_due or FAR, q.fact)))


def _open(case: Case, library: Library, now: Iterable[Obligation]) -> set[str]:
    """The facts without a value that some possible or certain obligation still looks at."""
    alive = {o.regime for o in now if o.truth is not Truth.NO}
    names = {name for regime in library.regimes if regime.id in alive for name in regime.facts()}
    return {
        name for name in names if name in library.facts and (name not in case.facts or case.facts[name].value is None)
    }


def _facts(library: Library, regime_id: str) -> frozenset[str]:
    return next(regime.facts() for regime in library.regimes if regime.id == regime_id)


def _differs(before: Obligation, after: Obligation) -> bool:
    return (before.truth, before.operational_due, before.status) != (after.truth, after.operational_due, after.status)


def _regime(case: Case, regime: Regime, library: Library, switches: Mapping[str, str]) -> Iterator[Obligation]:
    """The regime's stages, one per country where the recipients differ by country."""
    applies = judge(regime.applies, case.facts)
    rerouting = next((r for r in regime.reroutings if judge(r.when, case.facts).truth is Truth.YES), None)
    if rerouting and rerouting.effect == "displaced":
        applies = Reason(rerouting.text, Truth.NO, (judge(rerouting.when, case.facts),))
    for place, recipients in _addressed(case, regime, library, rerouting):
        for stage in regime.stages:
            owed = _stage(case, regime, stage, place, applies, switches)
            if owed:
                notes = (*owed.notes, *([rerouting.text] if rerouting else []))
                yield replace(owed, recipients=recipients, notes=notes)


def _addressed(
    case: Case, regime: Regime, library: Library, rerouting: Rerouting | None
) -> Iterator[tuple[Place, tuple[Recipient, ...]]]:
    """Each place with a clock of its own and whom the regime names there."""
    union = library.places.get(UNION, NOWHERE)
    if rerouting and rerouting.effect == "recipients":
        yield union, rerouting.recipients
    elif not regime.register:
        yield _home(case, library, union), regime.recipients
    else:
        countries = [c.split("-")[0] for c in case.countries]
        chosen = [library.places[c] for c in dict.fromkeys(countries) if regime.register in _registers(library, c)]
        for place in chosen:
            yield place, place.registers[regime.register]
        if not chosen:
            unknown = Recipient(
                "the competent authority (no country of the incident is known)", confidence=Confidence.UNCONFIRMED
            )
            yield replace(union, country=""), (unknown,)


def _home(case: Case, library: Library, union: Place) -> Place:
    """Where a duty towards persons or partners is counted: in the first country of the case."""
    place = next((library.places[c] for c in case.countries if c in library.places and c != UNION), union)
    return replace(place, country="")


def _registers(library: Library, country: str) -> Mapping[str, tuple[Recipient, ...]]:
    return library.places[country].registers if country in library.places else {}


def _stage(
    case: Case, regime: Regime, stage: Stage, place: Place, applies: Reason, switches: Mapping[str, str]
) -> Obligation | None:
    when = judge(stage.when, case.facts)
    suffix = f"@{place.country}" if place.country else ""
    anchor, at = _anchor(case, regime, stage, switches, suffix)
    day = (at or case.as_of).astimezone(ZoneInfo(place.zone)).date()
    status, note, in_force = _status(regime, case, day)
    if status is None:
        return None
    truth = conjunction((applies.truth, when.truth, in_force.truth))
    dated, counted, faster = _deadline(case, stage, at, place, day)
    if dated is None:
        return None
    obligation_id = f"{regime.id}.{stage.id}{suffix}"
    discharged = case.anchors.get(f"submitted.{obligation_id}")
    because = tuple(part for part in (applies, when, in_force) if part.text != ALWAYS.text)
    reason = Reason(f"{regime.title}: {stage.title}", truth, because)
    return Obligation(
        id=obligation_id,
        regime=regime.id,
        stage=stage.id,
        title=f"{regime.title}: {stage.title}",
        status=status,
        truth=truth,
        who=regime.who,
        recipients=(),
        operational_due=counted.operational_due if counted else None,
        legal_latest=counted.legal_latest if counted else None,
        timezone=place.zone,
        label=dated.label,
        trace=counted.trace if counted else (),
        reason=reason,
        citations=_citations(regime, (*regime.cite, *stage.cite, *dated.cite)),
        form=stage.form,
        content=stage.content,
        anchor=anchor,
        anchor_at=at,
        discharged_at=discharged,
        decision=case.decisions.get(obligation_id, ""),
        notes=tuple(n for n in (note, *faster, *regime.notes, *_readings(regime, switches)) if n),
        pack_digest=regime.digest,
    )


def _anchor(
    case: Case, regime: Regime, stage: Stage, switches: Mapping[str, str], suffix: str
) -> tuple[str, datetime | None]:
    """The anchor that started the clock: the earliest of those that are known; the first one's name when none is.

    A clock that another stage's submission starts is started by the one to the same country (`suffix`).
    """
    anchors = stage.anchors
    for switch in regime.switches:
        anchors = switch.anchors.get(switches.get(switch.id, switch.default), anchors)
    filed = "submitted."
    named = [f"{filed}{regime.id}.{a.removeprefix(filed)}{suffix}" if a.startswith(filed) else a for a in anchors]
    known = [(case.anchors[name], name) for name in named if name in case.anchors]
    return (min(known)[1], min(known)[0]) if known else (named[0] if named else "", None)


def _status(regime: Regime, case: Case, day: date) -> tuple[Status | None, str, Reason]:
    """The regime's status at the clock's start; a period whose condition is open counts, so that nothing is overlooked."""
    judged = [(period, judge(period.when, case.facts)) for period in regime.periods if period.covers(day)]
    for wanted in (Truth.YES, Truth.UNKNOWN):
        for period, reason in judged:
            if reason.truth is wanted:
                return period.status, period.note, reason
    return None, "", Reason("not in force", Truth.NO)


def _deadline(
    case: Case, stage: Stage, at: datetime | None, place: Place, day: date
) -> tuple[Dated | None, Counted | None, list[str]]:
    """The deadline that is owed (the earliest of those that hold), and remarks on faster ones that are still possible."""
    judged = [(dated, judge(dated.when, case.facts).truth) for dated in stage.deadlines if dated.covers(day)]
    certain = [(dated, _count(dated, at, place)) for dated, truth in judged if truth is Truth.YES]
    if not certain:
        return None, None, []
    chosen = min(certain, key=lambda pair: (pair[1].operational_due or FAR) if pair[1] else _rough(pair[0]))
    faster = []
    for dated, truth in judged:
        counted = _count(dated, at, place) if truth is Truth.UNKNOWN else None
        if (
            counted
            and counted.operational_due
            and counted.operational_due < ((chosen[1] and chosen[1].operational_due) or FAR)
        ):
            faster.append(
                f"could be due earlier, {counted.operational_due:%Y-%m-%d %H:%M} UTC ({dated.label}): a question is open"
            )
    return chosen[0], chosen[1], faster


def _count(dated: Dated, at: datetime | None, place: Place) -> Counted | None:
    return count(dated.deadline, at, place.zone, place.calendar) if at else None


def _rough(dated: Dated) -> datetime:
    """Orders deadlines of different units while no anchor is known."""
    return (
        count(
            replace(dated.deadline, law="calendar"), datetime(2026, 1, 1, tzinfo=UTC), "UTC", NO_HOLIDAYS
        ).operational_due
        or FAR
    )


def _citations(regime: Regime, cited: Sequence[str]) -> tuple[Citation, ...]:
    return tuple(regime.citations[name] for name in dict.fromkeys(cited))


def _readings(regime: Regime, switches: Mapping[str, str]) -> list[str]:
    """The contested readings that were used."""
    used = ((switch, switches.get(switch.id, switch.default)) for switch in regime.switches)
    return [f"contested: {switch.text} Read here as: {switch.options[option]}" for switch, option in used]
