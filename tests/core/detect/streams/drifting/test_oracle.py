"""Drift against a slow second telling of it: dictionaries instead of arrays, loops instead of matrices, the formula of N4 as printed."""

from __future__ import annotations

from collections import Counter, defaultdict
from math import exp, inf, log, log1p, sqrt

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.detect.samples import SALT, detector, placed, window
from tocsin.detect.streams.buckets import buckets
from tocsin.detect.streams.contrast import BETS
from tocsin.detect.streams.drifting.cutting import Cut
from tocsin.detect.streams.drifting.cutting import placed as in_cells
from tocsin.detect.streams.drifting.drift import BETA, DRIFT
from tocsin.detect.streams.drifting.keys import MISSING, of_numbers
from tocsin.detect.streams.drifting.tally import Tally, tallied
from tocsin.detect.streams.quantiles import poisson_upper, student
from tocsin.detect.streams.wrappers import HORIZON, LATER

BUCKETS, WINDOWS, REFERENCE, ROWS = 32, 24, 12, 500


def batch_of(values: np.ndarray, units: list[str], first: int = 0) -> pa.RecordBatch:
    return placed({"feature.age": pa.array(values), "unit": pa.array(units)}, first)


def slow_level(keys: list[int], most: int) -> int:
    level = 0
    while len({key >> level for key in keys}) > most:
        level += 1
    return level


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(), st.integers(0, 9)), min_size=1, max_size=60), st.integers(1, 12))
def test_a_tally_is_a_counter_of_pairs(rows: list[tuple[float, int]], most: int) -> None:
    values, units = np.array([value for value, _ in rows]), [f"u{unit}" for _, unit in rows]
    found = tallied(of_numbers(values), batch_of(values, units), BUCKETS, SALT, max(most, 2))
    keys = of_numbers(values).tolist()
    level = slow_level([key for key in keys if key != MISSING], max(most, 2))
    bucket = buckets(pa.array(units), BUCKETS, SALT).tolist()
    slow = Counter((key if key == MISSING else key >> level, at) for key, at in zip(keys, bucket, strict=True))
    assert found.level == level
    told = zip(found.cells.tolist(), found.buckets.tolist(), found.counts.tolist(), strict=True)
    assert {(cell, at): count for cell, at, count in told} == dict(slow)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(-50, 50), min_size=1, max_size=40), st.sets(st.integers(-40, 40), min_size=1, max_size=6))
def test_cells_are_found_as_a_loop_finds_them(values: list[int], edges: set[int]) -> None:
    ordered = sorted(edges)
    count = len(ordered) + 2
    made = Cut(tuple(ordered), tuple(range(count - 1)), ("c",) * count, (1 / count,) * count, True, 1.0)
    cells = np.unique(np.array(values))
    amount = np.array([values.count(int(cell)) for cell in cells])
    found = in_cells(made, Tally(0, cells, np.zeros(len(cells), np.int64), amount), 1)
    slow = [0] * count
    for value in values:
        slow[sum(edge <= value for edge in ordered)] += 1
    assert found.counts[0].tolist() == slow
    assert not found.astray.any()


