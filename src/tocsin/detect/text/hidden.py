"""What stands in texts, plainly and in encodings: each text is looked at as it is and as what it says once it is decoded.

A finding in an encoding has the place of the encoded stretch, the value that was encoded, and the way it was read (`base64>url`). It
counts only where decoding showed something: what the same pattern found there already is told once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import pyarrow as pa

from tocsin.detect.text.decoding import Layer, undone
from tocsin.detect.text.engine import Row, column, matched
from tocsin.detect.text.overlaps import Match
from tocsin.detect.text.patterns import Patterns
from tocsin.detect.text.windows import WORDS_MIN

Judge = Callable[[Sequence[bytes], Sequence[str]], Iterable[float]]
"""Of texts and roles, how much like an attack each reads."""


class Hidden(NamedTuple):
    """Something in an encoding: row, the pattern's place in its set, character offsets of the encoded stretch, how sure, by which way
    it was read, and what was encoded."""

    row: int
    pattern: int
    start: int
    end: int
    score: float
    via: str
    value: bytes


class Sight(NamedTuple):
    """The same without a place: what was found in a row, plainly where `via` is empty."""

    row: int
    pattern: int
    score: float
    via: str
    value: bytes


class Everything(NamedTuple):
    """The rows with something in them, what is in encodings, the rows that held more than was looked at, and all that was decoded."""

    rows: list[Row]
    hidden: list[Hidden]
    truncated: set[int]
    layers: list[Layer]
    column: pa.Array

    def sights(self) -> Iterator[Sight]:
        """All that was found, without places."""
        for row in self.rows:
            for match in row.found:
                yield Sight(row.number, match.pattern, match.score, "", row.text[match.start : match.end])
        for one in self.hidden:
            yield Sight(one.row, one.pattern, one.score, one.via, one.value)


def everything(texts: Any, patterns: Patterns) -> Everything:
    """What the patterns find in the texts, plainly and decoded. See `engine.scan` and `decoding`."""
    rows, joined = list(matched(texts, patterns)), column(texts)
    layers, truncated = undone(joined)
    inside = list(matched(pa.array([layer.text for layer in layers], pa.large_binary()), patterns)) if layers else []
    truncated |= {row.number for row in rows if row.truncated} | {
        layers[row.number].row for row in inside if row.truncated
    }
    known = {row.number: row.found for row in rows}
    found = list(_placed(joined, _new(inside, layers, patterns, known)))
    return Everything(rows, found, truncated, layers, joined)


def attacks(every: Everything, roles: Sequence[str], judge: Judge, least: float, number: int) -> list[Hidden]:
    """The encoded stretches that read like an attack once decoded and not before: the surest of each row, as pattern `number`.

    As in texts, fewer than `WORDS_MIN` words are not judged: here those that were encoded.
    """
    layers = [layer for layer in every.layers if layer.words() >= WORDS_MIN]
    likely = [pair for pair in _scored(layers, [one.text for one in layers], roles, judge) if pair[1] >= least]
    before = [every.column[one.row].as_py()[slice(*one.origin(0, len(one.text))[:2])] for one, _ in likely]
    plain = _scored([one for one, _ in likely], before, roles, judge)
    worst: dict[int, _Found] = {}
    for (layer, score), (_, undecoded) in zip(likely, plain, strict=True):
        if undecoded < least and (layer.row not in worst or score > worst[layer.row].match.score):
            start, end, via = layer.extent()
            worst[layer.row] = _Found(layer.row, Match(number, start, end, score), via, layer.text)
    return list(_placed(every.column, worst.values()))


def _scored(
    layers: Sequence[Layer], texts: Sequence[bytes], roles: Sequence[str], judge: Judge
) -> list[tuple[Layer, float]]:
    """The layers and how each of these texts of theirs reads."""
    scores = judge(texts, [roles[layer.row] for layer in layers]) if layers else ()
    return [(layer, float(score)) for layer, score in zip(layers, scores, strict=True)]


class _Found(NamedTuple):
    row: int
    match: Match
    via: str
    value: bytes


def _new(
    inside: Iterable[Row], layers: Sequence[Layer], patterns: Patterns, known: dict[int, list[Match]]
) -> Iterator[_Found]:
    """What decoding showed, with offsets in the original, each once."""
    told: set[tuple[int, int, int, int, bytes]] = set()
    for row in inside:
        layer = layers[row.number]
        for match in row.found:
            origin = layer.origin(match.start, match.end)
            possible = origin.fresh and (not layer.attacks or patterns.items[match.pattern].kind == "injection")
            if not possible or _meets(known.get(layer.row, ()), match.pattern, origin.start, origin.end):
                continue
            value = row.text[match.start : match.end]
            key = (layer.row, match.pattern, origin.start, origin.end, value)
            if key not in told:
                told.add(key)
                yield _Found(layer.row, Match(match.pattern, origin.start, origin.end, match.score), origin.via, value)


def _meets(known: Sequence[Match], pattern: int, start: int, end: int) -> bool:
    """Whether the pattern is known to match in [start, end)."""
    return any(one.pattern == pattern and one.start < end and start < one.end for one in known)


def _placed(texts: pa.Array, found: Iterable[_Found]) -> Iterator[Hidden]:
    """The same in order of rows and offsets, which count characters."""
    rows: defaultdict[int, list[_Found]] = defaultdict(list)
    for one in found:
        rows[one.row].append(one)
    for number, own in sorted(rows.items()):
        own.sort(key=lambda one: one.match)
        own.sort(key=lambda one: one.match.start)
        row = Row(number, texts[number].as_py(), [one.match for one in own], False)
        for one, (match, place) in zip(own, row.placed(), strict=True):
            yield Hidden(number, match.pattern, *place, match.score, one.via, one.value)
