"""Texts as hashed features: words, their stems, their neighbours and what stands before them, for a linear model.

Only the places of words are visited, not every byte: a word is read as its first 16 bytes and its length, so hashing costs numpy a
few nanoseconds a byte. Where no spaces stand between words (Chinese, Japanese, Korean, Thai) every character is a word.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

Integers = np.ndarray[Any, np.dtype[np.int64]]
Hashes = np.ndarray[Any, np.dtype[np.uint64]]
Bytes = np.ndarray[Any, np.dtype[np.uint8]]

ORDERS = ("word", "stem", "pair", "gap pair", "triple", "stem pair", "before", "opening")
"""The features of every word: itself; its beginning; with the next; with the one after that; with both; the beginnings of two; what
stands before it; it with what stands before it."""
SEPARATOR = b"\0" * 24
"""Stands before, between and behind rows: no read of 16 bytes leaves it, and no neighbour shows."""
LOWER = bytes(c + 32 if 65 <= c <= 90 else c for c in range(256))
_INSIDE = bytes(c >= 128 or chr(c).isalnum() for c in range(256))
_KEEP = np.array([(1 << (8 * n)) - 1 for n in range(8)] + [(1 << 64) - 1], np.uint64)
_SHIFT = np.array([32, 24, 16, 8, 0], np.uint64)
"""What leaves only so many of the four bytes before a word as stand between it and the word before."""
_END = np.uint64(0x9E3779B97F4A7C15)
_MIX = tuple(
    np.uint64(m)
    for m in (
        *(0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93, 0xA0761D6478BD642F),
        *(0xE7037ED1A0B428DB, 0x8EBC6AF09C88C6E3, 0x589965CC75374CC3, 0x1D8E4E27C47D124F, 0xEB44ACCAB455D165),
    )
)
INVISIBLE = "[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\ufe00-\ufe0f]"
PUNCTUATION = "[\u00a1-\u00bf\u2010-\u205f\u3001-\u303f\u061b\u061f\u060c\u0964\u2190-\u27ff]"


class Words(NamedTuple):
    """The words of all rows: `row` of each word, where it starts in the row's folded bytes, its length, and its features' hashes."""

    row: Integers
    start: Integers
    length: Integers
    hashes: tuple[Hashes, ...]
    """One array of n hashes for each of `ORDERS`."""


def folded(texts: pa.Array | pa.ChunkedArray | Sequence[str | None]) -> pa.Array:
    """The texts as bytes. Where a text is not ASCII, compatible characters are made equal (NFKC) and small, invisible ones dropped and
    punctuation made a space; ASCII letters stay as they are, `words` reads them as small ones. Nulls are empty; what is no text becomes
    a mark of replacement."""
    if isinstance(texts, pa.ChunkedArray):
        texts = pa.concat_arrays(texts.chunks) if texts.num_chunks else pa.array([], texts.type)
    column = texts if isinstance(texts, pa.Array) else pa.array([_valid(text) for text in texts], pa.large_string())
    if not pa.types.is_large_string(column.type):
        column = _text(column)
    column = pc.fill_null(column, "")
    plain = pc.string_is_ascii(column)
    if not pc.all(plain, min_count=0).as_py():
        foreign = pc.filter(column, pc.invert(plain))
        foreign = pc.utf8_lower(pc.utf8_normalize(foreign, form="NFKC"))
        foreign = pc.replace_substring_regex(foreign, INVISIBLE, "")
        foreign = pc.replace_substring_regex(foreign, PUNCTUATION, " ")
        column = pc.replace_with_mask(column, pc.invert(plain), foreign)
    return column.cast(pa.binary())


def _valid(text: str | None) -> str | None:
    return text if text is None or text.isascii() else text.encode("utf-8", "replace").decode()


def _text(column: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    try:
        column = column.cast(pa.large_binary()).cast(pa.large_string())
        column.validate(full=True)
    except pa.ArrowInvalid:
        raw = column.cast(pa.large_binary()).to_pylist()
        column = pa.array([r if r is None else r.decode("utf-8", "replace") for r in raw], pa.large_string())
    return column


def words(column: pa.Array) -> Words:
    """The words of folded rows with their features. Time and memory are proportional to the bytes (about 30 bytes a byte)."""
    if not len(column):
        none = np.zeros(0, np.int64)
        return Words(none, none, none, tuple(np.zeros(0, np.uint64) for _ in ORDERS))
    offsets = np.frombuffer(column.buffers()[1], np.int32)[column.offset : column.offset + len(column) + 1].astype(
        np.int64
    )
    joined = pc.binary_join(pa.ListArray.from_arrays(pa.array([0, len(column)], pa.int32()), column), SEPARATOR)[
        0
    ].as_py()
    data = b"".join((SEPARATOR, joined.translate(LOWER), SEPARATOR, b"\0" * (-len(joined) % 8)))
    begins = offsets[:-1] - offsets[0] + len(SEPARATOR) * np.arange(1, len(column) + 1)
    start, end = _bounds(data)
    counts = np.diff(np.append(np.searchsorted(start, begins), len(start)))
    row = np.repeat(np.arange(len(column)), counts)
    return Words(row, start - begins[row], end - start, _hashed(data, start, end, row))


def _bounds(text: bytes) -> tuple[Integers, Integers]:
    """Where words start and end."""
    data, inside = np.frombuffer(text, np.uint8), np.frombuffer(text.translate(_INSIDE), np.bool_)
    was, now = inside[:-1], inside[1:]
    if int(data.max()) < 0xE0:
        edge = np.flatnonzero(was != now) + 1
        return edge[0::2], edge[1::2]
    alone = (data >= 0xE3) & (data <= 0xED)
    thai = np.flatnonzero(data[:-1] == 0xE0)
    alone[thai[(data[thai + 1] == 0xB8) | (data[thai + 1] == 0xB9)]] = True
    cut = alone[1:].copy()
    cut[2:] |= alone[:-3]
    return np.flatnonzero(now & (~was | cut)) + 1, np.flatnonzero(was & (~now | cut)) + 1


def _hashed(data: bytes, start: Integers, end: Integers, row: Integers) -> tuple[Hashes, ...]:
    """Sums of products with fixed odd numbers: of such a sum the highest bits are a good hash (Dietzfelbinger et al. 1997)."""
    length = end - start
    first, second, shortly = _read(data, start)
    head = first & _KEEP[np.minimum(length, 8)]
    tail = second & _KEEP[np.clip(length - 8, 0, 8)]
    word = head * _MIX[0] + tail * _MIX[1] + length.view(np.uint64) * _MIX[2]
    stem = (head & _KEEP[np.where(first & np.uint64(0x80), 8, 5)]) * _MIX[3]
    gap = start.copy()
    gap[1:] -= end[:-1]
    np.minimum(gap, 4, out=gap)
    before = (shortly >> _SHIFT[gap]) * _MIX[4] + gap.view(np.uint64) * _MIX[1]
    last = np.flatnonzero(row[1:] != row[:-1])
    following, stem_after = _next(word, last), _next(stem, last)
    after = _next(following, last)
    pair = word * _MIX[5] + following
    return (
        word,
        stem,
        pair,
        word * _MIX[6] + after,
        pair * _MIX[7] + after,
        stem * _MIX[8] + stem_after,
        before,
        word * _MIX[9] + before,
    )


def _read(data: bytes, place: Integers) -> tuple[Hashes, Hashes, Hashes]:
    """The eight bytes at each place, the eight behind them, and the four before them.

    The eight bytes from every byte on are laid out first, so that they can be taken from any place.
    """
    every = np.ndarray(len(data) - 7, "<u8", data, strides=(1,)).copy()
    return every.take(place), every.take(place + 8), every.take(place - 4) & _KEEP[4]


def _next(values: Hashes, last: Integers) -> Hashes:
    """The values of the following words; the end of a row has its own."""
    moved = np.empty_like(values)
    moved[:-1] = values[1:]
    moved[last] = _END
    moved[-1:] = _END
    return moved
