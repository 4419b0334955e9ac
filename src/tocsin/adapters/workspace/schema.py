"""The shape of `policy.yaml` and `systems/*.yaml`. The descriptions become the reference of settings."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from tocsin.document.checking import Country, Duration, Identifier, Strict, Text, Zone, near
from tocsin.model.finding import Category
from tocsin.model.policy import Activity, Responsibility, Severity

ROUTES = (
    *(f"annex_iii.{point}" for point in range(1, 9)),
    *("annex_i_a", "annex_i_b", "prohibited", "transparency", "none"),
)


def _route(value: object) -> str:
    if value in ROUTES:
        return str(value)
    raise ValueError(
        "must be annex_iii.<1-8>, annex_i_a, annex_i_b, prohibited, transparency or none" + near(str(value), ROUTES)
    )


Route = Annotated[str, BeforeValidator(_route)]


class PersonFile(Strict):
    """Somebody who acts."""

    id: Identifier = Field(description="what events carry as author, and what --as takes")
    name: Text = Field(description="the name in documents")
    email: str = Field("", description="where notices go")
    phone: str = Field("", description="where to call at night")


class RoleFile(Strict):
    """A role and its RACI letters."""

    id: Identifier = Field(description="the role's id; playbooks name it")
    title: Text = Field(description="the role's name in documents")
    people: tuple[str, ...] = Field((), description="ids of the people who fill it")
    duties: dict[Activity, Responsibility] = Field(
        default_factory=dict, description="activity -> responsible, accountable, consulted or informed (RACI)"
    )


class SeverityRuleFile(Strict):
    """A row of the severity matrix; the first whose conditions all hold decides."""

    severity: Severity = Field(description="sev1 (gravest) to sev4")
    when: dict[str, Any] = Field(
        default_factory=dict,
        description="input -> required value, list of permitted values, or {at_least: number}; empty: always",
    )
    why: Text = Field(description="the reason, shown with the verdict")


class TargetsFile(Strict):
    """The policy's own clocks for a severity."""

    acknowledge: Duration = Field(description="until a person has acknowledged")
    contain: Duration = Field(description="until the harm has stopped")
    update_every: Duration = Field(description="between two updates to those informed")


class FalseAlarmsFile(Strict):
    """How many false alarms the detectors that choose no guarantee of their own may raise together."""

    one_in: Duration = Field(description="on average at most one false alarm in this time")
    windows: int = Field(
        2_000, ge=10, description="what counts as this time where windows are cut by rows, as their length is not known"
    )
    per: Literal["workspace", "owner"] = Field(
        "workspace", description="whether all detectors share the budget, or each owner of systems has one"
    )


class PolicyFile(Strict):
    """`policy.yaml`."""

    title: Text = Field(description="the document's title")
    version: Text = Field(description="the policy's version; quote it")
    organization: Text = Field(description="whose policy it is")
    owner: Text = Field(description="id of the person accountable for the policy as a whole")
    approved_by: str = Field("", description="who approved this version")
    approved_on: date | None = Field(None, description="when")
    review_by: date | None = Field(None, description="when it must be reviewed again (ISO/IEC 42001 clause 9.3)")
    purpose: Text = Field(description="what the policy is for")
    scope: tuple[Text, ...] = Field(min_length=1, description="which systems and activities it covers")
    jurisdictions: tuple[Country, ...] = Field(min_length=1, description="ISO 3166 codes or EU: whose law applies")
    timezone: Zone = Field(description="the zone in which the organization reads its clocks")
    people: tuple[PersonFile, ...] = Field(min_length=1, description="everybody who acts")
    roles: tuple[RoleFile, ...] = Field(min_length=1, description="roles and their RACI letters")
    severity: tuple[SeverityRuleFile, ...] = Field(min_length=1, description="the severity matrix")
    targets: dict[Severity, TargetsFile] = Field(description="the policy's own clocks, per severity")
    playbooks: dict[Category, Text] = Field(description="category -> playbook")
    join_within: Duration = Field(
        description="findings join the open incident of their matter until this long after it is contained"
    )
    false_alarms: FalseAlarmsFile | None = Field(
        None, description="the false alarms that all detectors together may raise; default: each has its own guarantee"
    )


