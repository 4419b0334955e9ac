"""Deadlines as a calendar: what an incident owes, in the programs in which people look at their days."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from zoneinfo import ZoneInfo

from tocsin.adapters.documents.calendar import Entry, State, calendar
from tocsin.adapters.files import write_atomically
from tocsin.model.law import STATEMENT, Obligation, Status, Truth
from tocsin.service import duties, incidents
from tocsin.service.desk import Desk

ALARMS = (timedelta(days=1), timedelta(hours=4), timedelta(hours=1))
"""Before what is due by a law that binds; a rehearsal and the last lawful instant ring no bell."""
SHOWN = (Status.BINDING, Status.DORMANT)


@dataclass(frozen=True, slots=True)
class Reminders:
    """A calendar: its bytes, its entries, and how many possible duties with an instant are not in it."""

    path: str
    entries: tuple[Entry, ...]
    left_out: int
    statement: str
    text: str
    """The calendar itself; empty when it was written to `path`."""


def remind(
    desk: Desk, incident_ids: Sequence[str] = (), out: Path | None = None, *, possible: bool = False
) -> Reminders:
    """The calendar of these incidents, or of all open ones; written to `out` if that is given.

    What is owed is in it; with `possible` also what may be owed while questions are open. What was filed or decided as not owed is
    cancelled, so that it disappears from a calendar that had it.

    Raises:
        UsageFault: no such incident.
        EnvironmentFault: `out` cannot be written.
    """
    entries: list[Entry] = []
    left_out, now = 0, desk.clock()
    for told in duties.due(desk, incident_ids):
        version = incidents.find(desk, told.incident).version
        for owed in told.obligations:
            if owed.operational_due is None or owed.status not in SHOWN:
                continue
            if owed.truth is Truth.UNKNOWN and not possible:
                left_out += 1
            else:
                entries += _entries(desk, told, owed, version)
    data = calendar(f"{desk.workspace.policy.organization}: reporting duties", entries, now)
    if out:
        write_atomically(out, data)
    text = "" if out else data.decode()
    return Reminders(str(out or ""), tuple(entries), left_out, STATEMENT, text)


def _entries(desk: Desk, told: duties.Duties, owed: Obligation, version: int) -> Iterator[Entry]:
    """One entry for what is due and, where it is later, one for the last lawful instant."""
    instants = [("due", owed.operational_due), ("latest", owed.legal_latest)]
    for what, at in instants[: 1 if owed.legal_latest == owed.operational_due else 2]:
        if at is not None:
            alarms = ALARMS if what == "due" and owed.status is Status.BINDING else ()
            name = f"{told.incident} {owed.id} {what}".encode()
            uid = f"{blake2b(name, key=desk.salt[:64], digest_size=16).hexdigest()}@tocsin"
            summary = f"{_prefix(owed, what)}{told.incident}: {owed.title}"
            described = _description(told, owed, at, what)
            yield Entry(uid, version, at, summary, described, (told.incident, owed.regime), _state(owed), alarms)


def _prefix(owed: Obligation, what: str) -> str:
    words = ["Rehearsal"] if owed.status is Status.DORMANT else []
    words += ["possible"] if owed.truth is Truth.UNKNOWN else []
    words += ["last lawful instant" if what == "latest" else "due"]
    return f"{', '.join(words).capitalize()}: "


def _state(owed: Obligation) -> State:
    if owed.discharged_at or owed.decision:
        return "CANCELLED"
    certain = owed.truth is Truth.YES and owed.status is Status.BINDING
    return "CONFIRMED" if certain else "TENTATIVE"


def _description(told: duties.Duties, owed: Obligation, at: datetime, what: str) -> str:
    there = at.astimezone(ZoneInfo(owed.timezone))
    cited = "; ".join(f"{c.instrument}, {c.pinpoint} [{c.confidence}]" for c in owed.citations)
    lines = [
        f"{told.title}",
        f"{owed.label}. {'The last lawful instant' if what == 'latest' else 'Due'}: {there:%Y-%m-%d %H:%M %Z}.",
        f"Who: {owed.who}. To: {'; '.join(r.name for r in owed.recipients)}.",
        f"Source: {cited}",
        f"Why: tocsin law explain {told.incident} {owed.id}",
        told.statement,
    ]
    return "\n".join(lines)
