"""Streaming: the detectors of `tocsin detect` over frames in memory, for notebooks and pipelines. No workspace, no ledger.

The same reading of rows, the same windows and the same detectors: a log that goes through here in any number of frames gives the findings
that `tocsin detect` gives on it. Windows of time are counted as states, so shards of a stream can be counted apart and merged; windows of
rows keep their rows until they are full.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tocsin.adapters.documents import monitoring
from tocsin.adapters.documents import page as pages
from tocsin.adapters.telemetry.chunks import Chunk
from tocsin.adapters.telemetry.mapping import Plan, mapped
from tocsin.adapters.workspace.reading import StreamRead, fresh_salt, read_stream
from tocsin.adapters.workspace.system_references import Known
from tocsin.content.discovery import detector_kinds
from tocsin.detect import choosing, fleet, windows
from tocsin.detect.overview import Overview, sheet
from tocsin.detect.parameters import complete
from tocsin.detect.windows import Cursor
from tocsin.model.detector import Setting
from tocsin.model.errors import BadInput, Place, UsageFault
from tocsin.model.event import Json
from tocsin.model.finding import Finding
from tocsin.model.policy import DetectorChoice
from tocsin.model.telemetry import ROW, SEGMENT, Segment, Window
from tocsin.service.clock import wall_clock
from tocsin.service.contrasting import table_of
from tocsin.service.detecting import SKEW, WINDOWS_PER_RUN, loaded
from tocsin.service.monitoring import design_of, scale_of
from tocsin.service.scanning import AnyDetector, cut

VERSION = 1
KEPT = 2_000
"""Windows and findings that are kept for a report, the newest of each."""
PENDING = "pending"
_INSTANT = timedelta(microseconds=1)


class Counted(NamedTuple):
    """An open window: its state and its rows."""

    state: Any
    rows: int


class Findings(list[Finding]):
    """Findings that a notebook shows as a table."""

    def _repr_html_(self) -> str:
        heads = ("window ends", "detector", "level", "what")
        rows = ((f"{f.window.end:%Y-%m-%d %H:%M}", f.detector, f.level.value, f.title) for f in self)
        return pages.table(f"{len(self):,} findings", heads, rows)


@dataclass(frozen=True, slots=True)
class Report:
    """What the detectors saw, with plots: a page, a PDF, or what a notebook shows."""

    overview: Overview

    def html(self) -> str:
        """The page."""
        return monitoring.page(self.overview)

    def pdf(self) -> bytes:
        """The PDF."""
        return monitoring.as_pdf(self.overview)

    def _repr_html_(self) -> str:
        return monitoring.fragment(self.overview)


class Shard:
    """Rows of a part of the stream, counted and not judged; made by `Watch.shard`."""

    def __init__(self, reading: Reading, watchers: Sequence[AnyDetector]) -> None:
        if rows := [watcher.id for watcher in watchers if watcher.windowing.every is None]:
            raise UsageFault(
                f"windows of rows cannot be counted apart: {', '.join(rows)}", "give these detectors windows of time"
            )
        self._reading, self._watchers = reading, watchers
        self.counted: dict[str, dict[int, Counted]] = {watcher.id: {} for watcher in watchers}
        self.latest = windows.NONE

    def update(self, frame: Any) -> None:
        """Count the rows. Raises as `Watch.update` does."""
        rows = self._reading.rows(frame)
        if not rows.num_rows:
            return
        times = _micros(rows)
        self.latest = max(self.latest, int(times.max()))
        for watcher in self._watchers:
            for index, part in _parts(watcher, rows, times):
                add(
                    self.counted[watcher.id],
                    watcher,
                    index,
                    Counted(watcher.observe(watcher.zero(), part), part.num_rows),
                )

    def to_bytes(self) -> bytes:
        """What was counted; equal rows give equal bytes, however they were cut into frames."""
        counted = {watcher.id: _packed(watcher, self.counted[watcher.id]) for watcher in self._watchers}
        return msgspec.msgpack.encode((VERSION, self._reading.digest, self.latest, counted), order="deterministic")

    def load(self, data: bytes) -> Shard:
        """The shard with what these bytes hold. Raises BadInput for bytes of another watch or none at all."""
        try:
            version, digest, self.latest, counted = msgspec.msgpack.decode(
                data, type=tuple[int, str, int, dict[str, list[Any]]]
            )
        except msgspec.DecodeError as error:
            raise _damaged("a shard", error) from None
        if (version, digest) != (VERSION, self._reading.digest):
            raise BadInput.at(
                Place("shard"), "it was counted for another watch", "make shards with `shard()` of the same watch"
            )
        for watcher in self._watchers:
            self.counted[watcher.id] = _unpacked(watcher, counted[watcher.id])
        return self


class Reading:
    """How frames become rows: the mapping, the detectors' choice and the salt, as they were written."""

    def __init__(self, written: Mapping[str, Json], salt: bytes, name: str) -> None:
        self.written, self.salt, self.name = written, salt, name
        known = Known(detectors=detector_kinds())
        self.read: StreamRead = read_stream(msgspec.json.encode(written), "watch", known)
        self.digest = sha256(msgspec.json.encode((written, salt.hex()), order="sorted")).hexdigest()
        self.left_out: Counter[str] = Counter()
        """Rows that did not fit, by reason."""

    def rows(self, frame: Any) -> pa.RecordBatch:
        """The frame's rows in the columns of telemetry, with their place.

        Raises:
            UsageFault: it is no frame, or lacks a column.
            BadInput: none of its rows fits.
        """
        table, telemetry = table_of(frame, "frame"), self.read.telemetry
        wanted = sorted({str(m.column) for m in telemetry.columns.values() if m.column is not None and not m.optional})
        if absent := [name for name in wanted if name not in table.column_names]:
            raise UsageFault(f"the frame has no column {', '.join(absent)}", f"it has: {', '.join(table.column_names)}")
        columns = {name: _whole(table.column(name)) for name in wanted}
        lines = np.arange(1, table.num_rows + 1)
        found = mapped(Chunk(columns, lines, (), table.column_names, str), Plan(telemetry.table, telemetry.columns))
        self.left_out.update(bad.kind for bad in found.bad)
        if found.bad and not found.rows.num_rows:
            first = found.bad[0]
            raise BadInput.at(Place("frame", first.line), f"no row fits: {first.reason}", first.remedy)
        return _placed(found.rows)


