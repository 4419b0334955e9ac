"""The watching detectors against a second implementation, written from the formulas with plain loops and numbers of unlimited size.

The oracle keeps every window, multiplies with `Fraction`s where it can, and knows nothing of how the detector keeps its state.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from tests.core.detect.samples import detector, window
from tocsin.detect.streams.counts import ALL, Group, GroupCounts

M = 16
BETS = (0.005, 0.01, 0.02, 0.04, 0.08, 0.15, 0.25, 0.4, 0.6, 0.85)
LAMBDAS = (0.15, 0.3, 0.6, 1.0, 1.5, 2.2, 3.2, 4.5)
Buckets = list[tuple[int, int]]
"""(rows, outcomes) per bucket."""


def _windows(seed: int, rates: list[float], rows: int = 300) -> list[Buckets]:
    rng = np.random.default_rng(seed)
    found = []
    for rate in rates:
        counts = rng.multinomial(rows, np.full(M, 1 / M))
        found.append([(int(n), int(rng.binomial(n, rate))) for n in counts])
    return found


def _state(buckets: Buckets) -> GroupCounts:
    return GroupCounts(M, {ALL: Group(np.array(buckets, np.int64).T, (), ())}, 0, 1)


@dataclass
class Oracle:
    """One process, as the page of formulas says it."""

    bets: tuple[float, ...]
    guarantee: str
    spending: tuple[float, float, float] = (0.4, 0.2, 0.4)
    """On the first window, soon, and evenly over 400."""
    wealth: list[float] = field(default_factory=list)
    windows: int = 0

    def step(self, e_values: list[float]) -> float:
        """The statistic after one more window."""
        self.windows += 1
        self.wealth = self.wealth or [0.0] * len(self.bets)
        t = self.windows
        first, soon, evenly = self.spending
        spent = (first if t == 1 else 0.0) + soon / (t * (t + 1)) + (evenly / 400 if t <= 400 else 0.0)
        begin = 1.0 if self.guarantee == "sr" else spent
        self.wealth = [(a + begin) * e for a, e in zip(self.wealth, e_values, strict=True)]
        rest = 0.0 if self.guarantee == "sr" else soon / (t + 1) + evenly * max(0.0, 1 - t / 400)
        return sum(self.wealth) / len(self.wealth) + rest


def _bucketed(buckets: Buckets, limit: float, largest: int) -> list[float]:
    """E(f) = prod_b (1 + f (k - p0 n) / (p0 max(C, n)))."""
    found = []
    for f in BETS:
        product = 1.0
        for n, k in buckets:
            scale = limit * max(largest or max(rows for rows, _ in buckets), n)
            product *= 1 + f * (k - limit * n) / scale
        found.append(product)
    return found


def _gaussian(buckets: Buckets, limit: float, spread: float, rows: float) -> list[float]:
    n = sum(rows_ for rows_, _ in buckets)
    rate = sum(k for _, k in buckets) / n
    u = (rate - limit) / (spread * math.sqrt(max(1.0, rows / n)))
    return [math.exp(x * u - x * x / 2) for x in LAMBDAS]


def _mirrored(buckets: Buckets) -> Buckets:
    return [(n, n - k) for n, k in buckets]


def _statistics(watcher: Any, windows: list[Buckets], key: str) -> list[float]:
    sequence, told = watcher.begin(), []
    for index, buckets in enumerate(windows):
        evaluated = watcher.evaluate(sequence, _state(buckets), window(index, 300))
        sequence = evaluated.sequence
        told.append(evaluated.statistics["log10_e"].get(key))
        if evaluated.findings:
            break
    return told


def _close(told: list[Any], expected: list[float]) -> None:
    for one, other in zip(told, expected, strict=False):
        assert one == pytest.approx(math.log10(other), abs=2e-4)


@pytest.mark.parametrize("guarantee", ["pfa", "sr"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_against_a_limit(guarantee: str, seed: int) -> None:
    windows = _windows(seed, [0.1] * 10 + [0.16] * 10)
    told = _statistics(detector("error_rate", limit=0.1, guarantee=guarantee), windows, f"{ALL}:up")
    oracle, largest, expected = Oracle(BETS, guarantee), 0, []
    for buckets in windows[: len(told)]:
        expected.append(oracle.step(_bucketed(buckets, 0.1, largest)))
        largest = max(largest, *(n for n, _ in buckets))
    _close(told, expected)


@pytest.mark.parametrize("seed", [4, 5])
def test_below_a_limit_the_mirror_image_is_tested(seed: int) -> None:
    windows = _windows(seed, [0.8] * 6 + [0.7] * 10)
    told = _statistics(detector("recall", limit=0.8), windows, f"{ALL}:down")
    oracle, largest, expected = Oracle(BETS, "pfa"), 0, []
    for buckets in windows[: len(told)]:
        expected.append(oracle.step(_bucketed(_mirrored(buckets), 1 - 0.8, largest)))
        largest = max(largest, *(n for n, _ in buckets))
    _close(told, expected)


def _rates(windows: list[Buckets]) -> tuple[float, float]:
    """The pooled rate and the standard deviation of the windows' rates."""
    rates = [sum(k for _, k in buckets) / sum(n for n, _ in buckets) for buckets in windows]
    pooled = sum(k for b in windows for _, k in b) / sum(n for b in windows for n, _ in b)
    middle = sum(rates) / len(rates)
    return pooled, math.sqrt(sum((rate - middle) ** 2 for rate in rates) / (len(rates) - 1))


