"""The window state of detectors that watch sessions: messages per bucket, and bounded cells of what happened in each session.

A **cell** says that something of one kind happened in one group (a session, a person, or a value that sessions share), how often,
how much, from when to when, and in which rows. Cells are kept by key, and keys begin with the group: when there are too many, the
groups with the smallest keyed digests are kept, whole but for the last. What is among the smallest of all is among the smallest of
every part, so nothing that is kept was ever dropped on the way, and its counts are true.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import msgspec
import numpy as np

from tocsin.model.errors import BadInput, Place
from tocsin.model.finding import RowRef

VERSION = 1
CELLS_MAX = 8_192
REFS_MAX = 5
AMOUNT_MAX = 1 << 62
"""Amounts are never negative and stop here, so that sums fit into 64 bits in whatever order."""
SEPARATOR = "/"
Totals = np.ndarray[tuple[int], np.dtype[np.int64]]
Ref = tuple[str, int]


class Cell(msgspec.Struct, frozen=True, array_like=True):
    """Something that happened in a group: what, whose, how often, how much, from when to when (microseconds), and where."""

    kind: str
    group: str
    """The keyed digest of the session, person or value that the cell belongs to."""
    value: str
    """What it is, as text that may be shown or as a keyed digest."""
    owner: str
    """The keyed digest of the session or person in which it happened."""
    bucket: int
    shown: str
    count: int
    amount: int
    first: int
    last: int
    rows: tuple[Ref, ...]

    @property
    def key(self) -> str:
        """The name under which equal cells are put together."""
        return SEPARATOR.join((self.group, self.kind, self.value, self.owner))


@dataclass(frozen=True, slots=True)
class Trail:
    """`totals` is int64[m], the watched messages per bucket; `cells` by key; `overflow` occurrences that were not kept."""

    totals: Totals
    cells: Mapping[str, Cell]
    overflow: int = 0


class Occurred(NamedTuple):
    """Where and when: the message's owner, its bucket, its time in microseconds and its place."""

    owner: str
    bucket: int
    time: int
    place: Ref


def cell(kind: str, group: str, at: Occurred, *, value: str = "", shown: str = "", amount: int = 0) -> Cell:
    """The cell of one occurrence."""
    return Cell(
        kind, group, value, at.owner, at.bucket, shown, 1, min(amount, AMOUNT_MAX), at.time, at.time, (at.place,)
    )


def zero(buckets: int) -> Trail:
    """No messages."""
    return Trail(np.zeros(buckets, np.int64), {})


def observed(totals: Totals, cells: Iterable[Cell]) -> Trail:
    """The state of these messages."""
    kept: dict[str, Cell] = {}
    for one in cells:
        key = one.key
        before = kept.get(key)
        kept[key] = joined(before, one) if before else one
    return _bounded(totals, kept, 0)


def merged(left: Trail, right: Trail) -> Trail:
    """Both sets of messages."""
    both = dict(left.cells)
    for key, one in right.cells.items():
        both[key] = joined(both[key], one) if key in both else one
    return _bounded(left.totals + right.totals, both, left.overflow + right.overflow)


def joined(left: Cell, right: Cell) -> Cell:
    """The same thing, seen in both."""
    return msgspec.structs.replace(
        left,
        bucket=min(left.bucket, right.bucket),
        shown=min(left.shown, right.shown),
        count=left.count + right.count,
        amount=min(left.amount + right.amount, AMOUNT_MAX),
        first=min(left.first, right.first),
        last=max(left.last, right.last),
        rows=left.rows if left.rows == right.rows else tuple(sorted({*left.rows, *right.rows})[:REFS_MAX]),
    )


def grouped(trail: Trail) -> Mapping[str, list[Cell]]:
    """The cells of each group, both in order of their keys."""
    groups: defaultdict[str, list[Cell]] = defaultdict(list)
    for key in sorted(trail.cells):
        groups[trail.cells[key].group].append(trail.cells[key])
    return groups


def refs(cells: Iterable[Cell], most: int) -> tuple[RowRef, ...]:
    """The rows of the cells, in stored order."""
    rows = sorted({row for one in cells for row in one.rows})
    return tuple(RowRef(segment, number) for segment, number in rows[:most])


def to_bytes(trail: Trail) -> bytes:
    """Versioned bytes; equal states give equal bytes. Segments are named once, and by their place in that list."""
    cells = [trail.cells[key] for key in sorted(trail.cells)]
    segments = sorted({segment for one in cells for segment, _ in one.rows})
    places = {segment: str(place) for place, segment in enumerate(segments)}
    short = [_placed(one, places) for one in cells]
    return msgspec.msgpack.encode((VERSION, trail.totals.astype("<i8").tobytes(), segments, short, trail.overflow))


def from_bytes(data: bytes) -> Trail:
    """The inverse of `to_bytes`. Raises BadInput for damaged bytes or an unknown version."""
    try:
        shape = tuple[int, bytes, list[str], list[Cell], int]
        version, raw, segments, cells, overflow = msgspec.msgpack.decode(data, type=shape)
        if version != VERSION:
            raise ValueError(f"version {version}")
        totals = np.frombuffer(raw, "<i8").astype(np.int64)
        names = {str(place): segment for place, segment in enumerate(segments)}
        kept = {one.key: _placed(one, names) for one in cells}
    except (msgspec.DecodeError, ValueError, KeyError) as error:
        problem = f"these bytes are no trail: {error}"
        raise BadInput.at(Place("window state"), problem, "count the window again") from None
    return Trail(totals, kept, overflow)


def _placed(one: Cell, names: Mapping[str, str]) -> Cell:
    """The cell with its segments named otherwise."""
    return msgspec.structs.replace(one, rows=tuple((names[segment], row) for segment, row in one.rows))


def _bounded(totals: Totals, cells: Mapping[str, Cell], overflow: int) -> Trail:
    if len(cells) <= CELLS_MAX:
        return Trail(totals, dict(cells), overflow)
    keys = sorted(cells)
    dropped = sum(cells[key].count for key in keys[CELLS_MAX:])
    return Trail(totals, {key: cells[key] for key in keys[:CELLS_MAX]}, overflow + dropped)