@dataclass(slots=True)
class _Stream:
    """One detector, and how far it is."""

    watcher: AnyDetector
    kind: str
    sequence: Any
    next_index: int | None = None
    counted: dict[int, Counted] = field(default_factory=dict)
    """Open windows of time."""
    pending: pa.Table | None = None
    """Rows of windows of rows that are not full."""
    history: list[tuple[Window, Mapping[str, Json]]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def judge(self, window: Window, state: Any) -> Sequence[Finding]:
        """Take one closed window."""
        evaluated = self.watcher.evaluate(self.sequence, state, window)
        self.sequence = evaluated.sequence
        self.history = [*self.history, (window, evaluated.statistics)][-KEPT:]
        self.findings = [*self.findings, *evaluated.findings][-KEPT:]
        return evaluated.findings

    def close_times(self, watermark: int) -> Iterator[Finding]:
        """Judge the windows of time that ended; they never open again."""
        every = _every(self.watcher)
        end = max(watermark // every, self.next_index or windows.NONE)
        for index in sorted(index for index in self.counted if index < end):
            state, rows = self.counted.pop(index)
            yield from self.judge(
                Window(index, windows.at(index * every), windows.at((index + 1) * every), rows), state
            )
        self.next_index = end

    def close_rows(self, rows: pa.RecordBatch) -> Iterator[Finding]:
        """Judge the windows of rows that are full, and keep what is left."""
        kept = (
            pa.Table.from_batches([rows])
            if self.pending is None
            else pa.concat_tables([self.pending, pa.Table.from_batches([rows])])
        )
        whole = kept.unify_dictionaries().combine_chunks().to_batches()[0]
        times = _micros(whole)
        segment = Segment(
            PENDING,
            self.watcher.system,
            self.watcher.table,
            len(times),
            windows.at(int(times.min())),
            windows.at(int(times.max())),
        )
        cursor = Cursor(self.next_index)
        plan = windows.plan(self.watcher.windowing, [segment], {PENDING: times}, cursor, 0, WINDOWS_PER_RUN * KEPT)
        parts = dict(cut(whole, plan.assigned[PENDING]))
        for window in plan.windows:
            yield from self.judge(window, self.watcher.observe(self.watcher.zero(), parts[window.index]))
        self.next_index = plan.next_index
        left = pa.array(np.flatnonzero(plan.assigned[PENDING] == windows.NONE))
        self.pending = pa.Table.from_batches([whole.take(left)])


class Watch:
    """Detectors over a stream of frames; made by `tocsin.watch`."""

    def __init__(self, written: Mapping[str, Json], salt: bytes | None, name: str) -> None:
        self._reading = Reading(written, fresh_salt() if salt is None else salt, name)
        self._streams = [
            _Stream(watcher := self._built(choice), choice.kind, watcher.begin())
            for choice in self._reading.read.detectors
        ]
        self._latest = windows.NONE

    @property
    def detectors(self) -> tuple[str, ...]:
        """Their ids."""
        return tuple(stream.watcher.id for stream in self._streams)

    @property
    def left_out(self) -> Mapping[str, int]:
        """Rows that did not fit, by reason."""
        return dict(self._reading.left_out)

    def update(self, frame: Any) -> Findings:
        """Take the rows of a frame, and tell what was found in the windows that they close.

        The frame is a pandas, Polars or Arrow frame, or a dictionary of columns. A window of time closes when a row of a later one is
        there; a row that comes later than that counts in the next window that is open.

        Raises:
            UsageFault: it is no frame, or lacks a column.
            BadInput: none of its rows fits; rows that do not fit among others are left out and counted in `left_out`.
        """
        rows = self._reading.rows(frame)
        if not rows.num_rows:
            return Findings()
        times = _micros(rows)
        self._latest = max(self._latest, int(times.max()))
        for stream in self._timed():
            for index, part in _parts(stream.watcher, rows, times):
                self._add(stream, index, Counted(stream.watcher.observe(stream.watcher.zero(), part), part.num_rows))
        found = [
            finding
            for stream in self._streams
            if stream.watcher.windowing.every is None
            for finding in stream.close_rows(rows)
        ]
        return Findings([*self._closed(), *found])

    def shard(self, data: bytes | None = None) -> Shard:
        """A part of the stream to count apart, in another process or on another machine; `data` is what such a one gave."""
        made = Shard(self._reading, [stream.watcher for stream in self._streams])
        return made if data is None else made.load(data)

    def merge(self, *shards: Shard) -> Findings:
        """Take what shards counted, all of them at once, and tell what was found in the windows that they close."""
        for shard in shards:
            self._latest = max(self._latest, shard.latest)
            for stream in self._streams:
                for index, counted in sorted(shard.counted[stream.watcher.id].items()):
                    self._add(stream, index, counted)
        return Findings(self._closed())

    def close(self, until: datetime) -> Findings:
        """Judge the windows of time that end by this instant although no newer row is there."""
        self._latest = max(self._latest, windows.micros(until))
        return Findings(self._closed())

    def report(self) -> Report:
        """What the detectors saw so far."""
        kinds = detector_kinds()
        sheets = tuple(
            sheet(s.watcher, kinds[s.kind], s.history, s.findings, design_of(s.sequence), scale_of(s.watcher))
            for s in self._streams
        )
        own = [s.watcher.specification for s in self._streams if "guarantee" in s.watcher.specification]
        ends = [s.history[-1][0].end for s in self._streams if s.history]
        name = self._reading.name
        return Report(Overview(name, name, max(ends, default=None), fleet.alone(own), sheets))

    def to_bytes(self) -> bytes:
        """Everything that is needed to go on later, for `tocsin.resume`. It holds the salt, and of windows of rows their rows."""
        streams = [
            (
                s.watcher.sequence_to_bytes(s.sequence),
                s.next_index,
                _packed(s.watcher, s.counted),
                _ipc(s.pending),
                [msgspec.to_builtins(window) for window, _ in s.history],
                [dict(told) for _, told in s.history],
                [msgspec.to_builtins(finding) for finding in s.findings],
            )
            for s in self._streams
        ]
        reading = self._reading
        head = (VERSION, dict(reading.written), reading.salt, reading.name, self._latest, dict(reading.left_out))
        return msgspec.msgpack.encode((*head, streams), order="deterministic")

    def __repr__(self) -> str:
        judged = sum(len(stream.history) for stream in self._streams)
        return f"<watch {self._reading.name}: {', '.join(self.detectors)}; {judged:,} windows judged>"

    def _repr_html_(self) -> str:
        return self.report()._repr_html_()

    def _timed(self) -> Iterator[_Stream]:
        return (stream for stream in self._streams if stream.watcher.windowing.every is not None)

    def _add(self, stream: _Stream, index: int, counted: Counted) -> None:
        """Late rows go to the next window that is open."""
        add(stream.counted, stream.watcher, max(index, stream.next_index or windows.NONE), counted)

    def _closed(self) -> Iterator[Finding]:
        watermark = min(self._latest, windows.micros(wall_clock() + SKEW))
        for stream in self._timed():
            yield from stream.close_times(watermark)

    def _built(self, choice: DetectorChoice) -> AnyDetector:
        kind = detector_kinds()[choice.kind]
        if "registered" in kind.content:
            raise UsageFault(f"{kind.name} looks for what a workspace has registered", "use it in a workspace")
        contents = {name: loaded(name) for name in kind.content}
        table = self._reading.read.telemetry.table if kind.either else None
        parameters = complete(kind, choice.parameters)
        return kind.build(
            Setting(choice.id, self._reading.name, parameters, choice.windowing, self._reading.salt, contents, table)
        )


def opened(
    columns: Mapping[str, Any],
    table: str,
    detectors: Sequence[str | Mapping[str, Any]],
    window: str | int,
    name: str,
    salt: bytes | None,
) -> Watch:
    """A watch over rows of these columns (canonical name -> source, as in a system's file); see `tocsin.watch`."""
    telemetry = {"table": table, "columns": dict(columns)}
    cutting = {"rows": window} if isinstance(window, int) else {"every": window}
    if not detectors:
        mapping = read_stream(msgspec.json.encode({"telemetry": telemetry}), "watch", Known()).telemetry
        detectors = [{"kind": one.kind, "with": dict(one.parameters)} for one in choosing.chosen(mapping)]
        if not detectors:
            raise UsageFault(
                "these columns allow no detector", "name decision, label, score or group, or name detectors"
            )
    chosen = [{"window": cutting, **({"kind": one} if isinstance(one, str) else one)} for one in detectors]
    return Watch({"telemetry": telemetry, "detectors": chosen}, salt, name)


def resume(data: bytes) -> Watch:
    """The watch that `to_bytes` described. Raises BadInput for damaged bytes or an unknown version."""
    try:
        version, written, salt, name, latest, left_out, streams = msgspec.msgpack.decode(data)
        if version != VERSION:
            raise ValueError(f"version {version}")
        watch = Watch(written, salt, name)
        watch._latest = latest
        watch._reading.left_out.update(left_out)
        for stream, kept in zip(watch._streams, streams, strict=True):
            _restore(stream, *kept)
    except (msgspec.DecodeError, msgspec.ValidationError, ValueError, TypeError, pa.ArrowInvalid) as error:
        raise _damaged("a watch", error) from None
    return watch


def _restore(
    stream: _Stream,
    sequence: bytes,
    next_index: int | None,
    counted: Any,
    pending: bytes | None,
    cuts: Any,
    told: Any,
    findings: Any,
) -> None:
    stream.sequence = stream.watcher.sequence_from_bytes(sequence)
    stream.next_index = next_index
    stream.counted = _unpacked(stream.watcher, counted)
    stream.pending = pa.ipc.open_stream(pending).read_all() if pending else None
    stream.history = list(zip((msgspec.convert(one, Window) for one in cuts), told, strict=True))
    stream.findings = [msgspec.convert(one, Finding) for one in findings]


def add(into: dict[int, Counted], watcher: AnyDetector, index: int, counted: Counted) -> None:
    """Merge rows into an open window."""
    before = into.get(index)
    into[index] = (
        counted if before is None else Counted(watcher.merge(before.state, counted.state), before.rows + counted.rows)
    )


def _parts(watcher: AnyDetector, rows: pa.RecordBatch, times: windows.Indices) -> Iterator[tuple[int, pa.RecordBatch]]:
    """The rows of each window of time."""
    yield from cut(rows, times // _every(watcher))


def _every(watcher: AnyDetector) -> int:
    assert watcher.windowing.every is not None
    return watcher.windowing.every // _INSTANT


def _micros(rows: pa.RecordBatch) -> windows.Indices:
    return np.asarray(rows.column("time").cast(pa.int64()).to_numpy())


def _placed(rows: pa.RecordBatch) -> pa.RecordBatch:
    """The rows with their place: the frame is named by the digest of its times, so that its name depends on nothing else."""
    count = rows.num_rows
    name = sha256(_micros(rows).tobytes()).hexdigest()
    segment = pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, np.int32)), pa.array([name], pa.string()))
    return rows.append_column(SEGMENT, segment).append_column(ROW, pa.array(np.arange(count, dtype=np.int64)))


def _whole(column: pa.ChunkedArray) -> pa.Array:
    """The column in one piece: categories as text, and NaN as missing, which it is in frames."""
    plain = column.combine_chunks()
    if pa.types.is_floating(plain.type):
        return pc.if_else(pc.is_nan(plain), pa.scalar(None, plain.type), plain)
    return pc.cast(plain, plain.type.value_type) if pa.types.is_dictionary(plain.type) else plain


def _packed(watcher: AnyDetector, counted: Mapping[int, Counted]) -> list[Any]:
    return [(index, watcher.to_bytes(one.state), one.rows) for index, one in sorted(counted.items())]


def _unpacked(watcher: AnyDetector, packed: Sequence[Any]) -> dict[int, Counted]:
    return {index: Counted(watcher.from_bytes(state), rows) for index, state, rows in packed}


def _ipc(table: pa.Table | None) -> bytes | None:
    if table is None:
        return None
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue().to_pybytes())


def _damaged(what: str, error: Exception) -> BadInput:
    return BadInput.at(
        Place("bytes"), f"these bytes are no state of {what}: {error}", "keep what `to_bytes` gives as it is"
    )
