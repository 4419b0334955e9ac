"""Proof of a fix: turned round, by hand, bounded by exact enumeration, and told in words."""

from __future__ import annotations

from math import comb, log

import numpy as np
import pytest

from tocsin.detect.streams.clearing import gap_cleared, rate_cleared
from tocsin.detect.streams.contrast import BETS

Pair = tuple[np.ndarray, np.ndarray]


def one(rows: int, outcomes: int) -> np.ndarray:
    return np.array([[rows], [outcomes]], np.int64)


def gap(high: tuple[int, int], low: tuple[int, int], windows: int = 1) -> list[Pair]:
    return [(one(*high), one(*low))] * windows


def test_no_gap_in_many_rows_is_proof() -> None:
    found = gap_cleared(gap((300, 90), (300, 90), 20), ("m", "f"), "rate", 0.1, 0.05, by_rows=True)
    assert found.passed
    assert (found.estimate, found.rows, found.margin, found.alpha) == (0.0, 12_000, 0.1, 0.05)
    assert found.low < 0 < found.high
    assert found.statement == (
        'Cleared: "the rate of m exceeds that of f by 10.0 percentage points or more" is rejected at error level 0.05 on '
        "12,000 rows after the fix."
    )


def test_few_rows_are_no_proof_and_the_number_needed_is_told() -> None:
    found = gap_cleared(gap((300, 90), (300, 90)), ("m", "f"), "rate", 0.1, 0.05, by_rows=True)
    assert not found.passed
    assert found.rows_needed is not None
    assert found.rows_needed > 600
    assert f"about {found.rows_needed - 600:,} more rows" in found.statement


def test_what_was_said_to_suffice_suffices() -> None:
    first = gap_cleared(gap((300, 90), (300, 90)), ("m", "f"), "rate", 0.1, 0.05, by_rows=True)
    assert first.rows_needed is not None
    windows = -(-first.rows_needed // 600)
    assert gap_cleared(gap((300, 90), (300, 90), windows), ("m", "f"), "rate", 0.1, 0.05, by_rows=True).passed


def test_a_gap_as_large_as_the_margin_is_hopeless() -> None:
    found = gap_cleared(gap((300, 120), (300, 90), 20), ("m", "f"), "rate", 0.1, 0.05, by_rows=True)
    assert (found.passed, found.rows_needed) == (False, None)
    assert "the estimate after the fix is 10.00%" in found.statement


def test_without_rows_nothing_is_shown() -> None:
    found = gap_cleared([], ("m", "f"), "rate", 0.1, 0.05, by_rows=True)
    assert (found.passed, found.rows, found.e_value) == (False, 0, pytest.approx(1.0))
    assert "no rows after the fix yet" in found.statement


def test_an_absent_group_proves_nothing() -> None:
    found = gap_cleared(gap((300, 90), (0, 0), 50), ("m", "f"), "rate", 0.1, 0.05, by_rows=False)
    assert not found.passed
    assert found.e_value == pytest.approx(1.0)


def test_the_e_value_by_hand() -> None:
    """A rate of 0 in 4 rows against "at least 1/2": z = (2 - 0) / (1/2 x 4) = 1, so E is the mean of 1 + f."""
    found = rate_cleared([one(4, 0)], "leak rate", 0.5, 0.05, 0)
    assert found.e_value == pytest.approx(1 + BETS.mean())


def test_the_chance_to_clear_a_fault_at_its_margin_is_bounded_exactly() -> None:
    """Every outcome of six windows of two rows whose rate is the margin: how often is it ever cleared?"""
    law = [comb(2, k) * 0.5**2 for k in range(3)]
    gains = [np.log1p(BETS * (1 - k)) for k in range(3)]
    threshold, alpha = log(1 / 0.2), 0.2

    def ever(logs: np.ndarray, left: int) -> float:
        if np.logaddexp.reduce(logs) - log(len(BETS)) >= threshold:
            return 1.0
        return 0.0 if not left else sum(p * ever(logs + gains[k], left - 1) for k, p in enumerate(law))

    chance = ever(np.zeros(len(BETS)), 8)
    assert 0 < chance <= alpha
    cleared = rate_cleared([one(2, 0)] * 8, "leak rate", 0.5, alpha, 0)
    assert cleared.passed


def test_units_that_repeat_are_no_proof_where_rows_would_be() -> None:
    """All rows of one person: bucketed, a window is a single observation."""
    pairs = gap((300, 90), (300, 90), 20)
    assert gap_cleared(pairs, ("m", "f"), "rate", 0.1, 0.05, by_rows=True).passed
    assert not gap_cleared(pairs, ("m", "f"), "rate", 0.1, 0.05, by_rows=False).passed


def test_a_rate_far_below_its_margin_is_cleared() -> None:
    spread = np.array([[20] * 150, [0] * 150], np.int64)
    found = rate_cleared([spread], "leak rate", 0.05, 0.05, 0)
    assert found.passed
    assert found.statement.startswith('Cleared: "the leak rate is 5.00% or more" is rejected')


def test_an_item_that_came_back_stops_the_proof() -> None:
    spread = np.array([[20] * 150, [0] * 150], np.int64)
    found = rate_cleared([spread], "leak rate", 0.05, 0.05, 2)
    assert (found.passed, found.recurrences) == (False, 2)
    assert "2 of the very items of the finding were seen again" in found.statement


def test_a_rate_at_its_margin_is_hopeless() -> None:
    found = rate_cleared([one(100, 6)], "leak rate", 0.05, 0.05, 0)
    assert (found.passed, found.rows_needed) == (False, None)
    assert "the estimate after the fix is 6.00%" in found.statement


# --- a ratio --------------------------------------------------------------------------------------------------------


def test_a_ratio_above_the_one_asked_is_proven_with_enough_rows() -> None:
    found = gap_cleared(gap((300, 90), (300, 87), 40), ("m", "f"), "rate", 0.8, 0.05, by_rows=True, relative=True)
    assert found.passed
    assert found.estimate == pytest.approx(87 / 90)
    assert found.low < found.estimate < found.high
    assert found.statement == (
        'Cleared: "the rate of f is 80.0% of that of m or less" is rejected at error level 0.05 on 24,000 rows after the fix.'
    )


def test_a_ratio_at_the_one_asked_is_hopeless_and_few_rows_are_no_proof() -> None:
    at_margin = gap_cleared(gap((300, 100), (300, 80), 40), ("m", "f"), "rate", 0.8, 0.05, by_rows=True, relative=True)
    assert (at_margin.passed, at_margin.rows_needed) == (False, None)
    assert "the estimate after the fix is 80.00%" in at_margin.statement
    few = gap_cleared(gap((300, 90), (300, 87)), ("m", "f"), "rate", 0.8, 0.05, by_rows=True, relative=True)
    assert not few.passed
    assert "more rows would do" in few.statement


def test_units_that_repeat_prove_no_ratio_where_rows_would() -> None:
    pairs = gap((300, 90), (300, 90), 40)
    assert gap_cleared(pairs, ("m", "f"), "rate", 0.8, 0.05, by_rows=True, relative=True).passed
    assert not gap_cleared(pairs, ("m", "f"), "rate", 0.8, 0.05, by_rows=False, relative=True).passed
