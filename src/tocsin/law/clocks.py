"""Which instant starts a stage's clock, which of its deadlines is owed, and when that is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from tocsin.law.conditions import truth
from tocsin.law.counting import NO_HOLIDAYS, Counted, count
from tocsin.law.regime import Dated, Pick, Place, Regime, Stage
from tocsin.model.law import Benchmark, Case, Truth

FAR = datetime.max.replace(tzinfo=UTC)
FILED = "submitted."
Start = tuple[str, datetime | None]
"""An anchor's name, and its instant if it is known."""


@dataclass(frozen=True, slots=True)
class Clock:
    """The deadline that is owed, what started it, and the two instants; `remarks` on faster ones that are still possible."""

    dated: Dated
    start: Start
    counted: Counted | None
    remarks: tuple[str, ...] = ()

    @property
    def due(self) -> datetime:
        """The operational instant, or the end of time without one."""
        return (self.counted and self.counted.operational_due) or FAR


def start(case: Case, regime: Regime, stage: Stage, switches: Mapping[str, str], suffix: str) -> Start:
    """The anchor that started the stage's clock; the first one's name when none is known."""
    anchors = stage.anchors
    for switch in regime.switches:
        if switch.anchors.get(switch.default) == stage.anchors:
            anchors = switch.anchors.get(switches.get(switch.id, switch.default), anchors)
    if stage.repeats_until:
        anchors = (*anchors, FILED + stage.id)
    return _picked(case, regime, anchors, suffix, "latest" if stage.repeats_until else stage.starts)


def clock(case: Case, regime: Regime, stage: Stage, begun: Start, place: Place, day: date) -> Clock | None:
    """The stage's clock by the rule valid on the day; None where no deadline is in force or none can hold.

    While it is open which deadline holds, that one counts which would be owed of all that may.
    """
    suffix = f"@{place.country}" if place.country else ""
    in_force = [(dated, truth(dated.when, case.facts)) for dated in stage.deadlines if dated.covers(day)]
    certain = [
        _clock(case, regime, stage, dated, begun, place, suffix) for dated, held in in_force if held is Truth.YES
    ]
    certain = [one for one in certain if not _void(one, case)]
    open_ones = (dated for dated, held in in_force if held is Truth.UNKNOWN)
    maybe = [_clock(case, regime, stage, dated, begun, place, suffix) for dated in open_ones]
    if not certain and not maybe:
        return None
    chosen = _owed(certain or maybe, stage.owed)
    remarks = tuple(_remark(one) for one in maybe if one.due < chosen.due)
    return replace(chosen, remarks=remarks) if remarks else chosen


def benchmarks(case: Case, stage: Stage, begun: Start, place: Place) -> tuple[Benchmark, ...]:
    """What guidelines expect of the stage in such a case, counted like a deadline."""
    at = begun[1]
    return tuple(
        Benchmark(g.label, count(g.deadline, at, place.zone, place.calendar).operational_due if at else None)
        for g in stage.benchmarks
        if truth(g.when, case.facts) is not Truth.NO
    )


def local_day(case: Case, begun: tuple[Start, ...], place: Place) -> date:
    """The date at the authority that decides which rule is valid: that of the first start that is known, or of the judgement.

    The regime's first clock comes first: later stages follow the rule under which the matter began.
    """
    known = (at for _, at in begun if at)
    return next(known, case.as_of).astimezone(place.tz).date()


def filed(case: Case, regime: Regime, stage: str, suffix: str) -> Iterator[tuple[str, datetime]]:
    """When the stage was filed: with the same country, or with whichever where one of the two stages has no country."""
    whole = f"{FILED}{regime.id}.{stage}"
    for name, at in case.anchors.items():
        if name in (whole, whole + suffix) or (not suffix and name.startswith(f"{whole}@")):
            yield name, at


def _picked(case: Case, regime: Regime, anchors: tuple[str, ...], suffix: str, pick: Pick) -> Start:
    known: list[tuple[datetime, str]] = []
    for anchor in anchors:
        if anchor.startswith(FILED):
            known += ((at, name) for name, at in filed(case, regime, anchor.removeprefix(FILED), suffix))
        elif anchor in case.anchors:
            known.append((case.anchors[anchor], anchor))
    if not known:
        return anchors[0], None
    at, name = min(known) if pick == "earliest" else max(known)
    return name, at


def _clock(case: Case, regime: Regime, stage: Stage, dated: Dated, begun: Start, place: Place, suffix: str) -> Clock:
    own = _picked(case, regime, dated.anchors, suffix, stage.starts) if dated.anchors else begun
    counted = count(dated.deadline, own[1], place.zone, place.calendar) if own[1] else None
    return Clock(dated, own, counted)


def _void(one: Clock, case: Case) -> bool:
    came = case.anchors.get(one.dated.void_if_after)
    return came is not None and came > one.due


def _owed(certain: list[Clock], pick: Pick) -> Clock:
    """Of clocks that run the earliest or the latest; while none runs, the shortest period."""
    running = [one for one in certain if one.counted]
    if not running:
        return min(certain, key=lambda one: _rough(one.dated))
    return min(running, key=lambda one: one.due) if pick == "earliest" else max(running, key=lambda one: one.due)


def _rough(dated: Dated) -> datetime:
    """Orders deadlines of different units while no anchor is known."""
    plain = replace(dated.deadline, law="calendar")
    return count(plain, datetime(2026, 1, 1, tzinfo=UTC), "UTC", NO_HOLIDAYS).operational_due or FAR


def _remark(one: Clock) -> str:
    return f"could be due earlier, {one.due:%Y-%m-%d %H:%M} UTC ({one.dated.label}): a question is open"
