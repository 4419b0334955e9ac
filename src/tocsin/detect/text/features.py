"""Texts as hashed features: words, their stems, their neighbours and what stands before them, for a linear model.

Only the places of words are visited, not every byte: a word is read as its first 16 bytes and its length, so hashing costs numpy a
few nanoseconds a byte. Where no spaces stand between words (Chinese, Japanese, Korean, Thai) every character is a word.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tocsin.detect.text.windows import Flags, Integers, opened

Hashes = np.ndarray[Any, np.dtype[np.uint64]]
Texts: TypeAlias = pa.Array | pa.ChunkedArray | Sequence[str | bytes | None]
Bytes = np.ndarray[Any, np.dtype[np.uint8]]

ORDERS = ("word", "stem", "pair", "gap pair", "triple", "stem pair", "before", "opening")
"""The features of every word: itself; its beginning; with the next; with the one after that; with both; the beginnings of two; what
stands before it; it with what stands before it."""
SEPARATOR = b"\0" * 24
"""Stands before, between and behind rows: no read of 16 bytes leaves it, and no neighbour shows."""
SHORT_ROWS, SHORT_BYTES = 32, 64 << 10
"""So few texts are joined faster without Arrow."""
_PLAIN_KINDS = (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)
LOWER = bytes(c + 32 if 65 <= c <= 90 else c for c in range(256))
_INSIDE = bytes(c >= 128 or chr(c).isalnum() for c in range(256))
_KEEP = np.array([(1 << (8 * n)) - 1 for n in range(8)] + [(1 << 64) - 1], np.uint64)
_SHIFT = np.array([32, 24, 16, 8, 0], np.uint64)
"""What leaves only so many of the four bytes before a word as stand between it and the word before."""
_SEVEN, _ONE, _THREE_MORE, _FOUR_BYTES, _FIVE_BYTES = (
    np.array(n, np.uint64) for n in (7, 1, 0xFFFFFF0000000000, 0xFFFFFFFF, 0xFFFFFFFFFF)
)
"""Arrays without an extent: numpy takes them twice as fast as numbers."""
_END = np.uint64(0x9E3779B97F4A7C15)
_MIX = tuple(
    np.array(m, np.uint64)
    for m in (
        *(0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93, 0xA0761D6478BD642F),
        *(0xE7037ED1A0B428DB, 0x8EBC6AF09C88C6E3, 0x589965CC75374CC3, 0x1D8E4E27C47D124F, 0xEB44ACCAB455D165),
    )
)
INVISIBLE = "[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\ufe00-\ufe0f]"
PUNCTUATION = "[\u00a1-\u00bf\u2010-\u205f\u3001-\u303f\u061b\u061f\u060c\u0964\u2190-\u27ff]"


class Lines(NamedTuple):
    """Rows as one run of bytes in small letters with a separator before, between and behind them, and where each row begins."""

    data: bytes
    begin: Integers


class Words(NamedTuple):
    """The words of all rows in order: how many each row has, where each lies in `data` and how long it is, whether it begins a sentence,
    and its features' hashes."""

    counts: Integers
    begin: Integers
    """Where each row begins in `data`."""
    place: Integers
    length: Integers
    opens: Flags
    hashes: Hashes
    """[features, words] in the order of `ORDERS`."""

    @property
    def row(self) -> Integers:
        """The row of each word."""
        return np.repeat(np.arange(len(self.counts)), self.counts)

    @property
    def start(self) -> Integers:
        """Where each word starts in the folded bytes of its row."""
        return self.place - self.begin[self.row]


