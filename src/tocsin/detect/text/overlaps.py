"""Which of two overlapping matches is kept: a checksum beats a specific form, that a generic one; then the longer one.

Rules of injection say why a text is suspicious; they overlap freely, and one that holds a card number does not hide it.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable
from typing import NamedTuple

from tocsin.detect.text.patterns import RANK, Pattern


class Match(NamedTuple):
    """The pattern's place in its set, and offsets."""

    pattern: int
    start: int
    end: int


def resolved(found: Iterable[tuple[Pattern, int, int, int]]) -> list[Match]:
    """The matches (pattern, its place, start, end) that stand, in order of offsets. O(n log n)."""
    order = sorted(found, key=lambda m: (RANK[m[0].precedence], m[2] - m[3], m[2], m[1]))
    kept = [Match(place, start, end) for pattern, place, start, end in order if pattern.kind == "injection"]
    taken: list[tuple[int, int]] = []
    for pattern, place, start, end in order:
        if pattern.kind != "injection" and _free(taken, start, end):
            insort(taken, (start, end))
            kept.append(Match(place, start, end))
    return sorted(kept, key=lambda m: (m.start, m.end, m.pattern))


def _free(taken: list[tuple[int, int]], start: int, end: int) -> bool:
    """Whether [start, end) meets none of the disjoint spans."""
    at = bisect_left(taken, (start, end))
    return (at == 0 or taken[at - 1][1] <= start) and (at == len(taken) or taken[at][0] >= end)
