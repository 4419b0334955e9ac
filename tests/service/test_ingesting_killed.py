"""Killing an ingest at any instant loses nothing and doubles nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.service.desks import SYSTEM, desk
from tests.service.killing import LOG, read
from tocsin.service.catalogue import segments

ROOT = Path(__file__).resolve().parents[2]
KILLS = 70
SEED = 20_261_124


def log(path: Path) -> Path:
    """1,200 rows; some are duplicates, some bad, and a line is cut off."""
    rows: list[dict[str, Any]] = [
        {
            "at": f"2026-11-{1 + n // 1440:02d}T{n // 60 % 24:02d}:{n % 60:02d}:00Z",
            "id": f"A{n - 7 if n % 50 == 9 else n}",
            "model": "m",
            "person": f"P{n % 31}",
            "score": "high" if n % 97 == 5 else n / 2_000,
            "approved": n % 2 == 0,
            "sex": "f" if n % 3 else "m",
        }
        for n in range(1_200)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows)[:-9])
    return path


def told(root: Path) -> dict[str, Any]:
    """Everything that a workspace keeps of its telemetry; the file of ids is only a shortcut and may be missing."""
    with desk(root) as at:
        files = sorted(path.relative_to(root) for path in (root / ".tocsin").rglob("*") if path.is_file())
        rows = [
            row
            for batch in at.telemetry.batches(segments(at.ledger, SYSTEM), ["id", "score"])
            for row in batch.to_pylist()
        ]
        return {
            "events": [
                (event.stream, event.version, event.kind, event.data, event.digest) for event in at.ledger.scan()
            ],
            "files": [str(path) for path in files if not path.name.startswith(("ledger.db", "ids.npz"))],
            "rows": rows,
            "quarantine": [path.read_bytes() for path in sorted((root / ".tocsin" / "quarantine").rglob("*.jsonl"))],
        }


def killed(job: str, folder: Path, seed: int, kills: int) -> dict[Path, int]:
    """The workspaces in which the job was killed, and how often."""
    command = [sys.executable, "-m", "tests.service.killing", job, folder, seed, kills]
    done = subprocess.run(
        [str(part) for part in command], cwd=ROOT, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr
    rounds = (line.rsplit(" ", 1) for line in done.stdout.splitlines())
    return {Path(root): int(number) for root, number in rounds}


@pytest.mark.slow
def test_kills_at_random_instants_change_nothing(tmp_path: Path) -> None:
    log(tmp_path / LOG)
    read(tmp_path / "calm")
    expected = told(tmp_path / "calm")
    assert len(expected["events"]) > 25
    rounds = killed("ingest", tmp_path, SEED, KILLS)
    assert sum(rounds.values()) >= KILLS, f"seed {SEED}"
    for root, kills in rounds.items():
        assert told(root) == expected, f"seed {SEED}, {root}, killed {kills} times"
