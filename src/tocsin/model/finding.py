"""What a detector says: a finding explains itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal

from tocsin.model.event import Json
from tocsin.model.telemetry import Window


class Category(StrEnum):
    """What kind of incident; the keys of playbooks and of the severity matrix."""

    MODEL_FAILURE = "model_failure"
    BIAS = "bias"
    DATA_LEAKAGE = "data_leakage"
    ADVERSARIAL_ATTACK = "adversarial_attack"
    AGENT_MISUSE = "agent_misuse"
    MISUSE = "misuse"


class Level(StrEnum):
    """What a finding may do.

    ALARM opens an incident or joins one. SEVERE is a single hit so grave that it opens one by itself.
    SIGHTING is counted and joins an open incident of its key, but never opens one: one odd row is not an incident.
    """

    SIGHTING = "sighting"
    ALARM = "alarm"
    SEVERE = "severe"


@dataclass(frozen=True, slots=True)
class RowRef:
    """A row of telemetry: the segment's id and the row's number in it, from 0."""

    segment: str
    row: int


@dataclass(frozen=True, slots=True)
class Strength:
    """How strong: an e-value (evidence against "nothing is wrong"; alarm at `threshold`) or a calibrated score in [0, 1]."""

    kind: Literal["e_value", "score"]
    value: float
    threshold: float
    guarantee: str
    """The promise in words, with its number and its estimand ("in the traffic served")."""


@dataclass(frozen=True, slots=True)
class Effect:
    """How large, with an interval for display at the stated confidence. `unit` is e.g. `percentage points`."""

    name: str
    value: float
    low: float
    high: float
    confidence: float
    unit: str


@dataclass(frozen=True, slots=True)
class Since:
    """Since when: the estimated window of the change and the set of windows that the data cannot rule out."""

    window: int
    start: datetime
    earliest: datetime
    latest: datetime
    note: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What, where, how strong, how large, since when, which rows; masked; with its blind spots and what to do next."""

    id: str
    """Stable: the digest of system, detector, key and window; the same evidence never makes two findings."""
    system: str
    detector: str
    """The detector's id in the system file, e.g. `group_parity:race`."""
    category: Category
    key: str
    """What makes two findings the same matter, e.g. `race:African-American>Caucasian` or a rule with a keyed digest."""
    level: Level
    title: str
    window: Window
    strength: Strength
    count: int
    rows: tuple[RowRef, ...]
    """A sample of the rows concerned, at most 100, in stored order; `count` is their true number."""
    explanation: str
    effect: Effect | None = None
    since: Since | None = None
    masked: tuple[str, ...] = ()
    """Masked samples: they show the kind and shape of what was found and nothing that identifies a person."""
    blind_spots: tuple[str, ...] = ()
    next_steps: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    """Taxonomy ids, e.g. `owasp.llm.LLM01`, `atlas.AML.T0051`."""
    details: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Clearance:
    """Whether fresh data proves that what a detector found is gone, with the error bound of that proof.

    Absence of an alarm proves nothing; `passed` means that "the fault is at least `margin`" was rejected at level `alpha`.
    """

    passed: bool
    statement: str
    """What was shown, or how far the data is from showing it, in words."""
    alpha: float
    margin: float
    estimate: float
    low: float
    high: float
    e_value: float
    rows: int
    rows_needed: int | None = None
    """Rows that would probably suffice if the estimate holds; None when no amount will."""
    recurrences: int = 0
    """How often the very items of the finding were seen again."""
