"""Which row belongs to which window: deterministic, resumable, and late rows never reopen what was closed.

A window, once closed, is judged once; a row that comes later goes to the next window that is open (predictability: a bet must be
placed before its window is seen). A window of time without rows says nothing and is passed over. What was closed is remembered as
a `Cursor`, folded from the ledger.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np

from tocsin.model.telemetry import Segment, Window, Windowing

Indices = np.ndarray[tuple[int], np.dtype[np.int64]]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NONE = -(1 << 62)
"""The window of a row that is not to be counted now: consumed before, or still waiting."""


class Key(NamedTuple):
    """The order of rows: by time, then by the segment's place in the ledger, then by the row's number."""

    micros: int
    segment: int
    row: int


BEFORE_ALL = Key(-(1 << 62), -1, -1)


class Run(NamedTuple):
    """What one run recorded: the segments that it saw for the first time, the window that is next, and the last row consumed."""

    segments: Sequence[str]
    next_index: int | None
    last: Key | None


@dataclass(frozen=True, slots=True)
class Cursor:
    """What was closed: the next window's index, and per segment what was already consumed when it was last looked at.

    `floors` (time windows): rows of the segment below this window index belong to it, because earlier ones were closed.
    `bounds` (row windows): rows of the segment up to this key were consumed.
    """

    next_index: int | None = None
    floors: Mapping[str, int] = field(default_factory=dict)
    bounds: Mapping[str, Key] = field(default_factory=dict)

    @classmethod
    def of(cls, runs: Sequence[Run]) -> Cursor:
        """The cursor after these runs, in one pass forward and one back: linear however many runs and segments there were."""
        floors: dict[str, int] = {}
        bounds: dict[str, Key] = {}
        next_index, latest = None, BEFORE_ALL
        for run in runs:
            floors |= dict.fromkeys(run.segments, NONE if next_index is None else next_index)
            next_index = run.next_index
        for run in reversed(runs):
            latest = max(latest, run.last or BEFORE_ALL)
            bounds |= dict.fromkeys(run.segments, latest)
        return cls(next_index, floors, bounds)

    def seeing(self, segments: Sequence[str]) -> Cursor:
        """The cursor of a run that sees these segments for the first time."""
        floor = NONE if self.next_index is None else self.next_index
        floors = {**self.floors, **dict.fromkeys(segments, floor)}
        return Cursor(self.next_index, floors, {**self.bounds, **dict.fromkeys(segments, BEFORE_ALL)})


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run will close: the windows in order, and per segment the window of each row (`NONE`: not now)."""

    windows: tuple[Window, ...]
    assigned: Mapping[str, Indices]
    next_index: int | None
    last: Key | None


def micros(at: datetime) -> int:
    """Microseconds since the epoch."""
    return (at - EPOCH) // timedelta(microseconds=1)


def at(micros_: int) -> datetime:
    """The instant that many microseconds after the epoch."""
    return EPOCH + timedelta(microseconds=micros_)


