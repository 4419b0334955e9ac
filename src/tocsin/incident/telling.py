"""The timeline: what happened, as lines that a person reads. Text from outside stays text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tocsin.model.event import Recorded
from tocsin.model.finding import Level
from tocsin.model.incident import Incident, JoinedFinding


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the timeline; `sequence` is the event's number in the ledger."""

    sequence: int
    at: datetime
    who: str
    kind: str
    text: str


def timeline(events: Iterable[Recorded]) -> tuple[Line, ...]:
    """The events of one incident's stream as lines, in order."""
    return tuple(Line(e.sequence, e.event.at, e.event.author, e.kind, _text(e)) for e in events)


def ranked(incident: Incident) -> tuple[JoinedFinding, ...]:
    """The incident's findings: what opened it first, then sightings; within each, the most frequent first."""
    return tuple(sorted(incident.findings.values(), key=lambda f: (f.level == Level.SIGHTING, -f.count, f.key)))


def _text(event: Recorded) -> str:
    words = _WORDS.get(event.kind)
    return words(event.data) if words else event.kind.replace("_", " ")


Data = Mapping[str, Any]


def _classified(data: Data) -> str:
    verdict = data["classification"]
    return f"classified: {verdict['category']}, {verdict['gravity']}, {verdict['severity']}"


def _joined(data: Data) -> str:
    finding = data["finding"]
    return f"finding joined: {finding['title']} ({finding['count']:,})"


def _verified(data: Data) -> str:
    return f"fix checked for finding {data['finding']}: {data['clearance']['statement']}"


def _fact(data: Data) -> str:
    told = {None: "unknown", True: "yes", False: "no"}
    value = data["value"]
    return f"fact {data['name']} = {told[value] if value is None or isinstance(value, bool) else value}"


def _prepared(data: Data) -> str:
    return f"report {data['form']} version {data['version']} prepared, {_counted(len(data['gaps']), 'gap')}"


def _counted(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}" + ("" if number == 1 else "s")


def _because(text: str, data: Data) -> str:
    reason = data.get("reason") or data.get("why")
    return f"{text}: {reason}" if reason else text


_WORDS: dict[str, Callable[[Data], str]] = {
    "incident_opened": lambda d: f"opened: {d['title']}",
    "finding_joined": _joined,
    "incident_classified": _classified,
    "severity_set": lambda d: f"severity set to {d['severity']}: {d['reason']}",
    "date_set": lambda d: _because(f"{d['name']} is {d['at']}", d),
    "fact_recorded": _fact,
    "obligation_decided": lambda d: f"decided that {d['obligation']} is not owed: {d['reason']}",
    "role_assigned": lambda d: f"{d['role']} is {d['person']}",
    "incident_acknowledged": lambda _: "acknowledged",
    "phase_changed": lambda d: _because(f"phase is {d['phase']}", d),
    "incident_linked": lambda d: f"{d['relation'].replace('_', ' ')} {d['other']}",
    "incident_split": lambda d: f"{_counted(len(d['findings']), 'finding')} moved to {d['into']}",
    "playbook_started": lambda d: f"playbook {d['playbook']} started",
    "step_completed": lambda d: f"step done: {d.get('name', d['step'])}: {d['outcome']}",
    "report_prepared": _prepared,
    "report_filed": lambda d: f"report {d['form']} version {d['version']} handed to {d['recipient']}",
    "cause_recorded": lambda d: f"cause: {d['cause']}",
    "action_recorded": lambda d: f"corrective action: {d['action']['text']}",
    "remediation_verified": _verified,
    "end_attested": lambda d: f"the end was verified: {d['how']}",
    "incident_closed": lambda d: _because("closed", d),
    "incident_reopened": lambda d: _because("reopened", d),
    "note_added": lambda d: f"note: {d['text']}",
    "evidence_sealed": lambda d: f"evidence sealed: {d['what']} ({d['bytes']:,} bytes)",
    "evidence_erased": lambda d: f"evidence erased ({_counted(d['pieces'], 'piece')}): {d['reason']}",
}
