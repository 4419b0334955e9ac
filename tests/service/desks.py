"""A desk with one system of a given telemetry mapping, and nothing else that a test of telemetry does not need."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from tocsin.adapters.evidence.sealed import EvidenceStore
from tocsin.adapters.stores.sqlite import SqliteLedger
from tocsin.adapters.telemetry.segments import SegmentStore
from tocsin.model.policy import ColumnMapping, Policy, System, TelemetryMapping, Workspace
from tocsin.service.desk import Desk

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SYSTEM = "credit"

PREDICTIONS = TelemetryMapping(
    "predictions",
    {
        "time": ColumnMapping(column="at"),
        "id": ColumnMapping(column="id"),
        "model_version": ColumnMapping(column="model"),
        "unit": ColumnMapping(column="person"),
        "score": ColumnMapping(column="score"),
        "decision": ColumnMapping(column="approved"),
        "group.sex": ColumnMapping(column="sex"),
    },
)


def desk(root: Path, telemetry: TelemetryMapping | None = PREDICTIONS) -> Desk:
    """A desk below `root`; opening it again there opens the same stores."""
    inner = root / ".tocsin"
    inner.mkdir(parents=True, exist_ok=True)
    return Desk(
        root=root,
        workspace=Workspace(str(root), policy(), {SYSTEM: system(telemetry)}),
        ledger=SqliteLedger(inner / "ledger.db"),
        telemetry=SegmentStore(inner / "segments"),
        evidence=EvidenceStore(inner / "evidence"),
        salt=bytes(32),
        clock=lambda: NOW,
        author="tocsin",
    )


def policy() -> Policy:
    return Policy(
        title="Policy",
        version="1",
        owner="kern",
        approved_by="",
        approved_on=None,
        review_by=None,
        organization="Nordhafen",
        purpose="to be tested",
        scope=("all",),
        jurisdictions=("EU",),
        timezone="Europe/Berlin",
        people=(),
        roles=(),
        severity=(),
        targets={},
        playbooks={},
        join_within=(NOW - NOW),
        digest="",
    )


def system(telemetry: TelemetryMapping | None) -> System:
    return System(
        id=SYSTEM,
        name="Credit",
        purpose="decides",
        owner="kern",
        organization_role="deployer",
        provider="Nordhafen",
        eu_ai_act_route="annex_iii.5",
        operates_in=("DE",),
        models=(),
        vendors=(),
        telemetry=telemetry,
        detectors=(),
        facts={},
    )
