"""Killing a detection at any instant loses nothing and judges nothing twice."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.service.killing import JOBS, LOG, watched
from tests.service.test_ingesting_killed import killed
from tocsin.service import incidents

KILLS = 80
SEED = 20_261_125


def log(path: Path) -> None:
    """3,000 decisions; after the first thousand women are approved less often."""
    chance = random.Random(4)
    rows = []
    for n in range(3_000):
        sex = "f" if n % 2 else "m"
        rate = 0.3 if sex == "f" and n > 1_000 else 0.6
        minute = n % 1_440
        time = f"2026-11-{1 + n // 1440:02d}T{minute // 60:02d}:{minute % 60:02d}:00Z"
        row = {"at": time, "id": f"A{n}", "model": "m", "person": f"P{n}", "score": 0.5, "sex": sex}
        rows.append(row | {"approved": chance.random() < rate})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def told(root: Path) -> list[tuple[Any, ...]]:
    """Every event but what evidence is called: its keys are random."""
    with watched(root) as at:
        events = list(at.ledger.scan())
        for event in events:
            if event.kind == "evidence_sealed":
                assert at.evidence.unseal(event.data["pointer"])
        return [
            (e.stream, e.version, e.kind, {k: v for k, v in e.data.items() if k not in ("pointer", "bytes")})
            for e in events
        ]


@pytest.mark.slow
def test_kills_at_random_instants_change_nothing(tmp_path: Path) -> None:
    log(tmp_path / LOG)
    calm = tmp_path / "calm"
    JOBS["detect"].prepare(calm)
    JOBS["detect"].work(calm)
    expected = told(calm)
    kinds = Counter(kind for _, _, kind, _ in expected)
    assert kinds["window_evaluated"] == 60
    assert kinds["finding_recorded"] > 1
    assert kinds["incident_opened"] == 1
    assert kinds["detection_ran"] == 20
    rounds = killed("detect", tmp_path, SEED, KILLS)
    assert sum(rounds.values()) >= KILLS, f"seed {SEED}"
    for root, kills in rounds.items():
        assert told(root) == expected, f"seed {SEED}, {root}, killed {kills} times"


@pytest.mark.slow
def test_nothing_is_judged_twice_in_the_calm_run_either(tmp_path: Path) -> None:
    log(tmp_path / LOG)
    JOBS["detect"].prepare(tmp_path / "w")
    for _ in range(3):
        JOBS["detect"].work(tmp_path / "w")
    with watched(tmp_path / "w") as at:
        windows = [e.data["window"]["index"] for e in at.ledger.scan(kinds=("window_evaluated",))]
        assert windows == list(range(60))
        assert len(incidents.every(at)) == 1
