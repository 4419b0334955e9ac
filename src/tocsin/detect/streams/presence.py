"""The window state of trigger tokens: which tokens stand in rows with which outcome, by hashed cells and buckets of units.

Tokens are hashed to `CELLS` cells, so the state is bounded and nothing is ever dropped: two tokens of a cell dilute each other, and the
samples of rows (smallest keyed hashes) say which one it is. Counts are whole numbers and add up exactly.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tocsin.detect.streams.buckets import buckets, mixed
from tocsin.detect.streams.contrast import Counts
from tocsin.detect.streams.measure import flag, texts
from tocsin.model.errors import BadInput, Place
from tocsin.model.finding import RowRef
from tocsin.model.telemetry import FEATURE, ROW, SEGMENT

VERSION = 1
CELLS = 512
BUCKETS = 32
SAMPLE = 3
WORDS_MAX = 64
"""Words taken of one text."""
SHOWN_MAX = 60
"""Characters of a token that are kept."""
_WORD = re.compile(r"\w+")


class Shown(NamedTuple):
    """A row that shows a token: its keyed hash, the token, and where it stands."""

    order: int
    token: str
    segment: str
    row: int


Hashes = np.ndarray[tuple[int], np.dtype[np.uint64]]
Samples = Mapping[int, tuple[Shown, ...]]
"""By twice the cell, plus one for the positive outcome."""


@dataclass(frozen=True, slots=True)
class Presence:
    """`counts` is int64[2, CELLS, BUCKETS]: rows with a token of the cell, and those with the outcome; `rows`, `outcomes` of all."""

    counts: Counts
    samples: Samples
    rows: int = 0
    outcomes: int = 0

    def cell(self, cell: int) -> Counts:
        """int64[2, BUCKETS] of the cell."""
        return np.asarray(self.counts[:, cell])

    def token(self, cell: int, *, outcome: bool) -> str:
        """The token that most of the sampled rows of that outcome show."""
        shown = Counter(place.token for place in self.samples.get(2 * cell + outcome, ()))
        return max(sorted(shown), key=lambda token: shown[token], default="")

    def refs(self, cell: int, *, outcome: bool) -> tuple[RowRef, ...]:
        """The sampled rows of the cell with that outcome, in stored order."""
        places = sorted(self.samples.get(2 * cell + outcome, ()), key=lambda place: (place.segment, place.row))
        return tuple(RowRef(place.segment, place.row) for place in places)


def zero() -> Presence:
    """No rows."""
    return Presence(np.zeros((2, CELLS, BUCKETS), np.int64), {})


def observed(batch: pa.RecordBatch, columns: Sequence[str], outcome: str, salt: bytes, *, words: bool) -> Presence:
    """The tokens of the rows whose outcome is known: the values of the columns, or the words in them."""
    known, positive = flag(batch, outcome)
    places = np.flatnonzero(known)
    if not len(places):
        return zero()
    rows, positive = batch.take(pa.array(places)), positive[places]
    parts = [_tokens(rows, column, words=words) for column in columns]
    names = [name for part in parts for name in part.names]
    offsets = np.cumsum([0, *(len(part.names) for part in parts)])
    row = np.concatenate([part.row for part in parts])
    token = np.concatenate([part.token + start for part, start in zip(parts, offsets[:-1], strict=True)])
    table = np.fromiter((_cell(name, salt) for name in names), np.int64, len(names))
    cell = table[token] if len(table) else token
    _, first = np.unique(row * CELLS + cell, return_index=True)  # a token that repeats itself in a row is one
    row, token, cell = row[first], token[first], cell[first]
    order = mixed(rows.column(SEGMENT), rows.column(ROW), salt)
    where = cell * BUCKETS + _buckets(rows, order, salt)[row]
    counts = [np.bincount(where[chosen], minlength=CELLS * BUCKETS) for chosen in (slice(None), positive[row])]
    group = 2 * cell + positive[row]
    shape = (2, CELLS, BUCKETS)
    shown = _sampled(rows, group, [name[:SHOWN_MAX] for name in names], token, row, order)
    return Presence(np.stack(counts).reshape(shape).astype(np.int64), shown, len(places), int(positive.sum()))


def merged(left: Presence, right: Presence) -> Presence:
    """Both sets of rows."""
    samples = dict(left.samples)
    for group, places in right.samples.items():
        samples[group] = tuple(sorted({*samples.get(group, ()), *places})[:SAMPLE])
    rows, outcomes = left.rows + right.rows, left.outcomes + right.outcomes
    return Presence(left.counts + right.counts, samples, rows, outcomes)


def to_bytes(state: Presence) -> bytes:
    """Versioned bytes; equal states give equal bytes. Segments are named once."""
    segments = sorted({place.segment for places in state.samples.values() for place in places})
    number = {segment: at for at, segment in enumerate(segments)}
    samples = [
        (group, [(p.order, p.token, number[p.segment], p.row) for p in places])
        for group, places in sorted(state.samples.items())
    ]
    raw = state.counts.astype("<i8").tobytes() if state.rows else b""
    return msgspec.msgpack.encode((VERSION, state.rows, state.outcomes, raw, segments, samples))


def from_bytes(data: bytes) -> Presence:
    """The inverse of `to_bytes`. Raises BadInput for damaged bytes or an unknown version."""
    shape = tuple[int, int, int, bytes, list[str], list[tuple[int, list[tuple[int, str, int, int]]]]]
    try:
        version, rows, outcomes, raw, segments, samples = msgspec.msgpack.decode(data, type=shape)
        if version != VERSION:
            raise ValueError(f"version {version}")
        counts = np.frombuffer(raw, "<i8").astype(np.int64).reshape(2, CELLS, BUCKETS) if rows else zero().counts
        read = {group: tuple(Shown(o, t, segments[s], r) for o, t, s, r in places) for group, places in samples}
    except (msgspec.DecodeError, ValueError, IndexError) as error:
        problem = f"these bytes are no tokens: {error}"
        raise BadInput.at(Place("window state"), problem, "count the window again") from None
    return Presence(counts, read, rows, outcomes)


class _Tokens(NamedTuple):
    """The names of a column's tokens, and which token stands in which row."""

    names: list[str]
    row: Counts
    token: Counts