class ColumnFile(Strict):
    """Where a column comes from; a plain text is short for `column`."""

    column: str | None = Field(None, description="the source column; a dot reaches into nested JSON")
    constant: Any = Field(None, description="a fixed value instead of a column")
    zone: Zone | None = Field(None, description="for times without an offset: the zone that they are in")
    format: str | None = Field(None, description="for times: a strptime format, unix_s, unix_ms, unix_us or unix_ns")
    above: float | None = Field(None, description="for flags: true when the value is greater than this")
    at_least: float | None = Field(None, description="for flags: true when the value is at least this")
    equals: Any = Field(None, description="for flags: true when the value is this")
    optional: bool = Field(False, description="whether files may lack the column; otherwise such a file is refused")
    type: Literal["number", "text"] = Field("number", description="for features: number or text")

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"column": value}
        if isinstance(value, dict):
            return value
        raise ValueError("must be the name of a source column, or a mapping such as {column: score, above: 0.5}")

    @model_validator(mode="after")
    def _one_source(self) -> ColumnFile:
        if (self.column is None) == (self.constant is None):
            raise ValueError("needs either `column` or `constant`")
        if sum(rule is not None for rule in (self.above, self.at_least, self.equals)) > 1:
            raise ValueError("takes one of `above`, `at_least` and `equals`")
        return self


class LabelsFile(Strict):
    """How a log of labels that come later is read."""

    id: ColumnFile = Field(description="the id of the prediction")
    label: ColumnFile = Field(description="what turned out to be true")
    time: ColumnFile | None = Field(None, description="when that was known; default: the time of the prediction")


class TelemetryFile(Strict):
    """How logs become one of the two tables."""

    table: Literal["predictions", "interactions"] = Field(description="which of the two tables the rows go to")
    format: Literal["auto", "jsonl", "csv", "parquet", "otlp"] = Field("auto", description="the files' format")
    columns: dict[str, ColumnFile] = Field(
        default_factory=dict, description="column of the table -> where it comes from; otlp files need none"
    )
    only: dict[str, tuple[Text, ...]] = Field(
        default_factory=dict, description="source column -> values: rows without one of them belong to another system"
    )
    labels: LabelsFile | None = Field(
        None, description="for labels that come later, in a log of their own: `tocsin ingest --labels`"
    )


class WindowFile(Strict):
    """How the stream is cut; exactly one of the two."""

    rows: int | None = Field(None, ge=10, description="a window is this many rows in order of time")
    every: Duration | None = Field(None, description="a window is this long, counted from the epoch")

    @model_validator(mode="after")
    def _one_way(self) -> WindowFile:
        if (self.rows is None) == (self.every is None):
            raise ValueError("needs either `rows` or `every`")
        return self


class DetectorFile(Strict):
    """A detector that watches the system; `with` holds its parameters (see the reference of detectors)."""

    kind: Text = Field(description="which detector")
    id: Identifier | None = Field(None, description="its id in this system; default: the kind and its group or column")
    window: WindowFile = Field(description="how the stream is cut")
    parameters: dict[str, Any] = Field(default_factory=dict, alias="with", description="the detector's parameters")

    @property
    def label(self) -> str:
        """The id of the detector: the one given, else its kind with the groups that it compares or the column that it watches."""
        group = self.parameters.get("group", self.parameters.get("column"))
        crossed = self.parameters.get("crossed_with")
        names = [group, *(crossed if isinstance(crossed, list) else [])]
        known = "+".join(name for name in names if isinstance(name, str))
        return self.id or (f"{self.kind}:{known}" if isinstance(group, str) else self.kind)


class StreamFile(Strict):
    """A stream of rows that belongs to no inventory: how it is read, and what watches it."""

    telemetry: TelemetryFile = Field(description="how its rows are read")
    detectors: tuple[DetectorFile, ...] = Field((), description="what watches it")


class ReleaseFile(Strict):
    """A version of the model."""

    version: Text = Field(description="the version as telemetry names it; quote it")
    released: date | None = Field(None, description="when it went live")
    notes: str = Field("", description="what changed")


class SystemFile(Strict):
    """`systems/<id>.yaml`: one entry of the inventory."""

    id: Identifier = Field(description="the system's id; equal to the file's name")
    name: Text = Field(description="the system's name")
    purpose: Text = Field(description="what it is used for")
    owner: Text = Field(description="id of the person who answers for it")
    organization_role: Literal["provider", "deployer", "both"] = Field(
        description="the organization's role (AI Act Art. 3)"
    )
    provider: Text = Field(description="who provides the system")
    eu_ai_act_route: Route = Field(
        description="annex_iii.<1-8>, annex_i_a, annex_i_b, prohibited, transparency or none"
    )
    operates_in: tuple[Country, ...] = Field(min_length=1, description="ISO 3166 codes of the countries")
    models: tuple[ReleaseFile, ...] = Field((), description="models and versions")
    vendors: tuple[Text, ...] = Field((), description="who supplies parts of it")
    affected_people: str = Field("", description="whom its answers concern")
    criticality: Literal["low", "medium", "high"] = Field("medium", description="an input of the severity matrix")
    telemetry: TelemetryFile | None = Field(None, description="how its logs are read")
    detectors: tuple[DetectorFile, ...] = Field((), description="what watches it")
    facts: dict[str, Any] = Field(default_factory=dict, description="standing facts for the law")
