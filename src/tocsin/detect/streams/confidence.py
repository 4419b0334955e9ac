"""Intervals for display: asymptotic confidence sequences, valid at every look (not for alarms).

Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas, arXiv:2103.06476: the radius is the standard error times
sqrt(2 (1 + 1/q) log(sqrt(q + 1) / alpha)) with q = n rho^2, tightest near the n that rho is tuned to.
"""

from __future__ import annotations

from math import exp, log, sqrt
from typing import NamedTuple

ROWS_TUNED = 5_000
"""Rows at which the sequence is tightest."""
RATIO_MAX = 100.0
"""The bound of a ratio that is not bounded by the rows."""


class Interval(NamedTuple):
    """An estimate with its bounds."""

    value: float
    low: float
    high: float


def multiplier(rows: int, alpha: float) -> float:
    """Standard errors on each side of the estimate after `rows` rows."""
    best = -2 * log(alpha) + log(-2 * log(alpha)) + 1
    q = best * rows / ROWS_TUNED
    return sqrt(2 * (1 + 1 / q) * log(sqrt(q + 1) / alpha)) if rows else 0.0


def rate(rows: int, outcomes: float, alpha: float, design: float = 1.0) -> Interval:
    """A rate; `design` is the design effect by which repeated units inflate the variance (1: independent rows)."""
    if not rows:
        return Interval(0.0, 0.0, 1.0)
    value = outcomes / rows
    radius = multiplier(rows, alpha) * sqrt(max(design, 1.0) * _variance(rows, outcomes))
    return Interval(value, max(0.0, value - radius), min(1.0, value + radius))


def difference(high: tuple[int, float], low: tuple[int, float], alpha: float, design: float = 1.0) -> Interval:
    """The difference of two rates, from (rows, outcomes) of each."""
    if not high[0] or not low[0]:
        return Interval(0.0, -1.0, 1.0)
    value = high[1] / high[0] - low[1] / low[0]
    spread = sqrt(max(design, 1.0) * (_variance(*high) + _variance(*low)))
    radius = multiplier(high[0] + low[0], alpha) * spread
    return Interval(value, max(-1.0, value - radius), min(1.0, value + radius))


def ratio(low: tuple[int, float], high: tuple[int, float], alpha: float, design: float = 1.0) -> Interval:
    """The rate of `low` over that of `high`, from (rows, outcomes) of each: the interval is that of the logarithm.

    Without outcomes of `high` there is no ratio: one, between zero and `RATIO_MAX`.
    """
    if not low[0] or not high[0] or not high[1]:
        return Interval(1.0, 0.0, RATIO_MAX)
    value = (low[1] / low[0]) / (high[1] / high[0])
    smooth = [(outcomes + 0.5) / (rows + 1) for rows, outcomes in (low, high)]
    spread = sum((1 - p) / (p * rows) for p, (rows, _) in zip(smooth, (low, high), strict=True))
    radius = multiplier(low[0] + high[0], alpha) * sqrt(max(design, 1.0) * spread)
    middle = smooth[0] / smooth[1]
    return Interval(value, min(value, middle * exp(-radius)), min(max(value, middle * exp(radius)), RATIO_MAX))


def _variance(rows: int, outcomes: float) -> float:
    """The variance of a rate, with half a row added on each side so that it is never zero."""
    smooth = (outcomes + 0.5) / (rows + 1)
    return smooth * (1 - smooth) / rows
