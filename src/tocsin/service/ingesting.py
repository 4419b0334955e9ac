"""Ingest: files -> segments. Killed at any instant, it goes on where it was; the same file twice changes nothing.

A file is known by the SHA-256 of its bytes. Its good rows are cut into parts, one for each segment, and the cuts depend on the
rows alone: a second run makes the same parts and skips those that the ledger already has. A row's id is compared with every row
that the ledger had before that row's segment, so that a second run also finds the same duplicates.

When a file is given again after the mapping was changed, the rows that went into quarantine then are read again, and only those. Of a
log that grew, only the lines after those that were read before.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tocsin.adapters.files import told
from tocsin.adapters.telemetry.choosing import check_columns, chosen
from tocsin.adapters.telemetry.chunks import EVERY_LINE, NO_LINES, Bad, Lines, Wanted
from tocsin.adapters.telemetry.cutting import Part, Size, parts
from tocsin.adapters.telemetry.identities import Identities, hashed
from tocsin.adapters.telemetry.locking import alone
from tocsin.adapters.telemetry.mapping import mapped, plan
from tocsin.adapters.telemetry.opening import Source, beginning, gathered, identified, opened
from tocsin.adapters.telemetry.quarantine import Quarantine, lines_in
from tocsin.content.discovery import declared
from tocsin.model.errors import BadInput, Conflict, EnvironmentFault, Place, Refused
from tocsin.model.event import Append, Event, Recorded
from tocsin.model.policy import System, TelemetryMapping
from tocsin.model.progress import Progress, silent
from tocsin.model.telemetry import Segment
from tocsin.service import labelling
from tocsin.service.catalogue import Entry, Reading, entries_of, readings, stream
from tocsin.service.desk import Desk

RETRIES = 5
WAIT_S = 600.0
SIZE = Size()
LAST_LINE = int(np.iinfo(np.int64).max)


@dataclass(frozen=True, slots=True)
class IngestedFile:
    """What became of a file."""

    name: str
    source: str
    """Hex SHA-256 of its bytes."""
    rows: int
    quarantined: int
    """Rows that could not be used, duplicates included."""
    duplicates: int
    segments: tuple[str, ...]
    already_known: bool
    """It was ingested before; nothing changed."""
    quarantine: str = ""
    """The file that holds the quarantined rows."""
    reasons: Mapping[str, int] = field(default_factory=dict)
    out_of_order: int = 0
    """Rows older than a row before them; they are kept, and belong to the window of their time if it is still open."""
    left_out: int = 0
    """Rows that belong to another system (`telemetry.only`)."""
    read_again: bool = False
    """The mapping has changed since: only the rows that were in quarantine were read again."""
    continued_after: int = 0
    """The file begins with one that was ingested before: only the lines after this one were read."""


@dataclass(frozen=True, slots=True)
class Ingested:
    """What became of the files, and in sum over those that were new."""

    system: str
    files: tuple[IngestedFile, ...]
    rows: int
    quarantined: int
    duplicates: int


def ingest(
    desk: Desk,
    system_id: str,
    files: Sequence[Path],
    progress: Progress = silent,
    *,
    size: Size = SIZE,
    labels: bool = False,
) -> Ingested:
    """Read the files (or all files of folders, or `-` for standard input) into the system's telemetry.

    `labels`: they hold labels that come later than their predictions; see `labelling`.

    Raises:
        UsageFault: no such system or file.
        BadInput: the system has no telemetry mapping, a file is of no known format, lacks a mapped column, or is damaged as
            a whole. Nothing of that file is recorded; files before it are.
        EnvironmentFault: the disk is full, the ledger is locked, or the file changed while it was read; running it again goes
            on from there.
        Refused: the mapping was changed while a file was half read.
    """
    system = desk.system(system_id)
    telemetry = labelling.mapping(system, _telemetry(system)) if labels else _telemetry(system)
    done = [
        _ingest_file(desk, system_id, _Way(telemetry, size, labels), path, progress)
        for path in gathered(files, desk.root / ".tocsin" / "spool")
    ]
    new = [file for file in done if not file.already_known]
    counts = (sum(getattr(file, name) for file in new) for name in ("rows", "quarantined", "duplicates"))
    return Ingested(system_id, tuple(done), *counts)


def _telemetry(system: System) -> TelemetryMapping:
    if system.telemetry is None:
        place = Place(f"systems/{system.id}.yaml", field="telemetry")
        raise BadInput.at(
            place, "the system has no telemetry mapping", "say under `telemetry:` which columns its log has"
        )
    return system.telemetry


class _Way(NamedTuple):
    """How files are read: the mapping, the size of segments, and whether they hold late labels."""

    telemetry: TelemetryMapping
    size: Size
    late: bool
    digest: str = ""
    """Of everything that decides which rows fit: of the mapping, and for labels of the predictions that there are."""

    def given(self, recorded: Sequence[Entry]) -> _Way:
        """The way with its digest, given what is recorded."""
        made = [entry.segment.id for entry in recorded if not entry.segment.late] if self.late else []
        body = msgspec.json.encode((self.telemetry, made) if self.late else self.telemetry, order="sorted")
        return self._replace(digest=sha256(body).hexdigest())


def _ingest_file(desk: Desk, system: str, way: _Way, path: Path, progress: Progress) -> IngestedFile:
    before = path.stat()
    source = identified(path)
    folder = desk.telemetry.root / system
    with alone(folder, lambda: progress(f"waiting to ingest {path.name}", 0), WAIT_S):
        _sweep(folder)
        for _ in range(RETRIES):
            events = desk.ledger.read(stream(system))
            past = readings(events, source.digest)
            recorded = entries_of(events, system)
            way = way.given(recorded)
            if past and not _worth_reading_again(past[-1], way.digest):
                return _known(path, source, past)
            file = _File(path, before, source)
            wanted = _wanted(desk, way.digest, file, past, events)
            run = _Run(desk, system, way, file, past, wanted, progress)
            try:
                return run.run(recorded, len(events))
            except Conflict:
                continue  # another machine recorded something first: look again, it may have been this very file
            finally:
                run.quarantine.discard()
    raise Conflict(f"other processes keep writing to {stream(system)}", "try again when they are done")


def _sweep(folder: Path) -> None:
    """Remove what a killed ingest left half-written; nobody else writes here, as the folder's lock is held."""
    with told(folder):
        for part in folder.glob(".*.part"):
            part.unlink()


