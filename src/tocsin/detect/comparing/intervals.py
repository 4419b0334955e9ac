"""Confidence intervals of the effects that a comparison shows. `alpha` is the chance of missing, both sides together.

Differences of rates: Newcombe 1998 (method 10) on Wilson's intervals. Differences of quantiles: the same square-and-add of the
intervals that order statistics give. The population stability index of two samples of N and M rows in k + 1 cells is, times 1 / (1/N +
1/M), about non-central chi squared with k degrees of freedom; its interval is found by inverting that (Sankaran 1963). Units that have
many rows inflate variances by the design effect; sizes are divided by it (Rao & Scott 1981).
"""

from __future__ import annotations

from math import exp, sqrt
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from tocsin.detect.comparing.cells import Counts, Floats, Scale, quantile

_NORMAL = NormalDist()
STEPS = 60
"""Halvings when a bound is sought: to the last bit that matters."""


class Interval(NamedTuple):
    """An estimate with its bounds."""

    value: float
    low: float
    high: float


def z_of(alpha: float) -> float:
    """Standard deviations on each side."""
    return _NORMAL.inv_cdf(1 - alpha / 2)


def rate(rows: float, outcomes: float, alpha: float) -> Interval:
    """A share of rows (Wilson 1927). Sizes may be fractions."""
    if rows <= 0:
        return Interval(0.0, 0.0, 1.0)
    z2, p = z_of(alpha) ** 2, outcomes / rows
    centre = (p + z2 / (2 * rows)) / (1 + z2 / rows)
    half = sqrt(z2 * (p * (1 - p) / rows + z2 / (4 * rows**2))) / (1 + z2 / rows)
    return Interval(p, max(0.0, min(centre - half, p)), min(1.0, max(centre + half, p)))


def apart(first: Interval, second: Interval) -> Interval:
    """second - first of independent estimates, by square and add."""
    value = second.value - first.value
    low = value - sqrt((first.high - first.value) ** 2 + (second.value - second.low) ** 2)
    return Interval(value, low, value + sqrt((first.value - first.low) ** 2 + (second.high - second.value) ** 2))


def ratio(first: tuple[float, float], second: tuple[float, float], alpha: float) -> Interval:
    """second / first of two rates given as (rows, outcomes), on the logarithm (Katz 1978, half an outcome added)."""
    (n1, k1), (n2, k2) = first, second
    if n1 <= 0 or n2 <= 0:
        return Interval(1.0, 0.0, np.inf)
    middle = ((k2 + 0.5) / (n2 + 0.5)) / ((k1 + 0.5) / (n1 + 0.5))
    spread = sqrt(max(1 / (k1 + 0.5) - 1 / (n1 + 0.5) + 1 / (k2 + 0.5) - 1 / (n2 + 0.5), 0.0))
    value = (k2 / n2) / (k1 / n1) if k1 else middle
    return Interval(value, middle * exp(-z_of(alpha) * spread), middle * exp(z_of(alpha) * spread))


def quantile_of(ordered: Counts, by: Scale, share: float, alpha: float, design: float = 1.0) -> Interval:
    """A quantile between two order statistics."""
    half = z_of(alpha) * sqrt(share * (1 - share) * design / int(ordered.sum()))
    low, value, high = quantile(ordered, by, share - half, share, share + half)
    return Interval(float(value), float(low), float(high))


class Stability(NamedTuple):
    """The population stability index, as everybody computes it and without the noise of the samples."""

    raw: float
    interval: Interval


def stability(reference: Counts, current: Counts, alpha: float, design: float = 1.0) -> Stability:
    """From counts per cell of both sides; half a row is added to each cell where one is empty."""
    empty = bool((reference == 0).any() or (current == 0).any())
    r, c = reference + 0.5 * empty, current + 0.5 * empty
    p, q = r / r.sum(), c / c.sum()
    raw = float(((q - p) * np.log(q / p)).sum())
    noise, degrees = design * float(1 / r.sum() + 1 / c.sum()), len(p) - 1
    if degrees < 1:
        return Stability(0.0, Interval(0.0, 0.0, 0.0))
    seen = max(noise, _spread(p, q, float(r.sum()), float(c.sum())) * design / max(4 * raw, 1e-300))
    value = max(0.0, raw - degrees * noise)
    low, high = (_solved(raw / seen, degrees, tail) * seen for tail in (1 - alpha / 2, alpha / 2))
    return Stability(raw, Interval(value, min(low, value), max(high, value)))


def _spread(p: Floats, q: Floats, rows_p: float, rows_q: float) -> float:
    """The variance of the index by the delta method."""
    by_q, by_p = np.log(q / p) - p / q, np.log(p / q) - q / p
    spread_q = float((q * by_q**2).sum() - (q * by_q).sum() ** 2)
    spread_p = float((p * by_p**2).sum() - (p * by_p).sum() ** 2)
    return max(spread_q, 0.0) / rows_q + max(spread_p, 0.0) / rows_p


def _solved(x: float, degrees: int, level: float) -> float:
    """The non-centrality at which P(value <= x) is `level`; 0 where none is."""
    if _below(x, degrees, 0.0) < level:
        return 0.0
    low, high = 0.0, 4 * x + 40.0
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if _below(x, degrees, middle) > level else (low, middle)
    return high


def _below(x: float, degrees: int, moved: float) -> float:
    """P(non-central chi squared <= x), by Sankaran's approximation."""
    total = degrees + moved
    h = 1 - 2 * total * (degrees + 3 * moved) / (3 * (degrees + 2 * moved) ** 2)
    p = (degrees + 2 * moved) / total**2
    m = (h - 1) * (1 - 3 * h)
    top = (max(x, 0.0) / total) ** h - (1 + h * p * (h - 1 - 0.5 * (2 - h) * m * p))
    return _NORMAL.cdf(top / (h * sqrt(2 * p) * (1 + 0.5 * m * p)))


def area(negative: Counts, positive: Counts, alpha: float, design: float = 1.0) -> Interval:
    """The area under the ROC curve from ordered counts of both kinds, ties as halves (DeLong, DeLong & Clarke-Pearson 1988)."""
    n0, n1 = int(negative.sum()), int(positive.sum())
    if not n0 or not n1:
        return Interval(0.5, 0.0, 1.0)
    over = (np.cumsum(negative) - negative / 2) / n0
    under = 1 - (np.cumsum(positive) - positive / 2) / n1
    value = float((over * positive).sum() / n1)
    spread = (float((positive * (over - value) ** 2).sum()) + 0.25) / n1**2
    spread += (float((negative * (under - value) ** 2).sum()) + 0.25) / n0**2
    half = z_of(alpha) * sqrt(design * spread)
    return Interval(value, max(0.0, value - half), min(1.0, value + half))


def design_effect(counts: np.ndarray[tuple[int, int], np.dtype[np.int64]]) -> float:
    """By how much units that repeat inflate the variance of shares, at least 1; int64[buckets, cells], a row in one cell.

    The mean over the cells of the variance between buckets to that of independent rows.
    """
    cells = counts[:, counts.sum(axis=0) > 0]
    rows, buckets = int(cells.sum()), int((cells.sum(axis=1) > 0).sum())
    if buckets < 2 or cells.shape[1] < 2:
        return 1.0
    share = cells.sum(axis=0) / rows
    strayed = cells - cells.sum(axis=1, keepdims=True) * share
    between = (strayed.astype(np.float64) ** 2).sum(axis=0) / rows * buckets / (buckets - 1)
    return max(1.0, float((between / share).sum() / (cells.shape[1] - 1)))
