"""Which steps are legal: (incident, wish) -> the events to append, or a refusal that says why. No clock, no storage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from tocsin.incident import matters
from tocsin.model.errors import Refused, UsageFault
from tocsin.model.event import Json
from tocsin.model.finding import Level
from tocsin.model.incident import Incident, Phase
from tocsin.model.law import ANCHORS

ORDER = (Phase.OPEN, Phase.ACKNOWLEDGED, Phase.CONTAINED, Phase.REMEDIATING, Phase.CLOSED)
RELATIONS = ("duplicate_of", "related_to", "recurrence_of", "split_from")
AWARE = ("provider", "deployer", "controller", "processor", "importer", "distributor")
"""Who can be aware: awareness is a date per role, because duties of different roles start at different instants."""
NOT_BEFORE: Mapping[str, tuple[str, ...]] = {
    "detected": ("occurred", "started"),
    "contained": ("occurred", "started"),
    "resolved": ("occurred", "started", "contained"),
    "causal_link": ("occurred",),
}
"""Dates that cannot lie before others. Awareness may precede detection: a person can know before a detector does."""


OWN_DATES = ("contained", "resolved", "submitted", "escalated")
"""Dates that speak of what was done in one incident; the others tell what happened, and a merged incident keeps the earliest."""


class Wish(NamedTuple):
    """An event to be appended: its kind and data."""

    kind: str
    data: dict[str, Json]


def set_date(incident: Incident, name: str, at: datetime, now: datetime, why: str = "") -> Wish:
    """Record one of the separate dates; a correction keeps the earlier value in the ledger. Errors: see `check_date`."""
    check_date(incident.dates, name, at, now)
    return Wish("date_set", {"name": name, "at": at.isoformat(), "why": why})


def check_date(dates: Mapping[str, datetime], name: str, at: datetime, now: datetime) -> None:
    """Whether the date may be set beside the others.

    Raises:
        UsageFault: no such date, or a time without a zone.
        Refused: the date lies in the future or contradicts another.
    """
    base = _named(name)
    if at.tzinfo is None:
        raise UsageFault(f"{name}: the time has no zone", "write it with its offset, as in 2026-11-24T09:00+01:00")
    if at > now:
        raise Refused(f"{name} cannot lie in the future ({at:%Y-%m-%d %H:%M %Z})", remedy="check the zone of the time")
    against = [other for other in NOT_BEFORE.get(base, ()) if other in dates and at < dates[other]]
    against += [o for o, firsts in NOT_BEFORE.items() if base in firsts and o in dates and dates[o] < at]
    if against:
        shown = [f"{other} is {dates[other]:%Y-%m-%d %H:%M} UTC" for other in against]
        what = f"{name} at {at:%Y-%m-%d %H:%M %Z} contradicts what is recorded"
        raise Refused(what, shown, "correct the other date first")


def check_dates(dates: Mapping[str, datetime], now: datetime) -> None:
    """Whether these dates may stand beside each other: each by itself first, then against the others. Errors: see `check_date`."""
    for beside in ({}, dates):
        for name, at in dates.items():
            check_date(beside, name, at, now)


def _named(name: str) -> str:
    """The anchor that the name stands for. Raises UsageFault for a name that is none."""
    base, dot, suffix = name.partition(".")
    if base == "aware" and dot and suffix not in AWARE:
        known = ", ".join(("aware", *(f"aware.{role}" for role in AWARE)))
        raise UsageFault(f"no date {name!r}: awareness is recorded per role", f"there are: {known}")
    if base not in ANCHORS or (dot and (base not in ("aware", "submitted") or not suffix)):
        shown = ", ".join(ANCHORS)
        raise UsageFault(f"no date {name!r}", f"there are: {shown}, and aware.<role>, submitted.<stage>")
    return base


def acknowledge(incident: Incident, now: datetime, role: str) -> list[Wish]:
    """A person now knows: the incident is acknowledged, and the organization is aware in its role unless it was before."""
    if incident.phase is Phase.CLOSED:
        raise Refused(f"{incident.id} is closed", remedy="reopen it first, with the reason")
    wishes = [] if incident.acknowledged_at else [Wish("incident_acknowledged", {})]
    unknown = [name for name in aware_names(role) if name not in incident.dates]
    wishes += [
        Wish("date_set", {"name": name, "at": now.isoformat(), "why": "acknowledged by a person"}) for name in unknown
    ]
    return wishes


def aware_names(role: str) -> tuple[str, ...]:
    """The dates of awareness: the organization's own, that of its role under the AI Act, and for personal data as the controller."""
    roles = ("provider", "deployer") if role == "both" else (role,)
    return ("aware", *(f"aware.{name}" for name in roles), "aware.controller")


