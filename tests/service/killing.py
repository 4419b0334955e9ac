"""Do a job again and again in processes that are killed at random instants, until each workspace is done.

python -m tests.service.killing JOB FOLDER SEED KILLS   prints the workspaces, one a line, and the kills behind each
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from tests.service.desks import SYSTEM, desk
from tocsin.adapters.telemetry.cutting import Size
from tocsin.model.policy import DetectorChoice, Severity, SeverityRule
from tocsin.model.telemetry import Windowing
from tocsin.service import detecting
from tocsin.service.desk import Desk
from tocsin.service.ingesting import ingest
from tocsin.service.triage import triage

LOG = "log.jsonl"
"""Below the folder: what is read."""
ROWS_PER_SEGMENT = 40
WINDOWS_PER_RUN = 3


class Job(NamedTuple):
    """What stands before the first attempt, and what every attempt does to the end."""

    prepare: Callable[[Path], None]
    work: Callable[[Path], None]


def read(root: Path) -> None:
    """Ingest the log."""
    with desk(root) as at:
        ingest(at, SYSTEM, [root.parent / LOG], size=Size(rows=ROWS_PER_SEGMENT))


def judge(root: Path) -> None:
    """Judge and triage what was ingested, a few windows to a transaction."""
    detecting.WINDOWS_PER_RUN = WINDOWS_PER_RUN
    with watched(root) as at:
        detecting.detect(at)
        triage(at)


def watched(root: Path) -> Desk:
    """The desk with detectors and a policy that can open incidents."""
    made = desk(root)
    windows = Windowing(rows=50)
    choices = tuple(
        DetectorChoice(kind, f"{kind}:sex", {"group": "sex", "groups": ["f", "m"], "tolerance": 0.02}, windows)
        for kind in ("group_parity",)
    )
    policy = replace(
        made.workspace.policy,
        severity=(SeverityRule(Severity.SEV2, {}, "always"),),
        join_within=timedelta(days=2),
    )
    system = replace(made.workspace.systems[SYSTEM], detectors=choices)
    return replace(made, workspace=replace(made.workspace, policy=policy, systems={SYSTEM: system}))


def _nothing(root: Path) -> None:
    pass


JOBS: Mapping[str, Job] = {"ingest": Job(_nothing, read), "detect": Job(read, judge)}


def attempt(work: Callable[[Path], None], root: Path, seconds: float) -> bool:
    """Work in a process of its own and kill it after that long; whether the kill came in time."""
    child = os.fork()
    if not child:
        work(root)
        os._exit(0)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if not os.WIFSIGNALED(status) and os.WEXITSTATUS(status):
        raise SystemExit("an attempt failed by itself")
    return os.WIFSIGNALED(status)


def main(job: Job, folder: Path, seed: int, kills: int) -> None:
    """Kill until enough were killed and the last workspace is done."""
    chance = random.Random(seed)
    longest = _duration(job, folder / "timed")
    done = number = 0
    while done < kills:
        root, here = folder / f"round-{number}", 0
        job.prepare(root)
        while attempt(job.work, root, chance.uniform(0, longest)):
            here += 1
        done, number = done + here, number + 1
        print(root, here, flush=True)


def _duration(job: Job, root: Path) -> float:
    """How long the job takes undisturbed, in a fresh process."""
    job.prepare(root)
    begun = time.monotonic()
    child = os.fork()
    if not child:
        job.work(root)
        os._exit(0)
    os.waitpid(child, 0)
    return time.monotonic() - begun


if __name__ == "__main__":
    main(JOBS[sys.argv[1]], Path(sys.argv[2]), *map(int, sys.argv[3:]))
