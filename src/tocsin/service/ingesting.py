"""Ingest: files -> segments. Killed at any instant, it goes on where it was; the same file twice changes nothing.

A file is known by the SHA-256 of its bytes. Its good rows are cut into segments of a fixed number of rows, so that a second
run makes the same segments and skips those that the ledger already has.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, BinaryIO, NamedTuple, cast

import msgspec
import numpy as np
import pyarrow as pa

from tocsin.adapters.files import told, write_atomically
from tocsin.adapters.telemetry.chunks import Bad, Chunk, Reader
from tocsin.adapters.telemetry.identities import Identities, hashed
from tocsin.adapters.telemetry.mapping import check_columns, mapped, plan
from tocsin.content.discovery import declared
from tocsin.model.errors import BadInput, Conflict, Place, UsageFault
from tocsin.model.event import Append, Event, Recorded
from tocsin.model.policy import TelemetryMapping
from tocsin.model.progress import Progress, silent
from tocsin.model.telemetry import Segment
from tocsin.service.catalogue import entries_of, stream
from tocsin.service.desk import Desk

SEGMENT_ROWS = 250_000
COMPRESSIONS = (".gz", ".zst", ".bz2", ".lz4")
RETRIES = 5


@dataclass(frozen=True, slots=True)
class IngestedFile:
    """What became of a file."""

    name: str
    source: str
    rows: int
    quarantined: int
    duplicates: int
    segments: tuple[str, ...]
    already_known: bool
    quarantine: str = ""
    reasons: Mapping[str, int] = field(default_factory=dict)
    out_of_order: int = 0
    """Rows older than the row before them; they are kept, and belong to the window of their time if it is still open."""


@dataclass(frozen=True, slots=True)
class Ingested:
    """What became of the files, and in sum."""

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
    segment_rows: int = SEGMENT_ROWS,
) -> Ingested:
    """Read the files (or all files of folders, or `-` for standard input) into the system's telemetry.

    Raises:
        UsageFault: no such system or file.
        BadInput: the system has no telemetry mapping, a file is of no known format, lacks a mapped column, or is damaged as
        a whole. EnvironmentFault: the disk is full or the ledger is locked; running it again goes on from there.
    """
    system = desk.system(system_id)
    if system.telemetry is None:
        raise BadInput.at(
            Place(f"systems/{system_id}.yaml", field="telemetry"), "the system has no telemetry mapping", "add one"
        )
    telemetry = system.telemetry
    done = [_ingest_file(desk, system_id, telemetry, p, segment_rows, progress) for p in _expanded(desk, files)]
    return Ingested(
        system_id,
        tuple(done),
        sum(file.rows for file in done),
        sum(file.quarantined for file in done),
        sum(file.duplicates for file in done),
    )


def _ingest_file(
    desk: Desk, system_id: str, telemetry: TelemetryMapping, path: Path, segment_rows: int, progress: Progress
) -> IngestedFile:
    source = _digest(path)
    for _ in range(RETRIES):
        events = desk.ledger.read(stream(system_id))
        for event in events:
            if event.kind == "file_ingested" and event.data["source"] == source:
                return _known(path, source, event)
        try:
            return _Run(desk, system_id, telemetry, path, source, segment_rows, progress).run(events)
        except Conflict:
            continue  # another process recorded something first: look again, it may have been this very file
    raise Conflict(f"other processes keep writing to {stream(system_id)}", "try again when they are done")


class _Part(NamedTuple):
    """Rows for one segment, and what is known of the file up to its end."""

    rows: pa.Table
    last: bool


@dataclass
class _Run:
    """One file on its way in."""

    desk: Desk
    system: str
    telemetry: TelemetryMapping
    path: Path
    source: str
    segment_rows: int
    progress: Progress
    bad: list[Bad] = field(default_factory=list)
    duplicates: int = 0
    rows: int = 0
    out_of_order: int = 0
    newest: int = 0
    segments: list[Segment] = field(default_factory=list)

    def run(self, events: Sequence[Recorded]) -> IngestedFile:
        recorded = entries_of(list(events), self.system)
        own = {entry.part: entry.segment for entry in recorded if entry.source == self.source}
        first_own = min((entry.sequence for entry in recorded if entry.source == self.source), default=None)
        before = [e.segment for e in recorded if first_own is None or e.sequence < first_own]
        batches = self.desk.telemetry.batches
        folder = self.desk.telemetry.root / self.system
        identities = Identities(folder, before, batches)
        version = len(events)
        for number, part in enumerate(self._parts(identities)):
            if number in own:
                self.segments.append(own[number])
            elif part.rows.num_rows:
                self.segments.append(self.desk.telemetry.write(self.system, self.telemetry.table, part.rows))
                appended = [_segment_event(self.desk, self.segments[-1], self.source, number)]
                appended += self._closing() if part.last else []
                version = self._append(version, appended)
                continue
            if part.last:
                version = self._append(version, self._closing())
        identities.keep([*(e.segment for e in recorded if e.source != self.source), *self.segments])
        return self._result()

    def _append(self, version: int, events: Sequence[Event]) -> int:
        return self.desk.ledger.append(Append(stream(self.system), version, events))[-1].version

    def _parts(self, identities: Identities) -> Iterator[_Part]:
        """The good rows in parts of a fixed size; the last one may be smaller, and empty when nothing is left."""
        held: list[pa.RecordBatch] = []
        count = 0
        for batch in self._good_rows(identities):
            held.append(batch)
            count += batch.num_rows
            while count > self.segment_rows:
                table = pa.Table.from_batches(held).unify_dictionaries()
                yield _Part(table.slice(0, self.segment_rows).combine_chunks(), last=False)
                held = table.slice(self.segment_rows).combine_chunks().to_batches()
                count -= self.segment_rows
        rest = pa.Table.from_batches(held).unify_dictionaries().combine_chunks() if held else pa.table({})
        yield _Part(rest, last=True)

    def _good_rows(self, identities: Identities) -> Iterator[pa.RecordBatch]:
        with told(self.path), self.path.open("rb") as raw:
            stream_, name = _decompressed(raw, self.path.name)
            head = _peek(stream_)
            reader = _reader(self.telemetry.format, name, head.data, self.path)
            columns = plan(self.telemetry, canonical=reader.canonical)
            checked = reader.canonical
            for chunk in reader.read(cast("BinaryIO", head.stream), str(self.path)):
                self.bad += chunk.bad
                if not len(chunk.lines):
                    continue
                if not checked:
                    check_columns(chunk, columns, str(self.path))
                    checked = True
                batch = self._fitting(chunk, columns, identities)
                self.progress(self.path.name, self.rows)
                if batch.num_rows:
                    yield batch

    def _fitting(self, chunk: Chunk, columns: Mapping[str, Any], identities: Identities) -> pa.RecordBatch:
        """The rows of the chunk that fit and whose id is new."""
        result = mapped(chunk, self.telemetry, columns)
        self.bad += result.bad
        hashes = hashed(result.rows.column("id"))
        again = identities.repeated(hashes)
        for index in np.flatnonzero(again):
            given = result.rows.column("id")[int(index)].as_py()
            self.bad.append(
                Bad(int(result.lines[index]), "a second row with the same id", "give each row its own id", str(given))
            )
        self.duplicates += int(again.sum())
        identities.add(hashes[~again])
        rows = result.rows.filter(pa.array(~again)) if again.any() else result.rows
        times = rows.column("time").cast(pa.int64()).to_numpy()
        if len(times):
            running = np.maximum.accumulate(np.concatenate(([self.newest], times)))
            self.out_of_order += int((times < running[:-1]).sum())
            self.newest = int(running[-1])
        self.rows += rows.num_rows
        return rows

    def _closing(self) -> list[Event]:
        """The events that end the file, after the bad rows are safe in quarantine."""
        done = {"source": self.source, "name": self.path.name, "bytes": self.path.stat().st_size, "rows": self.rows}
        done |= {"quarantined": len(self.bad), "duplicates": self.duplicates, "out_of_order": self.out_of_order}
        events = [self.desk.event("file_ingested", **done)]
        if self.bad:
            data = b"".join(msgspec.json.encode(bad._asdict()) + b"\n" for bad in sorted(self.bad))
            path = self._quarantine()
            with told(path):
                write_atomically(path, data)
            fields = {
                "source": self.source,
                "rows": len(self.bad),
                "file": sha256(data).hexdigest(),
                "reasons": self._reasons(),
            }
            events.insert(0, self.desk.event("rows_quarantined", **fields))
        return events

    def _reasons(self) -> dict[str, int]:
        """How often each reason occurred, without the values of single rows: the ledger holds no personal data."""
        return dict(Counter(bad.reason.split("'")[0].split('"')[0].strip() for bad in self.bad).most_common(20))

    def _quarantine(self) -> Path:
        return self.desk.root / ".tocsin" / "quarantine" / self.system / f"{self.source}.jsonl"

    def _result(self) -> IngestedFile:
        return IngestedFile(
            self.path.name,
            self.source,
            self.rows,
            len(self.bad),
            self.duplicates,
            tuple(segment.id for segment in self.segments),
            already_known=False,
            quarantine=str(self._quarantine()) if self.bad else "",
            reasons=self._reasons(),
            out_of_order=self.out_of_order,
        )


def _segment_event(desk: Desk, segment: Segment, source: str, part: int) -> Event:
    fields = {"segment": segment.id, "table": segment.table, "rows": segment.rows, "source": source, "part": part}
    return desk.event("segment_recorded", **fields, first=segment.first, last=segment.last)


def _known(path: Path, source: str, event: Recorded) -> IngestedFile:
    data = event.data
    counts = (data["rows"], data["quarantined"], data["duplicates"])
    return IngestedFile(path.name, source, *counts, (), already_known=True)


def _expanded(desk: Desk, files: Sequence[Path]) -> Iterator[Path]:
    """Folders as their files; standard input as a file of its own. Raises UsageFault for what does not exist."""
    for path in files:
        if str(path) == "-":
            yield _spooled(desk)
        elif path.is_dir():
            yield from sorted(p for p in path.iterdir() if p.is_file() and not p.name.startswith("."))
        elif path.exists():
            yield path
        else:
            raise UsageFault(f"no file {path}", "check the name")


def _spooled(desk: Desk) -> Path:
    folder = desk.root / ".tocsin" / "spool"
    with told(folder):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile(dir=folder, prefix="stdin-", delete=False) as kept:
            while part := sys.stdin.buffer.read(1 << 20):
                kept.write(part)
    return Path(kept.name)


def _digest(path: Path) -> str:
    digest = sha256()
    with told(path), path.open("rb") as file:
        while part := file.read(1 << 20):
            digest.update(part)
    return digest.hexdigest()


def _decompressed(raw: IO[bytes], name: str) -> tuple[Any, str]:
    """The stream without its compression, and the name without its suffix."""
    for suffix in COMPRESSIONS:
        if name.lower().endswith(suffix):
            kind = {".zst": "zstd", ".gz": "gzip"}.get(suffix, suffix[1:])
            return pa.CompressedInputStream(pa.PythonFile(raw), kind), name.lower().removesuffix(suffix)
    return raw, name.lower()


class _Peeked(NamedTuple):
    data: bytes
    stream: Any


class _Rejoined:
    """A stream whose first bytes were already read."""

    def __init__(self, head: bytes, rest: Any) -> None:
        self._head, self._rest = head, rest

    def read(self, size: int = -1) -> bytes:
        if not self._head:
            return bytes(self._rest.read(size))
        head, self._head = self._head, b""
        return head


def _peek(stream_: Any) -> _Peeked:
    """The first bytes of the stream, and the stream as if they had not been read."""
    if hasattr(stream_, "seekable") and stream_.seekable():
        head = stream_.read(4_096)
        stream_.seek(0)
        return _Peeked(head, stream_)
    head = bytes(stream_.read(4_096))
    return _Peeked(head, _Rejoined(head, stream_))


def _reader(chosen: str, name: str, head: bytes, path: Path) -> Reader:
    readers: dict[str, Reader] = declared("tocsin.adapters.telemetry.readers", "READER")
    if chosen != "auto":
        return readers[chosen]
    for reader in readers.values():
        if reader.recognizes(name, head):
            return reader
    known = ", ".join(sorted(readers))
    raise BadInput.at(Place(str(path)), "the format is not recognized", f"set telemetry.format to one of: {known}")
