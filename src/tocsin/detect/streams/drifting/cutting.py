"""From fine cells to the few whose shares are watched: cut once, on the first windows, and the same for ever after.

Numbers: ten runs of about equal shares; a value that has such a share by itself is a run of its own, and so a constant has a run below it
and one above. Boundaries are the roundest numbers within two points of the share wanted, so that they stay boundaries of fine cells
when later windows are coarser. Texts: the most frequent ones, and all others together. Missing values are the last cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import msgspec
import numpy as np

from tocsin.detect.streams.drifting.keys import MISSING, Whole, bits_needed, coarser, number, roundest
from tocsin.detect.streams.drifting.tally import Tally

RUNS = 10
TEXTS = 50
SLACK = 0.02
GATHERED_MAX = 512
"""Fine cells of the first windows that are kept until they are cut; the rarest texts are let go."""
NEAR = 42
"""Bits of a float that may change while it counts as the constant that it was: a thousandth."""
QUANTILES = (0.1, 0.5, 0.9)
DIGITS_MIN, DIGITS_MAX = 4, 17
OTHER, NONE = "(other)", "(missing)"


class Gathered(msgspec.Struct, frozen=True, array_like=True):
    """Rows per fine cell of the windows so far, and how many buckets with rows they had in all."""

    windows: int = 0
    level: int = 0
    cells: tuple[int, ...] = ()
    counts: tuple[int, ...] = ()
    missing: int = 0
    filled: int = 0
    names: tuple[tuple[int, str], ...] = ()

    @property
    def rows(self) -> int:
        """All rows."""
        return sum(self.counts) + self.missing

    def after(self, tally: Tally, *, ordered: bool) -> Gathered:
        """The same with one more window."""
        level = max(self.level, tally.level)
        cells, counts = tally.marginal()
        held = (np.append(np.array(self.cells, np.int64), MISSING), np.append(self.counts, self.missing))
        both = np.concatenate([coarser(held[0], level - self.level), coarser(cells, level - tally.level)])
        if ordered:
            bits = bits_needed(np.unique(both), GATHERED_MAX)
            level, both = level + bits, coarser(both, bits)
        found, place = np.unique(both, return_inverse=True)
        summed = np.bincount(place, weights=np.concatenate([held[1], counts])).astype(np.int64)
        missing = int(summed[found == MISSING].sum())
        found, summed = found[found != MISSING], summed[found != MISSING]
        if len(found) > GATHERED_MAX and not ordered:
            kept = np.sort(np.lexsort((found, -summed))[:GATHERED_MAX])
            found, summed = found[kept], summed[kept]
        names = {**dict(self.names), **tally.names} if not level else {}
        return Gathered(
            self.windows + 1,
            level,
            tuple(found.tolist()),
            tuple(summed.tolist()),
            missing,
            self.filled + len(np.unique(tally.buckets)),
            tuple((key, names[key]) for key in found.tolist() if key in names),
        )


class Cut(msgspec.Struct, frozen=True, array_like=True):
    """How keys fall into cells: run i holds the keys from edges[i-1] on, and belongs to cell table[i]."""

    edges: tuple[int, ...]
    table: tuple[int, ...]
    names: tuple[str, ...]
    """Of the cells, the missing one last."""
    shares: tuple[float, ...]
    """Of the cells in the windows that were cut."""
    ordered: bool
    largest: float
    """Rows of a bucket beyond which it weighs no more: the mean of those with rows."""
    quantiles: tuple[float, ...] = ()
    """Of numbers: at `QUANTILES`."""

    @property
    def missing(self) -> int:
        """The cell of missing values."""
        return len(self.names) - 1

    def told(self) -> str:
        """As text for a finding: keys are too long for the numbers of JSON."""
        return msgspec.msgpack.encode(self).hex()

    @staticmethod
    def read(text: str) -> Cut:
        """The inverse of `told`."""
        return msgspec.msgpack.decode(bytes.fromhex(text), type=Cut)

    def span(self, cell: int) -> tuple[int, int]:
        """The keys from the first to before the last of a cell that is one run; nothing for one that is several."""
        runs = [run for run, of in enumerate(self.table) if of == cell]
        if cell == self.missing:
            return MISSING, MISSING + 1
        if len(runs) != 1:
            return 0, 0
        edges = (-MISSING - 1, *self.edges, MISSING)
        return edges[runs[0]], edges[runs[0] + 1]


Table = np.ndarray[tuple[int, int], np.dtype[np.float64]]


class Cells(NamedTuple):
    """A window in the cells of a cut."""

    counts: Table
    """[m, cells]: rows per bucket; a fine cell that two cells share is counted in the lower one."""
    astray: Table
    """[m, cells]: those of the rows that could belong to another cell as well."""


def placed(cut: Cut, tally: Tally, buckets: int) -> Cells:
    """The rows of the window per bucket and cell."""
    edges, table = np.array(cut.edges, np.int64), np.array(cut.table, np.int64)
    low = tally.cells << tally.level if tally.level else tally.cells
    high = low + ((1 << tally.level) - 1)
    first, last = (np.searchsorted(edges, keys, side="right") for keys in (low, high))
    absent = tally.cells == MISSING
    cell = np.where(absent, cut.missing, table[first])
    width = len(cut.names)
    at = tally.buckets * width + cell

    def table_of(counts: Whole) -> Table:
        flat = np.bincount(at, weights=counts, minlength=buckets * width)
        return flat.astype(np.float64).reshape(buckets, width)

    return Cells(table_of(tally.counts), table_of(np.where((first != last) & ~absent, tally.counts, 0)))


def cut(gathered: Gathered, *, ordered: bool) -> Cut:
    """The cells for what was gathered."""
    cells, counts = np.array(gathered.cells, np.int64), np.array(gathered.counts, np.int64)
    edges = _edges(cells, counts, gathered.level) if ordered else []
    if ordered:
        table, names = list(range(len(edges) + 1)), _ranges(edges)
    else:
        edges, table, names = _texts(cells, counts, gathered)
    edges_of = np.array(edges, np.int64)
    runs = np.searchsorted(edges_of, cells << gathered.level if gathered.level else cells, side="right")
    shares = np.bincount(np.array(table, np.int64)[runs], weights=counts, minlength=len(names) + 1)
    shares[-1] = gathered.missing
    largest = gathered.rows / max(gathered.filled, 1)
    told = quantiles(cells, counts, gathered.level) if ordered else ()
    spread = tuple((shares / max(gathered.rows, 1)).tolist())
    return Cut(tuple(edges), tuple(table), (*names, NONE), spread, ordered, largest, told)


def quantiles(cells: Whole, counts: Whole, level: int) -> tuple[float, ...]:
    """The numbers below which the shares in `QUANTILES` lie, to the fine cell; none without rows."""
    if not counts.sum():
        return ()
    upto = np.cumsum(counts)
    places = np.searchsorted(upto, np.array(QUANTILES) * upto[-1], side="left")
    return tuple(number(int(cells[place]) << level) for place in places)


def apart(numbers: Sequence[float]) -> list[str]:
    """The numbers with as many digits, four at least, as it takes to tell them apart."""
    for digits in range(DIGITS_MIN, DIGITS_MAX):
        told = [f"{one:.{digits}g}" for one in numbers]
        if len(set(told)) == len(set(numbers)):
            return told
    return [f"{one:.{DIGITS_MAX}g}" for one in numbers]


def _edges(cells: Whole, counts: Whole, level: int) -> list[int]:
    """The first keys of runs after the first."""
    if not len(cells):
        return []
    upto = np.cumsum(counts)
    total = int(upto[-1])
    heavy = np.flatnonzero(counts * RUNS >= total)
    ends = np.searchsorted(upto, total * np.arange(1, RUNS) / RUNS, side="left") + 1
    starts = sorted({*ends.tolist(), *heavy.tolist(), *(heavy + 1).tolist()})
    alone = {*heavy.tolist(), -1, len(cells)}
    found = (_round(cells, upto, level, start, alone) for start in starts if start < len(cells) or start - 1 in alone)
    return sorted(set(found))


def _round(cells: Whole, upto: Whole, level: int, start: int, alone: set[int]) -> int:
    """The roundest key at which a run may begin that should begin with the fine cell at place `start`."""
    slack, total = SLACK * upto[-1], upto[-1]

    def before(place: int) -> int:
        return int(upto[place - 1]) if place else 0

    low = high = start
    while low - 1 not in alone and low > 0 and before(start) - before(low - 1) <= slack:
        low -= 1
    while (
        high not in alone
        and high < len(cells)
        and before(high + 1) - before(start) <= slack
        and before(high + 1) < total
    ):
        high += 1
    least = (int(cells[low - 1]) + 1 << level) - 1 if low else (int(cells[0]) << level) - (1 << NEAR)
    most = int(cells[high]) << level if high < len(cells) else (int(cells[-1]) + 1 << level) + (1 << NEAR)
    return roundest(max(least, -MISSING - 1), min(most, MISSING - 1))


def _ranges(edges: list[int]) -> list[str]:
    """What the runs of numbers are called."""
    if not edges:
        return ["any value"]
    told = apart([number(edge) for edge in edges])
    between = [f"{low} to {high}" for low, high in pairwise(told)]
    return [f"below {told[0]}", *between, f"{told[-1]} and more"]


class _Runs(NamedTuple):
    edges: list[int]
    table: list[int]
    names: list[str]


def _texts(cells: Whole, counts: Whole, gathered: Gathered) -> _Runs:
    """Each frequent text a run of its own, with a run of others on either side."""
    most = np.sort(np.lexsort((cells, -counts))[:TEXTS])
    edges: list[int] = []
    table: list[int] = []
    names: list[str] = []
    names_of = dict(gathered.names)
    for place, index in enumerate(most.tolist()):
        first = int(cells[index]) << gathered.level
        end = int(cells[index]) + 1 << gathered.level
        if not edges or edges[-1] != first:
            edges.append(first)
            table.append(len(most))
        edges.append(end)
        table.append(place)
        names.append(names_of.get(int(cells[index]), f"(some values, {place + 1})"))
    return _Runs(edges, [*table, len(most)], [*names, OTHER])
