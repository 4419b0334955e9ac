"""A small trained model for attack wording: two linear heads over hashed features of words, summed over windows of sentences.

Head D answers "is this attack wording?" in every role; head R "is this a request addressed to an assistant?" and counts only in what
tools return and what is retrieved, where nobody should be giving orders. A window's sum is divided by the root of its words, so that a
short attack counts as much as a long one; a text scores as its worst window does. Weights are whole numbers of one byte, so every
machine comes to exactly the same score. What the model knows, and what not: `docs/injection-model.md`.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import sha256
from itertools import accumulate, pairwise
from math import sqrt
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tocsin.detect.text.features import Hashes, Lines, Room, Texts, folded, lines, short, words
from tocsin.detect.text.windows import WORDS_MIN, Flags, Floats, Integers, blocks, breadth, few
from tocsin.model.errors import BadInput, Place

VERSION = 1
HEADS = ("attack", "request")
ROLES = ("user", "tool", "retrieved", "system", "assistant")
UNTRUSTED = ("tool", "retrieved")
"""Where a request addressed to an assistant is a sign by itself."""
CHUNK_BYTES = 96 << 10
"""Rows are scored so many bytes at a time: what one pass works on stays in the processor's cache (measured: 1.6 times faster than 8 MB)."""

FEW_WORDS = 80
"""Up to so many words plain Python is faster than numpy's calls."""
PACKED_BITS = 16
_FIELD, _HALF = (1 << PACKED_BITS) - 1, 1 << (PACKED_BITS - 1)
_LIFT = sum(_HALF << (PACKED_BITS * head) for head in range(len(HEADS)))
"""Lifts the sums of all heads above zero, so that none borrows from the next."""

Packed = np.ndarray[Any, np.dtype[np.int32 | np.int64]]


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
    def packed(self) -> Packed:
        """All heads in one number, 16 bits each, the first lowest: one look-up serves all."""
        kind = np.int32 if len(self.tables) <= 2 else np.int64
        packed: Packed = np.zeros(self.tables.shape[1], kind)
        for head, table in enumerate(self.tables):
            packed += table.astype(kind) << kind(PACKED_BITS * head)
        return packed

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


def score(texts: Texts, roles: Sequence[str], model: Model) -> Floats:
    """The probability of each text, given who said it: one float64 a text in [0, 1]; from 0.5 on it counts as flagged.

    A role that is not known is judged as the user's. Texts of fewer than `WORDS_MIN` words score as nothing found.
    """
    values, counts = _heads(texts, model)
    values[:, counts < WORDS_MIN] = 0.0
    names = tuple(dict.fromkeys(roles))
    slope, middle, asked = _curves(model, names)
    if len(names) > 1:
        place = pc.index_in(pa.array(roles, pa.string()), pa.array(names, pa.string())).to_numpy()
        slope, middle, asked = (each.take(place, axis=1) for each in (slope, middle, asked))
    steep = np.minimum(np.maximum(slope * (values - middle), -40), 40)
    found: Floats = np.maximum.reduce(asked / (1 + np.exp(-steep)), axis=0)
    return found


@lru_cache(maxsize=64)
def _curves(model: Model, names: tuple[str, ...]) -> tuple[Floats, Floats, Floats]:
    """Slope, middle, and 1 where the head counts or 0: [heads, roles] each."""
    curves = np.array([model.curves.get(name, model.curves["user"]) for name in names], np.float64)
    asked = [[float(head != "request" or name in UNTRUSTED) for name in names] for head in HEADS]
    slope, middle = curves.reshape(len(names), len(HEADS), 2).T
    return slope, middle, np.array(asked).reshape(len(HEADS), len(names))


def head_values(texts: Texts, model: Model) -> Floats:
    """float64 [heads, n]: the largest value of a window of each text, before any curve; 0 where a text has no words."""
    return _heads(texts, model)[0]


def _heads(texts: Texts, model: Model) -> tuple[Floats, Integers]:
    """The values of the heads, and how many words each text has."""
    room, values, counts = Room(), [np.zeros((len(HEADS), 0))], [np.zeros(0, np.int64)]
    for part in _parts(texts):
        found = words(part, room)
        counts.append(found.counts)
        alone = len(found.counts) == 1 and 0 < len(found.opens) <= FEW_WORDS
        values.append((_few if alone else _values)(_weights(found.hashes, model), found.opens, found.counts))
    return np.concatenate(values, axis=1), np.concatenate(counts)


def _parts(texts: Texts) -> Iterator[Lines]:
    if alone := short(texts):
        yield alone
        return
    column = folded(texts)
    ends = np.cumsum(pc.binary_length(column).to_numpy(zero_copy_only=False).astype(np.int64))
    first = 0
    while first < len(column):
        before = int(ends[first - 1]) if first else 0
        last = max(int(np.searchsorted(ends, before + CHUNK_BYTES, side="right")), first + 1)
        yield lines(column.slice(first, last - first))
        first = last


def _values(weights: Packed, opens: Flags, counts: Integers) -> Floats:
    """[heads, rows]: the largest of the windows of each row, from the weights of all words; 0 where a row has none."""
    values = np.zeros((len(HEADS), len(counts)))
    if len(weights):
        worded = counts.nonzero()[0]
        cut = blocks((counts.cumsum() - counts)[worded], opens)
        total = np.zeros((len(HEADS), len(cut.start) + 1), np.int64)
        unpacked(np.add.reduceat(weights, cut.start), len(HEADS)).cumsum(axis=1, out=total[:, 1:])
        size = breadth(cut.words)
        best = (total.take(cut.behind[0], axis=1) - total[:, :-1]) / size[0]
        for behind, root in zip(cut.behind[1:], size[1:], strict=True):
            np.maximum(best, (total.take(behind, axis=1) - total[:, :-1]) / root, out=best)
        values[:, worded] = np.maximum.reduceat(best, cut.begin, axis=1)
    return values


def _few(weights: Packed, opens: Flags, _counts: Integers) -> Floats:
    """The same of one text of few words, in plain Python."""
    (bounds, spans), sums = few(opens.tolist()), [0]
    for weight in weights.tolist():
        sums.append(sums[-1] + weight)
    blocks = [sums[end] - sums[start] for start, end in pairwise(bounds)]
    values = []
    for head in range(len(HEADS)):
        field = PACKED_BITS * head
        total = [0, *accumulate((((block + _LIFT) >> field) & _FIELD) - _HALF for block in blocks)]
        sizes = ((total[behind] - total[first], bounds[behind] - bounds[first]) for first, behind in spans)
        values.append([max(summed / sqrt(size) if size >= WORDS_MIN else 0.0 for summed, size in sizes)])
    return np.array(values)


def _weights(hashes: Hashes, model: Model) -> Packed:
    """The weights of every word's features, added, all heads in one number. Overwrites the hashes."""
    hashes >>= model.shift
    places = hashes.view(np.int64)
    total: Packed = model.packed.take(places[0], mode="clip")
    for feature in places[1:]:
        total += model.packed.take(feature, mode="clip")
    return total


def unpacked(sums: Packed, heads: int) -> Integers:
    """[heads, n]: what each head has of numbers that hold all heads. Lifted above zero first, so that none borrows from the next."""
    fields = PACKED_BITS * np.arange(heads)[:, None]
    apart: Integers = ((sums + (_HALF << fields).sum()) >> fields) & _FIELD
    return apart - _HALF
