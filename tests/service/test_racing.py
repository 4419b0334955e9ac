"""Several processes at one workspace at once: everything is done once, and nobody gives up."""

from __future__ import annotations

import multiprocessing
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.service.banks import CREDIT, bank
from tests.service.desks import SYSTEM, desk
from tests.service.killing import LOG, read, watched
from tests.service.test_detecting_killed import log, told
from tocsin.adapters.telemetry.cutting import Size
from tocsin.model.event import Append
from tocsin.model.finding import Category
from tocsin.service import catalogue, detecting, incidents
from tocsin.service.ingesting import ingest
from tocsin.service.triage import triage

pytestmark = pytest.mark.slow
FORK = multiprocessing.get_context("fork")


def together(works: Sequence[tuple[Callable[..., None], tuple[object, ...]]]) -> list[int | None]:
    """Run these at once, each in a process of its own; their exit codes."""
    running = [FORK.Process(target=work, args=given) for work, given in works]
    for process in running:
        process.start()
    for process in running:
        process.join(90)
    return [process.exitcode for process in running]


def judge(root: Path) -> None:
    """Judge everything, a few windows to a transaction, and triage."""
    detecting.WINDOWS_PER_RUN = 5
    with watched(root) as at:
        detecting.detect(at)
        triage(at)


def read_part(root: Path, file: Path) -> None:
    """Ingest one file."""
    with desk(root) as at:
        ingest(at, SYSTEM, [file], size=Size(rows=50))


def append(root: Path, author: str, times: int) -> None:
    """Write events one at a time into a stream of one's own."""
    with desk(root) as at:
        for turn in range(times):
            at.ledger.append(Append(f"own/{author}", turn, [at.event("note_added", author, text=str(turn))]))


def test_three_that_judge_at_once_judge_every_window_once(tmp_path: Path) -> None:
    log(tmp_path / LOG)
    read(tmp_path / "busy")
    assert together([(judge, (tmp_path / "busy",))] * 3) == [0, 0, 0]
    read(tmp_path / "calm")
    judge(tmp_path / "calm")
    busy, calm = (Counter(str(line) for line in told(tmp_path / name)) for name in ("busy", "calm"))
    assert busy == calm
    with watched(tmp_path / "busy") as at:
        assert len(incidents.every(at)) == 1


def test_four_that_read_the_same_files_at_once_read_every_row_once(tmp_path: Path) -> None:
    log(tmp_path / "a.jsonl")
    root = tmp_path / "w"
    desk(root).close()
    assert together([(read_part, (root, tmp_path / "a.jsonl"))] * 4) == [0, 0, 0, 0]
    with desk(root) as at:
        assert sum(segment.rows for segment in catalogue.segments(at.ledger, SYSTEM)) == 3_000


def test_writers_of_streams_of_their_own_never_hinder_each_other(tmp_path: Path) -> None:
    root = tmp_path / "w"
    desk(root).close()
    assert together([(append, (root, name, 60)) for name in ("a", "b", "c")]) == [0, 0, 0]
    with desk(root) as at:
        for name in ("a", "b", "c"):
            assert [event.data["text"] for event in at.ledger.read(f"own/{name}")] == [str(turn) for turn in range(60)]


def note(folder: Path, person: str, times: int) -> None:
    """Add notes to the incident, as one of several people."""
    with bank(folder, person) as (at, _):
        for turn in range(times):
            incidents.note(at, "INC-2026-0001", f"{person} {turn}")


def test_people_who_write_into_one_incident_at_once_are_all_heard(tmp_path: Path) -> None:
    with bank(tmp_path) as (at, _):
        incidents.declare(at, CREDIT, "Unfair", Category.BIAS)
    people = ("okafor", "larsen", "novak")
    assert together([(note, (tmp_path, person, 12)) for person in people]) == [0, 0, 0]
    with bank(tmp_path) as (at, _):
        notes = incidents.find(at, "INC-2026-0001").notes
    for person in people:
        assert [text for _, who, text in notes if who == person] == [f"{person} {turn}" for turn in range(12)]
