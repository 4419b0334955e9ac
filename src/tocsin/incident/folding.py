"""The state of an incident: a left fold over its events. Unknown kinds are skipped, so that old readers read new ledgers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec

from tocsin.model.event import Json, Recorded
from tocsin.model.finding import Category, Clearance
from tocsin.model.incident import (
    Classification,
    CorrectiveAction,
    Incident,
    JoinedFinding,
    Phase,
    ReportMade,
    StepDone,
)
from tocsin.model.law import Fact
from tocsin.model.policy import Severity

PREFIX = "incident/"


def stream(incident_id: str) -> str:
    """The name of the incident's stream."""
    return f"{PREFIX}{incident_id}"


def fold(events: Iterable[Recorded], state: Incident | None = None) -> Incident | None:
    """The state after these events of one incident's stream, from `state` on; None if they do not begin with its opening."""
    for event in events:
        if event.kind == "incident_opened":
            state = _opened(event)
        elif state is not None:
            step = _STEPS.get(event.kind)
            state = replace(step(state, event) if step else state, version=event.version)
    return state


def instant(value: Any) -> datetime:
    """A time as it stands in an event."""
    return value if isinstance(value, datetime) else datetime.fromisoformat(str(value))


def _opened(event: Recorded) -> Incident:
    data = event.data
    joined = (msgspec.convert(finding, JoinedFinding) for finding in data.get("findings", ()))
    return Incident(
        id=event.stream.removeprefix(PREFIX),
        version=event.version,
        system=data["system"],
        title=data["title"],
        category=Category(data["category"]),
        key=data["key"],
        phase=Phase.OPEN,
        opened_at=event.event.at,
        opened_by=event.event.author,
        source=data["source"],
        dates={name: instant(at) for name, at in data.get("dates", {}).items()},
        findings={finding.id: finding for finding in joined},
    )


def _with(mapping: Mapping[str, Any], key: str, value: Any) -> dict[str, Any]:
    return {**mapping, key: value}


def _finding_joined(state: Incident, event: Recorded) -> Incident:
    """What is seen again after it was proven gone is no longer proven."""
    finding = msgspec.convert(event.data["finding"], JoinedFinding)
    proven = {name: clearance for name, clearance in state.clearances.items() if name != finding.id}
    return replace(state, findings=_with(state.findings, finding.id, finding), clearances=proven)


def _incident_classified(state: Incident, event: Recorded) -> Incident:
    found = msgspec.convert(event.data["classification"], Classification)
    overruled = state.classification and state.classification.inputs.get("severity_overruled_by")
    if state.classification and overruled:
        kept = {k: v for k, v in state.classification.inputs.items() if k.startswith("severity_overruled")}
        inputs = {**found.inputs, **kept}
        found = replace(
            found, severity=state.classification.severity, inputs=inputs, why=(*found.why, _overruling(kept))
        )
    return replace(state, classification=found, category=found.category)


def _severity_set(state: Incident, event: Recorded) -> Incident:
    if state.classification is None:
        return state
    severity, reason = Severity(event.data["severity"]), event.data["reason"]
    mark = {"severity_overruled_by": event.event.author, "severity_overruled_because": reason}
    why = (*state.classification.why, _overruling(mark))
    inputs = {**state.classification.inputs, **mark}
    return replace(state, classification=replace(state.classification, severity=severity, inputs=inputs, why=why))


def _overruling(mark: Mapping[str, Json]) -> str:
    return f"set by {mark['severity_overruled_by']}: {mark['severity_overruled_because']}"


def _date_set(state: Incident, event: Recorded) -> Incident:
    return replace(state, dates=_with(state.dates, event.data["name"], instant(event.data["at"])))


def _fact_recorded(state: Incident, event: Recorded) -> Incident:
    data = event.data
    fact = Fact(data["name"], data["value"], data.get("source", ""), event.event.author, event.event.at)
    return replace(state, facts=_with(state.facts, fact.name, fact), fact_history=(*state.fact_history, fact))


def _obligation_decided(state: Incident, event: Recorded) -> Incident:
    return replace(state, decisions=_with(state.decisions, event.data["obligation"], event.data["reason"]))


def _role_assigned(state: Incident, event: Recorded) -> Incident:
    return replace(state, assignments=_with(state.assignments, event.data["role"], event.data["person"]))


