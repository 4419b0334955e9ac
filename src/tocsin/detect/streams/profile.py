"""What is normal of several means at once, at every hour: a regression on the windows of a reference, each one observation.

With x the features of a window's time (the constant alone, or the season as well), y the mean of the window and w its rows,

    mean(x) = x'b, b of least squares weighted by w;    margin(x) = t(N-q, 1-beta) s sqrt(x' (X'WX)^-1 x)

which for the constant alone is mu + t s / sqrt(N) (R1). People who repeat, clusters and shocks are inside s. What windows move by
beyond what their buckets explain (s_x) must be in the margin of later windows too: `shocks` adds 4 s_x, `gaussian` 0.75 s_x and takes
a window as one observation; `auto` asks whether s_x is more than chance, and then whether windows follow each other. A season that
the features do not describe is part of s_x. `population`: two and a quarter times root two the error clustered by bucket, where members
come and go. Approximate, checked by simulation (`benchmarks/drift_alarms.py`).
"""

from __future__ import annotations

from datetime import timedelta
from math import sqrt
from typing import Literal

import msgspec
import numpy as np

from tocsin.detect.streams.contrast import Floats, Tallies
from tocsin.detect.streams.membership import Members
from tocsin.detect.streams.quantiles import chi_squared, poisson_upper, student
from tocsin.detect.streams.reference import MARGIN, MEMBERS, RARE, SPREAD_BETA, Mode, Normal