def change_phase(incident: Incident, phase: Phase, now: datetime, reason: str) -> list[Wish]:
    """Go forward in the life cycle; `contained` sets its date. Closing and reopening have commands of their own.

    Raises:
        Refused: a step back, or into closed.
    """
    if phase is Phase.CLOSED:
        raise Refused("closing has conditions of its own", remedy="use the command `incident close`")
    if ORDER.index(phase) <= ORDER.index(incident.phase):
        what = f"{incident.id} is {incident.phase}; it cannot go back to {phase}"
        raise Refused(what, remedy="reopen it with the reason if it was closed too early")
    wishes = [Wish("phase_changed", {"phase": str(phase), "reason": reason})]
    if phase is Phase.CONTAINED and "contained" not in incident.dates:
        wishes.append(Wish("date_set", {"name": "contained", "at": now.isoformat(), "why": reason or "contained"}))
    return wishes


def link(incident: Incident, relation: str, other: Incident, originals: Sequence[str] = ()) -> Wish:
    """Link two incidents. `originals` are the incidents that the other is a duplicate of, directly or through others.

    Raises:
        UsageFault: no such relation, or an incident linked with itself.
        Refused: the link stands already, would make a circle, or would merge a merged incident again.
    """
    if relation not in RELATIONS:
        raise UsageFault(f"no relation {relation!r}", f"there are: {', '.join(RELATIONS)}")
    if incident.id == other.id:
        raise UsageFault("an incident cannot be linked with itself")
    if (relation, other.id) in incident.links:
        raise Refused(f"{incident.id} is {relation} {other.id} already")
    if relation == "duplicate_of":
        _check_merging(incident, other, originals)
    return Wish("incident_linked", {"relation": relation, "other": other.id})


def _check_merging(incident: Incident, other: Incident, originals: Sequence[str]) -> None:
    if incident.id in originals:
        raise Refused(f"{other.id} is a duplicate of {incident.id}: a circle", remedy="link the other way round")
    if original := matters.merged_into(incident):
        raise Refused(f"{incident.id} is a duplicate of {original} already", remedy=f"link {original} instead")
    if original := matters.merged_into(other):
        raise Refused(f"{other.id} is itself a duplicate of {original}", remedy=f"merge into {original} instead")
    if other.phase is Phase.CLOSED and incident.findings:
        raise Refused(f"{other.id} is closed: its proofs do not speak of {incident.id}", remedy="reopen it first")


def take_over(original: Incident, duplicate: Incident) -> list[Wish]:
    """What the original learns from a duplicate: findings, whose end it must prove from now on, earlier dates, and answers."""
    why = f"taken over from {duplicate.id}"
    findings = [
        matters.together(known, finding) if (known := matters.same(finding, original.findings.values())) else finding
        for finding in duplicate.findings.values()
    ]
    earlier = {
        name: at
        for name, at in duplicate.dates.items()
        if name.partition(".")[0] not in OWN_DATES and (name not in original.dates or at < original.dates[name])
    }
    answers = [fact for fact in duplicate.facts.values() if fact.name not in original.facts]
    return [
        *(Wish("finding_joined", {"finding": msgspec.to_builtins(finding)}) for finding in findings),
        *(Wish("date_set", {"name": name, "at": at.isoformat(), "why": why}) for name, at in earlier.items()),
        *(Wish("fact_recorded", {"name": fact.name, "value": fact.value, "source": why}) for fact in answers),
    ]


