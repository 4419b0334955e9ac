"""Which texts of a column may hold an encoding: found on their bytes, all at once, so that clean text costs next to nothing.

It is a sieve: every text with something to decode passes, and few others. A run is found through the aligned block of eight bytes
that it must hold, escapes through their first byte, and words said backwards or by rot13 by Hyperscan, or `re` where there is none.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from string import ascii_letters
from typing import Any

import numpy as np
import pyarrow as pa

from tocsin.detect.text.databases import Expressions, database
from tocsin.detect.text.decoders import DECODERS, LEET, LURES_BY, RUN_MIN, Mark

try:
    import hyperscan
except ImportError:  # no wheel for this processor
    hyperscan = None  # type: ignore[assignment]

CHUNK_BYTES = 1 << 20
"""So much is looked at at a time: more would leave the processor's cache."""
RUN_ASKED = 4_096
"""A shorter run is decoded before its text is suspected."""
_RUN, _CODED = 1, 2
"""Classes of bytes: in a run; what an ordinary word has not, capitals and digits."""
_ONES = np.uint64(0x0101010101010101)
_GATHER = np.uint64(0x0102040810204080)
"""Times this, the lowest bits of eight bytes become the highest byte, the first of them its lowest bit."""
_STARTING = np.array([len(f"{n:08b}") - len(f"{n:08b}".rstrip("1")) for n in range(256)])
_ENDING = np.array([len(f"{n:08b}") - len(f"{n:08b}".lstrip("1")) for n in range(256)])
"""Of eight flags, the first one lowest: how many are set from the beginning on, and up to the end."""

Integers = np.ndarray[Any, np.dtype[np.int64]]
Bytes = np.ndarray[Any, np.dtype[np.uint8]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]
Hashes = np.ndarray[Any, np.dtype[np.uint64]]


def _class(code: int) -> int:
    char = chr(code)
    run = char.isascii() and (char.isalnum() or char in "+/-_")
    return run * _RUN + (char.isascii() and (char.isupper() or char.isdigit())) * _CODED


_CLASSES = bytes(map(_class, range(256)))


def suspects(column: pa.Array) -> Mapping[int, Mark]:
    """The rows of a large_binary array without nulls that may hold an encoding, and of which kinds."""
    marks: defaultdict[int, Mark] = defaultdict(lambda: Mark(0))
    offsets = np.frombuffer(column.buffers()[1], np.int64)[column.offset : column.offset + len(column) + 1]
    whole = column.buffers()[2]
    if whole is None or offsets[0] == offsets[-1]:
        return marks
    data = memoryview(whole)[int(offsets[0]) : int(offsets[-1])]
    bounds = offsets - offsets[0]
    for low, high in pairwise([*range(0, len(data), CHUNK_BYTES), len(data)]):
        first = max(low - RUN_MIN, 0)
        chunk = bytes(data[first : high + RUN_MIN])  # what stands at a border is seen from one side whole
        for mark, places in _places(chunk, bounds - first):
            for row in set((np.searchsorted(bounds, places + first, side="right") - 1).tolist()):
                marks[row] |= mark
    return marks


def _places(chunk: bytes, bounds: Integers) -> Iterator[tuple[Mark, Integers]]:
    """Where something of each kind stands; rows begin and end at `bounds`."""
    data = np.frombuffer(chunk + b"\0\0", np.uint8)
    classes = chunk.translate(_CLASSES)
    places, starts, behind = _runs(classes, bounds)
    yield Mark.RUN, places[np.fromiter(_telling(chunk, starts, behind), bool, len(places))]
    for mark, byte, after in _ESCAPES:
        if byte in chunk:
            places = np.flatnonzero(data == byte[0])
            yield mark, places[after[data[places + 1]]]
    if not chunk.isascii():
        yield from _foreign(data)
    yield from _lured(chunk)


def _any_of(chars: str) -> Flags:
    return np.array([chr(code) in chars for code in range(256)])


_ESCAPES = (
    (Mark.PERCENT, b"%", _any_of("0123456789abcdefABCDEF")),
    (Mark.AMPERSAND, b"&", _any_of(f"#{ascii_letters}")),
    (Mark.BACKSLASH, b"\\", _any_of("xuU")),
)
"""What an escape begins with, and what comes next."""


def _runs(classes: bytes, bounds: Integers) -> tuple[Integers, Integers, Integers]:
    """Every run of `RUN_MIN` or more in one row that is no ordinary word: a place in it, its beginning, and the end of its row. It is
    found by the first aligned block of eight bytes that it fills, and by how far it reaches around that."""
    blocks = np.frombuffer(classes + b"\0" * (-len(classes) % 8), "<u8")
    full = np.flatnonzero(blocks & _ONES == _ONES)
    near = np.zeros(len(blocks) + 2, np.uint64)
    near[1:-1] = blocks
    before, after = near[full], near[full + 2]
    coded = (before | blocks[full] | after) & (_ONES * np.uint64(_CODED)) != 0
    places, reach = full[coded] * 8, _ENDING[_gathered(before[coded])]
    row = np.searchsorted(bounds, places, side="right")
    begin, behind = bounds[row - 1], bounds[np.minimum(row, len(bounds) - 1)]
    start, end = np.maximum(places - reach, begin), places + 8 + _STARTING[_gathered(after[coded])]
    whole = (np.minimum(end, behind) - start >= RUN_MIN) & ((reach < 8) | (start == begin))  # the first block of a run
    return places[whole], start[whole], behind[whole]


