"""Detect: new telemetry -> closed windows -> findings. One scan of the segments feeds all detectors of a system.

What was judged stands in the ledger, so a run goes on where the last one stopped, and running it again changes nothing. A detector
whose specification changed begins anew over all telemetry that is there.
"""

from __future__ import annotations

import base64
import importlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa

from tocsin.content.discovery import detector_kinds
from tocsin.detect import windows
from tocsin.detect.parameters import complete
from tocsin.detect.windows import Cursor, Key, Plan
from tocsin.model.detector import Detector, Setting
from tocsin.model.errors import Conflict, UsageFault
from tocsin.model.event import Append, Event, Json, Recorded
from tocsin.model.finding import Finding
from tocsin.model.policy import DetectorChoice, System
from tocsin.model.progress import Progress, silent
from tocsin.model.telemetry import ROW, SEGMENT, Segment, Window
from tocsin.service import catalogue
from tocsin.service.desk import SELF, Desk

WINDOWS_PER_RUN = 2_000
RETRIES = 5
SKEW = timedelta(days=1)
"""Times further than this in the future close no window: a single wrong clock must not close everything."""

AnyDetector = Detector[Any, Any]


@dataclass(frozen=True, slots=True)
class Watched:
    """One detector after a run."""

    detector: str
    kind: str
    windows: int
    windows_total: int
    findings: tuple[Finding, ...]
    statistics: Mapping[str, Json] = field(default_factory=dict)
    """Those of its last window."""
    began_anew: bool = False


@dataclass(frozen=True, slots=True)
class SystemDetected:
    """One system after a run."""

    system: str
    rows: int
    detectors: tuple[Watched, ...]


