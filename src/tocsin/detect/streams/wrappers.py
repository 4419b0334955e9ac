"""Change-time wrappers (N2): from e-values of single windows to an alarm that may be asked at every window.

`pfa`: A_j <- (A_j + w_t) E_t(j), statistic mean_j A_j + rem_t. It is an e-process, so by Ville's inequality
P(it ever reaches 1/alpha without a change) <= alpha, over an infinite horizon.
`sr`:  A_j <- (A_j + 1) E_t(j), statistic mean_j A_j: the e-SR procedure. P(false alarm in the first H windows) <= H/A for the
threshold A (Doob), and the average run length is at least A. Shin, Ramdas & Rinaldo, arXiv:2203.03532.
All in logarithms, one number per bet.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from tocsin.detect.streams.contrast import Floats

Guarantee = Literal["pfa", "sr"]
HORIZON = 400
"""Windows within which `pfa` spends half of its budget evenly, so that an early change costs nothing."""


def start(bets: int) -> Floats:
    """log A before the first window: no bet has begun."""
    return np.full(bets, -np.inf)


def step(log_a: Floats, log_e: Floats, window: int, guarantee: Guarantee) -> Floats:
    """log A after window number `window` (from 1)."""
    begin = (
        0.0
        if guarantee == "sr"
        else np.log(0.5 / (window * (window + 1)) + (0.5 / HORIZON if window <= HORIZON else 0.0))
    )
    return np.asarray(np.logaddexp(log_a, begin) + log_e)


def log_statistic(log_a: Floats, window: int, guarantee: Guarantee) -> float:
    """The logarithm of what is compared with the threshold."""
    top = float(log_a.max())
    mean = top + float(np.log(np.exp(log_a - top).mean())) if np.isfinite(top) else -np.inf
    if guarantee == "sr":
        return mean
    rest = 0.5 / (window + 1) + 0.5 * max(0.0, 1 - window / HORIZON)
    return float(np.logaddexp(mean, np.log(rest)))


def promise(guarantee: Guarantee, alpha: float, windows: int) -> str:
    """The guarantee in words."""
    if guarantee == "sr":
        return f"at most one false alarm per {windows:,} windows on average, and at most H/{windows:,} within any H windows"
    return f"at most {alpha:.0%} of unchanged streams ever raise an alarm, however long they are watched"
