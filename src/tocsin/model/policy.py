"""The policy and the inventory, as frozen values. Reading and checking their files is the work of `adapters.workspace`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Literal

from tocsin.model.event import Json
from tocsin.model.finding import Category
from tocsin.model.telemetry import Table, Windowing


class Severity(StrEnum):
    """How bad, from 1 (drop everything) to 4 (note it)."""

    SEV1 = "sev1"
    SEV2 = "sev2"
    SEV3 = "sev3"
    SEV4 = "sev4"


Responsibility = Literal["responsible", "accountable", "consulted", "informed"]

Activity = Literal["detect", "classify", "respond", "report", "remediate", "review"]
ACTIVITIES: tuple[Activity, ...] = ("detect", "classify", "respond", "report", "remediate", "review")
"""The verbs of the mission: the rows of the RACI matrix."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who acts: `id` is what events carry as author."""

    id: str
    name: str
    email: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class Role:
    """A role of the policy, who fills it, and its RACI letter per activity."""

    id: str
    title: str
    people: tuple[str, ...]
    duties: Mapping[Activity, Responsibility]


@dataclass(frozen=True, slots=True)
class SeverityRule:
    """One row of the severity matrix: the first rule whose conditions all hold decides. Conditions compare named inputs."""

    severity: Severity
    when: Mapping[str, Json]
    """Input name -> required value, list of permitted values, or {"at_least": number}."""
    why: str


@dataclass(frozen=True, slots=True)
class ResponseTargets:
    """The policy's own clocks per severity."""

    acknowledge: timedelta
    contain: timedelta
    update_every: timedelta


@dataclass(frozen=True, slots=True)
class FalseAlarms:
    """How many false alarms the detectors that choose no guarantee of their own may raise together."""

    one_in: timedelta
    """On average at most one in this time."""
    windows: int
    """What counts as this time where windows are cut by rows: their length is not known."""
    per: Literal["workspace", "owner"]
    """Whether all detectors share one budget, or those of each owner of systems."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The signed document. `digest` is the hex SHA-256 of the file's bytes."""

    title: str
    version: str
    owner: str
    approved_by: str
    approved_on: date | None
    review_by: date | None
    organization: str
    purpose: str
    scope: tuple[str, ...]
    jurisdictions: tuple[str, ...]
    """ISO 3166 codes, or `EU`."""
    timezone: str
    """IANA zone in which the organization reads its clocks."""
    people: tuple[Person, ...]
    roles: tuple[Role, ...]
    severity: tuple[SeverityRule, ...]
    targets: Mapping[Severity, ResponseTargets]
    playbooks: Mapping[Category, str]
    join_within: timedelta
    """Findings of one key join an open incident, or a closed one that ended less than this ago is linked."""
    digest: str
    false_alarms: FalseAlarms | None = None


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """Where a canonical column comes from: a source column (or a constant), and how it is read."""

    column: str | None = None
    constant: Json = None
    zone: str | None = None
    """For times without an offset: the zone they are in. Without it a naive time is an error."""
    format: str | None = None
    """For times: a strptime format, `unix_s`, `unix_ms`, `unix_us` or `unix_ns`; None reads ISO 8601."""
    above: float | None = None
    at_least: float | None = None
    equals: Json = None
    """For flags: true when the source value is above, at least, or equal to this."""
    optional: bool = False
    """Whether files may lack the source column altogether; without it a file that does is refused."""
    type: Literal["number", "text"] = "number"
    """For features: what its values are."""


@dataclass(frozen=True, slots=True)
class TelemetryMapping:
    """How this system's logs become one of the two tables. `columns` maps canonical names (with `group.`/`feature.`)."""

    table: Table
    columns: Mapping[str, ColumnMapping]
    format: Literal["auto", "jsonl", "csv", "parquet", "otlp"] = "auto"
    only: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Source column -> the values that a row must have to belong to this system; other rows are left out and counted."""
    labels: Mapping[str, ColumnMapping] = field(default_factory=dict)
    """How a log of labels that come later is read: `id`, `label` and perhaps `time`, when the label was known."""

    @property
    def provided(self) -> frozenset[str]:
        """The columns that the system's rows have, those that come later included."""
        return frozenset(self.columns) | frozenset(self.labels)


@dataclass(frozen=True, slots=True)
class DetectorChoice:
    """A detector that watches a system: the kind, an id unique in the system, its parameters, its windows."""

    kind: str
    id: str
    parameters: Mapping[str, Json]
    windowing: Windowing


@dataclass(frozen=True, slots=True)
class Release:
    """A version of the model and when it went live."""

    version: str
    released: date | None = None
    notes: str = ""


@dataclass(frozen=True, slots=True)
class System:
    """One entry of the inventory. `digest` is the hex SHA-256 of the file's bytes."""

    id: str
    name: str
    purpose: str
    owner: str
    organization_role: Literal["provider", "deployer", "both"]
    provider: str
    """Name of the organization that provides the system."""
    eu_ai_act_route: str
    """`annex_iii.<n>`, `annex_i_a`, `annex_i_b`, `prohibited`, `transparency` or `none`."""
    operates_in: tuple[str, ...]
    models: tuple[Release, ...]
    vendors: tuple[str, ...]
    telemetry: TelemetryMapping | None
    detectors: tuple[DetectorChoice, ...]
    facts: Mapping[str, Json]
    """Standing facts for the law, e.g. `personal_data: true`; each is checked against the packs' facts."""
    affected_people: str = ""
    criticality: Literal["low", "medium", "high"] = "medium"
    digest: str = ""
    extra: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Workspace:
    """A checked workspace: where it is (as text, for messages), its policy and its systems by id."""

    root: str
    policy: Policy
    systems: Mapping[str, System]