@dataclass(frozen=True, slots=True)
class Detected:
    """What a run judged and found."""

    systems: tuple[SystemDetected, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All new findings."""
        return tuple(finding for system in self.systems for watched in system.detectors for finding in watched.findings)


class Past(NamedTuple):
    """One judged window of a detector, for plots."""

    window: Window
    statistics: Mapping[str, Json]


def stream(system: str) -> str:
    """The name of the system's detection stream."""
    return f"detect/{system}"


def detect(
    desk: Desk, systems: Sequence[str] = (), progress: Progress = silent, *, close_until: datetime | None = None
) -> Detected:
    """Judge all telemetry that was not judged yet, of these systems or of all.

    A window of time closes when newer telemetry is there, or when it ends before `close_until`; a window of rows when it is full,
    or when its last row is older than `close_until`.

    Raises:
        UsageFault: no such system.
        Refused: a segment is missing or was changed.
        EnvironmentFault: the ledger is locked or the disk full; nothing half-judged is kept.
    """
    chosen = [desk.system(name) for name in systems] or list(desk.workspace.systems.values())
    return Detected(tuple(_detect_system(desk, system, progress, close_until) for system in chosen if system.detectors))


def detectors(desk: Desk, system: System) -> list[AnyDetector]:
    """The system's detectors, built."""
    return [_build(desk, system, choice) for choice in system.detectors]


def detector(desk: Desk, system_id: str, detector_id: str) -> AnyDetector:
    """One detector of a system. Raises UsageFault when it is not there (any more)."""
    system = desk.system(system_id)
    for choice in system.detectors:
        if choice.id == detector_id:
            return _build(desk, system, choice)
    known = ", ".join(choice.id for choice in system.detectors) or "none"
    raise UsageFault(f"{system_id} has no detector {detector_id!r}", f"its detectors are: {known}")


def findings(desk: Desk, systems: Sequence[str] = ()) -> list[tuple[Finding, datetime]]:
    """Every recorded finding with the instant at which it was made, in order."""
    names = systems or [name.removeprefix("detect/") for name in desk.ledger.streams("detect/")]
    recorded = [event for name in names for event in desk.ledger.read(stream(name)) if event.kind == "finding_recorded"]
    return [(finding_of(event), event.event.at) for event in sorted(recorded, key=lambda event: event.sequence)]


def finding_of(event: Recorded) -> Finding:
    """The finding in a `finding_recorded` event."""
    return msgspec.convert(event.data["finding"], Finding)


def history(desk: Desk, system_id: str, detector_id: str) -> list[Past]:
    """The windows that the detector judged with its present specification, in order."""
    digest = specification_digest(detector(desk, system_id, detector_id))
    events = (event for event in desk.ledger.read(stream(system_id)) if event.kind == "window_evaluated")
    mine = (event.data for event in events if event.data["specification"] == digest)
    return [Past(msgspec.convert(data["window"], Window), data["statistics"]) for data in mine]


def window_states(desk: Desk, system_id: str, detector_id: str, since: datetime) -> Iterator[Any]:
    """The states of the windows of all rows from `since` on, the last and unfinished one included; nothing is recorded."""
    watcher = detector(desk, system_id, detector_id)
    segments = [s for s in catalogue.segments(desk.ledger, system_id) if s.last >= since and s.table == watcher.table]
    start = windows.micros(since)
    times = {name: np.where(t >= start, t, -1) for name, t in _times(desk, segments).items()}
    every = watcher.windowing.every
    size = every // timedelta(microseconds=1) if every else 0
    if size:
        assigned = {name: np.where(t >= 0, t // size, windows.NONE) for name, t in times.items()}
    else:
        assigned = _in_rows(times, watcher.windowing.rows or 1)
    states = _scan(desk, segments, [(watcher, Plan((), assigned, None, None))], silent)[0]
    return (states[index] for index in sorted(states))


def specification_digest(watcher: AnyDetector) -> str:
    """The digest of everything that decides the detector's result."""
    window = watcher.windowing
    cut = {"rows": window.rows, "seconds": window.every.total_seconds() if window.every else None}
    body = {"id": watcher.id, "window": cut, "specification": dict(watcher.specification)}
    return sha256(msgspec.json.encode(body, order="sorted")).hexdigest()[:32]


def _detect_system(desk: Desk, system: System, progress: Progress, close_until: datetime | None) -> SystemDetected:
    watchers = detectors(desk, system)
    results = {watcher.id: _Result() for watcher in watchers}
    rows = 0
    for _ in range(RETRIES):
        try:
            while done := _run(desk, system, watchers, results, progress, close_until):
                rows += done
        except Conflict:
            continue  # somebody else judged windows in the meantime: go on from there
        return _told(desk, system, watchers, results, rows)
    raise Conflict(f"other processes keep judging {system.id}", "try again when they are done")


@dataclass
class _Result:
    windows: int = 0
    findings: list[Finding] = field(default_factory=list)
    began_anew: bool = False


class _Record(NamedTuple):
    """What the ledger says of one specification."""

    cursor: Cursor
    sequence: bytes | None
    windows: int
    statistics: Mapping[str, Json]
    anew: bool = False
    """Whether the detector ran before with another specification."""


def _run(
    desk: Desk,
    system: System,
    watchers: Sequence[AnyDetector],
    results: Mapping[str, _Result],
    progress: Progress,
    close_until: datetime | None,
) -> int:
    """Close up to `WINDOWS_PER_RUN` windows per detector in one transaction; gives the number of rows that were counted."""
    events = desk.ledger.read(stream(system.id))
    records, known = _records(events), {e.data["finding"]["id"] for e in events if e.kind == "finding_recorded"}
    segments = catalogue.segments(desk.ledger, system.id)
    ran = {event.data["detector"] for event in events if event.kind == "detection_ran"}
    planned, plans = [], {}
    for watcher in watchers:
        record = records.get(specification_digest(watcher), _Record(Cursor(), None, 0, {}, watcher.id in ran))
        key = (watcher.windowing, watcher.table, repr(record.cursor))
        if key not in plans:
            mine = [segment for segment in segments if segment.table == watcher.table]
            plans[key] = _planned(desk, watcher, mine, record.cursor, close_until)
        planned.append((watcher, record, *plans[key]))
    if not any(plan.windows or new for _, _, plan, new in planned):
        return 0
    open_ = [(watcher, plan) for watcher, _, plan, _ in planned]
    states = _scan(desk, segments, open_, progress)
    batch: list[Event] = []
    for (watcher, record, plan, new), counted in zip(planned, states, strict=True):
        if plan.windows or new:
            batch += _judged(desk, watcher, record, plan, new, counted, known, results[watcher.id])
    if batch:
        desk.ledger.append(Append(stream(system.id), len(events), batch))
    return sum(window.rows for _, _, plan, _ in planned for window in plan.windows)


def _planned(
    desk: Desk, watcher: AnyDetector, segments: Sequence[Segment], cursor: Cursor, close_until: datetime | None
) -> tuple[Plan, list[str]]:
    """What can be closed for a detector, and the segments that it sees for the first time."""
    new = [segment.id for segment in segments if segment.id not in cursor.floors]
    unread = windows.unread(watcher.windowing, segments, cursor)
    if not unread:
        return Plan((), {}, cursor.next_index, None), new
    latest = max(segment.last for segment in segments)
    watermark = max(min(latest, desk.clock() + SKEW), close_until or latest)
    times = _times(desk, unread)
    seen = cursor.after(new, cursor.next_index, None)
    closing = windows.micros(close_until) if close_until else None
    mark = windows.micros(watermark)
    return windows.plan(watcher.windowing, segments, times, seen, mark, WINDOWS_PER_RUN, closing), new


def _judged(
    desk: Desk,
    watcher: AnyDetector,
    record: _Record,
    plan: Plan,
    new: Sequence[str],
    states: Mapping[int, Any],
    known: set[str],
    result: _Result,
) -> list[Event]:
    """The events of one detector's windows, in order; the sequence state is kept with the last of them."""
    digest = specification_digest(watcher)
    sequence = watcher.sequence_from_bytes(record.sequence) if record.sequence else watcher.begin()
    batch: list[Event] = []
    for window in plan.windows:
        state = states.get(window.index)
        state = watcher.zero() if state is None else state
        evaluated = watcher.evaluate(sequence, state, window)
        sequence = evaluated.sequence
        fields = {"detector": watcher.id, "specification": digest, "window": msgspec.to_builtins(window)}
        fields |= {"state": sha256(watcher.to_bytes(state)).hexdigest(), "statistics": dict(evaluated.statistics)}
        batch.append(desk.event("window_evaluated", SELF, **fields))
        for finding in evaluated.findings:
            if finding.id not in known:
                known.add(finding.id)
                result.findings.append(finding)
                batch.append(desk.event("finding_recorded", SELF, finding=msgspec.to_builtins(finding)))
    result.windows += len(plan.windows)
    result.began_anew |= record.anew
    kept = base64.b64encode(watcher.sequence_to_bytes(sequence)).decode()
    fields = {"detector": watcher.id, "specification": digest, "segments": list(new), "next_index": plan.next_index}
    batch.append(desk.event("detection_ran", SELF, **fields, last=plan.last and list(plan.last), sequence=kept))
    return batch


def _records(events: Iterable[Recorded]) -> dict[str, _Record]:
    """Per specification: its cursor, its sequence, and the statistics of its last window."""
    records: dict[str, _Record] = {}
    for event in events:
        digest, data = event.data.get("specification"), event.data
        before = records.get(digest or "", _Record(Cursor(), None, 0, {}))
        if event.kind == "window_evaluated":
            records[data["specification"]] = before._replace(windows=before.windows + 1, statistics=data["statistics"])
        elif event.kind == "detection_ran":
            last = Key(*data["last"]) if data["last"] else None
            cursor = before.cursor.after(data["segments"], before.cursor.next_index, None)
            cursor = cursor.after((), data["next_index"], last)
            records[data["specification"]] = before._replace(cursor=cursor, sequence=base64.b64decode(data["sequence"]))
    return records


def _scan(
    desk: Desk, segments: Sequence[Segment], planned: Sequence[tuple[AnyDetector, Plan]], progress: Progress
) -> list[dict[int, Any]]:
    """One pass over the segments: the window states of every detector."""
    states: list[dict[int, Any]] = [{} for _ in planned]
    wanted = [s for s in segments if any(_counts(plan, s) for _, plan in planned)]
    columns = sorted({column for watcher, plan in planned if plan.assigned for column in watcher.columns})
    total, done = sum(segment.rows for segment in wanted), 0
    for batch in desk.telemetry.batches(wanted, columns):
        segment = batch.column(SEGMENT)[0].as_py()
        first = batch.column(ROW)[0].as_py()
        cuts: dict[int, list[tuple[int, pa.RecordBatch]]] = {}
        for (watcher, plan), mine in zip(planned, states, strict=True):
            if segment not in plan.assigned:
                continue
            cut = cuts.setdefault(id(plan.assigned), [])
            if not cut:
                cut += _cut(batch, plan.assigned[segment][first : first + batch.num_rows])
            for index, part in cut:
                mine[index] = watcher.observe(mine[index] if index in mine else watcher.zero(), part)
        done += batch.num_rows
        progress("judging", done, total)
    return states


def _cut(
    batch: pa.RecordBatch, assigned: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> list[tuple[int, pa.RecordBatch]]:
    """The batch's rows by window, in order of windows."""
    order = np.argsort(assigned, kind="stable")
    found, starts = np.unique(assigned[order], return_index=True)
    ends = [*starts[1:], len(order)]
    in_order = bool((order[1:] > order[:-1]).all())
    parts = []
    for window, start, end in zip(found, starts, ends, strict=True):
        if window != windows.NONE:
            part = batch.slice(start, end - start) if in_order else batch.take(pa.array(order[start:end]))
            parts.append((int(window), part))
    return parts


def _counts(plan: Plan, segment: Segment) -> bool:
    return segment.id in plan.assigned and bool((plan.assigned[segment.id] != windows.NONE).any())


def _times(desk: Desk, segments: Sequence[Segment]) -> dict[str, Any]:
    """Microseconds since the epoch per row of each segment."""
    parts: defaultdict[str, list[Any]] = defaultdict(list)
    for batch in desk.telemetry.batches(segments, ["time"]):
        parts[batch.column(SEGMENT)[0].as_py()].append(batch.column("time").cast(pa.int64()).to_numpy())
    return {name: np.concatenate(chunks) for name, chunks in parts.items()}


def _in_rows(times: Mapping[str, Any], rows: int) -> dict[str, Any]:
    """Rows with a time of at least zero, numbered in order of time and cut every `rows`."""
    names = list(times)
    joined = np.concatenate([times[name] for name in names]) if names else np.array([], np.int64)
    order = np.argsort(joined, kind="stable")
    order = order[joined[order] >= 0]
    index = np.full(len(joined), windows.NONE, np.int64)
    index[order] = np.arange(len(order)) // rows
    ends = np.cumsum([len(times[name]) for name in names])
    return {name: index[end - len(times[name]) : end] for name, end in zip(names, ends, strict=True)}


def _build(desk: Desk, system: System, choice: DetectorChoice) -> AnyDetector:
    kind = detector_kinds()[choice.kind]
    content = {name: _content(name) for name in kind.content}
    parameters = complete(kind, choice.parameters)
    return kind.build(Setting(choice.id, system.id, parameters, choice.windowing, desk.salt, content))


@lru_cache
def _content(name: str) -> Any:
    """The content that detectors ask for by the name of its loader."""
    return importlib.import_module(f"tocsin.content.loaders.{name}").load()


def _told(
    desk: Desk, system: System, watchers: Sequence[AnyDetector], results: Mapping[str, _Result], rows: int
) -> SystemDetected:
    records = _records(desk.ledger.read(stream(system.id)))
    kinds = {choice.id: choice.kind for choice in system.detectors}
    watched = []
    for watcher in watchers:
        record = records.get(specification_digest(watcher), _Record(Cursor(), None, 0, {}))
        result = results[watcher.id]
        counts = (result.windows, record.windows, tuple(result.findings), record.statistics, result.began_anew)
        watched.append(Watched(watcher.id, kinds[watcher.id], *counts))
    return SystemDetected(system.id, rows, tuple(watched))
