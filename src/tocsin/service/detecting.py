"""Detect: new telemetry -> closed windows -> findings. One scan of the segments feeds all detectors of a system.

What was judged stands in the ledger, so a run goes on where the last one stopped, and running it again changes nothing. A detector
whose specification changed begins anew over all telemetry that is there.
"""

from __future__ import annotations

import base64
import importlib
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import Any, NamedTuple

import msgspec
import numpy as np

from tocsin.adapters.shelf import FolderShelf, cache_folder
from tocsin.content.discovery import detector_kinds
from tocsin.detect import fleet, windows
from tocsin.detect.parameters import complete
from tocsin.detect.text.databases import keep_on
from tocsin.detect.windows import Cursor, Key, Plan, Run
from tocsin.model.detector import Setting
from tocsin.model.errors import Conflict, UsageFault
from tocsin.model.event import Append, Event, Json, Recorded
from tocsin.model.finding import Finding
from tocsin.model.policy import DetectorChoice, System
from tocsin.model.progress import Progress, silent
from tocsin.model.telemetry import Segment, Window
from tocsin.service import catalogue, registering
from tocsin.service.desk import SELF, Desk
from tocsin.service.scanning import AnyDetector, in_rows, scan, times

WINDOWS_PER_RUN = 2_000
RETRIES = 5
OWN = {"registered": registering.registry}
"""Content that is the workspace's own; any other is shipped."""
LABEL = "label"
SKEW = timedelta(days=1)
"""Times further than this in the future close no window: a single wrong clock must not close everything."""


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
    false_alarms: tuple[str, ...] = ()
    """What the detectors of the workspace promise together, in sentences."""

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
    judged = tuple(_detect_system(desk, system, progress, close_until) for system in chosen if system.detectors)
    return Detected(judged, (*fleet.told(desk.workspace, detector_kinds()), *_named(desk, judged)))


def _named(desk: Desk, judged: Sequence[SystemDetected]) -> tuple[str, ...]:
    """Which of what alarmed is real, of the detectors that bound their ever alarming."""
    bounded = {
        (system.id, choice.id)
        for system in desk.workspace.systems.values()
        for choice in system.detectors
        if fleet.bounded(detector_kinds(), desk.workspace, system, choice)
    }
    return fleet.named(
        fleet.Judged(f"{one.system}/{watched.detector}", watched.statistics, watched.findings)
        for one in judged
        for watched in one.detectors
        if (one.system, watched.detector) in bounded
    )


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


def sequence(desk: Desk, watcher: AnyDetector) -> Any:
    """The detector's sequence state after the last window that it judged with its present specification."""
    journal = _Journal()
    journal.catch_up(desk, watcher.system)
    kept = journal.of(watcher).sequence
    return watcher.sequence_from_bytes(kept) if kept else watcher.begin()


