"""The features of a text as their definition says them, character by character in whole numbers of Python: the oracle of the fast ways."""

from __future__ import annotations

from itertools import chain
from math import sqrt
from typing import NamedTuple

from tocsin.detect.text.features import folded
from tocsin.detect.text.injection import Model
from tocsin.detect.text.windows import BLOCK, WORDS_MAX, WORDS_MIN

MIX = (
    *(0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93, 0xA0761D6478BD642F),
    *(0xE7037ED1A0B428DB, 0x8EBC6AF09C88C6E3, 0x589965CC75374CC3, 0x1D8E4E27C47D124F, 0xEB44ACCAB455D165),
)
END = 0x9E3779B97F4A7C15
WHOLE = (1 << 64) - 1


class Word(NamedTuple):
    """Where a word lies in the bytes of its text."""

    start: int
    end: int


def line_of(text: str | None) -> bytes:
    """The folded bytes in small letters."""
    line: bytes = folded([text])[0].as_py()
    return line.lower()


def parted(line: bytes) -> list[Word]:
    """Runs of letters, digits and bytes that are not ASCII; a character of three bytes that stands alone ends them and is one itself."""
    found: list[Word] = []
    place, begun = 0, -1
    while place <= len(line):
        now = place < len(line) and (line[place] >= 128 or chr(line[place]).isalnum())
        alone = now and stands_alone(line, place)
        if begun >= 0 and (alone or not now):
            found.append(Word(begun, place))
            begun = -1
        if alone:
            found.append(Word(place, place + 3))
            place += 3
            continue
        if now and begun < 0:
            begun = place
        place += 1
    return found


def stands_alone(line: bytes, place: int) -> bool:
    """Whether a Chinese, Japanese, Korean or Thai character begins here."""
    return 0xE3 <= line[place] <= 0xED or (line[place] == 0xE0 and line[place + 1] in (0xB8, 0xB9))


def number(part: bytes) -> int:
    """Bytes as a number, the first lowest."""
    return int.from_bytes(part, "little")


def hashes(text: str | None) -> list[list[int]]:
    """The hashes of every word, one list a feature in the order of `ORDERS`."""
    line = line_of(text)
    own = parted(line)
    word, stem, before = [], [], []
    last = -1
    for start, end in own:
        said = line[start:end]
        word.append(number(said[:8]) * MIX[0] + number(said[8:16]) * MIX[1] + len(said) * MIX[2])
        stem.append(number(said[: 8 if said[0] & 0x80 else 5]) * MIX[3])
        gap = 4 if last < 0 else min(start - last, 4)
        between = (bytes(4) + line[:start])[-gap:] if gap else b""
        before.append(number(between) * MIX[4] + gap * MIX[1])
        last = end
    following, after, stem_after = (
        [*values, END, END][n : n + len(own)] for values, n in ((word, 1), (word, 2), (stem, 1))
    )
    pair = [w * MIX[5] + n for w, n in zip(word, following, strict=True)]
    every = [
        word,
        stem,
        pair,
        [w * MIX[6] + n for w, n in zip(word, after, strict=True)],
        [p * MIX[7] + n for p, n in zip(pair, after, strict=True)],
        [s * MIX[8] + n for s, n in zip(stem, stem_after, strict=True)],
        before,
        [w * MIX[9] + b for w, b in zip(word, before, strict=True)],
    ]
    return [[value & WHOLE for value in values] for values in every]


def opening(line: bytes, own: list[Word]) -> list[bool]:
    """Which words begin a sentence: the first, and those with a line break, a bracket, a bar or the end of a sentence before them."""
    found, last = [], -1
    for start, end in own:
        between = line[last:start] if last >= 0 else b""
        marked = any(c in b"\n\r|<>{}[]" or (c in b".!?:;" and n + 1 < len(between)) for n, c in enumerate(between))
        found.append(last < 0 or marked)
        last = end
    return found


def head_values(text: str | None, model: Model) -> list[float]:
    """The largest value of a window by each head."""
    bits = model.tables.shape[1].bit_length() - 1
    made = hashes(text)
    line = line_of(text)
    opens = opening(line, parted(line))
    values = []
    for table in model.tables.tolist():
        own = [sum(table[values[n] >> (64 - bits)] for values in made) for n in range(len(opens))]
        values.append(max(judged(own, opens), default=0.0))
    return values


def judged(own: list[int], opens: list[bool]) -> list[float]:
    """What each window of one text comes to, given what each word weighs and which words begin sentences."""
    blocks: list[list[int]] = []
    for weight, begins in zip(own, opens, strict=True):
        if begins or len(blocks[-1]) == BLOCK:
            blocks.append([])
        blocks[-1].append(weight)
    found = []
    for first in range(len(blocks)):
        parts = [list(chain(*blocks[first : first + n])) for n in range(1, len(blocks) - first + 1)]
        most = max(n for n, part in enumerate(parts) if len(part) <= WORDS_MAX)
        found += [valued(parts[n]) for n in (0, min(1, len(parts) - 1), most)]
    return found


def valued(part: list[int]) -> float:
    """What a window of these weights comes to: nothing if it has too few words."""
    return sum(part) / sqrt(len(part)) if len(part) >= WORDS_MIN else 0.0
