"""A small trained model for attack wording: two linear heads over hashed features of words, summed over windows of 48 words.

Head D answers "is this attack wording?" in every role; head R "is this a request addressed to an assistant?" and counts only in what
tools return and what is retrieved, where nobody should be giving orders. A window's sum is divided by the root of its words, so that a
short attack counts as much as a long one; a text scores as its worst window does. Weights are whole numbers of one byte, so every
machine comes to exactly the same score. What the model knows, and what not: `docs/injection-model.md`.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tocsin.detect.text.features import Hashes, Integers, Words, folded, words
from tocsin.model.errors import BadInput, Place

VERSION = 1
HEADS = ("attack", "request")
ROLES = ("user", "tool", "retrieved", "system", "assistant")
UNTRUSTED = ("tool", "retrieved")
"""Where a request addressed to an assistant is a sign by itself."""
BLOCK = 16
"""Words are summed in blocks: 16 words of 8 features of 127 fit in 16 bits."""
WINDOW_BLOCKS = (3,)
"""At every block a window of each of these numbers of blocks begins. A second size of one block was tried: it finds more short attacks in
long documents and loses a third of the long jailbreaks, because a text has more chances to look bad by accident."""
CHUNK_BYTES = 384 << 10
"""Rows are scored so many bytes at a time: what one pass works on stays in the processor's cache (measured: 1.6 times faster than 8 MB)."""

Floats = np.ndarray[Any, np.dtype[np.float64]]


WORDS_MIN = 4
"""A text of fewer words is not judged: one word alone ("ok", "42") can have any weight. Short attacks are left to the rules."""


class Curve(NamedTuple):
    """From a head's value to a probability: 1 / (1 + exp(-slope (value - middle)))."""

    slope: float
    middle: float


class _Stored(msgspec.Struct, array_like=True):
    version: int
    bits: int
    tables: bytes
    curves: dict[str, tuple[tuple[float, float], ...]]


@dataclass(frozen=True, eq=False)
class Model:
    """int8 weights [heads, 2**bits] and, for each role, one curve a head."""

    tables: np.ndarray[Any, np.dtype[np.int8]]
    curves: Mapping[str, tuple[Curve, ...]]

    @cached_property
    def packed(self) -> np.ndarray[Any, np.dtype[np.int32]]:
        """Both heads in one number, the first in the upper half: one look-up serves both."""
        upper = self.tables[0].astype(np.int32) << np.int32(16)
        both: np.ndarray[Any, np.dtype[np.int32]] = upper + self.tables[1].astype(np.int32)
        return both

    @cached_property
    def shift(self) -> np.uint64:
        """A hash shifted right by this is a place in the tables."""
        return np.uint64(64 - int(np.log2(self.tables.shape[1])))

    @cached_property
    def digest(self) -> str:
        """Names the model: of everything that decides a score."""
        return sha256(to_bytes(self)).hexdigest()[:16]


def to_bytes(model: Model) -> bytes:
    """The model as it is shipped."""
    bits = int(np.log2(model.tables.shape[1]))
    curves = {role: tuple(tuple(curve) for curve in model.curves[role]) for role in ROLES}
    return msgspec.msgpack.encode((VERSION, bits, zlib.compress(model.tables.tobytes(), 9), curves))


def from_bytes(data: bytes) -> Model:
    """The inverse of `to_bytes`. Raises BadInput for damaged bytes or an unknown version."""
    try:
        stored = msgspec.msgpack.decode(data, type=_Stored)
        if stored.version != VERSION or not set(ROLES) <= set(stored.curves):
            raise ValueError(f"version {stored.version}, roles {sorted(stored.curves)}")
        tables = np.frombuffer(zlib.decompress(stored.tables), np.int8).reshape(len(HEADS), 1 << stored.bits)
    except (msgspec.DecodeError, zlib.error, ValueError) as error:
        raise BadInput.at(
            Place("injection model"), f"these bytes are no model: {error}", "take the file that was shipped"
        ) from None
    return Model(tables, {role: tuple(Curve(*curve) for curve in curves) for role, curves in stored.curves.items()})


class Windows(NamedTuple):
    """Windows in order of rows: the row, and the first word and the one behind the last."""

    row: Integers
    first: Integers
    behind: Integers


