"""Traffic as counts per bucket: what was seen of a series, or what is assumed of it, and windows drawn like it.

Rows of a bucket are Poisson. A bucket has a rate of its own for the whole stream (beta, with the correlation of its rows), and the rates
are scaled so that the rate of the rows served is the one asked for: the same people come back in every window.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, inf, sqrt

import numpy as np

from tocsin.detect.streams.contrast import Floats, Tallies
from tocsin.detect.streams.counts import GroupCounts

ACTIVITY = 1.0
"""Standard deviation of the logarithm of how many rows a unit brings, where units are assumed."""
UNITS_DRAWN = 4_096
"""More units are drawn as this many, with a correlation that leaves the spread of the buckets as it is."""
CORRELATION_MAX = 0.95
RATE_MIN = 1e-6
BUCKETS, ROWS_MAX = 256, 1e7
SHOCK_WINDOWS_MIN = 10
"""Fewer windows show no shocks."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """One series: rows in a window and their rate, and how the rows hang together."""

    rows: float
    rate: float
    correlation: float = 0.0
    """Between rows of one unit, or of one bucket where `shares` says how the buckets are filled."""
    units: int = 0
    """Units that come back in every window; 0: every row is one of its own."""
    shares: tuple[float, ...] = ()
    """Share of the rows per bucket, as it was seen."""
    shock: float = 0.0
    """Standard deviation of the logarithm of what multiplies the rate of a whole window."""
    spread: float = 1.0
    """Variance of a row's amount as a share of p (1 - p): 1 for flags."""

    def design(self) -> float:
        """How much the units that come back inflate the variance of the rate of a window: 1 for independent rows."""
        crowding = sum(share**2 for share in self.shares) if self.shares else self._crowding()
        return 1 + self.correlation * max(self.rows * crowding - 1, 0.0)

    def rows_for(self, buckets: int) -> float:
        """Rows of a window that fill so many buckets, as it is expected; infinite when there are not that many."""
        filled = np.array(self.shares) if self.shares else np.full(min(self.units or BUCKETS, BUCKETS), 1.0)
        filled = filled[filled > 0] / filled.sum()
        rows = 1.0
        while float(-np.expm1(-rows * filled).sum()) < buckets:
            rows *= 1.1
            if rows > ROWS_MAX:
                return inf
        return rows

    def _crowding(self) -> float:
        """The sum of the squared shares of units of log-normal activity, as it is expected."""
        return exp(ACTIVITY**2) / self.units if self.units else 0.0


class Stream:
    """One stream of windows: which bucket has how much of the rows and which rate, drawn once."""

    def __init__(self, rng: np.random.Generator, traffic: Traffic, buckets: int) -> None:
        self.traffic = traffic
        shares, correlation = _buckets(rng, traffic, buckets)
        self.rows = traffic.rows * shares
        rates = np.full(buckets, traffic.rate)
        some = correlation > 0
        if some.any():
            spread = 1 / correlation[some] - 1
            rates[some] = rng.beta(traffic.rate * spread, (1 - traffic.rate) * spread)
        self.rates = moved(rates, float(shares @ rates), traffic.rate)

    def window(self, rng: np.random.Generator, rate: float) -> Tallies:
        """[2, buckets]: rows and outcomes of one more window, whose rate is this but for its shock."""
        traffic = self.traffic
        noise = exp(traffic.shock * rng.standard_normal() - traffic.shock**2 / 2) if traffic.shock else 1.0
        rows = rng.poisson(self.rows)
        rates = moved(self.rates, traffic.rate, min(rate * noise, 1.0))
        if traffic.spread >= 1:
            return np.stack([rows, rng.binomial(rows, rates)])
        wide = np.sqrt(traffic.spread * rows * rates * (1 - rates))
        amounts = np.clip(rows * rates + wide * rng.standard_normal(len(rows)), 0, rows)
        return np.stack([rows, amounts])


