"""The demo: a month in the life of a bank, played through the same use cases that the command line has, with a clock of its own.

Traffic is invented and seeded (`content.scenarios`). Release 2.3.0 of the credit model turns unfair to women, and a poisoned document
makes the support assistant leak customers' data. People act when they would: incidents are acknowledged, contained, answered, fixed;
the fix is proven on the traffic after it, and the ledger verified. Nothing is staged: what is found is what the detectors find.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pyarrow as pa
from pyarrow import csv

from tocsin.adapters.files import write_atomically
from tocsin.content.scenarios import assistant, bank
from tocsin.model.incident import Incident, Phase
from tocsin.model.law import Obligation, Status, Truth
from tocsin.model.progress import Progress, silent
from tocsin.service import duties, incidents, remediating, reporting, responding, triage, verifying, workspaces
from tocsin.service.desk import Desk, open_desk
from tocsin.service.detecting import detect
from tocsin.service.ingesting import ingest

SEED = 7
SALT = b"the salt of an invented bank"
BEGIN = datetime(2026, 10, 1, tzinfo=UTC)
DAYS = 30
CREDIT, ASSISTANT = "credit-model", "support-assistant"
RELEASED = BEGIN + timedelta(days=14, hours=8)
PLANTED = BEGIN + timedelta(days=20, hours=13)
ON_CALL, OWNER, SECURITY, COUNSEL, PRIVACY, RISK = "okafor", "larsen", "novak", "yilmaz", "roux", "meyer"
FORM = "eu.aiact.art73/draft-template-1.0.0"
CALM, ALERT = timedelta(hours=12), timedelta(hours=1)
"""How often telemetry arrives: twice a day, and every hour on the days on which something happens."""


@dataclass(frozen=True, slots=True)
class Told:
    """One incident of the demo and how it went."""

    id: str
    title: str
    severity: str
    minutes_to_detect: int
    detected: datetime
    clocks: tuple[Obligation, ...]
    report: tuple[str, ...]
    gaps: int
    proof: tuple[str, ...]
    closed: bool
    still_missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Played:
    """What the demo did and where to look."""

    root: str
    predictions: int
    messages: int
    windows: int
    incidents: tuple[Told, ...]
    others: int
    """Incidents beyond the two that there should be."""
    verified: bool
    events: int
    checkpoint: str


class _Clock:
    """The clock of the story."""

    def __init__(self) -> None:
        self.now = BEGIN

    def __call__(self) -> datetime:
        return self.now


def play(root: Path, progress: Progress = silent) -> Played:
    """Play the month in a new workspace at `root`. Raises UsageFault when there is something already."""
    clock = _Clock()
    workspaces.init(root, "bank", ON_CALL, clock)
    write_atomically(
        root / ".tocsin" / "salt", sha256(SALT).digest(), mode=0o600
    )  # an invented month is the same each time
    with open_desk(root, ON_CALL, clock) as desk:
        story = _Story(desk, clock, root / "traffic")
        while story.played < BEGIN + timedelta(days=DAYS):
            story.advance()
            progress("a month of traffic", (story.played - BEGIN).days, DAYS)
        told = tuple(story.end(incident) for incident in incidents.every(desk))
        windows = sum(1 for _ in desk.ledger.scan(kinds=("window_evaluated",)))
        signed = verifying.checkpoint(root, clock)
    checked = verifying.verify(root, deep=True)
    others = max(0, len(told) - 2)
    return Played(
        str(root), story.predictions, story.messages, windows, told, others, checked.ok, checked.events, signed.path
    )


def _next(begin: datetime) -> datetime:
    """When telemetry arrives next: every hour around the two events, else at midnight and noon."""
    alert = [(event - 2 * ALERT, event + 10 * ALERT) for event in (RELEASED, PLANTED)]
    if any(first <= begin < last for first, last in alert):
        return begin + ALERT
    noon = begin.replace(hour=0) + CALM * (1 + begin.hour // 12)
    return min([noon, *(first for first, _ in alert if first > begin)])


class _Story:
    """Plays traffic step by step, and lets people act on what was found."""

    def __init__(self, desk: Desk, clock: _Clock, traffic: Path) -> None:
        self._desk, self._clock, self._traffic = desk, clock, traffic
        traffic.mkdir()
        self._releases = [bank.Release("2.2.0", BEGIN - timedelta(days=90)), bank.Release(bank.UNFAIR, RELEASED)]
        self._poisoning = assistant.Poisoning(PLANTED, BEGIN + timedelta(days=DAYS))
        self.predictions = self.messages = 0
        self.played = BEGIN
        """Up to when traffic has come in; people may be at work longer."""

    def advance(self) -> None:
        """One step: traffic arrives, is judged, and whoever must act does."""
        begin, end = self.played, _next(self.played)
        hours = [begin + timedelta(hours=n) for n in range(int((end - begin) / timedelta(hours=1)))]
        self._clock.now = max(self._clock.now, end + timedelta(minutes=1))
        self._arrive(begin, hours)
        detect(self._desk, close_until=end)
        for incident_id in triage.triage(self._desk).opened:
            self._respond(incident_id)
        self.played = end

    def end(self, incident: Incident) -> Told:
        """Prove the fix on the month's traffic, close if everything is done, and tell how it went."""
        desk = self._desk
        verdict = remediating.verify(desk.acting(RISK), incident.id)
        for slug, who in (("prove", RISK),):
            if verdict.passed:
                responding.complete(desk.acting(who), incident.id, slug, "every finding is proven gone")
        closed = False
        missing: tuple[str, ...] = ()
        state = incidents.find(desk, incident.id)
        gaps = [*responding.missing(desk, state), *duties.unmet(desk, state)]
        if not gaps and verdict.passed:
            closed = (
                responding.close(desk.acting(RISK), incident.id, "cause removed, fix proven, duties done").closed_at
                is not None
            )
        else:
            missing = tuple(gaps)
        return self._told(
            incidents.find(desk, incident.id), [p.clearance.statement for p in verdict.proofs], missing, closed=closed
        )

    def _arrive(self, begin: datetime, hours: Sequence[datetime]) -> None:
        """Write the hours' logs as the systems would, and ingest them."""
        name = f"{begin:%Y-%m-%dT%H}"
        applications = self._traffic / f"credit-{name}.csv"
        csv.write_csv(pa.concat_tables([bank.applications(SEED, hour, self._releases) for hour in hours]), applications)
        self.predictions += ingest(self._desk, CREDIT, [applications]).rows
        said = [message for hour in hours for message in assistant.messages(SEED, hour, self._poisoning)]
        if said:
            log = self._traffic / f"assistant-{name}.jsonl"
            log.write_text("".join(json.dumps(message) + "\n" for message in said), encoding="utf-8")
            self.messages += ingest(self._desk, ASSISTANT, [log]).rows

    def _respond(self, incident_id: str) -> None:
        """People act: the playbook is walked as far as that day allows."""
        incident = incidents.find(self._desk, incident_id)
        if incident.system == CREDIT:
            self._unfair(incident_id)
        elif incident.system == ASSISTANT:
            self._leak(incident_id)

    def _step(self, incident_id: str, slug: str, who: str, outcome: str, minutes: int) -> None:
        self._clock.now += timedelta(minutes=minutes)
        responding.complete(self._desk.acting(who), incident_id, slug, outcome)

    def _answer(self, incident_id: str, who: str, answers: dict[str, str], source: str) -> None:
        for name, value in answers.items():
            duties.answer(self._desk.acting(who), incident_id, name, value, source)

    def _fix(self, incident_id: str, who: str, cause: str, action: str, release: str = "") -> None:
        self._step(incident_id, "cause", who, cause, 40)
        effective = self._clock.now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=2)
        remediating.record_action(self._desk.acting(who), incident_id, action, effective, release)
        self._step(incident_id, "fix", who, f"in force from {effective:%Y-%m-%d %H:%M} UTC", 5)
        if release:
            self._releases.append(bank.Release(release, effective))
        else:
            self._poisoning = assistant.Poisoning(PLANTED, effective)

    def _unfair(self, incident_id: str) -> None:
        self._step(incident_id, "acknowledge", ON_CALL, "on it", 6)
        incidents.assign(self._desk, incident_id, "incident_manager", ON_CALL)
        self._step(
            incident_id, "preserve", OWNER, "findings and rows sealed, model 2.3.0 and its training set frozen", 12
        )
        self._step(
            incident_id, "confirm", RISK, "gap confirmed among the qualified as well; direction: against women", 20
        )
        self._step(incident_id, "contain", OWNER, "declined applications of women go to an underwriter by hand", 25)
        self._answer(
            incident_id,
            COUNSEL,
            {"fundamental_rights_infringement": "yes", "death": "no", "people_affected": "412"},
            "review of the day",
        )
        self._answer(
            incident_id,
            PRIVACY,
            {"organization_is_controller": "yes", "personal_data_breach": "no"},
            "no breach of security",
        )
        self._step(incident_id, "affected", OWNER, "412 applications listed, letters stopped", 30)
        self._step(
            incident_id, "questions", COUNSEL, "limb (c) holds; Art. 73 is not binding yet, kept as a rehearsal", 30
        )
        reporting.prepare(self._desk.acting(COUNSEL), incident_id, FORM, country="DE")
        self._fix(
            incident_id,
            OWNER,
            "release 2.3.0 reads part-time contracts as risk, a proxy for sex",
            "release 2.2.0 back in service",
            "2.2.0-1",
        )

    def _leak(self, incident_id: str) -> None:
        self._step(incident_id, "acknowledge", ON_CALL, "on it", 4)
        self._step(incident_id, "preserve", SECURITY, "findings and rows sealed, knowledge base snapshot taken", 8)
        self._step(incident_id, "contain", SECURITY, "customer lookup switched off for the assistant", 10)
        self._step(
            incident_id,
            "scope",
            PRIVACY,
            "names, cards, IBANs and mail addresses of about 100 customers, shown to about 35",
            45,
        )
        self._step(incident_id, "revoke", SECURITY, "cards blocked and reissued", 30)
        answers = {
            "organization_is_controller": "yes",
            "organization_is_processor": "no",
            "personal_data_breach": "yes",
            "breach_risk": "high",
        }
        self._answer(
            incident_id,
            PRIVACY,
            {**answers, "breach_communication_excepted": "no", "people_affected": "105"},
            "scope of the leak",
        )
        self._step(incident_id, "questions", COUNSEL, "GDPR Art. 33 and 34 are owed", 15)
        self._notify(incident_id)
        self._step(incident_id, "breach_notice", PRIVACY, "authorities notified, customers written to", 60)
        self._fix(
            incident_id,
            SECURITY,
            "document KB-417 was replaced by one with instructions to the assistant",
            "KB-417 removed, uploads to the knowledge base need a second person, lookup limited to the customer's own record",
        )

    def _notify(self, incident_id: str) -> None:
        """The binding duties of that day are fulfilled through the authorities' own portals, and that is recorded."""
        incident = incidents.find(self._desk, incident_id)
        for owed in duties.of(self._desk, incident).obligations:
            if owed.status is Status.BINDING and owed.truth is Truth.YES and not owed.discharged_at:
                self._clock.now += timedelta(minutes=5)
                why = f"notified through the portal: {'; '.join(r.name for r in owed.recipients)}"
                incidents.set_date(
                    self._desk.acting(PRIVACY), incident_id, f"submitted.{owed.id}", self._clock.now, why
                )

    def _told(self, state: Incident, proof: Sequence[str], missing: tuple[str, ...], *, closed: bool) -> Told:
        started, detected = state.dates["started"], state.dates["detected"]
        truth = RELEASED if state.system == CREDIT else PLANTED
        reported = state.reports[-1] if state.reports else None
        certain = [o for o in duties.of(self._desk, state).obligations if o.truth is Truth.YES]
        rehearsed = [o for o in certain if o.operational_due and o.status is Status.DORMANT]
        owed = [*(o for o in certain if o.status is Status.BINDING), *rehearsed]
        severity = str(state.classification.severity) if state.classification else "-"
        folder = self._desk.root / "reports"
        written = tuple(str(path) for path in sorted(folder.glob(f"{state.id}-*"))) if reported else ()
        return Told(
            state.id,
            state.title,
            severity,
            int((detected - max(truth, min(started, truth))).total_seconds() // 60),
            detected,
            tuple(owed),
            written,
            len(reported.gaps) if reported else 0,
            tuple(proof),
            closed or state.phase is Phase.CLOSED,
            missing,
        )
