"""The page on Python: every example runs, in order, on frames like those that it speaks of."""

from __future__ import annotations

import re
from contextlib import chdir
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.house.sources import ROOT

PAGE = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
BEGIN = datetime(2026, 3, 1, tzinfo=UTC)


def loans(day: int, gap: float) -> dict[str, Any]:
    """A day of decisions; the income of some is missing."""
    g = np.random.default_rng(day)
    sex = g.choice(["f", "m"], 1_500)
    return {
        "at": [BEGIN + timedelta(days=day, minutes=n * 0.96) for n in range(1_500)],
        "approved": (g.random(1_500) < 0.6 - gap * (sex == "f")).tolist(),
        "repaid": (g.random(1_500) < 0.6).tolist(),
        "sex": sex.tolist(),
        "applicant": [f"p{n}" for n in g.integers(0, 200, 1_500)],
        "income": [None if n % 50 == 0 else float(n) for n in range(1_500)],
    }


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the examples leave behind."""
    folder = tmp_path_factory.mktemp("python")
    names: dict[str, Any] = {
        "frames": [loans(day, 0.3 if day >= 4 else 0.0) for day in range(8)],
        "reference": loans(20, 0.0),
        "current": loans(21, 0.3),
        "said": [],
    }
    for example in EXAMPLES:
        names["print"] = lambda *words: names["said"].append(words)
        with chdir(folder):
            exec(compile(example, "docs/python.md", "exec"), names)
    return names | {"folder": folder}


def test_the_page_has_examples() -> None:
    assert len(EXAMPLES) >= 6
    assert all("import tocsin" in PAGE[: PAGE.index(example) + len(example)] for example in EXAMPLES)


def test_frames_are_watched_and_compared(ran: dict[str, Any]) -> None:
    assert ran["said"], "the gap is found"
    title, since = ran["said"][0]
    assert title.startswith("The rate of positive decisions differs by sex: f ")
    assert since == BEGIN + timedelta(days=4)
    assert "4111" not in ran["clean"][0]


def test_shards_find_it_too(ran: dict[str, Any]) -> None:
    assert ran["findings"][0].since.start == BEGIN + timedelta(days=4)


def test_reports_are_written(ran: dict[str, Any]) -> None:
    folder: Path = ran["folder"]
    assert (folder / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert (folder / "report.pdf").read_bytes().startswith(b"%PDF")
