"""The COMPAS walkthrough through the command line: ingest and detect as the page says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.house.sources import ROOT
from tests.shared import shared
from tocsin.cli import app

pytestmark = pytest.mark.shared


def test_the_walkthrough_does_what_it_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = shared("data/streams/compas/compas-scores-two-years.csv")
    root = str(tmp_path / "cw")
    assert app.run(["init", root, "--template", "empty"]) == 0
    page = (ROOT / "docs" / "walkthroughs" / "compas.md").read_text(encoding="utf-8")
    system = re.search(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert system is not None
    owner = re.search(r"^owner: *(\w+)", (tmp_path / "cw" / "policy.yaml").read_text(encoding="utf-8"), re.MULTILINE)
    assert owner is not None
    (tmp_path / "cw" / "systems" / "compas.yaml").write_text(system[1].replace("OWNER", owner[1]), encoding="utf-8")
    assert app.run(["check", "-C", root]) == 0
    capsys.readouterr()

    assert app.run(["ingest", "-C", root, "--system", "compas", str(log), "--json"]) == 0
    file = json.loads(capsys.readouterr().out)["files"][0]
    assert (file["rows"], file["left_out"], file["quarantined"]) == (6_150, 1_064, 0)

    assert app.run(["detect", "-C", root, "--close-until", "2016-01-01T00:00Z", "--json"]) == 1
    result = json.loads(capsys.readouterr().out)
    watched = {w["detector"]: w for w in result["systems"][0]["detectors"]}
    fpr, tpr = (watched[f"{name}:race"] for name in ("predictive_equality", "equal_opportunity"))
    assert {g: round(100 * k / n, 2) for g, (n, k) in fpr["statistics"]["totals"].items()} == {
        "African-American": 44.85,
        "Caucasian": 23.45,
    }
    assert {g: round(100 - 100 * k / n, 2) for g, (n, k) in tpr["statistics"]["totals"].items()} == {
        "African-American": 27.99,
        "Caucasian": 47.72,
    }
    assert fpr["findings"][0]["window"]["index"] + 1 <= 3
    assert tpr["findings"][0]["window"]["index"] + 1 <= 5
    assert len(result["triage"]["opened"]) == 1
