"""Patterns over a column of text: one pass of Hyperscan over the joined rows says where to look, `re` says what is there.

Everything is matched as bytes with ASCII classes, which is what Hyperscan does, so that both engines mean the same by an expression.
Hyperscan only ever chooses stretches: every match of an expression holds the end of a match of its anchor, and a stretch reaches
from there by the longest match to both sides. Stretches that touch are one. So the plain engine, which reads every row from end to
end, finds exactly the same, and a row costs time in proportion to its length, however hostile it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from operator import attrgetter
from typing import Any, Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tocsin.detect.text.overlaps import resolved
from tocsin.detect.text.patterns import Pattern, Patterns
from tocsin.detect.text.validators import VALIDATORS

try:
    import hyperscan
except ImportError:  # no wheel for this processor
    hyperscan = None  # type: ignore[assignment]

Engine = Literal["auto", "hyperscan", "plain"]
Integers = np.ndarray[tuple[int], np.dtype[np.int64]]

PART_BYTES = 8 << 20
"""Rows are joined up to this size: beyond, nothing gets faster (measured flat from 2 to 8 MB)."""
BEYOND = 4
"""What an expression may look at behind its match."""
CONTEXT_BYTES = 80
LOOK_BACK = 40
"""After a long match that was not confirmed the search goes on this much before its end: numbers may stand side by side."""
HITS_PER_ROW_MIN, BYTES_PER_HIT = 256, 256
"""Matches kept of one pattern in one row: so many, and one more for each so many bytes. The row is told as truncated."""


class Hit(NamedTuple):
    """A confirmed match: the row, the pattern's place in the set, and character offsets in the row."""

    row: int
    pattern: int
    start: int
    end: int


class Scanned(NamedTuple):
    """The hits in order of rows and offsets, and the rows that held more than was kept."""

    hits: tuple[Hit, ...]
    truncated: tuple[int, ...]


class _Part(NamedTuple):
    """Consecutive rows joined by line feeds: the first row's number, the bytes, and where each row begins and ends."""

    first: int
    data: bytes
    starts: Integers
    ends: Integers


class _Stretch(NamedTuple):
    """Where a pattern is looked for: row of the part, pattern, and offsets in the row."""

    row: int
    pattern: int
    start: int
    end: int


def scan(texts: pa.Array | Sequence[str | None], patterns: Patterns, engine: Engine = "auto") -> Scanned:
    """What the patterns find in the texts; nulls hold nothing. Text that is not valid Unicode is scanned as the bytes it is.

    Overlaps are resolved: see `patterns.Precedence`. Time and memory are proportional to the bytes.

    Raises:
        AssertionError: Hyperscan is asked for and not there.
    """
    use = hyperscan is not None if engine == "auto" else engine == "hyperscan"
    hits: list[Hit] = []
    truncated: list[int] = []
    for part in _parts(_column(texts)):
        stretches = _anchored(part, patterns) if use else _everywhere(part, patterns)
        for row, wanted in groupby(stretches, key=attrgetter("row")):
            found, cut = _look(part.data[part.starts[row] : part.ends[row]], part.first + row, wanted, patterns)
            hits += found
            if cut:
                truncated.append(part.first + row)
    return Scanned(tuple(hits), tuple(truncated))


def _column(texts: pa.Array | Sequence[str | None]) -> pa.Array:
    """The texts as one array of bytes; a lone surrogate, which no UTF-8 holds, becomes one question mark."""
    if not isinstance(texts, pa.Array | pa.ChunkedArray):
        texts = pa.array([None if text is None else text.encode("utf-8", "replace") for text in texts], pa.binary())
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


def _everywhere(part: _Part, patterns: Patterns) -> Iterator[_Stretch]:
    for row, length in enumerate((part.ends - part.starts).tolist()):
        for pattern in range(len(patterns.items) if length else 0):
            yield _Stretch(row, pattern, 0, length)