def _incident_acknowledged(state: Incident, event: Recorded) -> Incident:
    phase = Phase.ACKNOWLEDGED if state.phase is Phase.OPEN else state.phase
    return replace(state, phase=phase, acknowledged_at=state.acknowledged_at or event.event.at)


def _phase_changed(state: Incident, event: Recorded) -> Incident:
    return replace(state, phase=Phase(event.data["phase"]))


def _incident_linked(state: Incident, event: Recorded) -> Incident:
    return replace(state, links=(*state.links, (event.data["relation"], event.data["other"])))


def _incident_split(state: Incident, event: Recorded) -> Incident:
    moved = set(event.data["findings"])
    kept = {name: finding for name, finding in state.findings.items() if name not in moved}
    return replace(state, findings=kept, links=(*state.links, ("split_into", event.data["into"])))


def _playbook_started(state: Incident, event: Recorded) -> Incident:
    return replace(state, playbook=event.data["playbook"], playbook_digest=event.data["digest"])


def _step_completed(state: Incident, event: Recorded) -> Incident:
    data = event.data
    done = StepDone(data["step"], event.event.at, event.event.author, data["outcome"], data.get("evidence", ""))
    return replace(state, steps=(*state.steps, done))


def _report_prepared(state: Incident, event: Recorded) -> Incident:
    data = event.data
    made = ReportMade(
        data["form"], data["version"], event.event.at, event.event.author, data["files"], tuple(data["gaps"]),
        stage=data.get("stage", ""), obligation=data.get("obligation", ""),
    )  # fmt: skip
    return replace(state, reports=(*state.reports, made))


def _report_filed(state: Incident, event: Recorded) -> Incident:
    data, at = event.data, instant(event.data["at"])
    reports = tuple(
        replace(made, filed_at=at) if (made.form, made.version) == (data["form"], data["version"]) else made
        for made in state.reports
    )
    return replace(state, reports=reports)


def _cause_recorded(state: Incident, event: Recorded) -> Incident:
    return replace(state, cause=event.data["cause"])


def _action_recorded(state: Incident, event: Recorded) -> Incident:
    action = msgspec.convert(event.data["action"], CorrectiveAction)
    others = tuple(known for known in state.actions if known.id != action.id)
    return replace(state, actions=(*others, action), clearances={}, attested="")


def _remediation_verified(state: Incident, event: Recorded) -> Incident:
    clearance = msgspec.convert(event.data["clearance"], Clearance)
    return replace(state, clearances=_with(state.clearances, event.data["finding"], clearance))


def _end_attested(state: Incident, event: Recorded) -> Incident:
    return replace(state, attested=event.data["how"])


def _incident_closed(state: Incident, event: Recorded) -> Incident:
    return replace(state, phase=Phase.CLOSED, closed_at=event.event.at)


def _incident_reopened(state: Incident, event: Recorded) -> Incident:  # noqa: ARG001 - every step takes both
    return replace(state, phase=Phase.REMEDIATING if state.actions else Phase.ACKNOWLEDGED, closed_at=None)


def _note_added(state: Incident, event: Recorded) -> Incident:
    return replace(state, notes=(*state.notes, (event.event.at, event.event.author, event.data["text"])))


_STEPS: dict[str, Callable[[Incident, Recorded], Incident]] = {
    "finding_joined": _finding_joined,
    "incident_classified": _incident_classified,
    "severity_set": _severity_set,
    "date_set": _date_set,
    "fact_recorded": _fact_recorded,
    "obligation_decided": _obligation_decided,
    "role_assigned": _role_assigned,
    "incident_acknowledged": _incident_acknowledged,
    "phase_changed": _phase_changed,
    "incident_linked": _incident_linked,
    "incident_split": _incident_split,
    "playbook_started": _playbook_started,
    "step_completed": _step_completed,
    "report_prepared": _report_prepared,
    "report_filed": _report_filed,
    "cause_recorded": _cause_recorded,
    "action_recorded": _action_recorded,
    "remediation_verified": _remediation_verified,
    "end_attested": _end_attested,
    "incident_closed": _incident_closed,
    "incident_reopened": _incident_reopened,
    "note_added": _note_added,
}
KINDS = ("incident_opened", *_STEPS, "evidence_sealed", "evidence_erased")
"""Every kind of event on an incident's stream."""