def _telling(chunk: bytes, starts: Integers, behind: Integers) -> Iterator[bool]:
    """Of runs that begin at these places, in rows that end behind, whether they say something; long ones are not asked here."""
    for start, last in zip(starts.tolist(), behind.tolist(), strict=True):
        run = _RUNNING.match(chunk, max(start, 0), min(last, start + RUN_ASKED))
        if run is None:
            yield False
            continue
        more = run.end() == start + RUN_ASKED or (run.end() == len(chunk) < last)
        yield more or any(any(True for _ in decoder.pieces(run[0])) for decoder in _OF_RUNS)


_RUNNING = re.compile(rb"[A-Za-z0-9+/_-]+")
_OF_RUNS = tuple(decoder for decoder in DECODERS if decoder.mark is Mark.RUN)


def _gathered(blocks: Hashes) -> Hashes:
    """The lowest bits of the bytes of each block as one number, the first byte's lowest."""
    return (blocks & _ONES) * _GATHER >> np.uint64(56)


def _foreign(data: Bytes) -> Iterator[tuple[Mark, Integers]]:
    """Characters that cannot be seen, and those that look like ASCII where they stand beside it or are made for nothing else."""
    places = np.flatnonzero(data >= 0xC2)
    first, second, third = data[places], data[places + 1], data[places + 2]
    pair = first.astype(np.uint16) << 8 | second
    hidden = np.isin(pair, _UNSEEN_PAIRS) & ((first != 0xE2) | _is_unseen(second, third))
    yield Mark.UNSEEN, places[hidden]
    letter = (first >= 0xC9) & (first <= 0xD6)
    beside = letter & (_ascii_letter(data[places - 1]) | _ascii_letter(third))
    yield Mark.LOOKALIKE, places[beside | np.isin(pair, _ALIKE_PAIRS)]


_UNSEEN_PAIRS = np.array([0xC2AD, 0xCD8F, 0xE1A0, 0xE280, 0xE281, 0xEFBB, 0xEFB8, 0xF3A0], np.uint16)
_ALIKE_PAIRS = np.array(
    [*range(0xD9A0, 0xD9AA), *range(0xDBB0, 0xDBBA), 0xE1B4, 0xE284, 0xE292, 0xE293, 0xEFBC, 0xEFBD, 0xF09D],
    np.uint16,
)


def _is_unseen(second: Bytes, third: Bytes) -> Flags:
    """Of U+2000 to U+207F those without a shape: not the dashes and quotation marks that every text has."""
    width: Flags = (second == 0x80) & (((third >= 0x8B) & (third <= 0x8F)) | ((third >= 0xAA) & (third <= 0xAE)))
    joiner: Flags = (second == 0x81) & (third >= 0xA0) & (third <= 0xAF)
    either: Flags = width | joiner
    return either


def _ascii_letter(data: Bytes) -> Flags:
    small = data | 0x20
    letters: Flags = (small >= ord("a")) & (small <= ord("z"))
    return letters


def _expression(lure: bytes, mark: Mark) -> str:
    """What a lure looks like; each character of it is one byte."""
    if mark is not Mark.LEET:
        return re.escape(lure.decode())
    return "".join(f"[{char}{LEET[char]}]" if char in LEET else char for char in lure.decode())


_LURES = tuple((mark, lure, _expression(lure, mark)) for mark, lures in LURES_BY.items() for lure in lures)


def _lured(chunk: bytes) -> Iterator[tuple[Mark, Integers]]:
    """Where lures stand that are written backwards, by rot13 or in leetspeak."""
    found: defaultdict[Mark, list[int]] = defaultdict(list)
    for number, end in _lures(chunk):
        mark, lure, _ = _LURES[number]
        if mark is not Mark.LEET or chunk[end - len(lure) : end].lower() != lure:
            found[mark].append(end - 1)
    for mark, places in found.items():
        yield mark, np.array(places, np.int64)


def _there() -> bool:
    return hyperscan is not None


def _lures(chunk: bytes) -> Iterable[tuple[int, int]]:
    """The number of each lure and where it ends."""
    found: list[tuple[int, int]] = []
    if not _there():
        for number, expression in enumerate(_PLAIN):
            found += ((number, match.end()) for match in expression.finditer(chunk))
        return found

    def on_match(number: int, start: int, end: int, flags: int, context: Any) -> None:  # noqa: ARG001 - Hyperscan's signature
        found.append((number, end))

    database(_EXPRESSIONS).scan(chunk, match_event_handler=on_match)
    return found


_WRITTEN = tuple(f"(?i){expression}" for _, _, expression in _LURES)
_EXPRESSIONS = Expressions(tuple(enumerate(_WRITTEN)), lambda: _WRITTEN)
_PLAIN = tuple(re.compile(expression.encode()) for expression in _WRITTEN)