class Room:
    """Memory that is used again for every chunk of rows: fresh memory costs more than the arithmetic done in it."""

    def __init__(self) -> None:
        self._held = [np.zeros(0, np.uint64), np.zeros(0, np.uint64)]

    def of(self, which: Literal[0, 1], rows: int, columns: int) -> np.ndarray[Any, np.dtype[np.uint64]]:
        """[rows, columns] with anything in it; what was given out before of the same kind is lost."""
        size = rows * columns
        if self._held[which].size < size:
            self._held[which] = np.empty(size + size // 4, np.uint64)
        return self._held[which][:size].reshape(rows, columns)


def folded(texts: Texts) -> pa.Array:
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


def _valid(text: str | bytes | None) -> str | None:
    if isinstance(text, bytes):
        return text.decode("utf-8", "replace")
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


def short(texts: Texts) -> Lines | None:
    """A few short texts of ASCII, joined without the detour over Arrow; None for anything else."""
    if len(texts) > SHORT_ROWS or isinstance(texts, str | bytes | pa.ChunkedArray):
        return None
    if isinstance(texts, pa.Array):
        if not any(kind(texts.type) for kind in _PLAIN_KINDS):
            return None
        texts = texts.cast(pa.large_binary()).to_pylist()
    said = [b"" if text is None else text for text in texts]
    if not all(text.isascii() for text in said) or sum(map(len, said)) > SHORT_BYTES:
        return None
    lengths = [len(SEPARATOR), *(len(text) + len(SEPARATOR) for text in said)]
    rows = [text.encode() if isinstance(text, str) else text for text in said]
    return _joined(SEPARATOR.join(rows), np.array(lengths[:-1]).cumsum())


def lines(column: pa.Array) -> Lines:
    """Folded rows, joined."""
    offsets = np.frombuffer(column.buffers()[1], np.int32)[column.offset : column.offset + len(column) + 1]
    whole = pa.ListArray.from_arrays(pa.array([0, len(column)], pa.int32()), column)
    joined = pc.binary_join(whole, SEPARATOR)[0].as_py()
    begin = offsets[:-1] - np.int64(offsets[0]) + len(SEPARATOR) * np.arange(1, len(column) + 1)
    return _joined(joined, begin)


def _joined(rows: bytes, begin: Integers) -> Lines:
    return Lines(b"".join((SEPARATOR, rows.translate(LOWER), SEPARATOR)), begin)


def words(rows: pa.Array | Lines, room: Room | None = None) -> Words:
    """The words of folded rows with their features, in time proportional to the bytes. With a `room` the hashes stand in it."""
    if not isinstance(rows, Lines):
        rows = lines(rows) if len(rows) else Lines(SEPARATOR, np.zeros(0, np.int64))
    inside = np.frombuffer(rows.data.translate(_INSIDE), np.bool_)
    place, end = _bounds(rows.data, inside)
    counts = place.searchsorted(rows.begin)
    counts[:-1] -= counts[1:]
    counts[-1:] -= len(place)
    np.negative(counts, out=counts)
    last = counts.cumsum()[counts > 0] - 1
    opens = opened(rows.data, inside, place)
    opens[last[:-1] + 1] = True
    opens[:1] = True
    return Words(counts, rows.begin, place, end - place, opens, _hashed(rows.data, place, end, last, room or Room()))


def _bounds(text: bytes, inside: Flags) -> tuple[Integers, Integers]:
    """Where words start and end; `inside` says of each byte whether it belongs to a word."""
    was, now = inside[:-1], inside[1:]
    cut = None if text.isascii() else _cuts(np.frombuffer(text, np.uint8))
    if cut is None:
        edge = (was != now).nonzero()[0]
        return edge[0::2] + 1, edge[1::2] + 1
    return np.flatnonzero(now & (~was | cut)) + 1, np.flatnonzero(was & (~now | cut)) + 1


def _cuts(data: Bytes) -> np.ndarray[Any, np.dtype[np.bool_]] | None:
    """Before which bytes, from the second on, a word ends because one of two neighbours stands alone; None where there is no such."""
    alone = (data >= 0xE3) & (data <= 0xED)
    thai = np.flatnonzero(data[:-1] == 0xE0)
    alone[thai[(data[thai + 1] == 0xB8) | (data[thai + 1] == 0xB9)]] = True
    if not alone.any():
        return None
    cut = alone[1:].copy()
    cut[2:] |= alone[:-3]
    return cut


def _hashed(data: bytes, start: Integers, end: Integers, last: Integers, room: Room) -> Hashes:
    """Sums of products with fixed odd numbers: of such a sum the highest bits are a good hash (Dietzfelbinger et al. 1997).

    [features, words]; `last` are the last words of rows. Everything is done in place: what stands in a hash's row until the hash does is
    named by a second name.
    """
    hashes = room.of(0, len(ORDERS), len(start))
    word, stem, pair, gap_pair, triple, stem_pair, before, opening = hashes
    every = _every(data, room)
    length = end - start
    first = every.take(start)
    np.bitwise_and(first, _KEEP.take(length, mode="clip"), out=word)
    np.bitwise_and(word, _FIVE_BYTES if data.isascii() else _stems(first), out=stem)
    stem *= _MIX[3]
    word *= _MIX[0]
    word += np.multiply(length.view(np.uint64), _MIX[2], out=pair)
    tail = every.take(start + 8, out=first, mode="clip")
    tail &= _KEEP.take(length - 8, mode="clip")
    tail *= _MIX[1]
    word += tail
    _before(every, start, end, before, opening)
    following = _next(word, last, first)
    after = _next(following, last, triple)
    np.multiply(word, _MIX[5], out=pair)
    pair += following
    np.multiply(word, _MIX[6], out=gap_pair)
    gap_pair += after
    triple += np.multiply(pair, _MIX[7], out=opening)
    np.multiply(stem, _MIX[8], out=stem_pair)
    stem_pair += _next(stem, last, opening)
    np.multiply(word, _MIX[9], out=opening)
    opening += before
    return hashes


def _every(data: bytes, room: Room) -> Hashes:
    """The eight bytes from every byte on, laid out so that they can be taken from any place."""
    every: Hashes = room.of(1, 1, len(data) - 7)[0]
    every[:] = np.ndarray(len(data) - 7, "<u8", data, strides=(1,))
    return every


def _stems(first: Hashes) -> Hashes:
    """What keeps the beginning of a word: five bytes, or eight if its first is not ASCII. Overwrites `first`."""
    first >>= _SEVEN
    first &= _ONE
    first *= _THREE_MORE
    first |= _FIVE_BYTES
    return first


def _before(every: Hashes, start: Integers, end: Integers, out: Hashes, spare: Hashes) -> None:
    """The hash of the at most four bytes between each word and the word before."""
    gap = start.copy()
    gap[1:] -= end[:-1]
    np.minimum(gap, 4, out=gap)
    every.take(start - 4, out=out, mode="clip")
    out &= _FOUR_BYTES
    out >>= _SHIFT.take(gap)
    out *= _MIX[4]
    out += np.multiply(gap.view(np.uint64), _MIX[1], out=spare)


def _next(values: Hashes, last: Integers, out: Hashes) -> Hashes:
    """The values of the following words; the end of a row has its own."""
    out[:-1] = values[1:]
    out[last] = _END
    return out
