"""A policy without gaps, and ways to put one in."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from tocsin.govern.readiness import gaps
from tocsin.govern.words import Gap
from tocsin.model.finding import Category
from tocsin.model.policy import (
    ColumnMapping,
    DetectorChoice,
    Person,
    Policy,
    Release,
    ResponseTargets,
    Role,
    Severity,
    SeverityRule,
    System,
    TelemetryMapping,
    Workspace,
)
from tocsin.model.telemetry import Windowing

TODAY = date(2026, 11, 24)

POLICY = Policy(
    title="AI incident response policy",
    version="1.0",
    owner="ada",
    approved_by="The board",
    approved_on=date(2026, 9, 1),
    review_by=date(2027, 9, 1),
    organization="A test house",
    purpose="To answer incidents.",
    scope=("Everything",),
    jurisdictions=("EU", "DE"),
    timezone="Europe/Berlin",
    people=(Person("ada", "Ada Adler", "ada@example.org", "1"), Person("ben", "Ben Bauer", "ben@example.org", "2")),
    roles=(
        Role(
            "manager",
            "Manager",
            ("ada", "ben"),
            {
                "detect": "accountable",
                "classify": "accountable",
                "respond": "accountable",
                "report": "accountable",
                "remediate": "accountable",
                "review": "accountable",
            },
        ),
        Role(
            "team",
            "Team",
            ("ben",),
            {
                "detect": "responsible",
                "classify": "responsible",
                "respond": "responsible",
                "report": "responsible",
                "remediate": "responsible",
                "review": "responsible",
            },
        ),
    ),
    severity=(
        SeverityRule(Severity.SEV1, {"gravity": "serious_incident"}, "serious"),
        SeverityRule(
            Severity.SEV2, {"category": ["bias", "data_leakage"], "people_affected": {"at_least": 100}}, "many"
        ),
        SeverityRule(Severity.SEV3, {"personal_data": True}, "personal data"),
        SeverityRule(Severity.SEV4, {}, "the rest"),
    ),
    targets={
        severity: ResponseTargets(timedelta(hours=rank), timedelta(days=rank), timedelta(hours=2 * rank))
        for rank, severity in enumerate(Severity, start=1)
    },
    playbooks={category: str(category) for category in Category},
    join_within=timedelta(days=2),
    digest="d" * 64,
)

SYSTEM = System(
    id="model",
    name="Model",
    purpose="To decide",
    owner="ada",
    organization_role="provider",
    provider="A test house",
    eu_ai_act_route="annex_iii.5",
    operates_in=("DE", "FR"),
    models=(Release("1.0"),),
    vendors=(),
    telemetry=TelemetryMapping(
        "predictions",
        {
            name: ColumnMapping(column=name)
            for name in ("time", "unit", "decision", "label", "group.sex", "feature.income")
        },
    ),
    detectors=(DetectorChoice("group_parity", "group_parity:sex", {"group": "sex"}, Windowing(rows=100)),),
    facts={},
    affected_people="Applicants",
    criticality="high",
)

CHAT = replace(
    SYSTEM,
    id="chat",
    name="Chat",
    organization_role="deployer",
    eu_ai_act_route="transparency",
    telemetry=TelemetryMapping(
        "interactions", {name: ColumnMapping(column=name) for name in ("time", "role", "text", "session", "unit")}
    ),
    detectors=(DetectorChoice("prompt_injection", "prompt_injection", {}, Windowing(every=timedelta(hours=1))),),
)


def workspace(*systems: System, **changes: Any) -> Workspace:
    """A workspace without gaps, but for what is changed in its policy."""
    return Workspace("house", replace(POLICY, **changes), {system.id: system for system in systems or (SYSTEM, CHAT)})


def found(*systems: System, today: date = TODAY, **changes: Any) -> list[Gap]:
    """The gaps of that workspace."""
    return list(gaps(workspace(*systems, **changes), today))


def ids(*systems: System, today: date = TODAY, **changes: Any) -> list[str]:
    """The ids of its gaps."""
    return [gap.id for gap in found(*systems, today=today, **changes)]