class Slow:
    """N4 as printed: one direction at a time, one bucket at a time."""

    def __init__(self, made: Cut, references: list[np.ndarray], values: dict[str, np.ndarray]) -> None:
        self.made, self.values, self.directions = made, values, 2 * len(values)
        self.worth: dict[tuple[str, str, float], float] = defaultdict(float)
        self.limits = {}
        for name, h in values.items():
            means, rows = zip(*(self.mean(counts, h) for counts in references), strict=True)
            pooled = sum(m * n for m, n in zip(means, rows, strict=True)) / sum(rows)
            spread = sqrt(sum(n * (m - pooled) ** 2 for m, n in zip(means, rows, strict=True)) / (len(means) - 1))
            margin = student(1 - BETA / self.directions, len(means) - 1) * spread / sqrt(sum(rows))
            self.limits[name, "up"] = pooled + max(margin, self.rare(pooled, sum(rows)))
            self.limits[name, "down"] = 1 - (pooled - max(margin, self.rare(1 - pooled, sum(rows))))
        self.windows = 0

    def rare(self, share: float, rows: float) -> float:
        """The exact bound of a count, where it is small."""
        amount = share * rows
        return (poisson_upper(max(amount, 0.0), 1 - BETA / self.directions) - amount) / rows if amount < 30 else 0.0

    def weighed(self, counts: np.ndarray, h: np.ndarray) -> list[tuple[float, float]]:
        """(weight in rows, mean of h) of each bucket that has rows."""
        filled = [(float(row.sum()), float(row @ h)) for row in counts if row.any()]
        return [(min(rows, self.made.largest), amount / rows) for rows, amount in filled]

    def mean(self, counts: np.ndarray, h: np.ndarray) -> tuple[float, float]:
        """The weighted mean of a window, and its weight."""
        weighed = self.weighed(counts, h)
        rows = sum(weight for weight, _ in weighed)
        return sum(weight * mean for weight, mean in weighed) / rows, rows

    def step(self, counts: np.ndarray) -> float:
        """The logarithm of the statistic after one more window."""
        self.windows += 1
        begin = (LATER.at_once if self.windows == 1 else 0) + LATER.soon / (self.windows * (self.windows + 1))
        begin += LATER.evenly / HORIZON
        cap, total = round(self.made.largest), 0.0
        for (name, side), limit in self.limits.items():
            h = self.values[name] if side == "up" else 1 - self.values[name]
            for bet in BETS.tolist():
                said = 0.0
                for weight, mean in self.weighed(counts, h):
                    said += log1p(bet * weight * (mean - limit) / (limit * max(cap, weight)))
                self.worth[name, side, bet] = (self.worth[name, side, bet] + begin) * exp(said)
                total += self.worth[name, side, bet]
        rest = LATER.soon / (self.windows + 1) + LATER.evenly * (1 - self.windows / HORIZON)
        return log(total / len(self.worth) + rest)


@pytest.mark.parametrize("shift", [0.0, 0.15, -0.3])
def test_the_process_is_that_of_the_printed_formula(shift: float) -> None:
    rng = np.random.default_rng(20)
    watcher = detector(
        "numeric_drift", windows_of_reference=REFERENCE, buckets=BUCKETS, reference_mode="own", alpha=1e-4
    )
    sequence, references, slow = watcher.begin(), [], None
    for index in range(WINDOWS):
        values = rng.normal(shift if index > REFERENCE else 0.0, 1, ROWS)
        units = [f"u{n}" for n in rng.zipf(1.5, ROWS) % 40]
        state = watcher.observe(watcher.zero(), batch_of(values, units, ROWS * index))
        made = sequence.cut
        evaluated = watcher.evaluate(sequence, state, window(index, ROWS))
        sequence = evaluated.sequence
        if made is None:
            continue
        counts = in_cells(made, state, BUCKETS).counts
        if len(references) < REFERENCE:
            references.append(counts)
            continue
        if slow is None:
            edges = np.array(made.shares)
            rank = np.append(np.cumsum(edges[:-1]) - edges[:-1] / 2, 0.5)
            spread = (2 * rank - 1) ** 2
            spread[-1] = float(edges[:-1] @ spread[:-1])
            ends = {f"cell:{cell}": np.eye(len(edges))[cell] for cell in (0, len(edges) - 2, len(edges) - 1)}
            slow = Slow(made, references, {"rank": rank, "spread": spread, **ends})
        if evaluated.findings:
            break
        told = sequence.processes[DRIFT].log_e_value("pfa", LATER)
        assert told == pytest.approx(slow.step(counts), rel=1e-6, abs=1e-6)
    assert slow is not None
    assert slow.windows == WINDOWS - REFERENCE - 1 or shift


def mixed(rng: np.random.Generator, index: int) -> np.ndarray:
    """A column with everything: numbers, zeros, holes and infinities."""
    values = rng.lognormal(3, 1, ROWS)
    values[rng.random(ROWS) < 0.3] = 0.0
    values[rng.random(ROWS) < 0.05] = np.nan
    values[rng.random(ROWS) < 0.01] = inf
    return np.asarray(values * (1.0 if index < 30 else 1.6))


@pytest.mark.parametrize("seed", range(3))
def test_a_mixed_column_is_quiet_until_it_drifts(seed: int) -> None:
    watcher = detector("numeric_drift", windows_of_reference=20)
    sequence, found = watcher.begin(), []
    for index in range(40):
        rng = np.random.default_rng([seed, index])
        units = [f"u{n}" for n in rng.integers(0, 200, ROWS)]
        state = watcher.observe(watcher.zero(), batch_of(mixed(rng, index), units, ROWS * index))
        evaluated = watcher.evaluate(sequence, state, window(index, ROWS))
        sequence = evaluated.sequence
        found += [index] * len(evaluated.findings)
    assert found
    assert min(found) >= 30
