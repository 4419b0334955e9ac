"""The conditional odds-ratio e-value (T2): two groups of independent rows, exact for equal odds whatever the base rate does.

Given the margins of the window's 2x2 table, the outcomes of a group are hypergeometric under equal odds, and

    E(psi) = psi^k / sum_u Hyp(u; n_high, n_low, total) psi^u

is an e-value for every psi. Source: Turner & Grünwald, arXiv:2203.09785 and arXiv:2302.11401 (conditional tests for strata).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from tocsin.detect.streams.contrast import Floats

ODDS: Floats = np.array([1.15, 1.3, 1.6, 2.0, 3.0, 4.5])
"""Odds ratios bet on; with their mirror images for the other direction they cover gaps from 3 to 35 points."""
ROWS_MAX = 100_000
"""Above this many rows in a window the sum is long and the row form of the contrast takes over."""


@lru_cache(maxsize=8)
def _log_factorials(upto: int) -> Floats:
    return np.concatenate(([0.0], np.cumsum(np.log(np.arange(1, upto + 1)))))


def odds_log_e(high: tuple[int, int], low: tuple[int, int], odds: Floats = ODDS) -> Floats:
    """log E per odds ratio against "the odds of `high` are at most those of `low`"; (rows, outcomes) of each group."""
    (n_high, k_high), (n_low, k_low) = high, low
    total = k_high + k_low
    first, last = max(0, total - n_low), min(total, n_high)
    if not n_high or not n_low or first == last:
        return np.zeros(len(odds))
    facts = _log_factorials(1 << max(n_high, n_low).bit_length())
    u = np.arange(first, last + 1)
    ways = facts[n_high] - facts[u] - facts[n_high - u] + facts[n_low] - facts[total - u] - facts[n_low - total + u]
    tilted = ways + np.outer(np.log(odds), u)
    top, base = tilted.max(axis=1, keepdims=True), ways.max()
    normal = np.log(np.exp(tilted - top).sum(axis=1)) + top[:, 0] - np.log(np.exp(ways - base).sum()) - base
    return np.asarray(np.log(odds) * k_high - normal)