def window_states(desk: Desk, system_id: str, detector_id: str, since: datetime) -> Iterator[Any]:
    """The states of the windows of all rows from `since` on, the last and unfinished one included; nothing is recorded."""
    watcher = detector(desk, system_id, detector_id)
    every_segment = catalogue.segments(desk.ledger, system_id, late=True)
    segments = [s for s in _read_by(desk.system(system_id), watcher, every_segment) if s.last >= since]
    start = windows.micros(since)
    instants = {name: np.where(t >= start, t, -1) for name, t in times(desk, segments).items()}
    every = watcher.windowing.every
    size = every // timedelta(microseconds=1) if every else 0
    if size:
        assigned = {name: np.where(t >= 0, t // size, windows.NONE) for name, t in instants.items()}
    else:
        assigned = in_rows(instants, watcher.windowing.rows or 1)
    states = scan(desk, segments, [(watcher, Plan((), assigned, None, None))], silent)[0]
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
    journal = _Journal()
    seen, tries = -1, RETRIES
    while tries:
        try:
            while _run(desk, system, journal, watchers, results, progress, close_until):
                pass
        except Conflict:  # somebody else judged windows in the meantime: go on from there
            tries = RETRIES if journal.version > seen else tries - 1  # while anybody gets on, nobody gives up
            seen = journal.version
            continue
        return _told(system, journal, watchers, results)
    raise Conflict(f"other processes keep judging {system.id}", "try again when they are done")


@dataclass
class _Result:
    """What one detector did in this call, as far as it is recorded."""

    windows: int = 0
    rows: int = 0
    findings: list[Finding] = field(default_factory=list)
    began_anew: bool = False

    def add(self, judged: _Judged, record: _Record) -> None:
        """Count what was just recorded."""
        self.windows += len(judged.windows)
        self.rows += sum(window.rows for window in judged.windows)
        self.findings += judged.findings
        self.began_anew |= record.anew


class _Judged(NamedTuple):
    """One detector's windows, the findings in them, and the events that say so."""

    windows: tuple[Window, ...]
    findings: list[Finding]
    events: list[Event]


class _Record(NamedTuple):
    """What the ledger says of one specification."""

    cursor: Cursor
    sequence: bytes | None
    windows: int
    statistics: Mapping[str, Json]
    anew: bool = False
    """Whether the detector ran before with another specification."""


class _Journal:
    """What the system's stream says: a record per specification, the findings that are known, and which detectors ever ran."""

    def __init__(self) -> None:
        self.version = 0
        self.known: set[str] = set()
        self._records: dict[str, _Record] = {}
        self._runs: defaultdict[str, list[Run]] = defaultdict(list)
        self._ran: set[str] = set()

    def catch_up(self, desk: Desk, system_id: str) -> None:
        """Read what was recorded since the last time."""
        for event in desk.ledger.read(stream(system_id), after=self.version):
            self.version = event.version
            if event.kind == "window_evaluated":
                self._judged(event.data)
            elif event.kind == "detection_ran":
                self._ended(event.data)
            elif event.kind == "finding_recorded":
                self.known.add(event.data["finding"]["id"])

    def of(self, watcher: AnyDetector) -> _Record:
        """What is recorded of this specification of the detector."""
        digest = specification_digest(watcher)
        record = self._records.get(digest, _Record(Cursor(), None, 0, {}, watcher.id in self._ran))
        return record._replace(cursor=Cursor.of(self._runs.get(digest, ())))

    def _judged(self, data: Mapping[str, Json]) -> None:
        before = self._before(data)
        after = before._replace(windows=before.windows + 1, statistics=data["statistics"])
        self._records[data["specification"]] = after

    def _ended(self, data: Mapping[str, Json]) -> None:
        before = self._before(data)
        last = Key(*data["last"]) if data["last"] else None
        self._runs[data["specification"]].append(Run(data["segments"], data["next_index"], last))
        self._records[data["specification"]] = before._replace(sequence=base64.b64decode(data["sequence"]))
        self._ran.add(data["detector"])

    def _before(self, data: Mapping[str, Json]) -> _Record:
        return self._records.get(data["specification"], _Record(Cursor(), None, 0, {}))


def _run(
    desk: Desk,
    system: System,
    journal: _Journal,
    watchers: Sequence[AnyDetector],
    results: Mapping[str, _Result],
    progress: Progress,
    close_until: datetime | None,
) -> bool:
    """Close up to `WINDOWS_PER_RUN` windows per detector in one transaction; whether any was closed."""
    journal.catch_up(desk, system.id)
    segments = catalogue.segments(desk.ledger, system.id, late=True)
    planned, plans = [], {}
    for watcher in watchers:
        record = journal.of(watcher)
        key = (watcher.windowing, watcher.table, LABEL in watcher.columns, repr(record.cursor))
        if key not in plans:
            plans[key] = _planned(desk, watcher, _read_by(system, watcher, segments), record.cursor, close_until)
        planned.append((watcher, record, *plans[key]))
    due = [entry for entry in planned if entry[2].windows or entry[3]]
    if not due:
        return False
    states = scan(desk, segments, [(watcher, plan) for watcher, _, plan, _ in due], progress)
    judged = [_judge(desk, *entry, counted, journal.known) for entry, counted in zip(due, states, strict=True)]
    events = [event for one in judged for event in one.events]
    desk.ledger.append(Append(stream(system.id), journal.version, events))
    for (watcher, record, _, _), one in zip(due, judged, strict=True):
        results[watcher.id].add(one, record)
    return any(one.windows for one in judged)


def _read_by(system: System, watcher: AnyDetector, segments: Sequence[Segment]) -> list[Segment]:
    """The segments of the detector's table. Where labels come later, a detector of labels reads the labelled rows and no others."""
    late = LABEL in watcher.columns and system.telemetry is not None and bool(system.telemetry.labels)
    return [segment for segment in segments if segment.table == watcher.table and segment.late == late]


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
    instants = times(desk, unread)
    seen = cursor.seeing(new)
    closing = windows.micros(close_until) if close_until else None
    mark = windows.micros(watermark)
    return windows.plan(watcher.windowing, segments, instants, seen, mark, WINDOWS_PER_RUN, closing), new


def _judge(
    desk: Desk,
    watcher: AnyDetector,
    record: _Record,
    plan: Plan,
    new: Sequence[str],
    states: Mapping[int, Any],
    known: Collection[str],
) -> _Judged:
    """Judge one detector's windows in order; the sequence state is kept with the last event."""
    digest = specification_digest(watcher)
    sequence = watcher.sequence_from_bytes(record.sequence) if record.sequence else watcher.begin()
    findings: list[Finding] = []
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
                findings.append(finding)
                batch.append(desk.event("finding_recorded", SELF, finding=msgspec.to_builtins(finding)))
    kept = base64.b64encode(watcher.sequence_to_bytes(sequence)).decode()
    fields = {"detector": watcher.id, "specification": digest, "segments": list(new), "next_index": plan.next_index}
    batch.append(desk.event("detection_ran", SELF, **fields, last=plan.last and list(plan.last), sequence=kept))
    return _Judged(plan.windows, findings, batch)


def _build(desk: Desk, system: System, choice: DetectorChoice) -> AnyDetector:
    kind = detector_kinds()[choice.kind]
    content = {name: OWN[name](desk, system.id) if name in OWN else loaded(name) for name in kind.content}
    shares = (desk.workspace, detector_kinds(), system, choice)
    parameters = complete(kind, fleet.given(*shares))
    table = system.telemetry.table if kind.either and system.telemetry else None
    shared = fleet.promise(*shares)
    return kind.build(Setting(choice.id, system.id, parameters, choice.windowing, desk.salt, content, table, shared))


@lru_cache
def loaded(name: str) -> Any:
    """The content that detectors ask for by the name of its loader; databases of patterns are kept in the user's cache."""
    keep_on(FolderShelf(cache_folder()))
    return importlib.import_module(f"tocsin.content.loaders.{name}").load()


def _told(
    system: System, journal: _Journal, watchers: Sequence[AnyDetector], results: Mapping[str, _Result]
) -> SystemDetected:
    kinds = {choice.id: choice.kind for choice in system.detectors}
    watched = []
    for watcher in watchers:
        record, result = journal.of(watcher), results[watcher.id]
        counts = (result.windows, record.windows, tuple(result.findings), record.statistics, result.began_anew)
        watched.append(Watched(watcher.id, kinds[watcher.id], *counts))
    return SystemDetected(system.id, sum(result.rows for result in results.values()), tuple(watched))
