"""Watch: follow a folder, ingest each file once it is whole, and let the caller look at what came in."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tocsin.adapters.files import told
from tocsin.model.errors import EXIT_BAD_INPUT, EXIT_REFUSED, EXIT_USAGE, TocsinError, UsageFault
from tocsin.model.progress import Progress, silent
from tocsin.service.desk import Desk
from tocsin.service.ingesting import IngestedFile, ingest

UNFINISHED = (".part", ".partial", ".tmp", ".temp", ".crdownload", ".filepart", ".swp", "~")
"""Endings of files that somebody still writes."""
INTERVAL_S = 2.0
LASTING = (EXIT_BAD_INPUT, EXIT_REFUSED, EXIT_USAGE)
"""Errors that trying again does not cure while the file stays as it is."""


class Stamp(NamedTuple):
    """What tells that a file was written to."""

    size: int
    modified_ns: int


@dataclass(frozen=True, slots=True)
class Watched:
    """What came in while watching."""

    looks: int
    files: int
    rows: int
    quarantined: int
    failed: int
    """Files that could not be ingested, each counted once for each state that it was found in."""


def no_more(result: IngestedFile) -> None:
    """Do nothing with a file that was ingested."""


def ignore(path: Path, error: TocsinError) -> None:
    """Do nothing about a file that could not be ingested."""


def nothing() -> None:
    """Do nothing after a look that brought rows."""


def watch(
    desk: Desk,
    system_id: str,
    folder: Path,
    *,
    stop: Callable[[], bool],
    until_quiet: bool = False,
    after: Callable[[], None] = nothing,
    on_file: Callable[[IngestedFile], None] = no_more,
    on_error: Callable[[Path, TocsinError], None] = ignore,
    interval_s: float = INTERVAL_S,
    sleep: Callable[[float], None] = time.sleep,
    progress: Progress = silent,
) -> Watched:
    """Look into the folder every `interval_s` until `stop` says so, or with `until_quiet` until two looks find no change.

    A file is ingested when two looks find it the same.

    `after` is called once at the start, for what an earlier watch may have left, and after each look that brought new rows. A
    file that cannot be ingested is told to `on_error` and tried again when it changes, or at each look when the world failed.

    Raises:
        UsageFault: no such system or folder.
        BadInput: the system has no telemetry mapping.
    """
    ingest(desk, system_id, [])
    if not folder.is_dir():
        raise UsageFault(f"no folder {folder}", "make it, or check the name")
    watcher = _Watcher(desk, system_id, folder, on_file, on_error, progress)
    after()
    while not stop():
        if watcher.look(stop):
            after()
        if until_quiet and watcher.quiet:
            break
        if not stop():
            sleep(interval_s)
    return watcher.watched()


class _Watcher:
    """What is known of the files of a folder."""

    def __init__(
        self,
        desk: Desk,
        system_id: str,
        folder: Path,
        on_file: Callable[[IngestedFile], None],
        on_error: Callable[[Path, TocsinError], None],
        progress: Progress,
    ) -> None:
        self.desk, self.system_id, self.folder = desk, system_id, folder
        self.on_file, self.on_error, self.progress = on_file, on_error, progress
        self.quiet = False
        self.before: dict[Path, Stamp] | None = None
        self.done: dict[Path, Stamp] = {}
        self.troubled: set[tuple[Path, Stamp]] = set()
        self.looks = self.files = self.rows = self.quarantined = 0

    def look(self, stop: Callable[[], bool]) -> bool:
        """Ingest the files that are new and whole; whether any of them brought rows."""
        now = self._stamps()
        before = self.before or {}
        whole = [path for path, stamp in now.items() if before.get(path) == stamp != self.done.get(path)]
        self.quiet, self.before = now == self.before, now
        self.done = {path: stamp for path, stamp in self.done.items() if path in now}
        self.looks += 1
        rows = self.rows
        for path in sorted(whole):
            if stop():
                break
            self._take(path, now[path])
        return self.rows > rows

    def watched(self) -> Watched:
        """The sum so far."""
        return Watched(self.looks, self.files, self.rows, self.quarantined, len(self.troubled))

    def _take(self, path: Path, stamp: Stamp) -> None:
        try:
            (result,) = ingest(self.desk, self.system_id, [path], self.progress).files
        except TocsinError as error:
            self.troubled.add((path, stamp))
            if error.exit_code in LASTING:
                self.done[path] = stamp
            self.on_error(path, error)
            return
        self.done[path] = stamp
        if not result.already_known:
            self.files += 1
            self.rows += result.rows
            self.quarantined += result.quarantined
            self.on_file(result)

    def _stamps(self) -> dict[Path, Stamp]:
        """The files that may be whole, as they are now; one that vanishes meanwhile is not there."""
        stamps = {}
        with told(self.folder):
            paths = [path for path in self.folder.iterdir() if _may_be_whole(path)]
        for path in paths:
            try:
                found = path.stat()
            except FileNotFoundError:
                continue
            stamps[path] = Stamp(found.st_size, found.st_mtime_ns)
        return stamps


def _may_be_whole(path: Path) -> bool:
    return not path.name.startswith(".") and not path.name.lower().endswith(UNFINISHED) and path.is_file()
