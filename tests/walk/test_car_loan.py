"""The walkthrough of the car loans: the failure is found without labels, and the labels, when they arrive, say the same."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.house.sources import ROOT
from tests.shared import shared
from tocsin.cli import app

pytestmark = pytest.mark.shared
PAGE = ROOT / "docs" / "walkthroughs" / "car-loan.md"
CHANGE = "2019-03-28"


def file(name: str) -> Path:
    return shared(f"data/streams/nannyml/synthetic_car_loan_{name}.csv")


def rows(name: str) -> list[dict[str, str]]:
    with file(name).open(encoding="utf-8") as opened:
        return list(csv.DictReader(opened))


def detected(root: str, capsys: pytest.CaptureFixture[str]) -> tuple[dict[str, Any], Any]:
    capsys.readouterr()
    assert app.run(["detect", "-C", root, "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    return {one["detector"]: one for one in told["systems"][0]["detectors"]}, told


def test_the_walkthrough_does_what_it_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = PAGE.read_text(encoding="utf-8")
    root = str(tmp_path / "lw")
    assert app.run(["init", root, "--template", "empty"]) == 0
    system = re.search(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert system is not None
    (tmp_path / "lw" / "systems" / "loans.yaml").write_text(system[1].replace("OWNER", "owner"), encoding="utf-8")
    assert app.run(["check", "-C", root]) == 0
    assert app.run(["ingest", "-C", root, "-s", "loans", str(file("reference")), str(file("analysis"))]) == 0

    before, told = detected(root, capsys)
    estimated = before["estimated_error"]["findings"]
    assert f"ALARM  {estimated[0]['title']}" in page
    assert estimated[0]["window"]["end"].startswith("2019-04-04")
    assert estimated[0]["since"]["start"].startswith(CHANGE)
    assert len(estimated[0]["details"]["segments"]) == 1
    assert len(estimated[1]["details"]["segments"]) == 3
    assert before["error_rate"]["windows_total"] == before["calibration"]["windows_total"] == 0
    assert len(told["triage"]["opened"]) == 1

    outcomes = tmp_path / "reference_outcomes.csv"
    lines = (f"{row['id']},{int(float(row['repaid']))}\n" for row in rows("reference"))
    outcomes.write_text("id,repaid\n" + "".join(lines), encoding="utf-8")
    labels = [str(outcomes), str(file("analysis_target"))]
    assert app.run(["ingest", "-C", root, "-s", "loans", "--labels", *labels]) == 0
    assert "100,000 rows in, 0 in quarantine." in capsys.readouterr().out

    after, _ = detected(root, capsys)
    confirmed = after["error_rate"]["findings"]
    assert f"ALARM  {confirmed[0]['title']}" in page
    assert confirmed[0]["window"]["end"].startswith("2019-04-18")
    assert confirmed[0]["since"]["start"].startswith(CHANGE)
    assert after["calibration"]["findings"] == after["estimated_error"]["findings"] == []
    assert after["calibration"]["windows_total"] == after["error_rate"]["windows_total"] == 87
    assert app.run(["verify", "-C", root, "--deep"]) == 0


def test_the_truth_that_the_page_tells() -> None:
    truth = {row["id"]: row["repaid"] for row in rows("analysis_target")}
    wrong: dict[bool, list[bool]] = {False: [], True: []}
    for row in rows("analysis"):
        wrong[row["timestamp"] >= CHANGE].append(row["y_pred"] != truth[row["id"]])
    before, after = (sum(wrong[late]) / len(wrong[late]) for late in (False, True))
    assert f"{before:.2%}".replace("%", " %") + " before 28 March" in PAGE.read_text(encoding="utf-8")
    assert f"{after:.2%}".replace("%", " %") + " after" in PAGE.read_text(encoding="utf-8")
