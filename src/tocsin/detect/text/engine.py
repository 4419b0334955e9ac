"""Patterns over a column of text: one pass of Hyperscan over the joined rows says where to look, `re` says what is there.

Everything is matched as bytes with ASCII classes, which is what Hyperscan does, so that both engines mean the same by an expression.
Hyperscan only ever chooses stretches, see `looking`; so the plain engine, which reads every row from end to end for every pattern,
finds exactly the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tocsin.detect.text.looking import Looking, most_tries
from tocsin.detect.text.overlaps import Match, resolved
from tocsin.detect.text.patterns import Patterns
from tocsin.detect.text.places import BITS, NUMBER, TooMany

try:
    import hyperscan
except ImportError:  # no wheel for this processor
    hyperscan = None  # type: ignore[assignment]

Engine = Literal["auto", "hyperscan", "plain"]
Integers = np.ndarray[tuple[int], np.dtype[np.int64]]

PART_BYTES = 8 << 20
"""Rows are joined up to this size: beyond, nothing gets faster (measured flat from 2 to 8 MB)."""
FEW_ROWS = 16
"""So many rows are scanned one by one: setting up a column costs more than it saves."""
_CONTINUATION = bytes(range(0x80, 0xC0))


class Hit(NamedTuple):
    """A confirmed match: the row, the pattern's place in the set, character offsets in the row, and how sure it is."""

    row: int
    pattern: int
    start: int
    end: int
    score: float = 1.0


class Scanned(NamedTuple):
    """The hits in order of rows and offsets, and the rows that held more than was looked at."""

    hits: tuple[Hit, ...]
    truncated: tuple[int, ...]


class Row(NamedTuple):
    """A row with something in it: number, bytes, what is found at byte offsets, and whether there was more than was looked at."""

    number: int
    text: bytes
    found: list[Match]
    truncated: bool

    def placed(self) -> Iterator[tuple[Match, tuple[int, int]]]:
        """The matches with offsets that count characters; a byte that continues a character counts nothing."""
        if self.text.isascii():
            for match in self.found:
                yield match, (match.start, match.end)
            return
        at = characters = 0
        for match in self.found:  # in order of starts
            characters += len(self.text[at : match.start].translate(None, _CONTINUATION))
            at = match.start
            length = len(self.text[at : match.end].translate(None, _CONTINUATION))
            yield match, (characters, characters + length)


class _Part(NamedTuple):
    """Consecutive rows joined by line feeds: the first row's number, the bytes, and where each row begins and ends."""

    first: int
    data: bytes
    starts: Integers
    ends: Integers


def scan(texts: pa.Array | Sequence[str | None], patterns: Patterns, engine: Engine = "auto") -> Scanned:
    """What the patterns find in the texts; nulls hold nothing. Text that is not valid Unicode is scanned as the bytes it is.

    Overlaps are resolved: see `patterns.Precedence`. Time and memory are proportional to the bytes.

    Raises:
        AssertionError: Hyperscan is asked for and not there.
    """
    hits, truncated = list[Hit](), list[int]()
    for row in matched(texts, patterns, engine):
        hits += (Hit(row.number, match.pattern, *place, match.score) for match, place in row.placed())
        if row.truncated:
            truncated.append(row.number)
    return Scanned(tuple(hits), tuple(truncated))


def matched(texts: pa.Array | Sequence[str | None], patterns: Patterns, engine: Engine = "auto") -> Iterator[Row]:
    """The rows in which something is found or too much was to be looked at, in order; with byte offsets. See `scan`."""
    use = _there() if engine == "auto" else engine == "hyperscan"
    assert not use or _there(), "there is no Hyperscan here"
    looking = prepared(patterns)
    for number, text, ends in _rows(texts, looking, use):
        found, cut = looking.anchored(text, ends) if ends is not None else looking.everywhere(text)
        if found or cut:
            yield Row(number, text, resolved(found, patterns.items), cut)


def _there() -> bool:
    return hyperscan is not None


