"""Ingest a file again and again in processes that are killed at random instants, until each workspace is done.

python -m tests.service.killing FOLDER FILE SEED KILLS ROWS   prints the workspaces, one a line, and the kills behind each
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from pathlib import Path

from tests.service.desks import SYSTEM, desk
from tocsin.adapters.telemetry.cutting import Size
from tocsin.service.ingesting import ingest


def work(root: Path, file: Path, rows: int) -> None:
    """Ingest to the end."""
    with desk(root) as at:
        ingest(at, SYSTEM, [file], size=Size(rows=rows))


def attempt(root: Path, file: Path, rows: int, seconds: float) -> bool:
    """Ingest in a process of its own and kill it after that long; whether the kill came in time."""
    child = os.fork()
    if not child:
        work(root, file, rows)
        os._exit(0)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if not os.WIFSIGNALED(status) and os.WEXITSTATUS(status):
        raise SystemExit("an attempt failed by itself")
    return os.WIFSIGNALED(status)


def main(folder: Path, file: Path, seed: int, kills: int, rows: int) -> None:
    """Kill until enough were killed and the last workspace is done."""
    chance = random.Random(seed)
    longest = _duration(folder / "timed", file, rows)
    done = number = 0
    while done < kills:
        root, here = folder / f"round-{number}", 0
        while attempt(root, file, rows, chance.uniform(0, longest)):
            here += 1
        done, number = done + here, number + 1
        print(root, here, flush=True)


def _duration(root: Path, file: Path, rows: int) -> float:
    begun = time.monotonic()
    child = os.fork()
    if not child:
        work(root, file, rows)
        os._exit(0)
    os.waitpid(child, 0)
    return time.monotonic() - begun


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *map(int, sys.argv[3:]))
