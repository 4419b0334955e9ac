"""A regime: one duty to tell somebody, as data. Values are dated and never overwritten."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Literal
from zoneinfo import ZoneInfo

from tocsin.law.conditions import ALWAYS, NOT_APPLICABLE, Condition, is_day, names
from tocsin.law.counting import Calendar, Deadline, zone_info
from tocsin.model.event import Json
from tocsin.model.law import Citation, Duty, Recipient, Status

Pick = Literal["earliest", "latest"]
SHOWN_MAX = 12
"""How many choices a message lists."""


@dataclass(frozen=True, slots=True)
class Period:
    """A status from one date up to another, for the cases that fulfil the condition; the first period that fits decides."""

    status: Status
    valid_from: date
    valid_to: date | None = None
    when: Condition = ALWAYS
    note: str = ""
    countries: tuple[str, ...] = ()
    """Only there (transposition of a directive, acts not incorporated into the EEA Agreement); everywhere if empty."""

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
    anchors: tuple[str, ...] = ()
    """Its own anchors where they differ from the stage's: "the earlier of two events"."""
    void_if_after: str = ""
    """An anchor: when that came only after this period had run out, the period falls away (late classification)."""

    def covers(self, day: date) -> bool:
        """Whether the day lies in the period."""
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)


@dataclass(frozen=True, slots=True)
class Guideline:
    """A period that a guideline or an authority expects; never due."""

    deadline: Deadline
    label: str
    cite: tuple[str, ...] = ()
    when: Condition = ALWAYS
    """Shown unless this is known not to hold."""


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
    kind: Duty = "report"
    starts: Pick = "earliest"
    """Which of several known anchors starts the clock."""
    owed: Pick = "earliest"
    """Which of several deadlines that hold is owed."""
    repeats_until: str = ""
    """An anchor: the report recurs, each period starting with the last filing, until that instant."""
    benchmarks: tuple[Guideline, ...] = ()
    who: str = ""
    register: str = ""
    recipients: tuple[Recipient, ...] = ()
    """Whom this stage tells where they differ from the regime's."""


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
    """Option -> the anchors that start the clock under it, in the stages that those of the default start."""


@dataclass(frozen=True)
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
    zone: str = ""
    """Where the law itself fixes the zone of its clock; else the place's."""
    digest: str = ""

    @cached_property
    def conditions(self) -> tuple[Condition, ...]:
        """Every condition in the regime."""
        return (
            self.applies,
            *(period.when for period in self.periods),
            *(stage.when for stage in self.stages),
            *(dated.when for stage in self.stages for dated in stage.deadlines),
            *(expected.when for stage in self.stages for expected in stage.benchmarks),
            *(rerouting.when for rerouting in self.reroutings),
        )

    @cached_property
    def facts(self) -> frozenset[str]:
        """Every fact that the regime looks at."""
        return frozenset(name for condition in self.conditions for name in names(condition))

    def counts(self, stage_id: str) -> bool:
        """Whether the law names a number for the stage."""
        return any(d.deadline.unit != "none" for s in self.stages if s.id == stage_id for d in s.deadlines)


@dataclass(frozen=True, slots=True)
class Place:
    """An authority's country: its zone, its calendar, and whom each register names there."""

    country: str
    """ISO 3166 code, with its subdivision where that has law of its own (US-CA); EU for the Union."""
    zone: str
    calendar: Calendar
    registers: Mapping[str, tuple[Recipient, ...]]
    within: str = ""
    """The place that it lies in: a state in its country, a member in the Union."""

    @property
    def tz(self) -> ZoneInfo:
        """The zone itself."""
        return zone_info(self.zone)


@dataclass(frozen=True, slots=True)
class FactKind:
    """A fact that the law asks for."""

    name: str
    type: Literal["truth", "number", "text", "choice", "set", "date"]
    text: str
    help: str
    choices: tuple[str, ...] = ()
    citation: Citation | None = None
    meanings: Mapping[str, str] = field(default_factory=dict)
    """Choice -> what it means, where its name does not say it all."""

    def takes(self, value: Json) -> bool:
        """Whether the value answers the question; unknown (None) and not applicable answer every one."""
        if value is None or value == NOT_APPLICABLE:
            return True
        match self.type:
            case "number":
                return isinstance(value, int | float) and not isinstance(value, bool)
            case "date":
                return is_day(value)
            case "choice":
                return value in self.choices
            case "set":
                return isinstance(value, list) and all(part in self.choices for part in value)
            case _:
                return isinstance(value, bool if self.type == "truth" else str)

    @property
    def wanted(self) -> str:
        """What a value must be, in words."""
        words = {"truth": "true or false", "number": "a number", "date": "a date such as 2026-11-24", "text": "text"}
        some = f"{', '.join(self.choices[:SHOWN_MAX])}{', ...' if len(self.choices) > SHOWN_MAX else ''}"
        return words.get(self.type) or f"{'a list of' if self.type == 'set' else 'one of'} {some}"


@dataclass(frozen=True)
class Library:
    """Everything the law is asked with: regimes, facts, places; with the digest of it all."""

    regimes: tuple[Regime, ...]
    facts: Mapping[str, FactKind]
    places: Mapping[str, Place]
    digest: str
    read_on: date
    contradictions: tuple[Condition, ...] = ()
    """Conditions that no answers may fulfil together."""

    @cached_property
    def users(self) -> Mapping[str, tuple[Regime, ...]]:
        """Fact -> the regimes that look at it."""
        found: dict[str, list[Regime]] = {}
        for regime in self.regimes:
            for name in regime.facts:
                found.setdefault(name, []).append(regime)
        return {name: tuple(regimes) for name, regimes in found.items()}

    @cached_property
    def by_id(self) -> Mapping[str, Regime]:
        """The regimes by id."""
        return {regime.id: regime for regime in self.regimes}
