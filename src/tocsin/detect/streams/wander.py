"""How far a rate wanders by itself: told from windows that nobody believes changed, and then from those that follow.

With x the windows' rates less their mean, `noise` the variance that rows and people explain, and K_ij = 0.6^|i-j| centred,

    unrest    (x'Kx - noise tr K) / (noise sqrt(2 tr K^2))     windows spread, or follow each other, more than noise does
    serial    the same without the diagonal, against the variance of x    windows follow each other

Both are about standard normal where windows are independent. Windows after the reference may hold the very change that is looked
for: before they are judged the best single step is taken out of them. Thresholds are chosen by simulation of streams that are calm,
that have shocks, and that have shocks which carry over (`benchmarks/stream_alarms.py`): with thirty windows a shock that carries over
by 0.8 shows in 92 of 100 streams and a calm stream is suspected in 39, after ninety in 12.
"""

from __future__ import annotations

from functools import lru_cache
from math import sqrt
from typing import NamedTuple

import numpy as np

from tocsin.detect.streams.contrast import Floats

CARRY = 0.6
"""How fast the weight of two windows falls with the distance between them."""
UNREST = 0.25
"""Above this the first windows are suspected of more than noise."""
UNREST_LATER = 0.1
UNREST_GROWTH = 0.75
"""At twice the reference the first; for each reference more so much is added: a real shock shows ever more clearly."""
SERIAL = -0.5
SERIAL_GROWTH = 0.4
"""Suspected windows are taken for independent of each other only below this; beyond twice the reference it grows alike."""
SERIAL_ALONE = 1.0
"""The same where nothing tells noise from shocks: one bucket a window."""
STILL = 1e-18
"""A variance below this is what arithmetic leaves of windows that are all alike."""
SIDE_MIN = 3
"""A step has at least this many windows on either side."""


class Bars(NamedTuple):
    """Above which unrest windows are suspected, and above which they are taken to follow each other."""

    unrest: float
    serial: float


class Wander(NamedTuple):
    """Whether windows move by more than noise, whether they follow each other, by how much more, and their whole deviation."""

    suspected: bool
    serial: bool
    excess: float
    deviation: float


def wander(rates: Floats, noise: float, first: int) -> Wander:
    """How the rate moves by itself: float[T], of which the first `first` windows are the reference.

    Before there are twice as many, a suspicion that the reference raised stays.
    """
    begin = _seen(rates[:first] - rates[:first].mean(), noise, 1, Bars(UNREST, SERIAL))
    if len(rates) == first:
        return begin
    more = max(0.0, len(rates) / first - 2)
    bars = Bars(UNREST_LATER + UNREST_GROWTH * more, SERIAL + SERIAL_GROWTH * more)
    now = _seen(unstepped(rates), noise, 3, bars)
    if len(rates) >= 2 * first or not begin.suspected:
        return now
    return now._replace(suspected=True, excess=max(now.excess, begin.excess))


def unstepped(rates: Floats) -> Floats:
    """What is left of the rates when the best single step is taken out; float[T], T at least 7."""
    count = len(rates)
    places = np.arange(SIDE_MIN, count - SIDE_MIN + 1)
    sums = rates.cumsum()
    left = sums[places - 1] / places
    right = (sums[-1] - sums[places - 1]) / (count - places)
    best = int(np.argmax((left - right) ** 2 * places * (count - places)))
    return np.asarray(rates - np.where(np.arange(count) < places[best], left[best], right[best]))


def unrest(residual: Floats, noise: float, *, apart: bool = False) -> float:
    """How far windows move beyond noise, in standard deviations. `apart`: only together with others, not each by itself."""
    kernel, trace, size = _kernel(len(residual), apart=apart)
    return float((residual @ kernel @ residual - trace * noise) / (noise * size)) if noise > 0 else 0.0


def _seen(residual: Floats, noise: float, lost: int, bars: Bars) -> Wander:
    """What the residual shows that lost so many degrees of freedom."""
    variance = float(residual @ residual) / (len(residual) - lost)
    if variance < STILL:
        return Wander(suspected=False, serial=False, excess=0.0, deviation=0.0)
    serial = unrest(residual, variance, apart=True)
    if noise <= 0:
        return Wander(True, serial > SERIAL_ALONE, sqrt(variance), sqrt(variance))
    excess = sqrt(max(variance - noise, 0.0))
    return Wander(unrest(residual, noise) > bars.unrest, serial > bars.serial, excess, sqrt(variance))


@lru_cache(maxsize=64)
def _kernel(count: int, *, apart: bool) -> tuple[Floats, float, float]:
    """The centred kernel, its trace, and the root of twice the sum of its squares."""
    places = np.arange(count)
    kernel = CARRY ** np.abs(places[:, None] - places[None, :]) - (np.eye(count) if apart else 0.0)
    centred = kernel - kernel.mean(axis=0) - kernel.mean(axis=1)[:, None] + kernel.mean()
    return centred, float(np.trace(centred)), sqrt(2 * float((centred**2).sum()))
