"""Where the injection model looks: windows of one sentence, of two, and of as many as make up 48 words.

A sentence ends at a mark of punctuation with no word directly behind it, at a line break, and at a bracket or bar of markup. An order
in the middle of a page is a sentence by itself, so it is judged by itself; a long jailbreak is judged by what stands together in it.
"""

from __future__ import annotations

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


def windows(row: Integers, opens: Flags) -> Windows:
    """The windows over words of these rows (ascending), in order of rows; from every block on the smallest first. The first word of a row
    must open a sentence."""
    start = _blocks(opens)
    end = np.append(start[1:], len(row))
    owner, block = row[start], np.arange(len(start))
    last = owner.searchsorted(owner, "right")
    many = end.searchsorted(start + WORDS_MAX, "right")
    sizes = np.stack((block + 1, block + 2, np.maximum(many, block + 1)), axis=1)
    behind = np.minimum(sizes, last[:, None]).reshape(-1)
    first = np.repeat(block, SIZES)
    return Windows(start, owner[first], first, behind, end[behind - 1] - start[first])


def _blocks(opens: Flags) -> Integers:
    place = np.arange(len(opens))
    since = place - np.maximum.accumulate(np.where(opens, place, 0))
    return np.flatnonzero(since % BLOCK == 0)


def breadth(every: Windows) -> Floats:
    """What the sum of each window is divided by: the root of its words; infinite for fewer than `WORDS_MIN`."""
    return np.where(every.words < WORDS_MIN, np.inf, np.sqrt(every.words))
