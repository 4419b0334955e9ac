"""Who must be told what by when, and why: a pure function of facts, anchors and packs. The order of packs does not matter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime

from tocsin.law.clocks import FAR, Clock, Start, benchmarks, clock, local_day, start
from tocsin.law.conditions import ALWAYS, conjunction, judge, truth
from tocsin.law.counting import Deadline
from tocsin.law.places import Addressed, addressed, countries, reached, seat
from tocsin.law.places import reason as gate_reason
from tocsin.law.regime import Dated, Library, Period, Regime, Rerouting, Stage
from tocsin.model.law import Case, Citation, Obligation, Reason, Status, Truth

NO_CLOCK = "no report is owed"


def obligations(
    case: Case, library: Library, switches: Mapping[str, str] | None = None, *, explain_no: bool = False
) -> tuple[Obligation, ...]:
    """What the case owes or may owe, the most urgent first; with `explain_no` also what it does not owe, and why.

    A regime whose facts are open is *possible*: its truth is UNKNOWN and its instants are the earliest that it could have.
    """
    found = (
        owed for regime in library.regimes for owed in of_regime(case, regime, library, switches or {}, explain_no)
    )
    return tuple(sorted(found, key=lambda o: (o.status is not Status.BINDING, o.operational_due or FAR, o.id)))


def of_regime(
    case: Case, regime: Regime, library: Library, switches: Mapping[str, str], explain_no: bool
) -> Iterator[Obligation]:
    """The regime's stages, one per country where the recipients differ by country."""
    gate = reached(case, regime.jurisdiction, library)
    holding = [r for r in regime.reroutings if truth(r.when, case.facts) is Truth.YES]
    rerouting = min(
        holding, key=lambda r: r.effect != "displaced", default=None
    )  # what is taken away goes to nobody else
    displaced = rerouting is not None and rerouting.effect == "displaced"
    if not explain_no and (displaced or Truth.NO in (gate, truth(regime.applies, case.facts))):
        return
    applies = judge(regime.applies, case.facts)
    if rerouting and displaced:
        applies = Reason(rerouting.text, Truth.NO, (judge(rerouting.when, case.facts),))
    grounds = (applies, gate_reason(regime.jurisdiction, gate), *(() if displaced else _doubts(case, regime)))
    for stage in regime.stages:
        for where in _rerouted(case, regime, stage, library, rerouting):
            bound = countries(case, regime, where[0], library)
            owed = _stage(case, regime, stage, where, bound, grounds, switches)
            if owed and (explain_no or owed.truth is not Truth.NO):
                yield replace(owed, notes=(*owed.notes, rerouting.text)) if rerouting else owed


def _doubts(case: Case, regime: Regime) -> Iterator[Reason]:
    """Other acts of which it is open whether they take the duty over: until that is known, the duty is possible, not certain."""
    for rerouting in regime.reroutings:
        held = judge(rerouting.when, case.facts)
        if rerouting.effect == "displaced" and held.truth is Truth.UNKNOWN:
            yield Reason(f"not known yet whether other law takes it over: {rerouting.text}", Truth.UNKNOWN, (held,))


def _rerouted(
    case: Case, regime: Regime, stage: Stage, library: Library, rerouting: Rerouting | None
) -> Iterator[Addressed]:
    """Whom the stage tells and where: another act may name somebody else, at a seat of its own or in the same places."""
    if not rerouting or rerouting.effect == "displaced":
        yield from addressed(case, regime, stage, library)
    elif there := seat(rerouting.recipients, library):
        yield there, rerouting.recipients
    else:
        yield from ((place, rerouting.recipients) for place, _ in addressed(case, regime, stage, library))


def _stage(
    case: Case,
    regime: Regime,
    stage: Stage,
    where: Addressed,
    bound: frozenset[str],
    grounds: tuple[Reason, ...],
    switches: Mapping[str, str],
) -> Obligation | None:
    place, recipients = where
    suffix = f"@{place.country}" if place.country else ""
    begun = start(case, regime, stage, switches, suffix)
    first = begun if stage is regime.stages[0] else start(case, regime, regime.stages[0], switches, suffix)
    day = local_day(case, (first, begun), place)
    period, in_force = _period(regime, case, day, bound)
    running = clock(case, regime, stage, begun, place, day)
    if period is None or (stage.deadlines and running is None):
        return None
    parts = (*grounds, judge(stage.when, case.facts), in_force)
    name = f"{regime.title}: {stage.title}"
    verdict = Reason(name, conjunction(part.truth for part in parts), tuple(p for p in parts if p.text != ALWAYS.text))
    owed_by = running or _without(begun)
    counted, (anchor, at) = owed_by.counted, owed_by.start
    expected = (name for guideline in stage.benchmarks for name in guideline.cite)
    cited = (*regime.cite, *stage.cite, *owed_by.dated.cite, *expected)
    noted = (period.note, *owed_by.remarks, *regime.notes, *_readings(regime, switches))
    obligation_id = f"{regime.id}.{stage.id}{suffix}"
    return Obligation(
        id=obligation_id,
        regime=regime.id,
        stage=stage.id,
        title=name,
        status=period.status,
        truth=verdict.truth,
        who=stage.who or regime.who,
        recipients=recipients,
        operational_due=counted.operational_due if counted else None,
        legal_latest=counted.legal_latest if counted else None,
        timezone=place.zone,
        label=owed_by.dated.label,
        trace=counted.trace if counted else (),
        reason=verdict,
        citations=_citations(regime, cited),
        form=stage.form,
        content=stage.content,
        anchor=anchor,
        anchor_at=at,
        discharged_at=_discharged(case, regime, stage, suffix),
        decision=case.decisions.get(obligation_id, ""),
        notes=tuple(note for note in noted if note),
        pack_digest=regime.digest,
        calendar=f"{place.calendar.id} {place.calendar.version}",
        kind=stage.kind,
        benchmarks=benchmarks(case, stage, begun, place),
    )


def _without(begun: Start) -> Clock:
    """The clock of what has none: evidence to be kept."""
    return Clock(Dated(Deadline("none"), NO_CLOCK, date.min), begun, None)


def _discharged(case: Case, regime: Regime, stage: Stage, suffix: str) -> datetime | None:
    """When it was filed; a report that recurs is done only with the instant that ends it."""
    if stage.repeats_until:
        return case.anchors.get(stage.repeats_until)
    return case.anchors.get(f"submitted.{regime.id}.{stage.id}{suffix}")


def _period(regime: Regime, case: Case, day: date, bound: frozenset[str]) -> tuple[Period | None, Reason]:
    """The regime's period at the clock's start; one whose condition is open counts, so that nothing is overlooked.

    A period of single countries counts where no other country decides the duty.
    """
    there = (p for p in regime.periods if p.covers(day) and (not p.countries or (bound and bound <= set(p.countries))))
    judged = [(period, truth(period.when, case.facts)) for period in there]
    for wanted in (Truth.YES, Truth.UNKNOWN):
        for period, held in judged:
            if held is wanted:
                return period, judge(period.when, case.facts)
    return None, Reason("not in force", Truth.NO)


def _citations(regime: Regime, cited: Sequence[str]) -> tuple[Citation, ...]:
    return tuple(regime.citations[name] for name in dict.fromkeys(cited))


def _readings(regime: Regime, switches: Mapping[str, str]) -> list[str]:
    """The contested readings that were used."""
    used = ((switch, switches.get(switch.id, switch.default)) for switch in regime.switches)
    return [f"contested: {switch.text} Read here as: {switch.options[option]}" for switch, option in used]