Season = Literal["none", "hour_of_day", "hour_of_week"]
HARMONICS = 4
"""Waves of a day that a season is made of: down to six hours."""
CHANCE = 0.05
"""The chance that calm windows are taken to move together."""
FOLDED = 640
"""Sums by bucket that are kept until the reference is complete, shared by the means."""
DAY, WEEK = (timedelta(days=days) // timedelta(microseconds=1) for days in (1, 7))
MONDAY = 4 * DAY
"""1970 began on a Thursday."""


def features(at: int, season: Season, every: timedelta | None) -> Floats:
    """The features of a window from its middle, in microseconds since the epoch, UTC; waves that windows are too long for are left out."""
    constant = np.ones(1)
    if season == "none":
        return constant
    count = HARMONICS if every is None else min(HARMONICS, max(0, (timedelta(days=1) // every - 1) // 2))
    angles = 2 * np.pi * (at % DAY) / DAY * np.arange(1, count + 1)
    waves = np.concatenate([np.cos(angles), np.sin(angles)])
    if season == "hour_of_day":
        return np.concatenate([constant, waves])
    weekday = (at - MONDAY) % WEEK // DAY
    days = np.eye(7)[weekday][1:]
    return np.concatenate([constant, waves, waves * (weekday >= 5), days])


def windows_needed(asked: int, season: Season, every: timedelta | None) -> int:
    """How many windows make a reference: as many as were asked for, and of a season a week of days or four whole weeks at least."""
    if season == "none":
        return asked
    period = timedelta(days=7 if season == "hour_of_day" else 28)
    whole = period // every if every else 0
    return max(asked, whole, 4 * len(features(0, season, every)))


class Profile(msgspec.Struct, frozen=True, array_like=True):
    """Sums over the windows of a reference, for D means at once; arrays of float64 as bytes."""

    windows: int = 0
    rows: float = 0.0
    gram: bytes = b""
    """[q, q]: X'WX."""
    moments: bytes = b""
    """[q, D]: X'WY."""
    sums: bytes = b""
    """[8, D]: weighted squares, what buckets explain of them, and of the means: amounts, sums, squares, lagged, first, last."""
    folded: bytes = b""
    """[1 + D, F]: rows and amounts by bucket, until the reference is complete."""
    members: Members = Members()
    population: tuple[float, ...] = ()
    """The margins for members who come and go; empty where they do not."""

    def after(self, tables: Tallies, at: Floats, wanted: str, needed: int) -> Profile:
        """The sums after one more window; float[D, 2, m]: rows and amounts per bucket of each mean, `at` the window's features."""
        rows, amounts = float(tables[0, 0].sum()), tables[:, 1].sum(axis=1)
        mean = amounts / rows
        within = ((tables[:, 1] - mean[:, None] * tables[:, 0]) ** 2).sum(axis=1) / rows
        before = _array(self.sums, len(tables))
        old = before if len(before) else np.zeros((8, len(tables)))
        lagged, first = (old[5] + old[7] * mean, old[6]) if self.windows else (old[5], mean)
        now = np.stack(
            [
                old[0] + rows * mean**2,
                old[1] + within,
                old[2] + amounts,
                old[3] + mean,
                old[4] + mean**2,
                lagged,
                first,
                mean,
            ]
        )
        gram, moments = rows * np.outer(at, at), rows * np.outer(at, mean)
        if self.windows:
            gram, moments = gram + _array(self.gram, len(at)), moments + _array(self.moments, len(tables))
        members = self.members.after(tables[0], self.windows, needed)
        grown = Profile(
            self.windows + 1,
            self.rows + rows,
            _bytes(gram),
            _bytes(moments),
            _bytes(now),
            _bytes(self._folded(tables)),
            members,
        )
        return grown._complete(wanted, needed) if grown.windows >= needed else grown

    def _folded(self, tables: Tallies) -> Tallies:
        count = max(8, min(64, 1 << (FOLDED // len(tables)).bit_length() - 1, tables.shape[2]))
        whole = np.concatenate([tables[:1, 0], tables[:, 1]])
        now = whole.reshape(len(whole), -1, count).sum(axis=1) if whole.shape[1] % count == 0 else whole
        return now + _array(self.folded, now.shape[1]) if self.windows else now

    def _complete(self, wanted: str, needed: int) -> Profile:
        """The same without what only a reference in the making needs."""
        asked = wanted == "population" or (wanted == "auto" and self.members.changing(needed))
        population: tuple[float, ...] = ()
        if asked:
            table = _array(self.folded, self._width)
            residual = table[1:] - table[1:].sum(axis=1, keepdims=True) / table[0].sum() * table[0]
            population = tuple((MEMBERS * np.sqrt((residual**2).sum(axis=1)) / table[0].sum()).tolist())
        return msgspec.structs.replace(self, folded=b"", members=Members(), population=population)

    @property
    def _width(self) -> int:
        return len(self.folded) // 8 // (1 + len(self.sums) // 64)

    def normals(self, at: Floats, wanted: str, beta: float) -> tuple[Normal, ...]:
        """What is normal of each mean in a window with these features; `beta`: the chance to mislead, of each."""
        gram, means = _array(self.gram, len(at)), len(self.sums) // 64
        inverse = np.linalg.pinv(gram, hermitian=True)
        fits = inverse @ _array(self.moments, means)
        free = self.windows - int(np.linalg.matrix_rank(gram, hermitian=True))
        lever = max(float(at @ inverse @ at), 0.0)
        margin = student(1 - beta, free) * sqrt(lever)
        left = _array(self.sums, means)[0] - (fits * _array(self.moments, means)).sum(axis=0)
        variances = np.maximum(left, 0.0) / free
        expected = np.clip(at @ fits, 0.0, 1.0)
        seasonal = len(at) > 1
        return tuple(
            self._normal(
                place, mean, variance, free, margin, beta, self._mode(place, variance, free, wanted, seasonal=seasonal)
            )
            for place, (mean, variance) in enumerate(zip(expected.tolist(), variances.tolist(), strict=True))
        )

    def _normal(
        self, place: int, mean: float, variance: float, free: int, errors: float, beta: float, mode: Mode
    ) -> Normal:
        """What is normal of one mean; `errors`: how many of its deviations its own error is."""
        _, within, amount, *_ = _array(self.sums, len(self.sums) // 64)[:, place].tolist()
        usual = self.rows / self.windows
        margin = errors * sqrt(variance)
        margin += MARGIN.get(mode, 0.0) * sqrt(max(variance - within / self.windows, 0.0) / usual)
        if self.population:
            margin = max(margin, self.population[place])
        spread = sqrt(variance * free / chi_squared(SPREAD_BETA, free) / usual) if mode == "gaussian" else 0.0
        above, below = (max(margin, _rare(part, self.rows, beta)) for part in (amount, self.rows - amount))
        return Normal(mode, mean, above, below, spread, usual)

    def _mode(self, place: int, variance: float, free: int, wanted: str, *, seasonal: bool) -> Mode:
        if wanted != "auto":
            return _MODES[wanted]
        if self.population:
            return "population"
        explained = _array(self.sums, len(self.sums) // 64)[1, place] / self.windows
        if free * variance <= explained * chi_squared(1 - CHANCE, free) + STILL:
            return "own"
        return "shocks" if seasonal or self._following(place) else "gaussian"

    def _following(self, place: int) -> bool:
        """Whether windows follow each other: their autocorrelation is more than chance."""
        n = self.windows
        *_, sums, squares, lagged, first, last = _array(self.sums, len(self.sums) // 64)[:, place]
        centre = sums / n
        spread = squares - n * centre**2
        together = lagged - centre * (2 * sums - first - last) + (n - 1) * centre**2
        return bool(together >= 2 / sqrt(n) * spread)


STILL = 1e-15
"""What arithmetic leaves of windows that are all alike."""
_MODES: dict[str, Mode] = {"own": "own", "population": "population", "shocks": "shocks", "gaussian": "gaussian"}


def _rare(amount: float, rows: float, beta: float) -> float:
    """The least margin where so little was seen that its spread says nothing."""
    return (poisson_upper(max(amount, 0.0), 1 - beta) - amount) / rows if amount < RARE else 0.0


def _bytes(array: Tallies) -> bytes:
    return np.asarray(array, "<f8").tobytes()


def _array(data: bytes, width: int) -> Tallies:
    return np.frombuffer(data, "<f8").astype(float).reshape(-1, width)
