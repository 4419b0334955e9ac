"""Since when (N7): the window at which a change most probably began, and those that cannot be ruled out.

For each candidate s the log-likelihood ratio over the windows s to now, divided by the design effect; the set holds every s
within 4 of the best. Coverage by simulation, conditional on an alarm: 0.93 to 1.0 for independent rows and ICC 0.1, 0.90 for
small rises at ICC 0.3; it is not a theorem, and small changes are dated poorly.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tocsin.detect.streams.contrast import Floats

DROP = 4.0


class Dated(NamedTuple):
    """Positions in the history: the best, the earliest and the latest that cannot be ruled out."""

    best: int
    earliest: int
    latest: int


def dated(likelihood: Floats) -> Dated:
    """From the scaled log-likelihood ratio of each candidate start."""
    best = int(np.argmax(likelihood))
    inside = np.flatnonzero(likelihood >= likelihood[best] - DROP)
    return Dated(best, int(inside[0]), int(inside[-1]))


def pair_since(high: Floats, low: Floats, design: float, ratio: float = 1.0, tolerance: float = 0.0) -> Dated:
    """When `ratio` of the rate of `high` began to exceed that of `low` by more than `tolerance`.

    float[T, 2] of rows and outcomes per window, oldest first.
    """
    tail_high, tail_low = _tails(high), _tails(low)
    apart = _best(tail_high) + _best(tail_low)
    together = _bound(tail_high, tail_low, ratio, tolerance)
    gap = ratio * _rates(tail_high) - _rates(tail_low) - tolerance
    return dated(np.where(gap > 0, apart - together, 0.0) / max(design, 1.0))


def rate_since(counts: Floats, limit: float | Floats, design: float) -> Dated:
    """When the rate began to exceed `limit`, one or float[T]; float[T, 2] of rows and outcomes per window, oldest first."""
    tails = _tails(counts)
    weighted = _rates(_tails(np.stack([counts[:, 0], counts[:, 0] * limit], axis=1)))
    bound = np.clip(weighted, np.min(limit), np.max(limit))
    against = _log_likelihood(tails, bound)
    return dated(np.where(_rates(tails) > bound, _best(tails) - against, 0.0) / max(design, 1.0))


def _tails(counts: Floats) -> Floats:
    """The sums over the windows from each one to the last."""
    return np.asarray(counts[::-1].cumsum(axis=0)[::-1])


def _bound(high: Floats, low: Floats, ratio: float, tolerance: float) -> Floats:
    """The log-likelihood where ratio x rate of high - rate of low = tolerance holds just so (least squares but for equality)."""
    if (ratio, tolerance) == (1.0, 0.0):
        return _best(high + low)
    weight_high, weight_low = _precision(high), _precision(low)
    pulled = weight_high * _rates(high) + weight_low * ratio * (_rates(low) + tolerance)
    rate = pulled / np.maximum(weight_high + ratio**2 * weight_low, 1e-9)
    return _log_likelihood(high, rate) + _log_likelihood(low, ratio * rate - tolerance)


def _precision(counts: Floats) -> Floats:
    """One over the variance of the rates, with half a row on each side."""
    smooth = (counts[:, 1] + 0.5) / (counts[:, 0] + 1)
    return np.asarray(counts[:, 0] / (smooth * (1 - smooth)))


def _rates(counts: Floats) -> Floats:
    return np.asarray(counts[:, 1] / np.maximum(counts[:, 0], 1))


def _best(counts: Floats) -> Floats:
    return _log_likelihood(counts, _rates(counts))


def _log_likelihood(counts: Floats, rates: Floats) -> Floats:
    p = np.clip(rates, 1e-9, 1 - 1e-9)
    return np.asarray(counts[:, 1] * np.log(p) + (counts[:, 0] - counts[:, 1]) * np.log1p(-p))
