"""The window state of silence: which sixty-fourths of a window have a row, and the first and the last instant. Exact whatever the order."""

from __future__ import annotations

from typing import NamedTuple

import msgspec
import numpy as np
import pyarrow as pa

from tocsin.model.errors import BadInput, Place

VERSION = 1
SLOTS = 64
"""Slots a window is cut into: silence is measured to one of them."""
_ALL = (1 << SLOTS) - 1


class Heard(NamedTuple):
    """A bit for every slot with a row (the lowest is the first slot), rows, and the first and last microsecond."""

    slots: int = 0
    rows: int = 0
    first: int = 0
    last: int = 0


def counted(batch: pa.RecordBatch, every: int) -> Heard:
    """The state of rows with a `time`, in windows of so many microseconds; 0: windows of rows, which have no slots."""
    times = batch.column("time").drop_null().cast(pa.int64()).to_numpy(zero_copy_only=False)
    if not len(times):
        return Heard()
    places = np.unique((times % every) * SLOTS // every) if every else np.zeros(0, np.int64)
    return Heard(sum(1 << place for place in places.tolist()), len(times), int(times.min()), int(times.max()))


def merged(left: Heard, right: Heard) -> Heard:
    """The state of both sets of rows."""
    if not (left.rows and right.rows):
        return left if left.rows else right
    rows = left.rows + right.rows
    return Heard(left.slots | right.slots, rows, min(left.first, right.first), max(left.last, right.last))


def longest_silence(heard: Heard) -> int:
    """The longest run of slots without a row that has a row on both sides."""
    runs = f"{heard.slots & _ALL:b}".strip("0").split("1")
    return max(map(len, runs), default=0)


def to_bytes(state: Heard) -> bytes:
    """Versioned bytes; equal states give equal bytes."""
    return msgspec.msgpack.encode((VERSION, *state))


def from_bytes(data: bytes) -> Heard:
    """The inverse of `to_bytes`. Raises BadInput for damaged bytes or an unknown version."""
    try:
        version, *state = msgspec.msgpack.decode(data, type=tuple[int, int, int, int, int])
        if version != VERSION:
            raise ValueError(f"version {version}")
    except (msgspec.DecodeError, ValueError) as error:
        raise BadInput.at(
            Place("window state"), f"these bytes are no silence: {error}", "count the window again"
        ) from None
    return Heard(*state)
