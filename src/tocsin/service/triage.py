"""Triage: findings -> incidents. Idempotent: what stands in the ledger decides, so a crash or a second run opens nothing twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

import msgspec
import pyarrow.parquet as pq

from tocsin.incident import matters
from tocsin.incident.folding import PREFIX, fold, stream
from tocsin.model.errors import Conflict
from tocsin.model.event import Append, Event
from tocsin.model.finding import Finding, RowRef
from tocsin.model.incident import JoinedFinding, Phase
from tocsin.model.progress import Progress, silent
from tocsin.service import detecting, incidents
from tocsin.service.desk import SELF, Desk

STREAM = "triage"
RETRIES = 5


@dataclass(frozen=True, slots=True)
class Triaged:
    """What triage did: incidents opened, incidents that findings joined, and findings that only were noted."""

    opened: tuple[str, ...]
    joined: tuple[str, ...]
    noted: int


def triage(desk: Desk, progress: Progress = silent) -> Triaged:
    """Take every finding that was not looked at yet to its incident, and bring every open incident's classification up to date.

    Every incident is folded once, however many findings there are.

    Raises:
        Conflict: other processes keep changing the same incidents.
        EnvironmentFault: the ledger is locked or the disk full; running it again goes on from there.
    """
    desk = desk.acting(SELF)
    done, seen, tries = Triaged((), (), 0), -1, RETRIES
    while tries:
        run = _Run(desk)
        tries = RETRIES if run.marks > seen else tries - 1  # while anybody gets on, nobody gives up
        seen = run.marks
        try:
            run.place(progress)
        except Conflict:
            continue
        finally:
            done = _sum(done, run)
        for incident in incidents.every(desk):
            if incident.phase is not Phase.CLOSED and incident.system in desk.workspace.systems:
                incidents.reclassified(desk, incident.id)
        return done
    raise Conflict("other processes keep changing the same incidents", "try again")


class _Run:
    """One pass over the fresh findings, with the incidents as they were read and as this pass changes them."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.cases = {incident.id: incident for incident in incidents.every(desk)}
        self.opened: list[str] = []
        self.joined: list[str] = []
        self.noted = 0
        marks = desk.ledger.read(STREAM)
        self._done, self.marks = (marks[-1].data["sequence"] if marks else 0), len(marks)

    def place(self, progress: Progress) -> None:
        """Take the fresh findings to their incidents, one after the other, each in a transaction of its own."""
        fresh = list(self.desk.ledger.scan(self._done, kinds=("finding_recorded",)))
        for number, event in enumerate(fresh, start=1):
            self._place(detecting.finding_of(event), event.sequence)
            progress("triage", number, len(fresh))

    def _place(self, finding: Finding, sequence: int) -> None:
        known = self.cases.values()
        home = matters.home(finding, known, self.desk.workspace.policy.join_within)
        if home is not None:
            growing = matters.joined(finding, matters.same(finding, home.findings.values()), self.desk.clock())
            event = self.desk.event("finding_joined", finding=msgspec.to_builtins(growing))
            self._append(finding, sequence, home.id, home.version, [event, *_evidence(self.desk, home.id, [finding])])
            self.joined.append(home.id)
        elif matters.opens(finding):
            incident_id = incidents.next_id(self.desk)
            self._append(finding, sequence, incident_id, 0, self._opening(finding, incident_id, sequence))
            self.opened.append(incident_id)
        else:
            self._append(finding, sequence, "", 0, [])
            self.noted += 1

    def _append(self, finding: Finding, sequence: int, incident_id: str, version: int, events: Sequence[Event]) -> None:
        """Append the events in one transaction with the mark that the finding was looked at."""
        mark = self.desk.event("finding_triaged", finding=finding.id, sequence=sequence)
        appends = [Append(STREAM, self.marks, [mark])]
        appends += [Append(stream(incident_id), version, events)] if incident_id else []
        recorded = self.desk.ledger.append(*appends)
        self.marks += 1
        state = fold((e for e in recorded if e.stream.startswith(PREFIX)), self.cases.get(incident_id))
        if state is not None:
            self.cases[incident_id] = state

    def _opening(self, finding: Finding, incident_id: str, sequence: int) -> list[Event]:
        """The events that open an incident: with the sightings that led up to it, and linked to what it repeats."""
        desk, now = self.desk, self.desk.clock()
        all_ = [*self._forerunners(finding, sequence), finding]
        held: list[JoinedFinding] = []
        for each in all_:
            known = matters.same(each, held)
            held = [*(f for f in held if f is not known), matters.joined(each, known, now)]
        started = finding.since.start if finding.since else finding.window.start
        dates = {"started": started, "occurred": started, "detected": now}
        key = matters.matter(finding)
        event = incidents.open_event(
            desk, finding.system, finding.title, finding.category, key, "detector", held, dates
        )
        before = matters.predecessor(finding, self.cases.values())
        links = [desk.event("incident_linked", relation="recurrence_of", other=before.id)] if before else []
        return [event, *links, *_evidence(desk, incident_id, all_)]

    def _forerunners(self, finding: Finding, sequence: int) -> list[Finding]:
        events = self.desk.ledger.scan(kinds=("finding_recorded",), prefix=detecting.stream(finding.system))
        earlier = [detecting.finding_of(event) for event in events if event.sequence < sequence]
        return matters.forerunners(finding, earlier, self.cases.values())


def _sum(done: Triaged, run: _Run) -> Triaged:
    opened = (*done.opened, *run.opened)
    joined = dict.fromkeys((*done.joined, *(name for name in run.joined if name not in opened)))
    return Triaged(opened, tuple(joined), done.noted + run.noted)


def _evidence(desk: Desk, incident_id: str, findings: Sequence[Finding]) -> list[Event]:
    """Seal the findings and the rows that they name, before anything can change them (AI Act Art. 73(6))."""
    body = msgspec.json.format(msgspec.json.encode(findings, order="sorted"), indent=2)
    named = f"finding {findings[-1].id}" + (f" and {len(findings) - 1} before it" if findings[1:] else "")
    sealed = [_sealed(desk, incident_id, body, "application/json", named)]
    rows = sorted({(ref.segment, ref.row) for finding in findings for ref in finding.rows})
    if rows:
        sink = BytesIO()
        chosen = desk.telemetry.rows(findings[-1].system, [RowRef(*row) for row in rows])
        pq.write_table(chosen, sink, compression="zstd")
        what = f"{len(rows)} rows of {named}"
        sealed.append(_sealed(desk, incident_id, sink.getvalue(), "application/vnd.apache.parquet", what))
    return sealed


def _sealed(desk: Desk, incident_id: str, data: bytes, media_type: str, what: str) -> Event:
    pointer = desk.evidence.seal(incident_id, data)
    return desk.event("evidence_sealed", pointer=pointer, media_type=media_type, bytes=len(data), what=what)
