"""Texts undone of their encodings, three deep, with the way back: which stretch of the original every byte comes from.

A layer is a stretch of a text in which some pieces are replaced by what they say, with a little around them, so that a card is still
seen beside the word `card`. A layer is decoded again, and a finding in one is told where its encoded stretch stands in the text that
came in. How deep it goes and how many bytes and pieces it takes is bounded; a text that has more is told as truncated.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import islice
from typing import NamedTuple

import pyarrow as pa

from tocsin.detect.text.decoders import DECODERS, Decoder, Mark, Piece
from tocsin.detect.text.suspicion import suspects

DEPTH_MAX = 3
TIMES_MAX = 3
"""Bytes that all layers of a text have together, in lengths of the text: with itself it is looked at four times."""
BYTES_MIN, BYTES_MAX = 4 << 10, 8 << 20
"""Every text may have so many bytes of layers, and none has more."""
PIECES_PER_TEXT, BYTES_PER_PIECE = 256, 32
"""Pieces of one layer: so many, and one more for each so many bytes of it."""
AROUND = 128
"""Bytes kept on both sides of a piece."""


class Segment(NamedTuple):
    """From byte `at` of a layer on: bytes as they stand at `start` of the original, or (`via`) what its bytes [start, end) say."""

    at: int
    start: int
    end: int
    via: tuple[str, ...] = ()
    fresh: bool = False
    """Whether it was decoded by the last step."""


class Origin(NamedTuple):
    """Bytes of the original, by which way they were read, and whether the last step read any of it."""

    start: int
    end: int
    via: str
    fresh: bool


@dataclass(frozen=True)
class Layer:
    """A stretch of a row with pieces of it decoded; `attacks`: it is a guess that can only show wording."""

    row: int
    text: bytes
    segments: tuple[Segment, ...]
    depth: int = 0
    attacks: bool = False

    @cached_property
    def _starts(self) -> list[int]:
        return [segment.at for segment in self.segments]

    def within(self, start: int, end: int) -> tuple[Segment, ...]:
        """The segments that [start, end) meets."""
        first = bisect_right(self._starts, start) - 1
        return tuple(islice(self.segments, first, max(bisect_right(self._starts, end - 1), first + 1)))

    def origin(self, start: int, end: int) -> Origin:
        """Where [start, end) comes from; the encoded stretches that it meets count as a whole."""
        met = self.within(start, end)
        first, last = met[0], met[-1]
        begins = first.start if first.via else first.start + start - first.at
        ends = last.end if last.via else last.start + end - last.at
        way = max((one.via for one in met if one.fresh), key=len, default=max((one.via for one in met), key=len))
        return Origin(begins, ends, ">".join(way), any(one.fresh for one in met))

    def words(self) -> int:
        """How many words the last step decoded."""
        ends = (*self._starts[1:], len(self.text))
        fresh = (self.text[one.at : end] for one, end in zip(self.segments, ends, strict=True) if one.fresh)
        return sum(len(said.split()) for said in fresh)

    def extent(self) -> tuple[int, int, str]:
        """From the first to the last stretch of the original that the last step decoded, and by which way."""
        fresh = [one for one in self.segments if one.fresh]
        way = max((one.via for one in fresh), key=len)
        return min(one.start for one in fresh), max(one.end for one in fresh), ">".join(way)


class Undone(NamedTuple):
    """The layers of all rows, in order of rows, and the rows that had more."""

    layers: list[Layer]
    truncated: set[int]


def undone(column: pa.Array) -> Undone:
    """Everything that the rows of a large_binary array without nulls say in an encoding; the shallow layers first."""
    marks = suspects(column)
    waiting = [Layer(row, text := column[row].as_py(), (Segment(0, 0, len(text)),)) for row in sorted(marks)]
    left = {one.row: max(BYTES_MIN, min(TIMES_MAX * len(one.text), BYTES_MAX)) for one in waiting}
    kinds = [marks[one.row] for one in waiting]
    found, truncated = list[Layer](), set[int]()
    while waiting:
        deeper = list[Layer]()
        for layer, mark in zip(waiting, kinds, strict=True):
            for one in _decoded(layer, mark, truncated):
                left[one.row] -= len(one.text)
                if left[one.row] < 0:
                    truncated.add(one.row)
                    break
                deeper.append(one)
        found += deeper
        marks = suspects(pa.array([one.text for one in deeper], pa.large_binary()))
        waiting, kinds = [deeper[at] for at in sorted(marks)], [marks[at] for at in sorted(marks)]
    return Undone(found, truncated)


def _decoded(layer: Layer, marks: Mark, truncated: set[int]) -> Iterator[Layer]:
    """The layers below this one; its row is truncated where there is more than is decoded, or it is too deep already."""
    for decoders in _groups(marks):
        pieces, more = _pieces(layer.text, decoders)
        deep = layer.depth == DEPTH_MAX
        if more or (deep and pieces and not decoders[0].alone):
            truncated.add(layer.row)
        if not deep:
            yield from _layers(layer, pieces, decoders)


@lru_cache(maxsize=1 << len(Mark))
def _groups(marks: Mark) -> tuple[tuple[Decoder, ...], ...]:
    """The decoders for these marks: those that are sure together, every guess by itself."""
    wanted = [decoder for decoder in DECODERS if decoder.mark & marks]
    sure = tuple(decoder for decoder in wanted if not decoder.alone)
    return (*((sure,) if sure else ()), *((decoder,) for decoder in wanted if decoder.alone))


class _Named(NamedTuple):
    piece: Piece
    name: str


def _pieces(text: bytes, decoders: Sequence[Decoder]) -> tuple[list[_Named], bool]:
    """The pieces of a text, in order and apart, and whether there were more."""
    most = PIECES_PER_TEXT + len(text) // BYTES_PER_PIECE
    found, more = list[_Named](), False
    for decoder in decoders:
        own = list(islice(decoder.pieces(text), most + 1))
        more |= len(own) > most
        found = _joined(found, [_Named(piece, decoder.name) for piece in own[:most]])
    return found, more


def _joined(first: list[_Named], second: list[_Named]) -> list[_Named]:
    """Both, in order, without those of the second that meet one of the first."""
    if not first or not second:
        return first or second
    starts = [one.piece.start for one in first]
    kept = list(first)
    for one in second:
        at = bisect_right(starts, one.piece.start)
        apart = at == 0 or first[at - 1].piece.end <= one.piece.start
        if apart and (at == len(first) or starts[at] >= one.piece.end):
            kept.append(one)
    return sorted(kept, key=lambda one: one.piece.start)


def _layers(layer: Layer, pieces: Sequence[_Named], decoders: Sequence[Decoder]) -> Iterator[Layer]:
    """A layer for every group of pieces that stand near each other."""
    attacks = layer.attacks or any(decoder.attacks for decoder in decoders)
    first = 0
    for at in range(1, len(pieces) + 1):
        if at == len(pieces) or pieces[at].piece.start - pieces[at - 1].piece.end > 2 * AROUND:
            yield _replaced(layer, pieces[first:at], attacks)
            first = at


def _replaced(layer: Layer, pieces: Sequence[_Named], attacks: bool) -> Layer:
    """The stretch around the pieces, with them replaced by what they say."""
    place = _edge(layer.text, max(pieces[0].piece.start - AROUND, 0))
    behind = _edge(layer.text, min(pieces[-1].piece.end + AROUND, len(layer.text)))
    parts, segments, length = list[bytes](), list[Segment](), 0
    for (start, end, said), name in pieces:
        segments += _kept(layer, place, start, length)
        length += start - place
        origin = layer.origin(start, end)
        way = (*origin.via.split(">"), name) if origin.via else (name,)
        segments.append(Segment(length, origin.start, origin.end, way, True))
        parts += [layer.text[place:start], said]
        length += len(said)
        place = end
    segments += _kept(layer, place, behind, length)
    parts.append(layer.text[place:behind])
    return Layer(layer.row, b"".join(parts), tuple(segments), layer.depth + 1, attacks)


def _kept(layer: Layer, start: int, end: int, at: int) -> Iterator[Segment]:
    """The segments of [start, end), cut to it, where they stand from `at` on; none where it is empty."""
    for one in layer.within(start, end) if start < end else ():
        skipped = max(start - one.at, 0)
        yield Segment(at + one.at + skipped - start, one.start + (0 if one.via else skipped), one.end, one.via)


def _edge(text: bytes, place: int) -> int:
    """The place, or the next one at which a character begins."""
    while place < len(text) and 0x80 <= text[place] < 0xC0:
        place += 1
    return place
