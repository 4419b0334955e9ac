"""The walkthrough of a metric: the table on the page is what the command finds, and the authors' marks are those of the benchmark."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.house.sources import ROOT
from tests.shared import shared
from tocsin.cli import app

pytestmark = pytest.mark.shared
PAGE = ROOT / "docs" / "walkthroughs" / "travel-time.md"
SERIES = "realTraffic/TravelTime_387.csv"
CHICAGO_IN_SUMMER = timedelta(hours=5)


def test_the_walkthrough_does_what_it_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = shared(f"data/streams/nab/data/{SERIES}")
    root = str(tmp_path / "mw")
    assert app.run(["init", root, "--template", "empty"]) == 0
    page = PAGE.read_text(encoding="utf-8")
    system = re.search(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert system is not None
    (tmp_path / "mw" / "systems" / "travel.yaml").write_text(system[1].replace("OWNER", "owner"), encoding="utf-8")
    assert app.run(["ingest", "-C", root, "--system", "travel", str(log)]) == 0
    capsys.readouterr()

    assert app.run(["detect", "-C", root, "--close-until", "2015-10-01T00:00Z", "--json"]) == 1
    result = json.loads(capsys.readouterr().out)
    watched = result["systems"][0]["detectors"][0]
    found = [(f["window"]["start"][:16].replace("T", " "), f["effect"]["value"]) for f in watched["findings"]]
    told = re.findall(r"^\| (2015\S+ \S+) \| ([\d,]+) \| (yes|no) \|$", page, re.MULTILINE)
    assert [(at, f"{value:,.0f}") for at, value in found] == [(at, seconds) for at, seconds, _ in told]
    assert len(told) == 8
    assert len(result["triage"]["opened"]) == 1

    marked = json.loads(shared("data/streams/nab/combined_windows.json").read_text(encoding="utf-8"))[SERIES]
    stretches = [
        tuple(datetime.fromisoformat(at).replace(tzinfo=UTC) + CHICAGO_IN_SUMMER for at in pair) for pair in marked
    ]
    hits = set()
    for at, _, yes in told:
        moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
        inside = [low for low, high in stretches if low <= moment <= high]
        assert (yes == "yes") == bool(inside)
        hits.update(inside)
    assert len(hits) == 2


def test_a_second_run_finds_nothing_new_and_the_ledger_verifies(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = shared(f"data/streams/nab/data/{SERIES}")
    root = str(tmp_path / "mw")
    assert app.run(["init", root, "--template", "empty"]) == 0
    system = re.search(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert system is not None
    (tmp_path / "mw" / "systems" / "travel.yaml").write_text(system[1].replace("OWNER", "owner"), encoding="utf-8")
    lines = log.read_text(encoding="utf-8").splitlines(keepends=True)
    ids, part = [], tmp_path / "part.csv"
    for count in (1_200, len(lines)):
        part.write_text("".join(lines[:count]), encoding="utf-8")
        assert app.run(["ingest", "-C", root, "--system", "travel", str(part)]) == 0
        capsys.readouterr()
        app.run(["detect", "-C", root, "--json"])
        told = json.loads(capsys.readouterr().out)["systems"][0]["detectors"][0]
        ids += [finding["id"] for finding in told["findings"]]
    assert len(ids) == len(set(ids)) == 8
    assert app.run(["detect", "-C", root, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["systems"][0]["detectors"][0]["findings"] == []
    assert app.run(["verify", "-C", root, "--deep"]) == 0
