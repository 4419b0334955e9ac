"""Attack prompts in a day of traffic: one incident with its findings counted and ranked, and none from benign traffic alone."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.shared import shared
from tests.walk import attack_day
from tocsin.cli import app

pytestmark = [pytest.mark.shared, pytest.mark.slow]

UNMAPPED = ("tool_name:", "tool_arguments:", "model:", "tokens_in:", "tokens_out:", "latency_ms:")
"""Columns of the shipped example that this log does not have."""


@pytest.fixture
def data() -> Path:
    return shared("data/text")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "w"
    app.run(["init", str(root), "--template", "bank"])
    path = root / "systems" / "support-assistant.yaml"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not line.strip().startswith(UNMAPPED)), encoding="utf-8")
    return root


def _detect(root: Path, log: Path, capsys: pytest.CaptureFixture[str], until: str) -> dict[str, Any]:
    assert app.run(["ingest", "-C", str(root), "--system", "support-assistant", str(log), "--json"]) == 0
    capsys.readouterr()
    app.run(["detect", "-C", str(root), "support-assistant", "--close-until", until, "--json"])
    return json.loads(capsys.readouterr().out)  # type: ignore[no-any-return]


def _findings(result: dict[str, Any]) -> list[dict[str, Any]]:
    return [f for system in result["systems"] for watched in system["detectors"] for f in watched["findings"]]


def _incident(root: Path, name: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert app.run(["incident", "show", name, "-C", str(root), "--json"]) == 0
    return json.loads(capsys.readouterr().out)["incident"]  # type: ignore[no-any-return]


def test_attacks_open_one_incident_and_later_ones_join_it(
    data: Path, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "day.jsonl"
    attack_day.write(data, log, 1)
    result = _detect(root, log, capsys, "2026-11-03T00:00Z")
    (opened,) = result["triage"]["opened"]
    incident = _incident(root, opened, capsys)
    assert incident["category"] == "adversarial_attack"
    assert len(incident["findings"]) < 20, "findings are counted, not one for each row"
    rate = next(f for f in _findings(result) if f["key"] == "rate")
    assert rate["level"] == "alarm"
    ranked = [count for _, count in rate["details"]["ranked"]]
    assert ranked == sorted(ranked, reverse=True)
    assert sum(ranked) > 1

    counted = sum(f["count"] for f in incident["findings"].values())
    attack_day.write(data, log, 2, attack_day.DAY + timedelta(days=1))
    again = _detect(root, log, capsys, "2026-11-04T00:00Z")
    assert again["triage"]["opened"] == []
    assert again["triage"]["joined"] == [opened]
    assert sum(f["count"] for f in _incident(root, opened, capsys)["findings"].values()) > counted


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_benign_traffic_alone_opens_nothing(
    data: Path, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], seed: int
) -> None:
    log = tmp_path / "day.jsonl"
    attack_day.write(data, log, seed, attacks=False)
    result = _detect(root, log, capsys, "2026-11-03T00:00Z")
    assert result["triage"]["opened"] == []
    assert all(f["level"] == "sighting" for f in _findings(result))
