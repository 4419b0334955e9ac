"""How surprising the last value of a series is, given those before it; and how surprising is too surprising.

Three things are looked at: the jump from the value before, the distance to the same time of the period before (a day, mostly), and the
mean size of the jumps over half a period. Each is held against its own past: below the highest fiftieth of it nothing is a surprise;
above, the tail is a generalized Pareto distribution fitted by moments (Pickands 1975; Hosking & Wallis 1987; Siffer et al., KDD 2017), and
the surprise is the negative logarithm of the chance of so large a value. The three are added, as Fisher adds logarithms (1932).
"""

from __future__ import annotations

from math import ceil, log, log1p

import numpy as np

from tocsin.detect.streams.contrast import Floats

MEMORY = 4_032
"""Values that are remembered: two weeks of five minutes."""
TAIL, TAIL_MIN = 0.02, 10
"""The share of the past that counts as its tail, and how many values at least."""
CAP = 12.0
"""No single surprise counts for more: how thin a tail is beyond one in 160,000 nobody knows from 4,000 values."""
SHAPE = (0.2, 0.5)
"""The shape of the tail lies between these: metrics have heavier tails than ten values show, and a mean and a variance."""
STEADY = 1e-3
"""In a past whose tail is one value over and over, the scale of surprise is this share of the value."""
_PRECISION = 1e-9


def remembered(period: int) -> int:
    """How many values of the series must be kept: those of the memory, and the period before."""
    return MEMORY + period


def aspects(values: Floats, period: int) -> list[Floats]:
    """What is looked at, as series of their own of at most `MEMORY` values that end with the last: jumps, distances to the period
    before (only where the period has two values or more) and restlessness."""
    jumps = np.abs(np.diff(values))
    if period < 2:
        return [jumps[-MEMORY:]]
    smooth = _trailing(values, max(ceil(period / 24), 3))
    apart = np.abs(smooth[period:] - smooth[:-period])
    return [part[-MEMORY:] for part in (jumps, apart, _trailing(jumps, max(period // 2, 1)))]


def surprise(values: Floats, period: int) -> float:
    """The surprise of the last of the values, in nats: 0 for nothing at all, up to `CAP` for each aspect."""
    return float(sum(min(_tail(part), CAP) for part in aspects(values, period) if len(part) > TAIL_MIN))


def bar(windows: float, period: int) -> float:
    """The surprise that ordinary noise reaches about once in so many windows, or less often.

    One aspect alone exceeds log(A) once in A windows. A single odd value moves two of them as one, and the third a little: the sum
    exceeds 2 log(2 A) less often than that. It is no bound for every dependence, and was measured: `benchmarks/nab.py`.
    """
    return log(windows) if period < 2 else 2 * log(2 * windows)


def fading(period: int) -> float:
    """What is left after one value of the surprise that hides later ones: half is gone in about a period."""
    return 1 - 1 / (1.5 * max(period, 32))


def _tail(past: Floats) -> float:
    """The surprise of the last value given those before it."""
    value, before = float(past[-1]), past[:-1]
    count = min(max(TAIL_MIN, int(TAIL * len(before))), len(before))
    top = np.partition(before, len(before) - count)[len(before) - count :]
    least = float(top.min())
    if not value > least:
        return 0.0
    excess = top - least
    mean, spread = float(excess.mean()), float(excess.var())
    if mean <= _PRECISION * abs(least):
        return log(len(before) / count) + (value - least) / (_PRECISION + abs(least) * STEADY)
    shape = float(np.clip((1 - mean * mean / spread) / 2, *SHAPE))
    return log(len(before) / count) + log1p(shape * (value - least) / (mean * (1 - shape))) / shape


def _trailing(values: Floats, width: int) -> Floats:
    """The mean of each value and the width - 1 before it; at the beginning, of those that there are."""
    total = np.concatenate(([0.0], np.cumsum(values)))
    behind = np.arange(1, len(values) + 1)
    first = np.maximum(behind - width, 0)
    return np.asarray((total[behind] - total[first]) / (behind - first))