def plan(
    windowing: Windowing,
    segments: Sequence[Segment],
    times: Mapping[str, Indices],
    cursor: Cursor,
    watermark: int,
    windows_max: int,
    closing: int | None = None,
) -> Plan:
    """The windows that can be closed now, at most `windows_max`.

    `times` gives microseconds per row of each segment that is not consumed; `watermark` is the instant up to which the data is held
    to be complete (time windows only). `closing` closes the last, unfinished window of rows if all its rows are older.
    """
    if windowing.every is not None:
        return _by_time(windowing.every // timedelta(microseconds=1), times, cursor, watermark, windows_max)
    return _by_rows(windowing.rows or 1, segments, times, cursor, windows_max, closing)


def unread(windowing: Windowing, segments: Sequence[Segment], cursor: Cursor) -> list[Segment]:
    """The segments that may still hold rows of open windows."""
    if windowing.every is None:
        return [s for s in segments if cursor.bounds.get(s.id, BEFORE_ALL).micros <= micros(s.last)]
    every = windowing.every // timedelta(microseconds=1)
    start = cursor.next_index
    return [
        s
        for s in segments
        if s.id not in cursor.floors or start is None or micros(s.last) // every >= start or _moved(s, cursor, every)
    ]


def _moved(segment: Segment, cursor: Cursor, every: int) -> bool:
    """Whether late rows of the segment were moved into a window that is still open."""
    floor = cursor.floors[segment.id]
    return cursor.next_index is not None and floor >= cursor.next_index and micros(segment.first) // every < floor


def _by_time(every: int, times: Mapping[str, Indices], cursor: Cursor, watermark: int, windows_max: int) -> Plan:
    floor = NONE if cursor.next_index is None else cursor.next_index
    index = {name: np.maximum(t // every, cursor.floors.get(name, floor)) for name, t in times.items()}
    lowest = min((int(i.min()) for i in index.values() if len(i)), default=None)
    if lowest is None:
        return Plan((), {}, cursor.next_index, None)
    first = max(lowest, floor)
    end = max(watermark // every, first)
    counts: Counter[int] = Counter()
    for windows in index.values():
        found, rows = np.unique(windows[(windows >= first) & (windows < end)], return_counts=True)
        counts.update(dict(zip(found.tolist(), rows.tolist(), strict=True)))
    due = sorted(counts)
    if len(due) > windows_max:
        due, end = due[:windows_max], due[windows_max - 1] + 1
    assigned = {name: np.where((w >= first) & (w < end), w, NONE) for name, w in index.items()}
    closed = tuple(Window(i, at(i * every), at((i + 1) * every), counts[i]) for i in due)
    return Plan(closed, assigned, end, None)


def _by_rows(
    rows: int,
    segments: Sequence[Segment],
    times: Mapping[str, Indices],
    cursor: Cursor,
    windows_max: int,
    closing: int | None,
) -> Plan:
    names = [segment.id for segment in segments if segment.id in times]
    place = {segment.id: number for number, segment in enumerate(segments)}
    pending = [_pending(times[name], place[name], cursor.bounds.get(name, BEFORE_ALL)) for name in names]
    micros_ = (
        np.concatenate([times[name][p] for name, p in zip(names, pending, strict=True)])
        if names
        else np.array([], np.int64)
    )
    owner = np.repeat(np.arange(len(names)), [len(p) for p in pending])
    order = np.argsort(micros_, kind="stable")
    first = cursor.next_index or 0
    count = min(len(order) // rows, windows_max)
    used = count * rows
    if closing is not None and used < len(order) < used + rows and int(micros_[order[-1]]) < closing:
        count, used = count + 1, len(order)
    windows = np.full(len(order), NONE, np.int64)
    windows[order[:used]] = first + np.arange(used) // rows
    assigned = {}
    for number, (name, p) in enumerate(zip(names, pending, strict=True)):
        assigned[name] = np.full(len(times[name]), NONE, np.int64)
        assigned[name][p] = windows[owner == number]
    if not count:
        return Plan((), assigned, cursor.next_index, None)
    taken = micros_[order[:used]]
    edges = [(at(int(part[0])), at(int(part[-1])), len(part)) for part in np.split(taken, np.arange(rows, used, rows))]
    closed = tuple(Window(first + i, *edge) for i, edge in enumerate(edges))
    final = int(order[used - 1])
    which = int(owner[final])
    row = int(np.concatenate(pending)[final])
    return Plan(closed, assigned, first + count, Key(int(micros_[final]), place[names[which]], row))


def _pending(times: Indices, place: int, bound: Key) -> Indices:
    """The rows of a segment beyond the bound, in stored order."""
    rows = np.arange(len(times))
    after = times > bound.micros
    if place > bound.segment:
        after |= times == bound.micros
    elif place == bound.segment:
        after |= (times == bound.micros) & (rows > bound.row)
    return np.flatnonzero(after)
