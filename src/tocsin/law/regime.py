"""A regime: one duty to tell somebody, as data. Values are dated and never overwritten."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from tocsin.law.conditions import ALWAYS, Condition, names
from tocsin.law.counting import Calendar, Deadline
from tocsin.model.law import Citation, Recipient, Status


@dataclass(frozen=True, slots=True)
class Period:
    """A status from one date up to another, for the cases that fulfil the condition; the first period that fits decides."""

    status: Status
    valid_from: date
    valid_to: date | None = None
    when: Condition = ALWAYS
    note: str = ""

    def covers(self, day: date) -> bool:
        """Whether the day lies in the period."""
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)


@dataclass(frozen=True, slots=True)
class Dated:
    """A deadline from one date up to another, for the cases that fulfil the condition."""

    deadline: Deadline
    label: str
    valid_from: date
    valid_to: date | None = None
    when: Condition = ALWAYS
    cite: tuple[str, ...] = ()

    def covers(self, day: date) -> bool:
        """Whether the day lies in the period."""
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)


@dataclass(frozen=True, slots=True)
class Stage:
    """One report or notice of a regime. `deadlines` may hold faster cases: the earliest of those that hold is owed."""

    id: str
    title: str
    anchors: tuple[str, ...]
    """Instants that start the clock; the earliest that is known counts. `submitted.<stage>` refers to another stage."""
    deadlines: tuple[Dated, ...]
    when: Condition = ALWAYS
    form: str = ""
    content: tuple[str, ...] = ()
    cite: tuple[str, ...] = ()
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Rerouting:
    """Where another act takes the duty over: to other recipients, or away altogether (lex specialis)."""

    when: Condition
    effect: Literal["displaced", "recipients"]
    text: str
    recipients: tuple[Recipient, ...] = ()
    cite: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Switch:
    """A contested reading: its options with their sources; the conservative one is the default."""

    id: str
    text: str
    default: str
    options: Mapping[str, str]
    anchors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Option -> the anchors that it lets start the clock."""


@dataclass(frozen=True, slots=True)
class Regime:
    """One duty, its stages, who owes it to whom, and where every part of it is written."""

    id: str
    title: str
    instrument: str
    jurisdiction: str
    who: str
    periods: tuple[Period, ...]
    applies: Condition
    stages: tuple[Stage, ...]
    register: str
    """Name of the register of authorities by country, e.g. `data_protection`; empty: `recipients` holds them."""
    recipients: tuple[Recipient, ...]
    citations: Mapping[str, Citation]
    cite: tuple[str, ...]
    reroutings: tuple[Rerouting, ...] = ()
    switches: tuple[Switch, ...] = ()
    notes: tuple[str, ...] = ()
    penalties: str = ""
    retention: str = ""
    digest: str = ""

    def facts(self) -> frozenset[str]:
        """Every fact that the regime looks at."""
        conditions = [self.applies, *(p.when for p in self.periods), *(s.when for s in self.stages)]
        conditions += [d.when for stage in self.stages for d in stage.deadlines] + [r.when for r in self.reroutings]
        return frozenset(name for condition in conditions for name in names(condition))


@dataclass(frozen=True, slots=True)
class Place:
    """An authority's country: its zone, its calendar, and whom each register names there."""

    country: str
    zone: str
    calendar: Calendar
    registers: Mapping[str, tuple[Recipient, ...]]


@dataclass(frozen=True, slots=True)
class FactKind:
    """A fact that the law asks for."""

    name: str
    type: Literal["truth", "number", "text", "choice", "date"]
    text: str
    help: str
    choices: tuple[str, ...] = ()
    citation: Citation | None = None


@dataclass(frozen=True, slots=True)
class Library:
    """Everything the law is asked with: regimes, facts, places; with the digest of it all."""

    regimes: tuple[Regime, ...]
    facts: Mapping[str, FactKind]
    places: Mapping[str, Place]
    digest: str
    read_on: date
