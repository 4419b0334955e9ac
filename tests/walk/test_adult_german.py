"""The walkthrough of Adult and German credit: the figures on the page are what the command says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.house.sources import ROOT
from tests.shared import shared
from tocsin.cli import app

pytestmark = pytest.mark.shared
PAGE = ROOT / "docs" / "walkthroughs" / "adult-german.md"


def halves(name: str, rows: int, folder: Path) -> list[str]:
    header, *lines = shared(f"data/streams/fairness/{name}").read_text(encoding="utf-8").splitlines()
    paths = []
    for part, chosen in (("first", lines[:rows]), ("second", lines[rows:])):
        paths.append(folder / f"{part}.csv")
        paths[-1].write_text("\n".join([header, *chosen]) + "\n", encoding="utf-8")
    return list(map(str, paths))


def effects(out: str) -> tuple[dict[tuple[str, str], dict[str, Any]], Any]:
    told = json.loads(out)
    return {(e["about"], e["measure"]): e for g in told["fairness"] for e in g["effects"]}, told


def percent(value: float) -> str:
    return f"{value:.2%}"


def test_adult(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sides = halves("aequitas_adult_rf_binary.csv", 4_884, tmp_path)
    assert app.run(["compare", *sides, "--decision", "score", "--group", "gender", "--group", "race", "--json"]) == 1
    found, told = effects(capsys.readouterr().out)
    page = PAGE.read_text(encoding="utf-8")
    gaps = (
        "gender: Female over Male",
        "race: Amer-Indian-Eskimo over White",
        "gender x race: Female x Asian-Pac-Islander over Male x Asian-Pac-Islander",
    )
    for about in gaps:
        gap = found[about, "gap in positive decisions"]
        numbers = (
            f"{percent(gap['reference'])} | {percent(gap['current'])} | {percent(gap['low'])} to {percent(gap['high'])}"
        )
        assert f"| {about.split(': ')[1]} | gap in positive decisions | {numbers} | {gap['verdict']} |" in page
    ratio = found["gender: Male over Female", "ratio of positive decisions"]
    assert f"{ratio['value']:.4g} | {ratio['low']:.4g} to {ratio['high']:.4g} | {ratio['verdict']}" in page
    crossed = next(g for g in told["fairness"] if g["name"] == "gender x race")
    assert len(crossed["notes"][0].split(": ")[1].split(", ")) == 4


def test_german_credit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sides = halves("german_data_credit.csv", 500, tmp_path)
    argv = ["compare", *sides, "--decision", "class-label", "--group", "sex", "--group", "housing", "--json"]
    assert app.run(argv) == 0
    found, _ = effects(capsys.readouterr().out)
    page = PAGE.read_text(encoding="utf-8").replace("\n", " ")
    men = found["sex: male over female", "gap in positive decisions"]
    owners = found["housing: own over rent", "gap in positive decisions"]
    for gap in (men, owners):
        assert f"{100 * gap['current']:.2f} points" in page
        assert f"{percent(gap['low'])} to {percent(gap['high'])}" in page
    assert f"{100 * owners['reference']:.2f} points in the first half" in page
    assert not [e for e in found.values() if e["verdict"] == "beyond tolerance"]
