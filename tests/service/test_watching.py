"""Watching a folder: whole files only, each once, and what cannot be read is told and does not stop the rest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.service.desks import SYSTEM, desk
from tocsin.model.errors import BadInput, EnvironmentFault, TocsinError, UsageFault
from tocsin.service import watching
from tocsin.service.catalogue import segments
from tocsin.service.desk import Desk
from tocsin.service.ingesting import Ingested, IngestedFile, ingest
from tocsin.service.watching import Watched, watch

HEADER = "at,id,model,person,score,approved,sex\n"


def log(name: str, rows: int = 2) -> str:
    return HEADER + "".join(f"2026-11-01T10:00:{n:02d}Z,{name}-{n},m,u{n},0.5,true,f\n" for n in range(rows))


class Story:
    """What happens between the looks: one step each, then the watch is stopped."""

    def __init__(self, *steps: Callable[[], object]) -> None:
        self.steps = list(steps)

    def stop(self) -> bool:
        return not self.steps

    def sleep(self, seconds: float) -> None:
        if self.steps:
            self.steps.pop(0)()


class Notes:
    """What a watch told."""

    def __init__(self) -> None:
        self.files: list[str] = []
        self.errors: list[tuple[str, str]] = []
        self.after = 0

    def on_file(self, result: IngestedFile) -> None:
        self.files.append(result.name)

    def on_error(self, path: Path, error: TocsinError) -> None:
        self.errors.append((path.name, type(error).__name__))

    def on_after(self) -> None:
        self.after += 1


def pause() -> None:
    """A look in which nothing happens."""


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


def follow(at: Desk, folder: Path, *steps: Callable[[], object]) -> tuple[Watched, Notes]:
    story, notes = Story(*steps), Notes()
    result = watch(
        at,
        SYSTEM,
        folder,
        stop=story.stop,
        sleep=story.sleep,
        after=notes.on_after,
        on_file=notes.on_file,
        on_error=notes.on_error,
    )
    return result, notes


def test_a_file_is_ingested_when_two_looks_find_it_the_same(tmp_path: Path, inbox: Path) -> None:
    with desk(tmp_path) as at:
        (inbox / "a.csv").write_text(log("a"))
        result, notes = follow(at, inbox, pause)
        assert (result.files, notes.files) == (0, [])
        result, notes = follow(at, inbox, pause, pause)
        assert (result.files, result.rows, notes.files) == (1, 2, ["a.csv"])


def test_a_file_that_still_grows_waits(tmp_path: Path, inbox: Path) -> None:
    path = inbox / "a.csv"

    def grow() -> None:
        path.write_text(path.read_text() + f"2026-11-01T11:00:00Z,{path.stat().st_size},m,u,0.5,true,f\n")

    with desk(tmp_path) as at:
        path.write_text(log("a"))
        result, notes = follow(at, inbox, grow, grow, grow, pause, pause)
        assert (result.files, result.rows, notes.files) == (1, 5, ["a.csv"])


def test_each_file_is_ingested_once(tmp_path: Path, inbox: Path) -> None:
    with desk(tmp_path) as at:
        (inbox / "a.csv").write_text(log("a"))
        result, notes = follow(at, inbox, *[pause] * 6)
        assert (result.looks, result.files, notes.files) == (6, 1, ["a.csv"])


def test_files_that_come_later_are_seen_in_order_of_their_names(tmp_path: Path, inbox: Path) -> None:
    def later() -> None:
        for name in ("c", "b"):
            (inbox / f"{name}.csv").write_text(log(name))

    with desk(tmp_path) as at:
        (inbox / "d.csv").write_text(log("d"))
        _, notes = follow(at, inbox, pause, later, pause, pause)
        assert notes.files == ["d.csv", "b.csv", "c.csv"]


@pytest.mark.parametrize("name", [".hidden.csv", "a.csv.part", "a.CSV.TMP", "a.csv~", "a.crdownload"])
def test_files_that_somebody_still_writes_are_left_alone(tmp_path: Path, inbox: Path, name: str) -> None:
    with desk(tmp_path) as at:
        (inbox / name).write_text(log("a"))
        (inbox / "folder.csv").mkdir()
        result, _ = follow(at, inbox, pause, pause, pause)
        assert result.files == 0


def test_after_is_called_at_the_start_and_when_rows_came(tmp_path: Path, inbox: Path) -> None:
    with desk(tmp_path) as at:
        _, notes = follow(at, inbox, pause, pause)
        assert notes.after == 1
        (inbox / "a.csv").write_text(log("a"))
        _, notes = follow(at, inbox, pause, pause, pause, pause)
        assert notes.after == 2


def test_a_restart_ingests_nothing_again(tmp_path: Path, inbox: Path) -> None:
    with desk(tmp_path) as at:
        (inbox / "a.csv").write_text(log("a"))
        follow(at, inbox, pause, pause)
    with desk(tmp_path) as at:
        size = at.ledger.size()
        result, notes = follow(at, inbox, pause, pause, pause)
        assert (result.files, notes.files, notes.after, at.ledger.size()) == (0, [], 1, size)


def test_a_file_that_cannot_be_read_is_told_once_and_the_others_come_in(tmp_path: Path, inbox: Path) -> None:
    with desk(tmp_path) as at:
        (inbox / "a.csv").write_text("at,id\n1,2\n")
        (inbox / "b.csv").write_text(log("b"))
        result, notes = follow(at, inbox, pause, pause, pause, pause)
        assert notes.errors == [("a.csv", "BadInput")]
        assert notes.files == ["b.csv"]
        assert result.failed == 1


def test_a_mended_file_is_tried_again(tmp_path: Path, inbox: Path) -> None:
    path = inbox / "a.csv"
    with desk(tmp_path) as at:
        path.write_text("at,id\n1,2\n")
        _, notes = follow(at, inbox, pause, pause, lambda: path.write_text(log("a")), pause, pause)
        assert (notes.errors, notes.files) == ([("a.csv", "BadInput")], ["a.csv"])


def test_when_the_world_fails_the_file_is_tried_at_the_next_look(
    tmp_path: Path, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = [EnvironmentFault("the disk is full"), EnvironmentFault("the disk is full")]

    def sometimes(at: Desk, system: str, files: Sequence[Path], *rest: object) -> Ingested:
        if files and failures:
            raise failures.pop()
        return ingest(at, system, files)

    monkeypatch.setattr(watching, "ingest", sometimes)
    with desk(tmp_path) as at:
        (inbox / "a.csv").write_text(log("a"))
        result, notes = follow(at, inbox, *[pause] * 5)
        assert notes.errors == [("a.csv", "EnvironmentFault")] * 2
        assert notes.files == ["a.csv"]
        assert (result.rows, result.failed) == (2, 1)


def test_a_file_that_vanishes_is_forgotten(tmp_path: Path, inbox: Path) -> None:
    path = inbox / "a.csv"
    with desk(tmp_path) as at:
        path.write_text(log("a"))
        result, _ = follow(at, inbox, path.unlink, pause, pause)
        assert (result.files, result.failed) == (0, 0)


def test_stop_is_heard_between_files(tmp_path: Path, inbox: Path) -> None:
    seen: list[str] = []
    with desk(tmp_path) as at:
        for name in ("a", "b", "c"):
            (inbox / f"{name}.csv").write_text(log(name))
        watch(
            at,
            SYSTEM,
            inbox,
            stop=lambda: bool(seen),
            sleep=lambda seconds: None,
            on_file=lambda result: seen.append(result.name),
        )
        assert seen == ["a.csv"]
        assert len(segments(at.ledger, SYSTEM)) == 1


def test_a_folder_or_system_that_is_not_there_is_told_at_once(tmp_path: Path, inbox: Path) -> None:
    with desk(tmp_path) as at:
        with pytest.raises(UsageFault, match="no folder"):
            watch(at, SYSTEM, tmp_path / "nowhere", stop=lambda: True)
        with pytest.raises(UsageFault, match="no system"):
            watch(at, "other", inbox, stop=lambda: True)
    with desk(tmp_path, None) as at, pytest.raises(BadInput, match="no telemetry mapping"):
        watch(at, SYSTEM, inbox, stop=lambda: True)


def test_it_can_stop_when_nothing_more_arrives(tmp_path: Path, inbox: Path) -> None:
    later = iter([log("b")])

    def sleep(seconds: float) -> None:
        for text in later:
            (inbox / "b.csv").write_text(text)

    seen: list[str] = []
    with desk(tmp_path) as at:
        (inbox / "a.csv").write_text(log("a"))
        result = watch(
            at,
            SYSTEM,
            inbox,
            stop=lambda: False,
            until_quiet=True,
            sleep=sleep,
            on_file=lambda result: seen.append(result.name),
        )
        assert (seen, result.looks) == (["a.csv", "b.csv"], 3)


def test_an_empty_folder_is_quiet_at_once(tmp_path: Path, inbox: Path) -> None:
    with desk(tmp_path) as at:
        assert watch(at, SYSTEM, inbox, stop=lambda: False, until_quiet=True, sleep=lambda seconds: None).looks == 2
