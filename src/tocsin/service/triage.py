"""Triage: findings -> incidents. Idempotent: what stands in the ledger decides, so a crash or a second run opens nothing twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

import msgspec
import pyarrow.parquet as pq

from tocsin.incident import matters
from tocsin.incident.folding import stream
from tocsin.model.errors import Conflict
from tocsin.model.event import Append, Event
from tocsin.model.finding import Finding
from tocsin.model.incident import Incident
from tocsin.model.progress import Progress, silent
from tocsin.service import incidents
from tocsin.service.desk import SELF, Desk
from tocsin.service.detecting import finding_of

STREAM = "triage"
RETRIES = 5


@dataclass(frozen=True, slots=True)
class Triaged:
    """What triage did: incidents opened, incidents that findings joined, and findings that only were noted."""

    opened: tuple[str, ...]
    joined: tuple[str, ...]
    noted: int


def triage(desk: Desk, progress: Progress = silent) -> Triaged:
    """Take every finding that was not looked at yet to its incident.

    Raises:
        Conflict: other processes keep changing the same incidents.
        EnvironmentFault: the ledger is locked or the disk full; running it again goes on from there.
    """
    desk = desk.acting(SELF)
    opened: list[str] = []
    joined: list[str] = []
    noted = 0
    for _ in range(RETRIES):
        done, version = _done(desk)
        fresh = list(desk.ledger.scan(done, kinds=("finding_recorded",)))
        try:
            for number, event in enumerate(fresh, start=1):
                version, kind, incident_id = _place(desk, finding_of(event), event.sequence, version)
                opened += [incident_id] if kind == "opened" else []
                joined += [incident_id] if kind == "joined" and incident_id not in (*opened, *joined) else []
                noted += kind == "noted"
                progress("triage", number, len(fresh))
        except Conflict:
            continue
        for incident_id in dict.fromkeys([*opened, *joined]):
            incidents.reclassified(desk, incident_id)
        return Triaged(tuple(opened), tuple(joined), noted)
    raise Conflict("other processes keep changing the same incidents", "try again")


def _done(desk: Desk) -> tuple[int, int]:
    """Up to which event findings were looked at, and the version of the stream that says so."""
    events = desk.ledger.read(STREAM)
    return (events[-1].data["sequence"] if events else 0), len(events)


def _place(desk: Desk, finding: Finding, sequence: int, version: int) -> tuple[int, str, str]:
    """Take one finding to its incident, in one transaction with the mark that it was looked at."""
    known = incidents.every(desk)
    mark = Append(STREAM, version, [desk.event("finding_triaged", finding=finding.id, sequence=sequence)])
    home = matters.home(finding, known, desk.workspace.policy.join_within)
    if home is not None:
        growing = matters.joined(finding, matters.same(finding, home), desk.clock())
        event = desk.event("finding_joined", finding=msgspec.to_builtins(growing))
        desk.ledger.append(mark, Append(stream(home.id), home.version, [event, *_evidence(desk, home.id, finding)]))
        return version + 1, "joined", home.id
    if not matters.opens(finding):
        desk.ledger.append(mark)
        return version + 1, "noted", ""
    incident_id = incidents.next_id(desk)
    events = _opening(desk, finding, incident_id, matters.predecessor(finding, known))
    desk.ledger.append(mark, Append(stream(incident_id), 0, events))
    return version + 1, "opened", incident_id


def _opening(desk: Desk, finding: Finding, incident_id: str, before: Incident | None) -> list[Event]:
    started = finding.since.start if finding.since else finding.window.start
    dates = {"started": started, "occurred": started, "detected": desk.clock()}
    joined = matters.joined(finding, None, desk.clock())
    event = incidents.open_event(
        desk, finding.system, finding.title, finding.category, matters.matter(finding), "detector", [joined], dates
    )
    links = [desk.event("incident_linked", relation="recurrence_of", other=before.id)] if before else []
    return [event, *links, *_evidence(desk, incident_id, finding)]


def _evidence(desk: Desk, incident_id: str, finding: Finding) -> Sequence[Event]:
    """Seal the finding and the rows that it names, before anything can change them (AI Act Art. 73(6))."""
    body = msgspec.json.format(msgspec.json.encode(finding, order="sorted"), indent=2)
    sealed = [_sealed(desk, incident_id, body, "application/json", f"finding {finding.id}")]
    if finding.rows:
        sink = BytesIO()
        pq.write_table(desk.telemetry.rows(finding.system, finding.rows), sink, compression="zstd")
        what = f"{len(finding.rows)} rows of finding {finding.id}"
        sealed.append(_sealed(desk, incident_id, sink.getvalue(), "application/vnd.apache.parquet", what))
    return sealed


def _sealed(desk: Desk, incident_id: str, data: bytes, media_type: str, what: str) -> Event:
    pointer = desk.evidence.seal(incident_id, data)
    return desk.event("evidence_sealed", pointer=pointer, media_type=media_type, bytes=len(data), what=what)