def _rows(
    texts: pa.Array | Sequence[str | None], looking: Looking, use: bool
) -> Iterator[tuple[int, bytes, dict[int, list[int]] | None]]:
    """The rows in which there is something to look at: number, bytes, and the ends of anchors by pattern where they are known."""
    if isinstance(texts, pa.Array | pa.ChunkedArray) or len(texts) > FEW_ROWS:
        for part in _parts(column(texts)):
            if use:
                yield from _anchored(part, looking)
            else:
                for row, (start, end) in enumerate(zip(part.starts.tolist(), part.ends.tolist(), strict=True)):
                    yield part.first + row, part.data[start:end], None
        return
    for row, text in enumerate(texts):
        data = _bytes(text)
        if not data:
            continue
        if not use:
            yield row, data, None
        elif places := _places(_few_ends(data, looking)):
            yield row, data, places


def _bytes(text: str | bytes | None) -> bytes:
    """The text as bytes; a lone surrogate, which no UTF-8 holds, becomes one question mark."""
    return text.encode("utf-8", "replace") if isinstance(text, str) else text or b""


def column(texts: pa.Array | Sequence[str | None]) -> pa.Array:
    """The texts as one array of bytes."""
    if not isinstance(texts, pa.Array | pa.ChunkedArray):
        texts = pa.array([_bytes(text) for text in texts], pa.binary())
    if isinstance(texts, pa.ChunkedArray):
        texts = texts.combine_chunks()
    if pa.types.is_dictionary(texts.type):
        texts = texts.dictionary_decode()
    return pc.fill_null(texts.cast(pa.large_binary()), b"")


def _parts(column: pa.Array) -> Iterator[_Part]:
    lengths = pc.binary_length(column).to_numpy(zero_copy_only=False).astype(np.int64)
    ends = np.cumsum(lengths + 1)
    first = 0
    while first < len(column):
        before = int(ends[first - 1]) if first else 0
        last = max(int(np.searchsorted(ends, before + PART_BYTES, side="right")), first + 1)
        rows = column.slice(first, last - first).cast(pa.binary())
        joined = pc.binary_join(pa.ListArray.from_arrays(pa.array([0, len(rows)], pa.int32()), rows), b"\n")
        own = ends[first:last] - before
        yield _Part(first, joined[0].as_py(), own - lengths[first:last] - 1, own - 1)
        first = last


def _anchored(part: _Part, looking: Looking) -> Iterator[tuple[int, bytes, dict[int, list[int]]]]:
    """The rows in which an anchor ends, with the places."""
    try:
        found = looking.places.ends(part.data)
    except TooMany:
        yield from _one_by_one(part, looking)
        return
    if not found:
        return
    code = np.array(found, np.int64)
    rows = np.minimum(np.searchsorted(part.ends, code >> BITS, side="left"), len(part.ends) - 1)
    cuts = np.concatenate(([0], np.flatnonzero(np.diff(rows)) + 1, [len(rows)]))
    own = rows[cuts[:-1]]
    starts, ends = part.starts[own], part.ends[own]
    local = (code - (part.starts[rows] << BITS)).tolist()
    bounds = cuts.tolist()
    for row, start, end, low, high in zip(
        own.tolist(), starts.tolist(), ends.tolist(), bounds, bounds[1:], strict=False
    ):
        yield part.first + row, part.data[start:end], _places(local[low:high])


def _one_by_one(part: _Part, looking: Looking) -> Iterator[tuple[int, bytes, dict[int, list[int]]]]:
    """The same where some row has very many anchors."""
    for row, (start, end) in enumerate(zip(part.starts.tolist(), part.ends.tolist(), strict=True)):
        text = part.data[start:end]
        if places := _places(_few_ends(text, looking)):
            yield part.first + row, text, places


def _few_ends(text: bytes, looking: Looking) -> list[int]:
    """Where anchors end in one row: all places, or as many as it takes to see that an anchor has too many."""
    try:
        return looking.places.ends(text)
    except TooMany:
        return looking.places.first_ends(text, most_tries(len(text)))


def _places(codes: list[int]) -> dict[int, list[int]]:
    """The ends, which ascend, by pattern."""
    places: dict[int, list[int]] = {}
    for code in codes:
        places.setdefault(code & NUMBER, []).append(code >> BITS)
    return places


_PREPARED: WeakKeyDictionary[Patterns, Looking] = WeakKeyDictionary()


def prepared(patterns: Patterns) -> Looking:
    """The patterns made ready, once as long as they live."""
    ready = _PREPARED.get(patterns)
    if ready is None:
        ready = _PREPARED[patterns] = Looking(patterns)
    return ready
