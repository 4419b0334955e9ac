"""The window state of text detectors: messages and flagged messages per bucket of sessions, and a bounded tally of what was found.

Everything merges exactly. The tally keeps the entries whose keyed digest is smallest: a digest among the smallest of all is among the
smallest of every part, so nothing that is kept was ever dropped on the way, and its counts are true.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b

import msgspec
import numpy as np

from tocsin.detect.streams.contrast import Counts
from tocsin.model.errors import BadInput, Place
from tocsin.model.finding import RowRef

VERSION = 2
ENTRIES_MAX = 1_024
TYPED_MAX = 4_096
REFS_MAX = 5
Ref = tuple[str, int]


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """One found thing in one session: pattern, role, value digest, how often, and the first rows (by segment and number)."""

    pattern: str
    role: str
    value: str
    mark: str
    """The keyed digest of session and value: what `Tally.typed` is compared with."""
    shown: str
    """The masked form."""
    count: int
    rows: tuple[Ref, ...]


@dataclass(frozen=True, slots=True)
class Tally:
    """`counts` is int64[2, m] (messages, flagged messages); `entries` by keyed digest; `typed` what users wrote themselves."""

    counts: Counts
    entries: Mapping[str, Entry]
    typed: frozenset[str]
    """Keyed digests of (session, value) that stood in a user's own message."""
    overflow: int = 0
    """Occurrences of entries that were not kept."""
    truncated: int = 0
    """Messages of which not everything was scanned."""


def zero(buckets: int) -> Tally:
    """No messages."""
    return Tally(np.zeros((2, buckets), np.int64), {}, frozenset())


def merged(left: Tally, right: Tally) -> Tally:
    """Both sets of messages."""
    entries = dict(left.entries)
    for key, entry in right.entries.items():
        mine = entries.get(key)
        entries[key] = entry if mine is None else joined(mine, entry)
    kept, dropped = _smallest(entries)
    typed = frozenset(sorted(left.typed | right.typed)[:TYPED_MAX])
    overflow = left.overflow + right.overflow + dropped
    return Tally(left.counts + right.counts, kept, typed, overflow, left.truncated + right.truncated)


def bounded(tally: Tally) -> Tally:
    """The tally with no more than the permitted entries."""
    return merged(tally, zero(tally.counts.shape[1]))


def digest(salt: bytes, *parts: str) -> str:
    """The keyed digest of the parts: the same thing gives the same digest in this workspace and tells nothing outside it."""
    return blake2b("\x1f".join(parts).encode(), digest_size=8, key=salt[:64]).hexdigest()


def refs(entries: list[Entry], most: int) -> tuple[RowRef, ...]:
    """The rows of the entries, in stored order."""
    rows = sorted({row for entry in entries for row in entry.rows})
    return tuple(RowRef(segment, number) for segment, number in rows[:most])


def to_bytes(tally: Tally) -> bytes:
    """Versioned bytes; equal states give equal bytes."""
    body = (
        VERSION,
        tally.counts.shape[1],
        tally.counts.astype("<i8").tobytes(),
        sorted(tally.entries.items()),
        sorted(tally.typed),
        tally.overflow,
        tally.truncated,
    )
    return msgspec.msgpack.encode(body)


def from_bytes(data: bytes) -> Tally:
    """The inverse of `to_bytes`. Raises BadInput for damaged bytes or an unknown version."""
    shape = tuple[int, int, bytes, list[tuple[str, Entry]], list[str], int, int]
    try:
        version, buckets, raw, entries, typed, overflow, truncated = msgspec.msgpack.decode(data, type=shape)
        if version != VERSION:
            raise ValueError(f"version {version}")
        counts = np.frombuffer(raw, "<i8").astype(np.int64).reshape(2, buckets)
    except (msgspec.DecodeError, ValueError) as error:
        raise BadInput.at(
            Place("window state"), f"these bytes are no tally: {error}", "count the window again"
        ) from None
    return Tally(counts, dict(entries), frozenset(typed), overflow, truncated)


def joined(left: Entry, right: Entry) -> Entry:
    """The same thing, seen in both."""
    rows = tuple(sorted({*left.rows, *right.rows})[:REFS_MAX])
    shown = min(left.shown, right.shown)
    return msgspec.structs.replace(left, shown=shown, count=left.count + right.count, rows=rows)


def _smallest(entries: Mapping[str, Entry]) -> tuple[dict[str, Entry], int]:
    if len(entries) <= ENTRIES_MAX:
        return dict(entries), 0
    keys = sorted(entries)
    return {key: entries[key] for key in keys[:ENTRIES_MAX]}, sum(entries[key].count for key in keys[ENTRIES_MAX:])