def split(incident: Incident, findings: Sequence[str], into: str) -> Wish:
    """Move findings into another incident. Raises UsageFault for findings that are not here, Refused if none would stay."""
    unknown = [name for name in findings if name not in incident.findings]
    if unknown or not findings:
        known = ", ".join(incident.findings) or "none"
        raise UsageFault(
            f"{incident.id} has no finding {', '.join(unknown) or '(none named)'}", f"its findings are: {known}"
        )
    if len(set(findings)) == len(incident.findings):
        raise Refused("nothing would stay in the incident", remedy="leave at least one finding")
    return Wish("incident_split", {"into": into, "findings": list(findings)})


def attest(incident: Incident, how: str) -> Wish:
    """Record how a person verified the end, where no finding can be replayed. Raises Refused where one can."""
    if not how.strip():
        raise UsageFault("say how the end was verified")
    if to_prove(incident):
        raise Refused(
            f"{incident.id} has findings of detectors: their end is proven, not attested",
            remedy=f"tocsin remediate {incident.id} --verify",
        )
    return Wish("end_attested", {"how": how.strip()})


def to_prove(incident: Incident) -> tuple[str, ...]:
    """The findings whose end must be proven: every alarm and every severe hit."""
    return tuple(f.id for f in incident.findings.values() if f.level != Level.SIGHTING)


def close(incident: Incident, reason: str, now: datetime, more_missing: Sequence[str] = ()) -> Wish:
    """Close the incident.

    Raises:
        UsageFault: no reason is given.
        Refused: something is missing; all of it is told, `more_missing` of other rooms included.
    """
    if not reason.strip():
        raise UsageFault("closing needs its reason", "add --because TEXT")
    missing = [*closing_gaps(incident, now), *more_missing]
    if missing:
        raise Refused(f"{incident.id} cannot be closed yet", missing, "each line says what is missing")
    return Wish("incident_closed", {"reason": reason.strip()})


def closing_gaps(incident: Incident, now: datetime) -> list[str]:
    """What the incident itself lacks before it may be closed; a duplicate lacks nothing, its original holds everything."""
    if incident.phase is Phase.CLOSED:
        return [f"it was closed on {incident.closed_at:%Y-%m-%d}"]
    if matters.merged_into(incident):
        return []
    gaps = [] if incident.acknowledged_at else ["nobody has acknowledged it"]
    gaps += [] if "contained" in incident.dates else ["the harm is not recorded as contained"]
    gaps += [] if incident.cause else ["no cause is recorded"]
    if not any(action.effective_from and action.effective_from <= now for action in incident.actions):
        gaps.append("no corrective action is in force: none says from when it is effective, or that is still to come")
    return gaps + _unproven(incident)


def _unproven(incident: Incident) -> list[str]:
    wanted = to_prove(incident)
    if not wanted and not incident.attested:
        return ["nobody has said how the end was verified, and there is no finding of a detector to replay"]
    gaps = []
    for name in wanted:
        clearance = incident.clearances.get(name)
        if clearance is None or not clearance.passed:
            why = clearance.statement if clearance else "the fix is not proven on telemetry after it"
            gaps.append(f"finding {name} ({incident.findings[name].title}): {why}")
    return gaps


def reopen(incident: Incident, reason: str) -> Wish:
    """Reopen a closed incident. Raises Refused when it is not closed or no reason is given."""
    if incident.phase is not Phase.CLOSED:
        raise Refused(f"{incident.id} is not closed")
    if not reason.strip():
        raise Refused("a reopening needs its reason")
    return Wish("incident_reopened", {"reason": reason})