def score(texts: pa.Array | pa.ChunkedArray | Sequence[str | None], roles: Sequence[str], model: Model) -> Floats:
    """The probability of each text, given who said it: one float64 a text in [0, 1]; from 0.5 on it counts as flagged.

    A role that is not known is judged as the user's. Texts of fewer than `WORDS_MIN` words score as nothing found.
    """
    values, counts = _heads(texts, model)
    values = np.where(counts < WORDS_MIN, 0.0, values)
    coded = pc.dictionary_encode(pa.array(roles, pa.string()))
    place, names = coded.indices.to_numpy(), coded.dictionary.to_pylist()
    found = np.zeros(len(place))
    for head, value in enumerate(values):
        asked = np.array([HEADS[head] != "request" or name in UNTRUSTED for name in names], bool)[place]
        curves = [model.curves.get(name, model.curves["user"])[head] for name in names]
        slope, middle = np.array(curves, np.float64).reshape(-1, 2)[place].T
        curved = 1 / (1 + np.exp(-np.clip(slope * (value - middle), -40, 40)))
        found = np.maximum(found, np.where(asked, curved, 0))
    return found


def head_values(texts: pa.Array | pa.ChunkedArray | Sequence[str | None], model: Model) -> Floats:
    """float64 [heads, n]: the largest value of a window of each text, before any curve; 0 where a text has no words."""
    return _heads(texts, model)[0]


def _heads(texts: pa.Array | pa.ChunkedArray | Sequence[str | None], model: Model) -> tuple[Floats, Integers]:
    """The values of the heads, and how many words each text has."""
    values, counts = [np.zeros((len(HEADS), 0))], [np.zeros(0, np.int64)]
    for part in _parts(folded(texts)):
        found = words(part)
        values.append(_values(found, len(part), model))
        counts.append(np.bincount(found.row, minlength=len(part)))
    return np.concatenate(values, axis=1), np.concatenate(counts)


def _parts(column: pa.Array) -> Iterator[pa.Array]:
    ends = np.cumsum(pc.binary_length(column).to_numpy(zero_copy_only=False).astype(np.int64))
    first = 0
    while first < len(column):
        before = int(ends[first - 1]) if first else 0
        last = max(int(np.searchsorted(ends, before + CHUNK_BYTES, side="right")), first + 1)
        yield column.slice(first, last - first)
        first = last


def windows(row: Integers) -> Windows:
    """The windows over words of these rows (ascending): at each block one of every size, the smallest first."""
    begin = np.flatnonzero(np.diff(row, prepend=-1))
    count = np.diff(np.append(begin, len(row)))
    blocks = -(-count // BLOCK)
    owner = np.repeat(np.arange(len(begin)), blocks)
    place = np.arange(len(owner)) - np.repeat(np.cumsum(blocks) - blocks, blocks)
    first = begin[owner] + place * BLOCK
    behind = np.minimum(first[:, None] + BLOCK * np.array(WINDOW_BLOCKS), (begin + count)[owner][:, None])
    every = np.repeat(first, len(WINDOW_BLOCKS))
    return Windows(row[every], every, behind.reshape(-1))


def blocks_of(every: Windows) -> tuple[Integers, Integers]:
    """Of each window the first block and the one behind the last, as places among the blocks of all rows."""
    starts = every.first[:: len(WINDOW_BLOCKS)]
    return np.repeat(np.arange(len(starts)), len(WINDOW_BLOCKS)), np.searchsorted(starts, every.behind)


def breadth(every: Windows) -> Floats:
    """What the sum of each window is divided by: the root of its words. A short one at the end of a text, all of which stands in the
    window before as well, counts nothing by itself: its breadth is infinite."""
    count = every.behind - every.first
    tail = (count < WORDS_MIN) & (np.diff(every.row, prepend=-1) == 0)
    return np.where(tail, np.inf, np.sqrt(count))


def _values(found: Words, rows: int, model: Model) -> Floats:
    values = np.zeros((len(HEADS), rows))
    if not len(found.row):
        return values
    every = windows(found.row)
    summed = np.add.reduceat(_weights(found.hashes, model), every.first[:: len(WINDOW_BLOCKS)])
    lower = ((summed + 32768) & 65535) - 32768
    begin = np.flatnonzero(np.diff(every.row, prepend=-1))
    first, behind = blocks_of(every)
    size = breadth(every)
    for head, block in enumerate(((summed - lower) >> 16, lower)):
        total = np.append(0, np.cumsum(block, dtype=np.int64))
        values[head, every.row[begin]] = np.maximum.reduceat((total[behind] - total[first]) / size, begin)
    return values


def _weights(hashes: Sequence[Hashes], model: Model) -> np.ndarray[Any, np.dtype[np.int32]]:
    """The weights of every word's features, added, both heads in one number."""
    total = np.zeros(len(hashes[0]), np.int32)
    for values in hashes:
        total += model.packed.take((values >> model.shift).view(np.int64))
    return total
