"""Remediate: record the cause and the corrective actions, and prove the fix on telemetry from after it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from tocsin.incident import deciding
from tocsin.incident.deciding import Wish
from tocsin.model.detector import Detector
from tocsin.model.errors import Refused, UsageFault
from tocsin.model.finding import Finding
from tocsin.model.incident import CorrectiveAction, Incident, Phase
from tocsin.model.progress import Progress, silent
from tocsin.remediate.proving import Proof, Verdict, begins, effective_from, shares
from tocsin.service import detecting, incidents
from tocsin.service.desk import Desk


def record_cause(desk: Desk, incident_id: str, text: str) -> Incident:
    """Record the cause. Raises UsageFault when the text is empty, Refused when the incident is closed."""
    if not text.strip():
        raise UsageFault("the cause is empty", "say what caused the incident and how that is known")

    def decide(incident: Incident) -> list[Wish]:
        _check_open(incident)
        return [Wish("cause_recorded", {"cause": text.strip()})]

    return incidents.act(desk, incident_id, decide)


def record_action(
    desk: Desk,
    incident_id: str,
    text: str,
    effective: datetime | None = None,
    release: str = "",
    owner: str = "",
    correct: str = "",
) -> Incident:
    """Record a corrective action, or correct the one of the id `correct`; proofs made before it no longer count.

    Raises:
        UsageFault: the text is empty, the time has no zone, or there is no action to correct.
        Refused: the incident is closed; what it was closed on must stand.
    """
    if not text.strip() or (effective is not None and effective.tzinfo is None):
        raise UsageFault(
            "an action needs a text, and its time a zone", "for instance --effective 2026-11-24T09:00+01:00"
        )

    def decide(incident: Incident) -> list[Wish]:
        _check_open(incident)
        known = [action.id for action in incident.actions]
        if correct and correct not in known:
            what = f"{incident_id} has no action {correct!r} to correct"
            raise UsageFault(what, f"its actions are: {', '.join(known) or 'none'}")
        name = correct or f"A{len(known) + 1}"
        action = CorrectiveAction(name, text.strip(), owner or desk.author, effective, release)
        return [Wish("action_recorded", {"action": msgspec.to_builtins(action)})]

    return incidents.act(desk, incident_id, decide)


def verify(desk: Desk, incident_id: str, progress: Progress = silent) -> Verdict:
    """Run each detector that fired on the telemetry since the fix, and record what that proves.

    Raises:
        Refused: nothing to prove, no effective action, or a detector that is gone.
    """
    incident = incidents.find(desk, incident_id)
    wanted = deciding.to_prove(incident)
    if not wanted:
        raise Refused(
            f"{incident_id} has no finding of a detector to prove",
            remedy=f"say how the end was verified: tocsin remediate {incident_id} --attest TEXT",
        )
    effective = effective_from(incident.actions, desk.clock())
    made = _made(desk, wanted)
    levels, proofs = shares(wanted), []
    for number, name in enumerate(wanted, start=1):
        finding = made[name]
        watcher, since = _detector(desk, finding), begins(effective, finding)
        states = detecting.window_states(desk, finding.system, finding.detector, since)
        clearance = watcher.clearance(finding, states, levels[name])
        proofs.append(Proof(name, finding.title, finding.detector, since, clearance))
        progress("proving", number, len(wanted))
    wishes = [
        Wish(
            "remediation_verified",
            {"finding": p.finding, "since": p.since.isoformat(), "clearance": msgspec.to_builtins(p.clearance)},
        )
        for p in proofs
    ]
    incidents.act(desk, incident_id, lambda _: wishes)
    return Verdict(incident_id, tuple(proofs))


def attest(desk: Desk, incident_id: str, how: str) -> Incident:
    """Record how a person verified the end, where there is no finding of a detector to replay.

    Raises:
        UsageFault: nothing is said.
        Refused: there are findings; their end is proven, not attested.
    """
    return incidents.act(desk, incident_id, lambda incident: [deciding.attest(incident, how)])


def _check_open(incident: Incident) -> None:
    if incident.phase is Phase.CLOSED:
        raise Refused(f"{incident.id} is closed", remedy="reopen it first, with the reason")


def _made(desk: Desk, names: Sequence[str]) -> dict[str, Finding]:
    """The findings of these names, of whatever system: a merged incident proves those of its duplicates as well."""
    return {finding.id: finding for finding, _ in detecting.findings(desk) if finding.id in names}


def _detector(desk: Desk, finding: Finding) -> Detector[Any, Any]:
    try:
        return detecting.detector(desk, finding.system, finding.detector)
    except UsageFault as fault:
        remedy = f"put it back into systems/{finding.system}.yaml: what fired must be what clears"
        raise Refused(f"{finding.title}: {fault.what}", remedy=remedy) from None
