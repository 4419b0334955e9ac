"""An incident: always the fold of the events of its stream `incident/<id>`, never stored elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from tocsin.model.event import Json
from tocsin.model.finding import Category, Clearance
from tocsin.model.law import Fact
from tocsin.model.policy import Severity


class Phase(StrEnum):
    """Where the incident stands. Steps forward may skip; closing has its own conditions; reopening is an event of its own."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CONTAINED = "contained"
    REMEDIATING = "remediating"
    CLOSED = "closed"


class Gravity(StrEnum):
    """OECD's ladder with the AI Act's top rung: hazard, near miss, incident, serious incident (Art. 3(49))."""

    HAZARD = "hazard"
    NEAR_MISS = "near_miss"
    INCIDENT = "incident"
    SERIOUS_INCIDENT = "serious_incident"


@dataclass(frozen=True, slots=True)
class Classification:
    """The verdict and everything it was read from, so that a person can check or overrule it."""

    category: Category
    gravity: Gravity
    limbs: tuple[str, ...]
    """Limbs of AI Act Art. 3(49) that hold or may hold, e.g. `c:possible`."""
    severity: Severity
    inputs: Mapping[str, Json]
    why: tuple[str, ...]
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class JoinedFinding:
    """What a detector found of one key, as an incident keeps it: how much of it there is by now, and how strong it got."""

    id: str
    """Of the first finding of this key."""
    detector: str
    category: Category
    title: str
    key: str
    level: str
    count: int
    strength: float
    strength_kind: str
    tags: tuple[str, ...]
    joined_at: datetime
    last_at: datetime
    """Up to when it was seen in the telemetry."""


@dataclass(frozen=True, slots=True)
class StepDone:
    """A completed step of the playbook."""

    step: str
    at: datetime
    by: str
    outcome: str
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class ReportMade:
    """A report as prepared or filed: the form, its version (from 1), the digests of the exact bytes, and what was missing."""

    form: str
    version: int
    at: datetime
    author: str
    files: Mapping[str, str]
    """Media type -> evidence pointer."""
    gaps: tuple[str, ...]
    filed_at: datetime | None = None
    stage: str = ""
    obligation: str = ""


@dataclass(frozen=True, slots=True)
class CorrectiveAction:
    """What was done about the cause, and when it took effect."""

    id: str
    text: str
    owner: str
    effective_from: datetime | None
    release: str = ""


@dataclass(frozen=True, slots=True)
class Incident:
    """The folded state. `version` is the stream's version: what an append must expect."""

    id: str
    version: int
    system: str
    title: str
    category: Category
    key: str
    phase: Phase
    opened_at: datetime
    opened_by: str
    source: str
    """`detector` or `person`."""
    dates: Mapping[str, datetime] = field(default_factory=dict)
    """`occurred`, `started`, `detected`, `aware.<role>`, `contained`, `resolved`, ...: see `model.law.ANCHORS`."""
    classification: Classification | None = None
    findings: Mapping[str, JoinedFinding] = field(default_factory=dict)
    facts: Mapping[str, Fact] = field(default_factory=dict)
    fact_history: tuple[Fact, ...] = ()
    assignments: Mapping[str, str] = field(default_factory=dict)
    """Role id -> person id."""
    links: tuple[tuple[str, str], ...] = ()
    """(relation, incident id): `duplicate_of`, `related_to`, `split_from`, `recurrence_of`."""
    playbook: str = ""
    playbook_digest: str = ""
    steps: tuple[StepDone, ...] = ()
    reports: tuple[ReportMade, ...] = ()
    decisions: Mapping[str, str] = field(default_factory=dict)
    cause: str = ""
    actions: tuple[CorrectiveAction, ...] = ()
    clearances: Mapping[str, Clearance] = field(default_factory=dict)
    """Finding id -> the latest proof that it is gone, made after the last corrective action."""
    attested: str = ""
    """How a person verified the end, where no detector's finding can be replayed."""
    acknowledged_at: datetime | None = None
    closed_at: datetime | None = None
    notes: tuple[tuple[datetime, str, str], ...] = ()
    """(at, author, text)."""
