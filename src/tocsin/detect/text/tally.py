"""The window state of text detectors: messages and flagged messages per bucket of sessions, and a bounded tally of what was found.

Everything merges exactly. The tally keeps the entries whose keyed digest is smallest: a digest among the smallest of all is among the
smallest of every part, so nothing that is kept was ever dropped on the way, and its counts are true.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TypeVar

import msgspec
import numpy as np

from tocsin.detect.streams.contrast import Counts
from tocsin.model.errors import BadInput, Place
from tocsin.model.finding import RowRef

VERSION = 3
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


class Marked(msgspec.Struct, frozen=True, array_like=True):
    """Messages of one bucket that hold just these values: the marks of the values, ascending, and how many messages."""

    bucket: int
    marks: tuple[str, ...]
    count: int


Kept = TypeVar("Kept", Entry, Marked)


@dataclass(frozen=True, slots=True)
class Tally:
    """`counts` is int64[2, m] (messages, flagged messages); `entries` by keyed digest; `typed` what users wrote themselves."""

    counts: Counts
    entries: Mapping[str, Entry]
    typed: frozenset[str]
    """Keyed digests of (session, value) that stood in a user's own message."""
    marked: Mapping[str, Marked] = field(default_factory=dict)
    """Flagged messages by what they hold, where it matters whether users typed it; by keyed digest."""
    overflow: int = 0
    """Occurrences of entries that were not kept."""
    truncated: int = 0
    """Messages of which not everything was scanned."""


def zero(buckets: int) -> Tally:
    """No messages."""
    return Tally(np.zeros((2, buckets), np.int64), {}, frozenset())


def merged(left: Tally, right: Tally) -> Tally:
    """Both sets of messages."""
    entries, dropped = _smallest(_united(left.entries, right.entries, joined))
    marked, _ = _smallest(_united(left.marked, right.marked, _added))
    typed = frozenset(sorted(left.typed | right.typed)[:TYPED_MAX])
    overflow, truncated = left.overflow + right.overflow + dropped, left.truncated + right.truncated
    return Tally(left.counts + right.counts, entries, typed, marked, overflow, truncated)


def judged(tally: Tally) -> Counts:
    """The counts without messages that hold nothing but what users typed themselves in the same session.

    Messages whose marks were not kept count as unflagged: that costs power, never a false alarm.
    """
    if not tally.marked:
        return tally.counts
    flagged = np.zeros_like(tally.counts[1])
    for message in tally.marked.values():
        if not tally.typed.issuperset(message.marks):
            flagged[message.bucket] += message.count
    return np.stack([tally.counts[0], flagged])


def bounded(tally: Tally) -> Tally:
    """The tally with no more than the permitted entries."""
    return merged(tally, zero(tally.counts.shape[1]))


def digest(salt: bytes, *parts: str) -> str:
    """The keyed digest of the parts: the same thing gives the same digest in this workspace and tells nothing outside it."""
    return blake2b("\x1f".join(parts).encode(), digest_size=8, key=salt[:64]).hexdigest()


def normal(value: str) -> str:
    """The value without case and separators, so that one card written in two ways is one."""
    return "".join(character for character in value.casefold() if character.isalnum() or character in "@.")


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
        sorted(tally.marked.items()),
        tally.overflow,
        tally.truncated,
    )
    return msgspec.msgpack.encode(body)


def from_bytes(data: bytes) -> Tally:
    """The inverse of `to_bytes`. Raises BadInput for damaged bytes or an unknown version."""
    shape = tuple[int, int, bytes, list[tuple[str, Entry]], list[str], list[tuple[str, Marked]], int, int]
    try:
        version, buckets, raw, entries, typed, marked, overflow, truncated = msgspec.msgpack.decode(data, type=shape)
        if version != VERSION:
            raise ValueError(f"version {version}")
        counts = np.frombuffer(raw, "<i8").astype(np.int64).reshape(2, buckets)
    except (msgspec.DecodeError, ValueError) as error:
        raise BadInput.at(
            Place("window state"), f"these bytes are no tally: {error}", "count the window again"
        ) from None
    return Tally(counts, dict(entries), frozenset(typed), dict(marked), overflow, truncated)


def joined(left: Entry, right: Entry) -> Entry:
    """The same thing, seen in both."""
    rows = tuple(sorted({*left.rows, *right.rows})[:REFS_MAX])
    shown = min(left.shown, right.shown)
    return msgspec.structs.replace(left, shown=shown, count=left.count + right.count, rows=rows)


def _added(left: Marked, right: Marked) -> Marked:
    return msgspec.structs.replace(left, count=left.count + right.count)


def _united(left: Mapping[str, Kept], right: Mapping[str, Kept], join: Callable[[Kept, Kept], Kept]) -> dict[str, Kept]:
    both = dict(left)
    for key, one in right.items():
        both[key] = join(both[key], one) if key in both else one
    return both


def _smallest(entries: Mapping[str, Kept]) -> tuple[dict[str, Kept], int]:
    """Those with the smallest digests, and the number of occurrences of the others."""
    if len(entries) <= ENTRIES_MAX:
        return dict(entries), 0
    keys = sorted(entries)
    return {key: entries[key] for key in keys[:ENTRIES_MAX]}, sum(entries[key].count for key in keys[ENTRIES_MAX:])
