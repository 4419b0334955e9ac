"""Many streams abreast: the processes of ten thousand streams take their step in one go, with the results of one by one, bit for bit.

For fleets that are watched by the same detector: one series and one direction a stream, each against a limit of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tocsin.detect.streams.contrast import Counts, Floats, Tallies, log_products_abreast
from tocsin.detect.streams.sequence import QUIET_WINDOWS, Process
from tocsin.detect.streams.wrappers import ANY_TIME, HORIZON, Guarantee, Spending


class Streams(NamedTuple):
    """One process a stream, and what it is judged against; every array has S rows."""

    log_a: Tallies
    """float[S, bets]."""
    windows: Counts
    share: Floats
    alarms: Counts
    limits: Floats
    """The rate that may not be exceeded."""
    largest: Counts
    """The largest bucket of past windows, in rows."""

    def process(self, place: int) -> Process:
        """The process of one stream."""
        log_a = tuple(float(a) for a in self.log_a[place])
        return Process(log_a, int(self.windows[place]), float(self.share[place]), int(self.alarms[place]))


class Advanced(NamedTuple):
    """The streams after a window, the logarithms of their statistics before any restart, and which of them alarm."""

    streams: Streams
    log_e: Floats
    alarming: np.ndarray[tuple[int], np.dtype[np.bool_]]


def gathered(processes: Sequence[Process], limits: Floats, largest: Counts) -> Streams:
    """Processes of the same number of bets, side by side."""
    log_a = np.array([process.log_a for process in processes])
    windows, alarms = (np.array([getattr(one, name) for one in processes]) for name in ("windows", "alarms"))
    return Streams(log_a, windows, np.array([one.share for one in processes]), alarms, limits, largest)


def advanced(
    streams: Streams, counts: Counts, threshold: float, guarantee: Guarantee, spending: Spending = ANY_TIME
) -> Advanced:
    """All streams after a window; int64[S, 2, m]: rows and outcomes per bucket. A stream without rows waits."""
    present = np.asarray(counts[:, 0].any(axis=1), bool)
    window = streams.windows + present
    log_a = np.where(present[:, None], _stepped(streams, counts, window, guarantee, spending), streams.log_a)
    log_e = _log_statistic(log_a, window, guarantee, spending)
    bars = np.log(threshold / streams.share)
    alarming = np.asarray(log_e >= bars * 2.0**streams.alarms)
    quiet = np.asarray((window >= QUIET_WINDOWS) & (log_e < bars) & ~alarming)
    alarms = np.where(quiet, 0, streams.alarms + alarming)
    log_a[alarming] = -np.inf
    largest = np.maximum(streams.largest, counts[:, 0].max(axis=1))
    after = Streams(log_a, np.where(alarming, 0, window), streams.share, alarms, streams.limits, largest)
    return Advanced(after, log_e, alarming)


def _stepped(streams: Streams, counts: Counts, window: Counts, guarantee: Guarantee, spending: Spending) -> Tallies:
    """log A after the window."""
    rows, outcomes, limit = counts[:, 0], counts[:, 1], streams.limits[:, None]
    scale = np.where(streams.largest > 0, streams.largest, rows.max(axis=1))[:, None]
    z = (outcomes - limit * rows) / (limit * np.maximum(np.maximum(scale, rows), 1))
    evenly = np.where(window <= HORIZON, spending.evenly / HORIZON, 0.0)
    soon = spending.soon / np.maximum(window * (window + 1), 1)
    weight = np.where(window == 1, spending.at_once, 0.0) + soon + evenly
    begin = np.zeros(len(window)) if guarantee == "sr" else np.log(weight)
    return np.asarray(np.logaddexp(streams.log_a, begin[:, None]) + log_products_abreast(z))


def _log_statistic(log_a: Tallies, window: Counts, guarantee: Guarantee, spending: Spending) -> Floats:
    """The logarithm of what is compared with the threshold; 0 before the first window."""
    top = log_a.max(axis=1)
    begun = np.isfinite(top)
    shifted = np.exp(log_a - np.where(begun, top, 0.0)[:, None])
    mean = np.where(begun, top + np.log(np.where(begun, shifted.mean(axis=1), 1.0)), -np.inf)
    if guarantee == "pfa":
        rest = spending.soon / (window + 1) + spending.evenly * np.maximum(0.0, 1 - window / HORIZON)
        mean = np.logaddexp(mean, np.log(rest))
    return np.asarray(np.where(window > 0, mean, 0.0))
