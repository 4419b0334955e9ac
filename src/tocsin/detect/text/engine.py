"""Patterns over a column of text. One pass of Hyperscan over the joined rows says which rows deserve a look; `re` says what is there.

Hyperscan only ever chooses rows: what counts as a match is decided by the same expression and validator in both engines, so the
plain engine, which looks at every row, finds exactly the same. Cost without a hit is that of joining and scanning the bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tocsin.detect.text.patterns import RANK, Pattern, Patterns
from tocsin.detect.text.validators import VALIDATORS

try:
    import hyperscan
except ImportError:  # no wheel for this processor
    hyperscan = None  # type: ignore[assignment]

Engine = Literal["auto", "hyperscan", "plain"]
CONTEXT_CHARACTERS = 60
ROW_CHARACTERS_MAX = 1 << 20
"""What is scanned of one row; a longer one is scanned up to here and reported as truncated."""
HITS_PER_ROW_MAX = 256
"""Matches kept of one pattern in one row; more are counted as truncated, never dropped in silence."""


class Hit(NamedTuple):
    """A confirmed match: the row, the pattern's place in the set, and character offsets in the row."""

    row: int
    pattern: int
    start: int
    end: int


class Scanned(NamedTuple):
    """The hits in order of rows and offsets, and the rows of which not everything was looked at or kept."""

    hits: tuple[Hit, ...]
    truncated: tuple[int, ...]


def scan(texts: pa.Array | Sequence[str | None], patterns: Patterns, engine: Engine = "auto") -> Scanned:
    """What the patterns find in the texts; nulls hold nothing. Overlaps are resolved: see `patterns.Precedence`.

    Raises:
        AssertionError: Hyperscan is asked for and not there.
    """
    array = texts if isinstance(texts, pa.Array) else pa.array(list(texts), pa.string())
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    array = array.cast(pa.string())
    use = hyperscan is not None if engine == "auto" else engine == "hyperscan"
    wanted = _by_hyperscan(array, patterns) if use else _everywhere(array, patterns)
    hits: list[Hit] = []
    truncated: set[int] = set()
    for row, places in wanted:
        text = array[row].as_py()
        if len(text) > ROW_CHARACTERS_MAX:
            truncated.add(row)
            text = text[:ROW_CHARACTERS_MAX]
        found, cut = _look(text, row, places, patterns)
        hits += found
        if cut:
            truncated.add(row)
    return Scanned(tuple(hits), tuple(sorted(truncated)))


def _everywhere(array: pa.Array, patterns: Patterns) -> Iterator[tuple[int, Sequence[int]]]:
    every = range(len(patterns.items))
    return ((row, every) for row in range(len(array)) if array[row].is_valid)


def _by_hyperscan(array: pa.Array, patterns: Patterns) -> Iterator[tuple[int, Sequence[int]]]:
    """The rows in which an anchor ends, with the patterns concerned."""
    lengths = pc.fill_null(pc.binary_length(array), 0).to_numpy()
    joined = pc.binary_join(pa.ListArray.from_arrays([0, len(array)], pc.fill_null(array, "")), "\n")[0].as_buffer()
    ends = np.cumsum(lengths + 1)
    seen: set[tuple[int, int]] = set()
    found: list[tuple[int, int]] = []

    def on_match(pattern: int, start: int, end: int, flags: int, context: Any) -> None:  # noqa: ARG001 - Hyperscan's signature
        found.append((pattern, end))

    database = _database(patterns)
    database.scan(joined, match_event_handler=on_match)
    if found:
        pairs = np.array(found, np.int64)
        rows = np.searchsorted(ends, pairs[:, 1] - 1, side="right")
        seen = set(zip(rows.tolist(), pairs[:, 0].tolist(), strict=True))
    by_row: dict[int, list[int]] = {}
    for row, pattern in sorted(seen):
        by_row.setdefault(row, []).append(pattern)
    return iter(by_row.items())


@lru_cache(maxsize=16)
def _compiled(digest: str, expressions: tuple[tuple[str, bool], ...]) -> Any:  # noqa: ARG001 - the digest is the cache's name
    assert hyperscan is not None
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    flags = [hyperscan.HS_FLAG_CASELESS if ignore else 0 for _, ignore in expressions]
    texts = [expression.encode() for expression, _ in expressions]
    database.compile(expressions=texts, ids=list(range(len(texts))), flags=flags)
    return database


def _database(patterns: Patterns) -> Any:
    return _compiled(patterns.digest, tuple((p.anchor or p.expression, p.ignore_case) for p in patterns.items))


def _look(text: str, row: int, places: Sequence[int], patterns: Patterns) -> tuple[list[Hit], bool]:
    """The confirmed and resolved matches of these patterns in one text, and whether some were cut off."""
    hits: list[Hit] = []
    cut = False
    for place in places:
        pattern = patterns.items[place]
        for number, (start, end) in enumerate(_confirmed(text, pattern)):
            if number == HITS_PER_ROW_MAX:
                cut = True
                break
            hits.append(Hit(row, place, start, end))
    return _resolved(hits, patterns), cut


def _confirmed(text: str, pattern: Pattern) -> Iterator[tuple[int, int]]:
    validate = VALIDATORS[pattern.validator]
    for match in pattern.compiled.finditer(text):
        for start, end in validate(text, *match.span()):
            if _in_context(text, start, pattern):
                yield start, end


def _in_context(text: str, start: int, pattern: Pattern) -> bool:
    needed = pattern.compiled_context
    return needed is None or needed.search(text, max(0, start - CONTEXT_CHARACTERS), start) is not None


def _resolved(hits: list[Hit], patterns: Patterns) -> list[Hit]:
    """Without overlaps, by precedence and then by length; in order of offsets. Rules of injection overlap freely: each is a reason."""
    order = sorted(
        hits, key=lambda h: (RANK[patterns.items[h.pattern].precedence], h.start - h.end, h.start, h.pattern)
    )
    kept: list[Hit] = []
    for hit in order:
        rule = patterns.items[hit.pattern].kind == "injection"
        if rule or all(
            hit.end <= o.start or hit.start >= o.end for o in kept if patterns.items[o.pattern].kind != "injection"
        ):
            kept.append(hit)
    return sorted(kept, key=lambda h: (h.start, h.end, h.pattern))
