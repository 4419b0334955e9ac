"""Columns that are hard to cut, as tables: what the cells are, and that nothing that stays the same ever alarms."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tests.core.detect.samples import window
from tests.core.detect.streams.drifting.test_seasons import ROWS, built, tally
from tocsin.detect.streams.drifting.keys import of_numbers

Draw = Callable[[np.random.Generator], np.ndarray]
COLUMNS: dict[str, tuple[Draw, int]] = {
    "a constant": (lambda rng: np.full(ROWS, 3.0), 4),
    "two values": (lambda rng: rng.integers(0, 2, ROWS).astype(float), 5),
    "whole numbers": (lambda rng: rng.integers(0, 5, ROWS).astype(float), 8),
    "mostly zero": (lambda rng: np.where(rng.random(ROWS) < 0.95, 0.0, rng.exponential(1, ROWS)), 4),
    "all missing": (lambda rng: np.full(ROWS, np.nan), 2),
    "mostly missing": (lambda rng: np.where(rng.random(ROWS) < 0.9, np.nan, rng.normal(0, 1, ROWS)), 11),
    "all infinite": (lambda rng: np.full(ROWS, np.inf), 4),
    "both infinities": (lambda rng: np.where(rng.random(ROWS) < 0.5, np.inf, -np.inf), 5),
    "very large": (lambda rng: rng.normal(0, 1, ROWS) * 1e307, 11),
    "very small": (lambda rng: rng.normal(0, 1, ROWS) * 1e-310, 11),
    "heavy tails": (lambda rng: rng.standard_cauchy(ROWS) ** 3, 11),
    "seconds since 1970": (lambda rng: 1.79e9 + rng.uniform(0, 3600, ROWS), 11),
    "negative": (lambda rng: -rng.lognormal(3, 2, ROWS), 11),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_what_stays_the_same_is_quiet_and_its_cells_are_few(name: str) -> None:
    draw, most = COLUMNS[name]
    watcher = built("numeric_drift", windows_of_reference=12)
    sequence, found = watcher.begin(), []
    rng = np.random.default_rng(3)
    for index in range(60):
        evaluated = watcher.evaluate(sequence, tally(rng, of_numbers(draw(rng))), window(index, ROWS))
        sequence = evaluated.sequence
        found += evaluated.findings
    assert found == []
    assert sequence.cut is not None
    assert 2 <= len(sequence.cut.names) <= most
    assert sum(sequence.cut.shares) == pytest.approx(1)
    assert len(set(sequence.cut.names)) == len(sequence.cut.names)


@pytest.mark.parametrize("name", [name for name in COLUMNS if name != "all missing"])
def test_what_goes_missing_altogether_is_found_at_once(name: str) -> None:
    draw, _ = COLUMNS[name]
    watcher = built("numeric_drift", windows_of_reference=12)
    sequence, first = watcher.begin(), 0
    rng = np.random.default_rng(4)
    for index in range(40):
        values = draw(rng) if index < 30 else np.full(ROWS, np.nan)
        evaluated = watcher.evaluate(sequence, tally(rng, of_numbers(values)), window(index, ROWS))
        sequence = evaluated.sequence
        if evaluated.findings and not first:
            first = index
            assert "(missing)" in evaluated.findings[0].explanation
    assert 30 <= first <= (38 if name == "mostly missing" else 32)