def _tokens(rows: pa.RecordBatch, column: str, *, words: bool) -> _Tokens:
    values = texts(rows, column)
    code = pc.fill_null(values.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    said = [[] if value is None else _said(value, words=words) for value in values.dictionary.to_pylist()]
    names = sorted({word for one in said for word in one})
    number = {name: at for at, name in enumerate(names)}
    lengths = np.array([*(len(one) for one in said), 0], np.int64)
    flat = np.array([number[word] for one in said for word in one], np.int64)
    starts = np.cumsum([0, *lengths[:-1]])
    row = np.repeat(np.arange(len(code)), lengths[code])
    within = np.arange(len(row)) - np.repeat(np.cumsum(lengths[code]) - lengths[code], lengths[code])
    label = column.removeprefix(FEATURE)
    return _Tokens([f"{label}={name}" for name in names], row, flat[starts[code[row]] + within] if len(row) else row)


def _said(value: str, *, words: bool) -> list[str]:
    return _WORD.findall(value.casefold())[:WORDS_MAX] if words else [value]


def _cell(token: str, salt: bytes) -> int:
    return int.from_bytes(blake2b(token.encode(), digest_size=8, key=salt[:64]).digest(), "little") % CELLS


def _buckets(rows: pa.RecordBatch, order: Hashes, salt: bytes) -> Counts:
    """The bucket of each row's unit; a row without one is a unit of its own."""
    unit = rows.column("unit").cast(pa.string())
    nameless = unit.is_null().to_numpy(zero_copy_only=False)
    return np.where(nameless, (order % np.uint64(BUCKETS)).astype(np.int64), buckets(unit, BUCKETS, salt))


def _sampled(
    rows: pa.RecordBatch, group: Counts, names: list[str], token: Counts, row: Counts, order: Hashes
) -> Samples:
    """For every cell and outcome the rows with the smallest hashes."""
    sorted_ = np.lexsort((order[row], group))
    found, starts = np.unique(group[sorted_], return_index=True)
    ends = [*starts[1:], len(sorted_)][: len(found)]
    segments, numbers = rows.column(SEGMENT), rows.column(ROW)

    def place(at: int) -> Shown:
        here = int(row[at])
        return Shown(int(order[here]), names[token[at]], segments[here].as_py(), numbers[here].as_py())

    return {
        int(one): tuple(sorted(place(at) for at in sorted_[start : min(end, start + SAMPLE)]))
        for one, start, end in zip(found, starts, ends, strict=True)
    }