def _anchored(part: _Part, patterns: Patterns) -> Iterator[_Stretch]:
    """The stretches around the places where an anchor ends, in order of rows."""
    found: list[tuple[int, int]] = []

    def on_match(pattern: int, start: int, end: int, flags: int, context: Any) -> None:  # noqa: ARG001 - Hyperscan's signature
        found.append((pattern, end))

    if patterns.items:
        _database(patterns).scan(part.data, match_event_handler=on_match)
    if not found:
        return iter(())
    pattern, end = np.array(found, np.int64).T
    row = np.minimum(np.searchsorted(part.ends, end, side="left"), len(part.ends) - 1)
    reach = np.array([p.reach for p in patterns.items], np.int64)[pattern]
    low = np.maximum(end - reach, part.starts[row]) - part.starts[row]
    high = np.minimum(end + reach + BEYOND, part.ends[row]) - part.starts[row]
    order = np.lexsort((low, pattern, row))
    return _merged(row[order], pattern[order], low[order], high[order])


def _merged(row: Integers, pattern: Integers, low: Integers, high: Integers) -> Iterator[_Stretch]:
    """Sorted stretches with those that touch put together."""
    apart = (np.diff(row) != 0) | (np.diff(pattern) != 0) | (low[1:] > high[:-1])
    first = np.concatenate(([0], np.flatnonzero(apart) + 1))
    last = np.concatenate((first[1:], [len(row)])) - 1
    columns = (row[first], pattern[first], low[first], high[last])
    return map(_Stretch, *(column.tolist() for column in columns))


@lru_cache(maxsize=16)
def _compiled(expressions: tuple[tuple[str, bool], ...]) -> Any:
    assert hyperscan is not None
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    flags = [hyperscan.HS_FLAG_CASELESS if ignore else 0 for _, ignore in expressions]
    texts = [expression.encode() for expression, _ in expressions]
    database.compile(expressions=texts, ids=list(range(len(texts))), flags=flags)
    return database


def _database(patterns: Patterns) -> Any:
    return _compiled(tuple((p.anchor or p.expression, p.ignore_case) for p in patterns.items))


def _look(text: bytes, row: int, stretches: Iterator[_Stretch], patterns: Patterns) -> tuple[list[Hit], bool]:
    """The confirmed and resolved matches in one row, and whether there were more than are kept."""
    most = HITS_PER_ROW_MIN + len(text) // BYTES_PER_HIT
    kept: dict[int, list[tuple[int, int]]] = {}
    cut = False
    for stretch in stretches:
        mine = kept.setdefault(stretch.pattern, [])
        for span in _confirmed(text, patterns.items[stretch.pattern], stretch.start, stretch.end):
            if len(mine) == most:
                cut = True
                break
            mine.append(span)
    found = resolved([(patterns.items[p], p, start, end) for p, spans in kept.items() for start, end in spans])
    if not found or text.isascii():
        return [Hit(row, *match) for match in found], cut
    place = np.concatenate(([0], np.cumsum((np.frombuffer(text, np.uint8) & 0xC0) != 0x80)))
    return [Hit(row, pattern, int(place[start]), int(place[end])) for pattern, start, end in found], cut


def _confirmed(text: bytes, pattern: Pattern, low: int, high: int) -> Iterator[tuple[int, int]]:
    search, validate = pattern.compiled.search, VALIDATORS[pattern.validator]
    while match := search(text, low, high):
        start, end = match.span()
        spans = validate(match.group().decode("latin-1"))
        for first, last in spans:
            if _in_context(text, start + first, pattern):
                yield start + first, start + last
        unconfirmed = end - LOOK_BACK if end - start > 2 * LOOK_BACK else end
        low = start + spans[-1][1] if spans else unconfirmed


def _in_context(text: bytes, start: int, pattern: Pattern) -> bool:
    needed = pattern.compiled_context
    return needed is None or needed.search(text, max(0, start - CONTEXT_BYTES), start) is not None
