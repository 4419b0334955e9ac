"""Which of two overlapping matches is kept: a checksum beats a specific form, that a generic one; then the longer one.

Rules of injection say why a text is suspicious; they overlap freely, and one that holds a card number does not hide it.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence
from itertools import pairwise
from operator import attrgetter
from typing import NamedTuple

from tocsin.detect.text.patterns import RANK, Pattern


class Match(NamedTuple):
    """The pattern's place in its set, offsets, and how sure it is."""

    pattern: int
    start: int
    end: int
    score: float = 1.0


_PLACE = attrgetter("start", "end", "pattern")


def resolved(found: Sequence[Match], patterns: Sequence[Pattern]) -> list[Match]:
    """The matches that stand, in order of offsets. O(n log n)."""
    if len(found) < 2:
        return list(found)
    placed = sorted(found, key=_PLACE)
    if all(left.end <= right.start for left, right in pairwise(placed)):  # none overlap, as mostly
        return placed
    order = sorted(
        found, key=lambda m: (RANK[patterns[m.pattern].precedence], m.start - m.end, -m.score, m.start, m.pattern)
    )
    kept = [match for match in order if patterns[match.pattern].kind == "injection"]
    taken: list[tuple[int, int]] = []
    for match in order:
        if patterns[match.pattern].kind != "injection" and _free(taken, match.start, match.end):
            insort(taken, (match.start, match.end))
            kept.append(match)
    return sorted(kept, key=_PLACE)


def _free(taken: list[tuple[int, int]], start: int, end: int) -> bool:
    """Whether [start, end) meets none of the disjoint spans."""
    at = bisect_left(taken, (start, end))
    return (at == 0 or taken[at - 1][1] <= start) and (at == len(taken) or taken[at][0] >= end)