def _excess(windows: list[Buckets]) -> float:
    """The deviation of the windows' rates beyond what their buckets explain; what a bucket has in every window explains nothing."""
    count, (_, spread) = len(windows), _rates(windows)
    residual = [
        [(k - n * sum(j for _, j in b) / sum(m for m, _ in b)) / sum(m for m, _ in b) for n, k in b] for b in windows
    ]
    within = sum(r * r for row in residual for r in row) / count
    lasting = sum((sum(row[place] for row in residual) / count) ** 2 for place in range(M))
    return math.sqrt(max(spread**2 - (within - lasting) * count / (count - 1), 0.0))


@pytest.mark.parametrize("seed", [6, 7, 8])
@pytest.mark.parametrize("mode", ["own", "shocks", "gaussian"])
def test_against_its_own_first_windows(seed: int, mode: str) -> None:
    count = 20
    windows = _windows(seed, [0.1] * (count + 4) + [0.2] * 5)
    watcher = detector("error_rate", windows_of_reference=count, reference_mode=mode)
    told = _statistics(watcher, windows, f"{ALL}:up")
    pooled, spread = _rates(windows[:count])
    t_quantile, chi_quantile = 1.7291, 10.117  # Student .95 and chi squared .05 with 19 degrees of freedom
    more = {"own": 0.0, "shocks": 4.0, "gaussian": 0.75}[mode] * _excess(windows[:count])
    limit = pooled + t_quantile * spread / math.sqrt(count) + more
    wide = spread * math.sqrt((count - 1) / chi_quantile)
    largest = max(n for buckets in windows[:count] for n, _ in buckets)
    oracle, expected = Oracle(LAMBDAS if mode == "gaussian" else BETS, "pfa", (0.1, 0.1, 0.8)), []
    for buckets in windows[count : len(told)]:
        e = _gaussian(buckets, limit, wide, 300) if mode == "gaussian" else _bucketed(buckets, limit, largest)
        expected.append(oracle.step(e))
        largest = max(largest, *(n for n, _ in buckets))
    for one, other in zip(told[count:], expected, strict=True):
        assert one == pytest.approx(math.log10(other), abs=0.02)
    assert told[:count] == [0.0] * count


@pytest.mark.parametrize("tolerance", [0.02, 0.05])
def test_a_tolerance_moves_the_limit(tolerance: float) -> None:
    windows = _windows(8, [0.1] * 5 + [0.2] * 5)
    with_tolerance = _statistics(detector("error_rate", limit=0.1, tolerance=tolerance), windows, f"{ALL}:up")
    higher = _statistics(detector("error_rate", limit=0.1 + tolerance), windows, f"{ALL}:up")
    assert with_tolerance == pytest.approx(higher, abs=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_an_e_value_of_one_window_averages_at_most_one(seed: int) -> None:
    """The fact on which everything rests, by simulation: 4,000 windows at the limit, buckets of very different size."""
    rng = np.random.default_rng(seed)
    sizes = rng.lognormal(0, 1.5, M)
    total = [0.0] * len(BETS)
    repeats = 4_000
    for _ in range(repeats):
        counts = rng.multinomial(60, sizes / sizes.sum())
        buckets = [(int(n), int(rng.binomial(n, 0.2))) for n in counts]
        total = [a + e for a, e in zip(total, _bucketed(buckets, 0.2, 20), strict=True)]
    assert all(mean / repeats <= 1.12 for mean in total[:7])
