"""Numbers as counts in 65,536 ordered cells: one pass, integers only, and any two sets can be added.

A value becomes z = (x - centre) / spread, centre and spread from the first rows of the reference, and falls into the cell that the
first 16 bits of z as a float32 name (sign, exponent, seven bits of mantissa). So a cell is at most 1/128 of a value's distance from the
centre wide, however far away it is; quantiles are read off within that. NaN is missing; infinities are counted apart.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

Floats = np.ndarray[tuple[int], np.dtype[np.float64]]
Counts = np.ndarray[tuple[int], np.dtype[np.int64]]
Codes = np.ndarray[tuple[int], np.dtype[np.uint16]]

CELLS = 1 << 16
FINITE = 0x7F80
"""Finite cells on each side of the centre; the next one is infinity, those after it are NaN."""
_UP, _DOWN = FINITE, 0x8000 + FINITE
_ORDER = np.concatenate([np.arange(_DOWN - 1, 0x7FFF, -1), np.arange(FINITE)])
_STARTS = (np.arange(FINITE + 1, dtype=np.uint32) << np.uint32(16)).view(np.float32).astype(np.float64)
_STARTS[-1] = np.finfo(np.float32).max
_EDGES = np.concatenate([-_STARTS[:0:-1], _STARTS])


class Scale(NamedTuple):
    """Where the cells are fine, and what one unit of them is."""

    centre: float = 0.0
    spread: float = 1.0


def scale(sample: Floats) -> Scale:
    """The median of the finite values and their interquartile range; the largest distance, then 1, where that is zero."""
    known = sample[np.isfinite(sample)]
    if not len(known):
        return Scale()
    low, centre, high = np.quantile(known, (0.25, 0.5, 0.75), method="lower")
    with np.errstate(over="ignore"):
        spread = next((s for s in (high - low, np.abs(known - centre).max()) if 0 < s < np.inf), 1.0)
    return Scale(float(centre), float(spread))


def codes(values: Floats, by: Scale) -> Codes:
    """The cell of each value."""
    with np.errstate(over="ignore", invalid="ignore"):
        z = ((values - by.centre) / by.spread).astype(np.float32)
    return np.asarray((z.view(np.uint32) >> np.uint32(16)).astype(np.uint16))


def counted(values: Floats, cells: Codes) -> Counts:
    """int64[65536]; finite values too far out for a float32 count in the outermost finite cell."""
    counts = np.bincount(cells, minlength=CELLS)
    for edge, infinity in ((_UP, np.inf), (_DOWN, -np.inf)):
        if counts[edge]:
            true = int((values == infinity).sum())
            counts[edge - 1] += counts[edge] - true
            counts[edge] = true
    return counts


class Numbers(NamedTuple):
    """A column of numbers, counted."""

    ordered: Counts
    """Finite values per cell, from the lowest to the highest."""
    missing: int
    infinite: int

    @property
    def known(self) -> int:
        """Finite values."""
        return int(self.ordered.sum())


def read(counts: Counts) -> Numbers:
    """Counts per cell as what they say."""
    infinite = int(counts[_UP] + counts[_DOWN])
    missing = int(counts[_UP + 1 : 0x8000].sum() + counts[_DOWN + 1 :].sum())
    return Numbers(counts[_ORDER], missing, infinite)


def quantile(ordered: Counts, by: Scale, *shares: float) -> Floats:
    """The values below which these shares lie (0 to 1), interpolated within the cell. There must be a finite value."""
    upto = np.cumsum(ordered)
    target = np.clip(np.asarray(shares, np.float64), 0.0, 1.0) * upto[-1]
    cell = np.minimum(np.searchsorted(upto, np.maximum(target, 0.5), side="left"), len(ordered) - 1)
    inside = np.clip((target - (upto[cell] - ordered[cell])) / np.maximum(ordered[cell], 1), 0.0, 1.0)
    z = _EDGES[cell] + inside * (_EDGES[cell + 1] - _EDGES[cell])
    return np.asarray(by.centre + by.spread * z)


def cuts(ordered: Counts, parts: int) -> Counts:
    """The first cell of each of at most `parts` runs of cells with about equal counts; a heavy cell is a run of its own."""
    upto = np.cumsum(ordered)
    if not upto[-1]:
        return np.zeros(1, np.int64)
    ends = np.searchsorted(upto, upto[-1] * np.arange(1, parts) / parts, side="left") + 1
    heavy = np.flatnonzero(ordered >= upto[-1] / parts)
    starts = np.unique(np.concatenate([[0], ends, heavy, heavy + 1]))
    starts = starts[starts < len(ordered)]
    return _without_empty(ordered, starts)


def _without_empty(ordered: Counts, starts: Counts) -> Counts:
    """The starts of runs that hold something; an empty run joins the one before it, the first one the next."""
    filled = starts[np.add.reduceat(ordered, starts) > 0]
    return np.concatenate([[0], filled[1:]]) if len(filled) else np.zeros(1, np.int64)


def runs(ordered: Counts, starts: Counts) -> Counts:
    """Counts per run."""
    return np.asarray(np.add.reduceat(ordered, starts))


def boundaries(starts: Counts, by: Scale) -> Floats:
    """The values at which runs after the first begin."""
    return np.asarray(by.centre + by.spread * _EDGES[starts[1:]])


def coarse(starts: Counts) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    """uint8[65536]: the run of each cell; infinities belong to the outer runs, missing values to the run after the last."""
    table = np.full(CELLS, len(starts), np.uint8)
    table[_ORDER] = np.searchsorted(starts, np.arange(len(_ORDER)), side="right") - 1
    table[_UP], table[_DOWN] = len(starts) - 1, 0
    return table
