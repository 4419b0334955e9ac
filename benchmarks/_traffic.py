"""Simulated traffic for the stream benchmarks: people with habits of their own, shocks, seasons, churn; as counts per bucket."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from tocsin.content.discovery import detector_kinds
from tocsin.detect.parameters import complete
from tocsin.detect.streams.counts import ALL, Group, GroupCounts
from tocsin.model.detector import Setting
from tocsin.model.telemetry import Window, Windowing

BUCKETS = 256
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def built(kind: str, **given: Any) -> Any:
    """A detector of this kind, hourly windows, a fixed salt."""
    chosen = detector_kinds()[kind]
    parameters = complete(chosen, given)
    return chosen.build(Setting(kind, "s", parameters, Windowing(every=timedelta(hours=1)), bytes(32), {}))


@dataclass(frozen=True)
class Design:
    """How traffic comes about. `icc` 0: rows are independent. `fresh`: new people in each window. Shocks are log-normal, mean one."""

    rate: float = 0.05
    rows: int = 500
    people: int = 250
    icc: float = 0.0
    fresh: bool = False
    shock: float = 0.0
    carry: float = 0.0
    """Autocorrelation of the shocks."""
    churn: float = 0.0
    """Share of people who are replaced before each window."""
    served: bool = True
    """Whether the row rate served is exactly `rate` (the null of a limit) or that of the people who happen to be there."""
    season: float = 0.0
    """Log amplitude of a daily wave with a weekend's dip."""
    week: float = 0.0
    """How much more, on the log scale, two windows of every seven have."""


class People:
    """A population: each person's weight, rate and bucket."""

    def __init__(self, rng: np.random.Generator, design: Design) -> None:
        self.rng, self.design = rng, design
        self.weight = rng.lognormal(0, 1, design.people)
        self.own = self._rates(design.people)
        self.bucket = rng.integers(0, BUCKETS, design.people)

    def _rates(self, count: int) -> np.ndarray:
        spread = 1 / self.design.icc - 1
        return self.rng.beta(self.design.rate * spread, (1 - self.design.rate) * spread, count)

    def next(self) -> None:
        """Whoever leaves makes room for somebody new."""
        share = 1.0 if self.design.fresh else self.design.churn
        if share:
            gone = self.rng.random(self.design.people) < share
            self.weight[gone] = self.rng.lognormal(0, 1, gone.sum())
            self.own[gone] = self._rates(int(gone.sum()))
            self.bucket[gone] = self.rng.integers(0, BUCKETS, gone.sum())

    def window(self, factor: float) -> np.ndarray:
        """int64[2, buckets]: rows and outcomes of one window."""
        shares = self.weight / self.weight.sum()
        own = self.own * (self.design.rate / float(shares @ self.own) if self.design.served else 1.0)
        rows = self.rng.multinomial(self.design.rows, shares)
        hits = self.rng.binomial(rows, np.clip(own * factor, 0, 1))
        table = [np.bincount(self.bucket, weights=w, minlength=BUCKETS) for w in (rows, hits)]
        return np.stack(table).astype(np.int64)


def factors(rng: np.random.Generator, design: Design, windows: int) -> np.ndarray:
    """What multiplies the rate of each window: shocks and the season."""
    noise = rng.normal(0, 1, windows)
    for n in range(1, windows):
        noise[n] = design.carry * noise[n - 1] + math.sqrt(1 - design.carry**2) * noise[n]
    hour = np.arange(windows)
    wave = np.sin(2 * np.pi * hour / 24) - 0.5 * ((hour // 24) % 7 >= 5)
    free = design.week * (hour % 7 >= 5)
    return np.exp(design.shock * noise - design.shock**2 / 2 + design.season * wave + free)


def stream(rng: np.random.Generator, design: Design, windows: int, change: int = -1, to: float = 0.0) -> Iterator[Any]:
    """int64[2, buckets] per window; from window `change` on the rate is `to`."""
    people = People(rng, design) if design.icc else None
    for index, factor in enumerate(factors(rng, design, windows)):
        effect = factor * (to / design.rate if 0 <= change <= index else 1.0)
        if people is None:
            rows = rng.multinomial(design.rows, np.full(BUCKETS, 1 / BUCKETS))
            yield np.stack([rows, rng.binomial(rows, min(design.rate * effect, 1.0))])
        else:
            yield people.window(effect)
            people.next()


def state(table: np.ndarray, name: str = ALL) -> GroupCounts:
    """The window state of one series."""
    return GroupCounts(table.shape[1], {name: Group(table.astype(np.int64), (), ())}, 0, int(table[0].sum()))


def window(index: int, rows: int) -> Window:
    """An hour."""
    at = BEGIN + timedelta(hours=index)
    return Window(index, at, at + timedelta(hours=1), rows)


def first_alarm(watcher: Any, states: Iterable[Any], rows: int = 0) -> int | None:
    """The first window that alarms; None if none does."""
    sequence = watcher.begin()
    for index, counted in enumerate(states):
        evaluated = watcher.evaluate(sequence, counted, window(index, rows))
        sequence = evaluated.sequence
        if evaluated.findings:
            return index
    return None


def quantiles(found: list[float]) -> str:
    """Median and 90th percentile."""
    found = sorted(found)
    return f"{found[len(found) // 2]:g} / {found[int(0.9 * len(found))]:g}" if found else "-"


def interval(k: int, n: int) -> tuple[float, float]:
    """The Clopper-Pearson interval at 95 %, by bisection."""

    def tail(p: float, *, at_least: bool) -> float:
        chosen = range(k, n + 1) if at_least else range(k + 1)
        whole = math.lgamma(n + 1)
        logs = (
            whole - math.lgamma(i + 1) - math.lgamma(n - i + 1) + i * math.log(p) + (n - i) * math.log1p(-p)
            for i in chosen
        )
        return sum(map(math.exp, logs))

    def root(*, at_least: bool) -> float:
        low, high = 1e-9, 1 - 1e-9
        for _ in range(60):
            middle = (low + high) / 2
            inside = tail(middle, at_least=at_least) < 0.025
            low, high = (middle, high) if inside == at_least else (low, middle)
        return low

    return (0.0 if k == 0 else root(at_least=True)), (1.0 if k == n else root(at_least=False))
