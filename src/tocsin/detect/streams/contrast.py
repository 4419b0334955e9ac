"""The bucketed contrast e-value (N1): one linear inequality on rates, tested on counts per bucket.

Null: sum_g c_g R_g <= c0 for the row rates R_g of the window, given the past. With centres mu_g that satisfy the equality and are
known before the window is seen,

    y_b = sum_g c_g (k[b,g] - mu_g n[b,g]) / W_g,    z_b = y_b / H >= -1,    E(f) = prod_b (1 + f z_b),  0 <= f < 1,

has expectation at most 1 under the null: buckets are independent given the past and the units' own rates, so
E[E(f)] <= exp((f/H) sum_g c_g N_g (R_g - mu_g) / W_g) <= 1. Nothing is assumed inside a bucket: units may recur, in both
groups, in clusters. What it does not allow is a shock common to a whole window that moves one group only.
Related: Clerico, arXiv:2412.02640 (why no bet on a bounded mean beats a linear factor); Turner, Ly & Grünwald, arXiv:2106.02693.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

Floats = np.ndarray[tuple[int], np.dtype[np.float64]]
Counts = np.ndarray[tuple[int, ...], np.dtype[np.int64]]
Tallies = np.ndarray[tuple[int, ...], np.dtype[Any]]
"""[2, m]: rows and outcomes per bucket, where an outcome may also be an amount from 0 to 1."""

BETS: Floats = np.array([0.005, 0.01, 0.02, 0.04, 0.08, 0.15, 0.25, 0.4, 0.6, 0.85])
"""Fractions bet against the null; a fixed grid is as good as adaptive bets (measured) and keeps evaluation order-free."""
RUN = 16
"""Factors that are multiplied before a logarithm is taken."""
ABREAST = 128
"""Streams that are worked on together: what they need fits the processor's cache."""
DECAY = 0.9
"""How fast past windows fade in the centres."""
CENTRE_MARGIN = 0.001


class Rates(NamedTuple):
    """Exponentially weighted rows and outcomes of the past windows of one group."""

    rows: float = 0.0
    outcomes: float = 0.0

    def after(self, rows: int, outcomes: float) -> Rates:
        """The weights after one more window."""
        return Rates(DECAY * self.rows + rows, DECAY * self.outcomes + outcomes)


def pair_centres(high: Rates, low: Rates, tolerance: float, ratio: float = 1.0) -> tuple[float, float]:
    """Centres with ratio x mu_high - mu_low = tolerance, from the past; about one half before there is a past."""
    rows = high.rows + low.rows
    pooled = high.outcomes + (low.outcomes + tolerance * low.rows) / ratio
    centre = pooled / rows if rows else (1 + tolerance) / (1 + ratio)
    least = max(CENTRE_MARGIN, (CENTRE_MARGIN + tolerance) / ratio)
    most = min(1 - CENTRE_MARGIN, (1 - CENTRE_MARGIN + tolerance) / ratio)
    centre = min(max(centre, least), most)
    return centre, ratio * centre - tolerance


def pair_log_e(
    high: Counts, low: Counts, centres: tuple[float, float], bets: Floats = BETS, ratio: float = 1.0
) -> Floats:
    """log E(f) per bet against "`ratio` of the rate of `high` exceeds the rate of `low` by at most the tolerance in the centres".

    `high` and `low` are int64[2, m]: rows and outcomes per bucket. Zero where a group is absent. Four fifths: ratio 0.8.
    """
    rows_high, rows_low = int(high[0].sum()), int(low[0].sum())
    if not rows_high or not rows_low:
        return np.zeros(len(bets))
    mu_high, mu_low = centres
    y = ratio * (high[1] - mu_high * high[0]) / rows_high - (low[1] - mu_low * low[0]) / rows_low
    worst = ratio * mu_high * high[0] / rows_high + (1 - mu_low) * low[0] / rows_low
    return log_products(y / worst.max(), bets)


def pair_log_e_rows(
    high: tuple[int, int], low: tuple[int, int], centres: tuple[float, float], bets: Floats = BETS, ratio: float = 1.0
) -> Floats:
    """The same with every row a bucket of its own: (rows, outcomes) of each group suffice. Valid for independent rows only."""
    (n_high, k_high), (n_low, k_low) = high, low
    if not n_high or not n_low:
        return np.zeros(len(bets))
    mu_high, mu_low = centres
    each_high, each_low = ratio / n_high, 1 / n_low
    scale = max(each_high * mu_high, each_low * (1 - mu_low))
    gains = [each_high * (1 - mu_high), -each_high * mu_high, -each_low * (1 - mu_low), each_low * mu_low]
    steps = np.array(gains) / scale
    counts = np.array([k_high, n_high - k_high, k_low, n_low - k_low])
    return np.asarray(np.log1p(np.outer(bets, steps)) @ counts)


def rate_log_e(counts: Tallies, limit: float, largest: int, bets: Floats = BETS) -> Floats:
    """log E(f) per bet against "the rate is at most `limit`"; `largest` is the largest bucket of PAST windows (rows)."""
    rows, outcomes = counts[0], counts[1]
    if not rows.any():
        return np.zeros(len(bets))
    z = (outcomes - limit * rows) / (limit * np.maximum(largest or int(rows.max()), rows))
    return log_products(z, bets)


def log_products(z: Floats, bets: Floats = BETS) -> Floats:
    """log prod_b (1 + f z_b) per bet f; float[m] from -1 to a million.

    One logarithm for `RUN` factors: no product of so few can leave the range of a float.
    """
    factors = 1 + bets[:, None] * _in_runs(z)
    return np.asarray(np.log(np.multiply.reduce(factors.reshape(len(bets), RUN, -1), axis=1)).sum(axis=-1))


def log_products_abreast(z: Tallies, bets: Floats = BETS) -> Tallies:
    """The same for many streams, float[S, m] to float[S, bets], bit for bit, in a quarter of the time."""
    found = np.empty((len(z), len(bets)))
    for first in range(0, len(z), ABREAST):
        some = _in_runs(z[first : first + ABREAST])
        runs = np.ascontiguousarray(some.reshape(len(some), RUN, -1).transpose(1, 0, 2))
        factors = np.empty_like(runs)
        for place, bet in enumerate(bets):
            np.multiply(runs, bet, out=factors)
            factors += 1
            found[first : first + ABREAST, place] = np.log(np.multiply.reduce(factors, axis=0)).sum(axis=-1)
    return found


def _in_runs(z: Tallies) -> Tallies:
    """With zeros, which are no bets, up to whole runs."""
    short = -z.shape[-1] % RUN
    return np.concatenate([z, np.zeros((*z.shape[:-1], short))], axis=-1) if short else z


def rate_below_log_e(counts: Tallies, limit: float, bets: Floats = BETS) -> Floats:
    """log E(f) per bet against "the rate is at least `limit`": evidence that something is gone (c = -1, c0 = -limit)."""
    rows, outcomes = counts[0], counts[1]
    if not rows.any():
        return np.zeros(len(bets))
    z = (limit * rows - outcomes) / ((1 - limit) * max(int(rows.max()), 1))
    return log_products(z, bets)