def _known(path: Path, source: Source, past: Sequence[Reading]) -> IngestedFile:
    """What the ledger says of a file that was ingested before."""
    rows, last = sum(reading.rows for reading in past), past[-1]
    name = _name(path)
    return IngestedFile(name, source.digest, rows, last.quarantined, last.duplicates, (), already_known=True)


def _worth_reading_again(last: Reading, digest: str) -> bool:
    """Whether rows in quarantine, or a file that was left out as a whole, may fit now, because the mapping is another."""
    waiting = last.quarantined > last.duplicates or _left_out(last)
    return waiting and last.mapping not in ("", digest)


def _left_out(last: Reading) -> bool:
    return last.left_out > 0 and not last.rows and not last.quarantined


class _File(NamedTuple):
    """A file as it was when its digest was taken."""

    path: Path
    before: os.stat_result
    source: Source


def _wanted(desk: Desk, digest: str, file: _File, past: Sequence[Reading], events: Sequence[Recorded]) -> Wanted:
    """Which lines of the file are read: those that no earlier reading has taken."""
    if past:
        return EVERY_LINE if _left_out(past[-1]) else Wanted(LAST_LINE, _waiting(desk, events, past[-1]))
    begun = [e.version for e in events if e.kind == "segment_recorded" and e.data["source"] == file.source.digest]
    before = [
        event for event in events if not begun or event.version < begun[0]
    ]  # a run that is resumed decides as it did
    begins = beginning(file.path, _whole(before, file.source.bytes))
    if begins is None:
        return EVERY_LINE
    last = readings(before, begins.digest)[-1]
    again = _worth_reading_again(last, digest)
    if again and _left_out(last):
        return EVERY_LINE
    waiting = _waiting(desk, events, last)
    cut_off = begins.lines + 1
    read = cut_off if begins.partial and cut_off not in waiting else begins.lines
    return Wanted(read, waiting if again else NO_LINES)


