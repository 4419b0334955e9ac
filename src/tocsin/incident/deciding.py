"""Which steps are legal: (incident, wish) -> the events to append, or a refusal that says why. No clock, no storage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from tocsin.model.errors import Refused, UsageFault
from tocsin.model.event import Json
from tocsin.model.finding import Level
from tocsin.model.incident import Incident, Phase
from tocsin.model.law import ANCHORS

ORDER = (Phase.OPEN, Phase.ACKNOWLEDGED, Phase.CONTAINED, Phase.REMEDIATING, Phase.CLOSED)
RELATIONS = ("duplicate_of", "related_to", "recurrence_of", "split_from")
NOT_BEFORE: Mapping[str, tuple[str, ...]] = {
    "detected": ("occurred", "started"),
    "contained": ("occurred", "started"),
    "resolved": ("occurred", "started", "contained"),
    "causal_link": ("occurred",),
}
"""Dates that cannot lie before others. Awareness may precede detection: a person can know before a detector does."""


class Wish(NamedTuple):
    """An event to be appended: its kind and data."""

    kind: str
    data: dict[str, Json]


def set_date(incident: Incident, name: str, at: datetime, now: datetime, why: str = "") -> Wish:
    """Record one of the separate dates; a correction keeps the earlier value in the ledger.

    Raises:
        UsageFault: no such date.
        Refused: the date lies in the future or contradicts another.
    """
    base = name.split(".", maxsplit=1)[0]
    if base not in ANCHORS:
        raise UsageFault(f"no date {name!r}", f"there are: {', '.join(ANCHORS)}; aware and submitted take a suffix")
    if at > now:
        raise Refused(f"{name} cannot lie in the future ({at:%Y-%m-%d %H:%M} UTC)", remedy="check the zone of the time")
    against = [other for other in NOT_BEFORE.get(base, ()) if other in incident.dates and at < incident.dates[other]]
    against += [
        o for o, firsts in NOT_BEFORE.items() if base in firsts and o in incident.dates and incident.dates[o] < at
    ]
    if against:
        shown = [f"{other} is {incident.dates[other]:%Y-%m-%d %H:%M} UTC" for other in against]
        raise Refused(
            f"{name} at {at:%Y-%m-%d %H:%M} UTC contradicts what is recorded", shown, "correct the other date first"
        )
    return Wish("date_set", {"name": name, "at": at.isoformat(), "why": why})


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
    """The dates of awareness for the organization's role under the AI Act; for personal data it is the controller as well."""
    roles = ("provider", "deployer") if role == "both" else (role,)
    return (*(f"aware.{name}" for name in roles), "aware.controller")


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


def link(incident: Incident, relation: str, other: Incident) -> Wish:
    """Link two incidents; `duplicate_of` merges by linking, so that nothing is lost.

    Raises:
        UsageFault: no such relation, or an incident linked with itself.
        Refused: the link stands already or would make a circle.
    """
    if relation not in RELATIONS:
        raise UsageFault(f"no relation {relation!r}", f"there are: {', '.join(RELATIONS)}")
    if incident.id == other.id:
        raise UsageFault("an incident cannot be linked with itself")
    if (relation, other.id) in incident.links:
        raise Refused(f"{incident.id} is {relation} {other.id} already")
    if relation == "duplicate_of" and ("duplicate_of", incident.id) in other.links:
        raise Refused(f"{other.id} is a duplicate of {incident.id}: a circle", remedy="link the other way round")
    return Wish("incident_linked", {"relation": relation, "other": other.id})


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


def close(incident: Incident, reason: str, more_missing: Sequence[str] = ()) -> Wish:
    """Close the incident. Raises Refused with everything that is missing, `more_missing` of other rooms included."""
    missing = [*closing_gaps(incident), *more_missing]
    if missing:
        raise Refused(f"{incident.id} cannot be closed yet", missing, "each line says what is missing")
    return Wish("incident_closed", {"reason": reason})


def closing_gaps(incident: Incident) -> list[str]:
    """What the incident itself lacks before it may be closed."""
    if incident.phase is Phase.CLOSED:
        return [f"it was closed on {incident.closed_at:%Y-%m-%d}"]
    if any(relation == "duplicate_of" for relation, _ in incident.links):
        return []
    gaps = [] if incident.acknowledged_at else ["nobody has acknowledged it"]
    gaps += [] if "contained" in incident.dates else ["the harm is not recorded as contained"]
    gaps += [] if incident.cause else ["no cause is recorded"]
    if not any(action.effective_from for action in incident.actions):
        gaps.append("no corrective action with the instant from which it is effective")
    for finding in incident.findings.values():
        if finding.level == Level.SIGHTING:
            continue
        clearance = incident.clearances.get(finding.id)
        if clearance is None:
            gaps.append(f"finding {finding.id} ({finding.title}): the fix is not proven on telemetry after it")
        elif not clearance.passed:
            gaps.append(f"finding {finding.id} ({finding.title}): {clearance.statement}")
    return gaps


def reopen(incident: Incident, reason: str) -> Wish:
    """Reopen a closed incident. Raises Refused when it is not closed or no reason is given."""
    if incident.phase is not Phase.CLOSED:
        raise Refused(f"{incident.id} is not closed")
    if not reason.strip():
        raise Refused("a reopening needs its reason")
    return Wish("incident_reopened", {"reason": reason})