def moved(rates: Floats, before: float, after: float) -> Floats:
    """The rates when their mean moves: all by one factor, or, where that leads beyond one, what they lack of one by one factor."""
    factor = after / max(before, RATE_MIN)
    if float(rates.max()) * factor <= 1:
        return rates * factor
    return np.clip(1 - (1 - rates) * (1 - after) / max(1 - before, RATE_MIN), 0, 1)


def observed(states: Sequence[GroupCounts], full: int = 1) -> Mapping[str, Traffic]:
    """What windows show of each series that is there in most of them; `full` is the number that stands for an amount of one."""
    names = sorted({name for state in states for name in state.groups})
    found = {name: [_table(state, name, full) for state in states if state.rows(name)] for name in names}
    return {name: _seen(tables) for name, tables in found.items() if 2 * len(tables) >= len(states)}


def _buckets(rng: np.random.Generator, traffic: Traffic, buckets: int) -> tuple[Floats, Floats]:
    """float[buckets] twice: the share of the rows, and the correlation of the rows of the bucket."""
    if traffic.shares and len(traffic.shares) == buckets:
        return np.array(traffic.shares), np.full(buckets, traffic.correlation)
    if not traffic.units or buckets == 1:
        return np.full(buckets, 1 / buckets), np.zeros(buckets)
    units = min(traffic.units, UNITS_DRAWN)
    weight, bucket = rng.lognormal(0, ACTIVITY, units), rng.integers(0, buckets, units)
    total = np.bincount(bucket, weights=weight, minlength=buckets)
    squares = np.bincount(bucket, weights=weight**2, minlength=buckets)
    alike = np.divide(squares, total**2, out=np.zeros(buckets), where=total > 0)
    correlation = traffic.correlation * units / traffic.units * alike
    return total / total.sum(), np.minimum(correlation, CORRELATION_MAX)


def _table(state: GroupCounts, name: str, full: int) -> Tallies:
    table = state.counts(name).astype(float)
    return np.stack([table[0], table[1] / full])


def _seen(tables: Sequence[Tallies]) -> Traffic:
    """What the windows of one series show."""
    pooled = np.sum(tables, axis=0)
    rows = float(np.median([table[0].sum() for table in tables]))
    rate = min(max(float(pooled[1].sum() / pooled[0].sum()), RATE_MIN), 1 - RATE_MIN)
    independent = rate * (1 - rate) * float(pooled[0].sum())
    squares = sum(float(((t[1] - t[1].sum() / t[0].sum() * t[0]) ** 2).sum()) for t in tables)
    pairs = rate * (1 - rate) * sum(float((t[0] * (t[0] - 1)).sum()) for t in tables)
    alone = pooled.shape[1] == 1
    correlation = 0.0 if alone or not pairs else min(max((squares - independent) / pairs, 0.0), CORRELATION_MAX)
    spread = 1.0 if alone else min(max(squares / independent, RATE_MIN), 1.0)
    shares = tuple((pooled[0] / pooled[0].sum()).tolist())
    return Traffic(rows, rate, correlation, 0, shares, _shock(tables, rate), spread)


def _shock(tables: Sequence[Tallies], rate: float) -> float:
    """The spread of the rates of neighbouring windows beyond what their buckets explain: a lasting change of level is none."""
    rates = np.array([table[1].sum() / table[0].sum() for table in tables])
    if len(rates) < SHOCK_WINDOWS_MIN:
        return 0.0
    within = float(
        np.mean([((t[1] - x * t[0]) ** 2).sum() / t[0].sum() ** 2 for t, x in zip(tables, rates, strict=True)])
    )
    within = within or rate * (1 - rate) / float(np.mean([table[0].sum() for table in tables]))
    between = float((np.diff(rates) ** 2).mean()) / 2
    noise = within * sqrt(3 / len(rates))
    return sqrt(max(between - within, 0.0)) / rate if between > within + 2 * noise else 0.0
