"""Change-time wrappers (N2): from e-values of single windows to an alarm that may be asked at every window.

`pfa`: A_j <- (A_j + w_t) E_t(j), statistic mean_j A_j + rem_t. It is an e-process, so by Ville's inequality
P(it ever reaches 1/alpha without a change) <= alpha, over an infinite horizon.
`sr`:  A_j <- (A_j + 1) E_t(j), statistic mean_j A_j: the e-SR procedure. P(false alarm in the first H windows) <= H/A for the
threshold A (Doob), and the average run length is at least A. Shin, Ramdas & Rinaldo, arXiv:2203.03532.
All in logarithms, one number per bet.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from tocsin.detect.streams.contrast import Floats

Guarantee = Literal["pfa", "sr"]
HORIZON = 400


class Spending(NamedTuple):
    """How `pfa` spends its budget over the window t in which the change may begin: on t = 1, as 1/(t(t+1)), and evenly over the
    first 400 windows (about a year of days)."""

    at_once: float
    soon: float
    evenly: float


ANY_TIME = Spending(0.4, 0.2, 0.4)
"""Often the fault is there when watching begins."""
LATER = Spending(0.1, 0.1, 0.8)
"""Against the stream's own past no fault was there before watching began."""


def start(bets: int) -> Floats:
    """log A before the first window: no bet has begun."""
    return np.full(bets, -np.inf)


def step(log_a: Floats, log_e: Floats, window: int, guarantee: Guarantee, spending: Spending = ANY_TIME) -> Floats:
    """log A after window number `window` (from 1)."""
    begin = 0.0 if guarantee == "sr" else np.log(_weight(window, spending))
    return np.asarray(np.logaddexp(log_a, begin) + log_e)


def log_statistic(log_a: Floats, window: int, guarantee: Guarantee, spending: Spending = ANY_TIME) -> float:
    """The logarithm of what is compared with the threshold."""
    mean = log_mean(log_a)
    if guarantee == "sr":
        return mean
    rest = spending.soon / (window + 1) + spending.evenly * max(0.0, 1 - window / HORIZON)
    return float(np.logaddexp(mean, np.log(rest)))


def log_mean(log_a: Floats) -> float:
    """The logarithm of the mean over the bets: what the process is worth."""
    top = float(log_a.max())
    return top + float(np.log(np.exp(log_a - top).mean())) if np.isfinite(top) else -np.inf


def _weight(window: int, spending: Spending) -> float:
    """The budget spent on a change that begins in this window; the weights of all windows sum to one."""
    evenly = spending.evenly / HORIZON if window <= HORIZON else 0.0
    return (spending.at_once if window == 1 else 0.0) + spending.soon / (window * (window + 1)) + evenly


def promise(guarantee: Guarantee, alpha: float, windows: int) -> str:
    """The guarantee in words."""
    if guarantee == "sr":
        return f"at most one false alarm per {windows:,} windows on average, and at most H/{windows:,} within any H windows"
    return f"at most {alpha:.0%} of unchanged streams ever raise an alarm, however long they are watched"
