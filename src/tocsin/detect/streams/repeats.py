"""The window state of repeated rows: of the contents that hash smallest, how often each occurred, and where it was first.

A content is kept or not by its hash alone, and what was dropped never comes back, because the bound only falls: counts of those kept are
exact, and any split of the rows gives the same bytes. (Bottom-k sketch: Cohen & Kaplan, PODC 2007.)
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tocsin.detect.streams.buckets import Hashes
from tocsin.detect.streams.counts import ALL, SAMPLE, Group, GroupCounts
from tocsin.model.errors import BadInput, Place
from tocsin.model.telemetry import ROW, SEGMENT

VERSION = 1
KEPT = 2_048


class Content(NamedTuple):
    """What a row holds, by hash: how many rows, and the first of them in stored order."""

    key: int
    times: int
    segment: str
    row: int


Repeats = tuple[Content, ...]
"""At most `KEPT`, by key."""


def counted(contents: Hashes, batch: pa.RecordBatch) -> Repeats:
    """The state of these rows, whose contents are hashed."""
    if not batch.num_rows:
        return ()
    segments, rows = batch.column(SEGMENT).cast(pa.string()), batch.column(ROW).to_numpy(zero_copy_only=False)
    order = np.lexsort((rows, pc.rank(segments, tiebreaker="dense").to_numpy()))
    keys, first, counts = np.unique(contents[order], return_index=True, return_counts=True)
    places = order[first[:KEPT]].tolist()
    return tuple(
        Content(int(key), int(count), segments[place].as_py(), int(rows[place]))
        for key, count, place in zip(keys[:KEPT], counts[:KEPT], places, strict=True)
    )


def merged(left: Repeats, right: Repeats) -> Repeats:
    """The state of both sets of rows."""
    found = {content.key: content for content in left}
    for content in right:
        mine = found.get(content.key)
        found[content.key] = content if mine is None else _joined(mine, content)
    return tuple(found[key] for key in sorted(found)[:KEPT])


def counts(state: Repeats, buckets: int) -> GroupCounts:
    """Rows, and among them those that repeat another, by bucket: contents are independent units. Their sample is of the first rows."""
    table = np.zeros((2, buckets), np.int64)
    for content in state:
        table[:, content.key % buckets] += (content.times, content.times - 1)
    twice = [content for content in state if content.times > 1][:SAMPLE]
    sample = tuple((content.key, content.segment, content.row) for content in twice)
    groups = {ALL: Group(table, (), sample)} if state else {}
    return GroupCounts(buckets, groups, 0, int(table[0].sum()))


def to_bytes(state: Repeats) -> bytes:
    """Versioned bytes; equal states give equal bytes."""
    return msgspec.msgpack.encode((VERSION, state))


def from_bytes(data: bytes) -> Repeats:
    """The inverse of `to_bytes`. Raises BadInput for damaged bytes or an unknown version."""
    try:
        version, state = msgspec.msgpack.decode(data, type=tuple[int, Repeats])
        if version != VERSION:
            raise ValueError(f"version {version}")
    except (msgspec.DecodeError, ValueError) as error:
        raise BadInput.at(
            Place("window state"), f"these bytes are no repeats: {error}", "count the window again"
        ) from None
    return state


def _joined(left: Content, right: Content) -> Content:
    first = min(left[2:], right[2:])
    return Content(left.key, left.times + right.times, *first)
