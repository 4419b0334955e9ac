"""The walkthrough of concept drift: the page's own code makes the logs, and what it says of three streams is what is found."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.house.sources import ROOT
from tests.shared import shared
from tocsin.cli import app

PAGE = (ROOT / "docs" / "walkthroughs" / "concept-drift.md").read_text(encoding="utf-8")
NEW_YEAR, MINUTE = datetime(2026, 1, 1, tzinfo=UTC), timedelta(minutes=1)


@pytest.fixture(scope="module")
def code() -> dict[str, Any]:
    """The functions of the page."""
    found = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    names: dict[str, Any] = {}
    exec(compile(found[1], "concept-drift.md", "exec"), names)
    return names


def stored(name: str) -> np.ndarray:
    with shared(f"data/streams/drift/{name}").open(encoding="utf-8") as file:
        return np.array(list(csv.reader(file))[1:], float)


def detected(root: Path, log: Path, window: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert app.run(["init", str(root), "--template", "empty"]) == 0
    system = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert system is not None
    text = system[1].replace("OWNER", "owner").replace("WINDOW", window)
    (root / "systems" / "stream.yaml").write_text(text, encoding="utf-8")
    assert app.run(["ingest", "-C", str(root), "--system", "stream", str(log)]) == 0
    capsys.readouterr()
    app.run(["detect", "-C", str(root), "--json"])
    told = json.loads(capsys.readouterr().out)["systems"][0]["detectors"]
    return {one["detector"]: one for one in told}


def rows_of(cell: str) -> Iterator[list[str]]:
    """The cells of the page's table rows that begin with this."""
    for line in PAGE.splitlines():
        if line.startswith(f"| {cell}"):
            yield [part.strip() for part in line.strip("|").split("|")]


def test_sea_is_found_where_it_changes_and_its_inputs_are_quiet(
    code: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "sea.csv"
    code["predicted"](code["sea"](1), 5_000, NEW_YEAR, MINUTE, log)
    found = detected(tmp_path / "dw", log, "{rows: 500}", capsys)
    first = found["error_rate"]["findings"][0]
    (row,) = rows_of("error_rate | window")
    assert row[1].startswith(f"window {first['window']['index']}, rows 10,500 to 11,000")
    worse, normal = re.findall(r"([\d.]+)%", first["title"])
    assert f"{worse} %, normal is {normal} %" in row[1]
    assert datetime.fromisoformat(first["since"]["start"]) == NEW_YEAR + 10_000 * MINUTE
    assert found["error_rate"]["windows_total"] == 70
    assert found["price"]["findings"] == found["neighbours_price"]["findings"] == []


@pytest.mark.parametrize("seed", [2, 3])
def test_other_draws_of_sea_are_found_as_well(
    code: dict[str, Any], seed: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "sea.csv"
    code["predicted"](code["sea"](seed), 5_000, NEW_YEAR, MINUTE, log)
    found = detected(tmp_path / "dw", log, "{rows: 500}", capsys)
    first = found["error_rate"]["findings"][0]
    assert 10 <= first["window"]["index"] <= 20, "the first change is at row 10,000, window 10"
    assert abs(datetime.fromisoformat(first["since"]["start"]) - (NEW_YEAR + 10_000 * MINUTE)) <= 1_500 * MINUTE


@pytest.mark.shared
def test_the_file_that_is_called_sea_holds_one_concept_and_raises_nothing(
    code: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = stored("sea_stream.csv")
    for start in range(0, len(rows), 2_500):
        total, truth = rows[start : start + 2_500, :2].sum(axis=1), rows[start : start + 2_500, -1].astype(bool)
        wrong = {threshold: ((total > threshold) ^ truth).mean() for threshold in np.arange(7.0, 11.0, 0.5)}
        wrong = {threshold: min(share, 1 - share) for threshold, share in wrong.items()}
        assert min(wrong, key=lambda threshold: wrong[threshold]) == 9.0
        assert wrong[9.0] == pytest.approx(0.1, abs=0.02)
    log = tmp_path / "sea.csv"
    code["predicted"](rows, 4_000, NEW_YEAR, MINUTE, log)
    found = detected(tmp_path / "dw", log, "{rows: 500}", capsys)
    assert [one["findings"] for one in found.values()] == [[], [], []]
    assert found["error_rate"]["windows_total"] == 72


@pytest.mark.shared
def test_elec2_is_told_as_the_page_says(
    code: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "elec2.csv"
    code["predicted"](stored("elec2.csv"), 8_064, datetime(1996, 5, 7, tzinfo=UTC), timedelta(minutes=30), log)
    found = detected(tmp_path / "dw", log, "{every: 7 days}", capsys)
    for name in ("price", "neighbours_price", "error_rate"):
        (row,) = (cells for cells in rows_of(f"{name} |") if cells[1].endswith("1997"))
        first = found[name]["findings"][0]
        ends, begins = (datetime.fromisoformat(first[key][at]) for key, at in (("window", "end"), ("since", "start")))
        assert row[1] == f"{ends.day} {ends:%B %Y}"
        assert first["title"].endswith(row[2])
        assert row[3] == f"{begins.day} {begins:%B}"


@pytest.mark.shared
def test_the_neighbours_price_stood_still_before_the_markets_were_joined() -> None:
    price = stored("elec2.csv")[:, 3]
    weeks = [np.unique(price[start : start + 336]).size for start in range(0, len(price) - 336, 336)]
    joined = next(week for week, different in enumerate(weeks) if different > 5)
    assert set(weeks[:joined]) == {1}
    assert datetime(1996, 5, 7, tzinfo=UTC) + timedelta(weeks=joined) < datetime(1997, 5, 8, tzinfo=UTC)
