"""Verdicts: what an interval may be called, alone and among many; and rates from counts per bucket."""

from __future__ import annotations

import numpy as np
import pytest

from tocsin.detect.comparing.effects import Pending, Verdict, settled
from tocsin.detect.comparing.intervals import Interval, z_of
from tocsin.detect.comparing.outcomes import DECIDED, ERRORS, FALSE_POSITIVES, RATES, RECALL, Rate, counted


def pending(value: float, spread: float, tolerance: float = 0.1, floor: float | None = None) -> Pending:
    def interval(alpha: float) -> Interval:
        return Interval(value, value - z_of(alpha) * spread, value + z_of(alpha) * spread)

    return Pending("x", "measure", "share", 0.0, value, tolerance, interval, floor)


def verdict(effect: Pending, together: int = 1) -> Verdict:
    return settled([effect], 0.95, together)[0].verdict


@pytest.mark.parametrize(
    ("value", "spread", "wanted"),
    [
        (0.3, 0.05, Verdict.BEYOND),
        (-0.3, 0.05, Verdict.BEYOND),
        (0.0, 0.02, Verdict.WITHIN),
        (-0.05, 0.01, Verdict.WITHIN),
        (0.1, 0.01, Verdict.UNSURE),
        (0.0, 0.2, Verdict.UNSURE),
        (0.1, 0.0, Verdict.WITHIN),
    ],
)
def test_the_whole_interval_decides(value: float, spread: float, wanted: Verdict) -> None:
    assert verdict(pending(value, spread)) is wanted


@pytest.mark.parametrize(
    ("value", "wanted"), [(0.6, Verdict.BEYOND), (0.79, Verdict.UNSURE), (0.95, Verdict.WITHIN), (1.4, Verdict.WITHIN)]
)
def test_a_ratio_has_a_floor_and_no_ceiling(value: float, wanted: Verdict) -> None:
    effect = pending(value, 0.03, floor=0.8)
    assert verdict(effect) is wanted
    assert settled([effect], 0.95, 1)[0].tolerance == 0.8


def test_among_many_more_is_needed_and_the_interval_shown_stays() -> None:
    effect = pending(0.3, 0.08)
    alone, among = (settled([effect], 0.95, together)[0] for together in (1, 200))
    assert alone.verdict is Verdict.BEYOND
    assert among.verdict is Verdict.UNSURE
    assert (alone.low, alone.high) == (among.low, among.high)
    assert alone.high - alone.low == pytest.approx(2 * 1.95996 * 0.08, rel=1e-4)


CELLS = {"no/no": 0, "no/yes": 1, "no/?": 2, "yes/no": 3, "yes/yes": 4, "yes/?": 5, "?/no": 6, "?/yes": 7, "?/?": 8}
GRID = np.array([[50, 10, 3, 5, 20, 2, 4, 6, 1]])


@pytest.mark.parametrize(
    ("measure", "rows", "outcomes"),
    [
        (DECIDED, 95, 36),
        (ERRORS, 85, 15),
        (RECALL, 25, 20),
        (FALSE_POSITIVES, 60, 10),
        (RATES[1], 90, 27),
        (RATES[5], 30, 20),
    ],
)
def test_rates_count_the_rows_that_know_what_they_need(measure: Rate, rows: int, outcomes: int) -> None:
    found = counted(GRID, measure)
    assert found is not None
    assert (found.rows, found.outcomes, found.design) == (rows, outcomes, 1.0)
    assert found.share == outcomes / rows


def test_a_rate_without_rows_is_none() -> None:
    assert counted(np.zeros((1, 9), np.int64), RECALL) is None
    assert counted(np.zeros((256, 9), np.int64), ERRORS) is None


def test_buckets_that_are_all_yes_or_all_no_count_as_one_row_each() -> None:
    grid = np.zeros((256, 9), np.int64)
    grid[::2, CELLS["?/yes"]] = 10
    grid[1::2, CELLS["?/no"]] = 10
    found = counted(grid, DECIDED)
    assert found is not None
    assert found.design == pytest.approx(10, rel=0.01)
    assert found.rows == pytest.approx(256, rel=0.01)
    assert found.share == 0.5


def test_even_buckets_do_not_shrink_an_interval() -> None:
    grid = np.zeros((256, 9), np.int64)
    grid[:, CELLS["?/yes"]] = grid[:, CELLS["?/no"]] = 5
    found = counted(grid, DECIDED)
    assert found is not None
    assert found.design == 1.0
    assert found.rows == 2_560
