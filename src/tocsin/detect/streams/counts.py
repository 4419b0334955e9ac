"""The window state of group detectors: rows and outcomes per group and bucket, and a bounded sample of rows. Integers only.

Merging adds counts and keeps, per group and outcome, the rows with the smallest keyed hash: a sample that does not depend on how
the rows were split. When a column has more than `GROUPS_MAX` values, those whose names hash smallest are kept, which merges
just as exactly; the rows of the others are counted as overflow.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from hashlib import sha256
from typing import NamedTuple

import msgspec
import numpy as np
import pyarrow as pa

from tocsin.detect.streams.buckets import buckets, mixed
from tocsin.detect.streams.contrast import Counts, Tallies
from tocsin.model.errors import BadInput, Place
from tocsin.model.finding import RowRef
from tocsin.model.telemetry import ROW, SEGMENT

VERSION = 1
GROUPS_MAX = 32
SAMPLE = 10
ALL = "all rows"
"""The name of the series of all rows: kept before any other."""

Sample = tuple[tuple[int, str, int], ...]
"""(keyed hash, segment, row) ascending."""


class Group(NamedTuple):
    """One group's counts, int64[2, m], and samples of its rows with a negative and with a positive outcome."""

    counts: Counts
    negative: Sample
    positive: Sample


@dataclass(frozen=True, slots=True)
class GroupCounts:
    """Per group: counts per bucket and samples. `overflow` rows belong to groups that were not kept."""

    buckets: int
    groups: Mapping[str, Group]
    overflow: int = 0
    united: int = 0
    """Rows that carry a unit."""

    def rows(self, group: str) -> int:
        """Rows of the group."""
        return int(self.groups[group].counts[0].sum()) if group in self.groups else 0

    def outcomes(self, group: str) -> int:
        """Positive outcomes of the group."""
        return int(self.groups[group].counts[1].sum()) if group in self.groups else 0

    def counts(self, group: str) -> Counts:
        """int64[2, m] of the group; zeros when it is absent."""
        return self.groups[group].counts if group in self.groups else np.zeros((2, self.buckets), np.int64)

    def refs(self, group: str, *, outcome: bool) -> tuple[RowRef, ...]:
        """The sampled rows of the group with that outcome, in stored order."""
        if group not in self.groups:
            return ()
        sample = self.groups[group].positive if outcome else self.groups[group].negative
        return tuple(RowRef(segment, row) for _, segment, row in sorted(sample, key=lambda item: item[1:]))


def zero(count: int) -> GroupCounts:
    """No rows."""
    return GroupCounts(count, {})


def counted(
    group: pa.Array,
    outcome: pa.Array,
    unit: pa.Array,
    batch: pa.RecordBatch,
    count: int,
    salt: bytes,
    *,
    each: bool = False,
    full: int = 1,
) -> GroupCounts:
    """The counts of these rows; `group` is a dictionary array and `outcome` holds flags or whole amounts, both without nulls.

    `batch` holds the rows' places, in the same order. `each`: a row without a unit is a unit of its own.
    Without it such rows are one unit together. `full` is the largest amount: the rows above its half are the positive ones.
    """
    names = group.dictionary.to_pylist()
    codes = group.indices.to_numpy().astype(np.int64)
    amount = outcome.to_numpy(zero_copy_only=False).astype(np.int64)
    order = mixed(batch.column(SEGMENT), batch.column(ROW), salt)
    bucket = buckets(unit, count, salt)
    if each and unit.null_count:
        nameless = unit.is_null().to_numpy(zero_copy_only=False)
        bucket = np.where(nameless, (order % np.uint64(count)).astype(np.int64), bucket)
    where = codes * count + bucket
    size = len(names) * count
    rows = np.bincount(where, minlength=size).reshape(len(names), count)
    hits = np.bincount(where, weights=amount, minlength=size).reshape(len(names), count)
    positive = amount * 2 > full
    found = {}
    for code in np.unique(codes):
        mine = codes == code
        samples = [_sample(batch, order, mine & chosen) for chosen in (~positive, positive)]
        found[names[code]] = Group(np.stack([rows[code], hits[code]]).astype(np.int64), *samples)
    return _bounded(GroupCounts(count, found, 0, len(unit) - unit.null_count))


