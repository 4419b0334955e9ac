"""Where the injection model looks: windows of one sentence, of two, and of as many as make up 48 words.

A sentence ends at a mark of punctuation with no word directly behind it, at a line break, and at a bracket or bar of markup. An order
in the middle of a page is a sentence by itself, so it is judged by itself; a long jailbreak is judged by what stands together in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

Integers = np.ndarray[Any, np.dtype[np.int64]]
Floats = np.ndarray[Any, np.dtype[np.float64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]

WORDS_MIN = 4
"""Fewer words say nothing by themselves: one alone ("ok", "42") can have any weight. Short attacks are left to the rules."""
BLOCK = 24
"""A longer sentence is cut behind so many words: 24 words of 8 features of 127 fit in 16 bits."""
WORDS_MAX = 48
SIZES = 3
"""Windows that begin at every block: of one block, of two, and of as many whole ones as `WORDS_MAX` words hold."""
_ALWAYS, _ALONE = 2, 1
_MARKS = bytes(_ALWAYS if c in b"\n\r|<>{}[]" else _ALONE if c in b".!?:;" else 0 for c in range(256))


class Windows(NamedTuple):
    """Blocks by their first words; of each window its row, its first block, the block behind its last, and its words."""

    start: Integers
    row: Integers
    first: Integers
    behind: Integers
    words: Integers


def opened(text: bytes, inside: Flags, word: Integers) -> Flags:
    """Which words begin a sentence. `inside` says of each byte whether it belongs to a word, `word` where each word starts."""
    marks = np.frombuffer(text.translate(_MARKS), np.uint8)
    ends = marks == _ALWAYS
    ends[:-1] |= (marks[:-1] == _ALONE) & ~inside[1:]
    found = np.zeros(len(word) + 1, bool)
    found[word.searchsorted(ends.nonzero()[0])] = True
    return found[:-1]


class Blocks(NamedTuple):
    """Blocks by their first words; of each window that begins at one the block behind its last, and its words: [sizes, blocks] each."""

    start: Integers
    behind: Integers
    words: Integers
    begin: Integers
    """The first block of each row."""


def blocks(first: Integers, opens: Flags) -> Blocks:
    """The blocks of rows that begin with these words, and the windows from each block on, the smallest first."""
    start = _starts(opens)
    count, block, begin = len(start), np.arange(len(start)), start.searchsorted(first)
    ends = np.empty(count + 1, np.int64)
    ends[:-1], ends[-1] = start, len(opens)
    size = ends[1:] - ends[:-1]
    last = np.empty(len(begin), np.int64)
    last[:-1], last[-1:] = begin[1:], count
    holds = np.append(block.repeat(size), count)  # the block that holds each word
    behind = np.empty((SIZES, count), np.int64)
    np.add(block, 1, out=behind[0])
    np.add(block, 2, out=behind[1])
    np.maximum(holds.take(start + WORDS_MAX, mode="clip"), behind[0], out=behind[2])
    np.minimum(behind, last.repeat(last - begin), out=behind)
    return Blocks(start, behind, ends.take(behind) - start, begin)


def few(opens: Sequence[bool]) -> tuple[list[int], list[tuple[int, int]]]:
    """Of one text in plain Python, which is faster for few words: where its blocks start and end, and from which to before which block each
    window lies."""
    bounds = list[int]()
    for place, begins in enumerate(opens):
        if begins or place - bounds[-1] == BLOCK:
            bounds.append(place)
    count, most, found = len(bounds), 0, list[tuple[int, int]]()
    bounds.append(len(opens))
    for block in range(count):
        while most < count and bounds[most + 1] - bounds[block] <= WORDS_MAX:
            most += 1
        found += ((block, block + 1), (block, min(block + 2, count)), (block, most))
    return bounds, found


def windows(row: Integers, opens: Flags) -> Windows:
    """The windows over words of these rows (ascending), in order of rows; from every block on the smallest first. The first word of a row
    must open a sentence."""
    found = blocks(np.flatnonzero(np.diff(row, prepend=-1)), opens)
    first = np.arange(len(found.start)).repeat(SIZES)
    return Windows(found.start, row[found.start[first]], first, found.behind.T.reshape(-1), found.words.T.reshape(-1))


def _starts(opens: Flags) -> Integers:
    """The first words of blocks: of sentences, and of what is cut from long ones."""
    start = opens.nonzero()[0]
    length = np.append(start[1:], len(opens)) - start
    if not len(start) or length.max() <= BLOCK:
        return start
    pieces = (length - 1) // BLOCK + 1
    before = pieces.cumsum() - pieces
    return start.repeat(pieces) + BLOCK * (np.arange(pieces.sum()) - before.repeat(pieces))


def breadth(words: Integers) -> Floats:
    """What the sum of a window of so many words is divided by: their root; infinite for fewer than `WORDS_MIN`."""
    return _BREADTH.take(words)


_BREADTH = np.where(np.arange(WORDS_MAX + 1) < WORDS_MIN, np.inf, np.sqrt(np.arange(WORDS_MAX + 1)))
