"""Texts as keys: how long they are, in which script, of which words."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from itertools import islice

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tocsin.detect.streams.drifting.keys import MISSING, Whole, of_numbers, of_text
from tocsin.detect.streams.drifting.looking import Values

LETTERS_MAX = 400
"""Characters of a text that its script is told from."""
WORDS_MAX = 200
"""Words of a text that count."""
_WORD = re.compile(r"[^\W\d_]+")
_BLOCKS: tuple[tuple[int, str], ...] = (
    (0x0000, "Latin"),
    (0x0250, "other"),
    (0x0370, "Greek"),
    (0x0400, "Cyrillic"),
    (0x0530, "Armenian"),
    (0x0590, "Hebrew"),
    (0x0600, "Arabic"),
    (0x0780, "other"),
    (0x0900, "Indic"),
    (0x0E00, "Thai"),
    (0x0E80, "other"),
    (0x10A0, "Georgian"),
    (0x1100, "Hangul"),
    (0x1200, "Ethiopic"),
    (0x13A0, "other"),
    (0x1E00, "Latin"),
    (0x1F00, "Greek"),
    (0x2000, "other"),
    (0x3040, "Kana"),
    (0x3100, "other"),
    (0x3400, "Han"),
    (0xA000, "other"),
    (0xAC00, "Hangul"),
    (0xD7B0, "other"),
    (0xF900, "Han"),
    (0xFB00, "other"),
    (0x20000, "Han"),
    (0x32000, "other"),
)
"""The first character of each run of blocks, and its script; of the Unicode standard's blocks the large ones."""
_STARTS = [start for start, _ in _BLOCKS]
NO_LETTERS = "no letters"


def lengths(values: pa.DictionaryArray) -> Values:
    """The length of each text in characters."""
    counts = pc.utf8_length(values.dictionary).cast(pa.float64())
    table = np.append(of_numbers(pc.fill_null(counts, np.nan).to_numpy(zero_copy_only=False)), MISSING)
    return Values.of_rows(table[_codes(values)])


def script(text: str) -> str:
    """The script that most letters of the text are in."""
    letters = (letter for letter in text[:LETTERS_MAX] if letter.isalpha())
    counts = Counter(_BLOCKS[bisect_right(_STARTS, ord(letter)) - 1][1] for letter in letters)
    return max(sorted(counts), key=lambda name: counts[name], default=NO_LETTERS)


def scripts(values: pa.DictionaryArray) -> Values:
    """The script of each text."""
    told = [None if text is None else script(text) for text in values.dictionary.to_pylist()]
    names = {of_text(name): name for name in told if name is not None}
    table = np.array([MISSING if name is None else of_text(name) for name in told] + [MISSING], np.int64)
    return Values.of_rows(table[_codes(values)], names)


def words(values: pa.DictionaryArray) -> Values:
    """The words of each text, in small letters, a key for each; a text without words has none."""
    bags = [[] if text is None else _keys_of(text) for text in values.dictionary.to_pylist()]
    codes = _codes(values)
    rows = np.flatnonzero(codes < len(bags))
    sizes = np.array([len(bags[code]) for code in codes[rows].tolist()], np.int64)
    keys = [key for code in codes[rows].tolist() for key in bags[code]]
    return Values(np.repeat(rows, sizes), np.array(keys, np.int64))


def _keys_of(text: str) -> list[int]:
    return [of_text(found.group()) for found in islice(_WORD.finditer(text.casefold()), WORDS_MAX)]


def _codes(values: pa.DictionaryArray) -> Whole:
    """The place of each row's text in the dictionary; one past its end where there is none."""
    return np.asarray(
        pc.fill_null(values.indices, len(values.dictionary)).to_numpy(zero_copy_only=False).astype(np.int64)
    )