def merged(left: GroupCounts, right: GroupCounts) -> GroupCounts:
    """The counts of both sets of rows."""
    groups = dict(left.groups)
    for name, group in right.groups.items():
        mine = groups.get(name)
        groups[name] = group if mine is None else _joined(mine, group)
    return _bounded(GroupCounts(left.buckets, groups, left.overflow + right.overflow, left.united + right.united))


def total(states: Iterable[GroupCounts], count: int) -> GroupCounts:
    """The counts of all the states."""
    return reduce(merged, states, zero(count))


def folded(counts: Tallies) -> tuple[int, int]:
    """(rows, outcomes) over all buckets."""
    return int(counts[0].sum()), int(counts[1].sum())


def design(counts: Tallies) -> float:
    """How much repeated units inflate the variance of the rate: 1 for independent rows."""
    rows, outcomes = (float(part) for part in counts.sum(axis=1))
    rate = outcomes / rows if rows else 0.0
    spread = rows * rate * (1 - rate)
    return float(((counts[1] - rate * counts[0]) ** 2).sum() / spread) if spread else 1.0


def to_bytes(state: GroupCounts) -> bytes:
    """Versioned bytes: msgpack of sorted groups; equal states give equal bytes."""
    groups = [
        (name, group.counts.astype("<i8").tobytes(), group.negative, group.positive)
        for name, group in sorted(state.groups.items())
    ]
    return msgspec.msgpack.encode((VERSION, state.buckets, state.overflow, state.united, groups))


def from_bytes(data: bytes) -> GroupCounts:
    """The inverse of `to_bytes`. Raises BadInput for damaged bytes or an unknown version."""
    shape = tuple[int, int, int, int, list[tuple[str, bytes, Sample, Sample]]]
    try:
        version, count, overflow, united, groups = msgspec.msgpack.decode(data, type=shape)
        if version != VERSION:
            raise ValueError(f"version {version}")
        arrays = {
            name: Group(np.frombuffer(raw, "<i8").astype(np.int64).reshape(2, count), negative, positive)
            for name, raw, negative, positive in groups
        }
    except (msgspec.DecodeError, ValueError) as error:
        raise BadInput.at(
            Place("window state"), f"these bytes are no group counts: {error}", "count the window again"
        ) from None
    return GroupCounts(count, arrays, overflow, united)


def _joined(left: Group, right: Group) -> Group:
    return Group(
        left.counts + right.counts,
        tuple(sorted({*left.negative, *right.negative})[:SAMPLE]),
        tuple(sorted({*left.positive, *right.positive})[:SAMPLE]),
    )


def _sample(batch: pa.RecordBatch, order: np.ndarray[tuple[int], np.dtype[np.uint64]], mask: Counts) -> Sample:
    """The rows of the mask with the smallest hashes."""
    places = np.flatnonzero(mask)
    if len(places) > SAMPLE:
        places = places[np.argpartition(order[places], SAMPLE - 1)[:SAMPLE]]
    segments, rows = batch.column(SEGMENT), batch.column(ROW)
    return tuple(sorted((int(order[i]), segments[int(i)].as_py(), rows[int(i)].as_py()) for i in places))


def _bounded(state: GroupCounts) -> GroupCounts:
    """At most `GROUPS_MAX` groups: those whose names hash smallest."""
    if len(state.groups) <= GROUPS_MAX:
        return state
    kept = sorted(state.groups, key=lambda name: (name != ALL, sha256(name.encode()).digest()))[:GROUPS_MAX]
    dropped = sum(state.rows(name) for name in state.groups if name not in kept)
    return GroupCounts(
        state.buckets, {name: state.groups[name] for name in kept}, state.overflow + dropped, state.united
    )