def _whole(events: Sequence[Recorded], below: int) -> dict[int, set[str]]:
    """The files that were read to their end and are smaller than so many bytes: digests by size."""
    found: dict[int, set[str]] = {}
    for event in events:
        if event.kind == "file_ingested" and 0 < event.data["bytes"] < below:
            found.setdefault(event.data["bytes"], set()).add(event.data["source"])
    return found


def _waiting(desk: Desk, events: Sequence[Recorded], last: Reading) -> Lines:
    """The lines that a reading left in quarantine."""
    if not last.quarantine:
        return NO_LINES
    system = events[0].stream.removeprefix(stream(""))
    return lines_in(desk.root / ".tocsin" / "quarantine" / system / f"{last.source}.jsonl", last.quarantine)


class _Run:
    """One file on its way in."""

    def __init__(
        self,
        desk: Desk,
        system: str,
        way: _Way,
        file: _File,
        past: Sequence[Reading],
        wanted: Wanted,
        progress: Progress,
    ) -> None:
        self.desk, self.system, self.way, self.progress = desk, system, way, progress
        self.joining: labelling.Joining | None = None
        self.path, self.before, self.source = file
        self.key = f"{self.source.digest}+{len(past)}" if past else self.source.digest
        self.again, self.wanted = bool(past), wanted
        self.quarantine = Quarantine(desk.root / ".tocsin" / "quarantine" / system / f"{self.key}.jsonl")
        kept = desk.telemetry.root / system / ("labels.npz" if way.late else "ids.npz")
        self.identities = Identities(kept, desk.telemetry.batches)
        self.segments: list[Segment] = []
        self.duplicates = self.rows = self.out_of_order = self.newest = self.left_out = 0

    def run(self, recorded: Sequence[Entry], version: int) -> IngestedFile:
        own = {entry.part: entry for entry in recorded if entry.source == self.key}
        others = [e for e in recorded if e.source != self.key and e.segment.late == self.way.late]
        if self.way.late:
            begun = min((entry.sequence for entry in own.values()), default=None)
            earlier = [entry for entry in recorded if begun is None or entry.sequence < begun]
            made = [entry.segment for entry in earlier if not entry.segment.late]
            self.way = self.way.given(earlier)
            self.joining = labelling.Joining(self.desk.telemetry.batches, self._full, made)
        for number, part in enumerate(parts(self._good_rows(), self.way.size)):
            before = own[number].sequence if number in own else None
            self.identities.admit([e.segment for e in others if before is None or e.sequence < before])
            rows = self._new_rows(part)
            if number in own:
                self._check_same(own[number].segment, rows)
                self.segments.append(own[number].segment)
            version = self._record(version, number, rows, known=number in own, last=part.last)
        self.identities.keep([*(entry.segment for entry in others), *self.segments])
        return self._result()

    @property
    def _full(self) -> TelemetryMapping:
        """The mapping of the system's predictions, which late labels complete."""
        return _telemetry(self.desk.system(self.system))

    def _record(self, version: int, number: int, rows: pa.Table, *, known: bool, last: bool) -> int:
        """Write the rows as a segment unless the ledger has it, and with the last one that the file is done, all at once."""
        events = []
        if rows.num_rows and not known:
            self.segments.append(self.desk.telemetry.write(self.system, self.way.telemetry.table, rows))
            events.append(self._segment_event(self.segments[-1], number))
        if last:
            events += self._closing()
        if not events:
            return version
        self._check_unchanged()
        return self.desk.ledger.append(Append(stream(self.system), version, events))[-1].version

    def _good_rows(self) -> Iterator[tuple[pa.RecordBatch, Lines]]:
        telemetry = self.way.telemetry
        reader = chosen(declared("tocsin.adapters.telemetry.readers", "READER"), telemetry, self.path)
        columns = plan(telemetry, canonical=reader.canonical)
        check_columns(self.path, reader, columns)
        with opened(self.path) as file:
            for piece in reader.read(file.stream, str(self.path), columns.wanted()):
                chunk = piece if self.wanted is EVERY_LINE else self.wanted.of(piece)
                self.quarantine.add(chunk.bad)
                if len(chunk.lines):
                    fitting = mapped(chunk, columns)
                    fitting = self.joining(fitting) if self.joining else fitting
                    self.quarantine.add(fitting.bad)
                    self.left_out += fitting.left_out
                    yield fitting.rows, fitting.lines
                self.progress(_name(self.path), file.position(), self.source.bytes)

    def _new_rows(self, part: Part) -> pa.Table:
        """The part's rows whose id was not seen before."""
        if not part.rows.num_rows:
            return part.rows
        ids = part.rows.column("id").combine_chunks()
        hashes = hashed(ids)
        again = self.identities.repeated(hashes)
        self.quarantine.add(_duplicate(part, int(index)) for index in np.flatnonzero(again))
        self.identities.add(hashes[~again])
        self.duplicates += int(again.sum())
        rows = part.rows.filter(pa.array(~again)) if again.any() else part.rows
        self._count(rows)
        return rows

    def _count(self, rows: pa.Table) -> None:
        times = rows.column("time").cast(pa.int64()).to_numpy()
        self.rows += len(times)
        if len(times):
            running = np.maximum.accumulate(np.concatenate(([self.newest], times)))
            self.out_of_order += int((times < running[:-1]).sum())
            self.newest = int(running[-1])

    def _check_same(self, recorded: Segment, rows: pa.Table) -> None:
        """Whether the rows are those that an earlier run recorded. Raises Refused when they are not."""
        span = pc.min_max(rows.column("time")).as_py() if rows.num_rows else {"min": None, "max": None}
        if (recorded.rows, recorded.first, recorded.last) != (rows.num_rows, span["min"], span["max"]):
            raise Refused(
                f"{self.path.name} was half read when systems/{self.system}.yaml or Tocsin was changed",
                remedy="put the mapping back as it was, ingest the file to its end, and then change it",
            )

    def _check_unchanged(self) -> None:
        """Raises EnvironmentFault when the file is no longer what it was when its digest was taken."""
        with told(self.path):
            now = self.path.stat()
        if (now.st_size, now.st_mtime_ns) != (self.before.st_size, self.before.st_mtime_ns):
            what = f"{self.path} was changed while it was read"
            raise EnvironmentFault(
                what, "ingest it again when nobody writes to it; rows with ids are never counted twice"
            )

    def _segment_event(self, segment: Segment, part: int) -> Event:
        fields = {"segment": segment.id, "table": segment.table, "rows": segment.rows}
        span = {"first": segment.first, "last": segment.last}
        late = {"late": True} if self.way.late else {}
        return self.desk.event("segment_recorded", **fields, **span, **late, source=self.key, part=part)

    def _closing(self) -> list[Event]:
        """The events that end the file, after the bad rows are safe in quarantine."""
        count = self.quarantine.count
        counts = {
            "rows": self.rows,
            "quarantined": count,
            "duplicates": self.duplicates,
            "out_of_order": self.out_of_order,
            "left_out": self.left_out,
        }
        named = {
            "source": self.key,
            "name": _name(self.path),
            "bytes": self.source.bytes,
            "mapping": self.way.digest,
        }
        if self.wanted.after and not self.again:
            named["continued_after"] = self.wanted.after
        events = [self.desk.event("file_ingested", **named, **counts)]
        if count:
            fields = {"source": self.key, "rows": count, "reasons": self.quarantine.reasons()}
            events.insert(0, self.desk.event("rows_quarantined", **fields, file=self.quarantine.close()))
        return events

    def _result(self) -> IngestedFile:
        return IngestedFile(
            _name(self.path),
            self.source.digest,
            self.rows,
            self.quarantine.count,
            self.duplicates,
            tuple(segment.id for segment in self.segments),
            already_known=False,
            quarantine=str(self.quarantine.path) if self.quarantine.count else "",
            reasons=self.quarantine.reasons(),
            out_of_order=self.out_of_order,
            left_out=self.left_out,
            read_again=self.again,
            continued_after=0 if self.again else self.wanted.after,
        )


def _duplicate(part: Part, index: int) -> Bad:
    what, row = "id: a second row with the same id", part.rows.slice(index, 1).to_pylist()[0]
    raw = ", ".join(f"{name}={str(value)[:200]}" for name, value in row.items() if value is not None)[:2_000]
    return Bad(int(part.lines[index]), what, "give each row its own id", raw, what)


def _name(path: Path) -> str:
    """The file's name as text, whatever its bytes."""
    return os.fsencode(path.name).decode("utf-8", "backslashreplace")
