"""The e-values, by exact enumeration: on the null their expectation is at most one, whatever the outcome law inside a bucket."""

from __future__ import annotations

from itertools import product
from math import comb, exp, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.detect.streams.contrast import (
    BETS,
    DECAY,
    Rates,
    pair_centres,
    pair_log_e,
    pair_log_e_rows,
    rate_below_log_e,
    rate_log_e,
)
from tocsin.detect.streams.oddsratio import ODDS, odds_log_e

ROUNDING = 1e-9


def table(rows: list[int], outcomes: list[int]) -> np.ndarray:
    return np.array([rows, outcomes], np.int64)


def binomial(n: int, p: float) -> list[float]:
    return [comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(n + 1)]


def expected_pair(
    rows_high: list[int],
    rates_high: list[float],
    rows_low: list[int],
    rates_low: list[float],
    centres: tuple[float, float],
    ratio: float = 1.0,
) -> np.ndarray:
    """The expectation of E(f) per bet over every outcome of independent rows with these rates per bucket."""
    laws = [binomial(n, p) for n, p in zip(rows_high + rows_low, rates_high + rates_low, strict=True)]
    total = np.zeros(len(BETS))
    for outcome in product(*(range(len(law)) for law in laws)):
        chance = np.prod([law[k] for law, k in zip(laws, outcome, strict=True)])
        high, low = outcome[: len(rows_high)], outcome[len(rows_high) :]
        told = pair_log_e(table(rows_high, list(high)), table(rows_low, list(low)), centres, ratio=ratio)
        total += chance * np.exp(told)
    return total


# --- pairs ----------------------------------------------------------------------------------------------------------


def test_one_bucket_by_hand() -> None:
    """mu = 1/2, two rows of each: y = (2 - 1)/2 - (0 - 1)/2 = 1, worst = 1/2 + 1/2 = 1, so E(f) = 1 + f."""
    found = pair_log_e(table([2], [2]), table([2], [0]), (0.5, 0.5))
    assert np.allclose(np.exp(found), 1 + BETS)


def test_two_buckets_by_hand() -> None:
    """Bucket 0 holds the whole of `high` (y = 1/2, worst = 1/2), bucket 1 the whole of `low` (y = -1/2, worst = 1/2)."""
    found = pair_log_e(table([2, 0], [2, 0]), table([0, 4], [0, 4]), (0.5, 0.5))
    assert np.allclose(np.exp(found), (1 + BETS) * (1 - BETS))


def test_the_worst_outcome_of_all_never_loses_more_than_the_bet() -> None:
    found = pair_log_e(table([3], [0]), table([3], [3]), (0.5, 0.5))
    assert np.allclose(np.exp(found), 1 - BETS)


def test_an_absent_group_says_nothing() -> None:
    nothing, some = table([0, 0], [0, 0]), table([3, 1], [1, 1])
    for high, low in ((nothing, some), (some, nothing), (nothing, nothing)):
        assert (pair_log_e(high, low, (0.5, 0.5)) == 0).all()
    assert (pair_log_e_rows((0, 0), (3, 1), (0.5, 0.5)) == 0).all()
    assert (pair_log_e_rows((3, 1), (0, 0), (0.5, 0.5)) == 0).all()


@pytest.mark.parametrize("centre", [0.1, 0.3, 0.5, 0.9])
@pytest.mark.parametrize(
    ("rows_high", "rates_high", "rows_low", "rates_low"),
    [
        ([2, 1], [0.3, 0.3], [1, 3], [0.3, 0.3]),
        ([3, 1], [0.2, 0.6], [2, 2], [0.1, 0.5]),  # unequal buckets; both row rates are 0.3
        ([1, 2], [0.0, 0.9], [3, 0], [0.6, 0.0]),
        ([4, 0], [0.5, 0.0], [0, 4], [0.0, 0.5]),
    ],
)
def test_on_the_null_the_expectation_is_at_most_one_whatever_the_centre(
    rows_high: list[int], rates_high: list[float], rows_low: list[int], rates_low: list[float], centre: float
) -> None:
    assert (expected_pair(rows_high, rates_high, rows_low, rates_low, (centre, centre)) <= 1 + ROUNDING).all()


@pytest.mark.parametrize(
    ("high", "low", "tolerance"), [(0.4, 0.3, 0.1), (0.35, 0.3, 0.1), (0.2, 0.5, 0.0), (0.5, 0.6, -0.1)]
)
def test_a_gap_up_to_the_tolerance_is_on_the_null(high: float, low: float, tolerance: float) -> None:
    centres = (0.5 + tolerance / 2, 0.5 - tolerance / 2)
    assert (expected_pair([2, 2], [high] * 2, [3, 1], [low] * 2, centres) <= 1 + ROUNDING).all()


def test_beyond_the_tolerance_small_bets_win() -> None:
    assert (expected_pair([2, 2], [0.7] * 2, [2, 2], [0.2] * 2, (0.5, 0.5))[:6] > 1).all()


def test_rows_that_are_one_person_do_not_break_the_bucketed_form_and_do_break_rows() -> None:
    """Five rows of one person all have one outcome. Bucketed: expectation 1. Counted as rows: far above 1."""
    bucketed, by_rows = np.zeros(len(BETS)), np.zeros(len(BETS))
    for a, b in product((0, 5), repeat=2):
        bucketed += np.exp(pair_log_e(table([5, 0], [a, 0]), table([0, 5], [0, b]), (0.5, 0.5))) / 4
        by_rows += np.exp(pair_log_e_rows((5, a), (5, b), (0.5, 0.5))) / 4
    assert (bucketed <= 1 + ROUNDING).all()
    assert by_rows[-1] > 5


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=2, max_size=12), st.floats(0.05, 0.95))
def test_rows_are_buckets_of_one_row_each(rows: list[tuple[bool, bool]], centre: float) -> None:
    high = table([int(h) for h, _ in rows], [int(h and k) for h, k in rows])
    low = table([int(not h) for h, _ in rows], [int(k and not h) for h, k in rows])
    folded = [(int(t[0].sum()), int(t[1].sum())) for t in (high, low)]
    if folded[0][0] and folded[1][0]:
        scale = np.max([centre / folded[0][0], (1 - centre) / folded[1][0]])
        worst = np.max(centre * high[0] / folded[0][0] + (1 - centre) * low[0] / folded[1][0])
        assert scale == pytest.approx(worst)
    assert np.allclose(pair_log_e(high, low, (centre, centre)), pair_log_e_rows(*folded, (centre, centre)))


# --- four fifths ----------------------------------------------------------------------------------------------------


def test_a_ratio_by_hand() -> None:
    """Ratio 4/5, centres (1/2, 2/5), one row each, 1 and 0: y = 4/5 x 1/2 + 2/5 = 4/5, worst = 2/5 + 3/5 = 1, so E(f) = 1 + 4f/5."""
    found = pair_log_e(table([1], [1]), table([1], [0]), (0.5, 0.4), ratio=0.8)
    assert np.allclose(np.exp(found), 1 + 0.8 * BETS)
    by_rows = pair_log_e_rows((1, 1), (1, 0), (0.5, 0.4), ratio=0.8)
    assert np.allclose(by_rows, np.log1p(BETS * 0.4 / 0.6) + np.log1p(BETS * 0.4 / 0.6))


@pytest.mark.parametrize("ratio", [0.5, 0.8, 1.25])
@pytest.mark.parametrize("high", [0.1, 0.5, 0.8])
def test_at_the_ratio_the_expectation_is_at_most_one(ratio: float, high: float) -> None:
    """Wherever the centres stand, and with rates that differ between the buckets of a group."""
    low = min(ratio * high, 1.0)
    for rate in (0.2, high, 0.7):
        centres = pair_centres(Rates(10, 10 * rate), Rates(10, 10 * min(ratio * rate, 1)), 0.0, ratio)
        even = expected_pair([2, 2], [high, high], [1, 2], [low, low], centres, ratio)
        assert (even <= 1 + ROUNDING).all()
        spread = min(high, 1 - high) / 2
        uneven = expected_pair([2, 2], [high - spread, high + spread], [1, 2], [low, low], centres, ratio)
        assert (uneven <= 1 + ROUNDING).all()


@pytest.mark.parametrize("high", [0.2, 0.5])
def test_above_the_ratio_bets_lose_and_below_it_they_gain(high: float) -> None:
    centres = pair_centres(Rates(10, 10 * high), Rates(10, 8 * high), 0.0, 0.8)
    met = expected_pair([2, 2], [high, high], [2, 2], [0.9 * high, 0.9 * high], centres, 0.8)
    missed = expected_pair([2, 2], [high, high], [2, 2], [0.3 * high, 0.3 * high], centres, 0.8)
    assert (met < 1).all()
    assert (missed > 1).all()


def test_every_row_a_bucket_gives_the_row_form_at_a_ratio_too() -> None:
    high = table([1] * 5 + [0] * 4, [1, 1, 0, 0, 1, 0, 0, 0, 0])
    low = table([0] * 5 + [1] * 4, [0, 0, 0, 0, 0, 1, 0, 0, 0])
    by_rows = pair_log_e_rows((5, 3), (4, 1), (0.5, 0.4), ratio=0.8)
    assert np.allclose(pair_log_e(high, low, (0.5, 0.4), ratio=0.8), by_rows)


@given(st.floats(0, 1e6), st.floats(0, 1), st.floats(0, 1e6), st.floats(0, 1), st.floats(0.3, 3.0))
def test_centres_keep_the_ratio_inside_the_unit_interval(n: float, p: float, m: float, q: float, ratio: float) -> None:
    high, low = pair_centres(Rates(n, n * p), Rates(m, m * q), 0.0, ratio)
    assert min(high, low) >= 0.001 - ROUNDING
    assert max(high, low) <= 0.999 + ROUNDING
    assert low == pytest.approx(ratio * high)


# --- centres --------------------------------------------------------------------------------------------------------


def test_before_there_is_a_past_the_centres_stand_about_one_half() -> None:
    assert pair_centres(Rates(), Rates(), 0.1) == pytest.approx((0.55, 0.45))


def test_centres_pool_the_past_and_keep_the_tolerance_between_them() -> None:
    """(30 + 10 + 0.1 x 50) / 150 = 0.3."""
    assert pair_centres(Rates(100, 30), Rates(50, 10), 0.1) == pytest.approx((0.3, 0.2))


@given(st.floats(0, 1e6), st.floats(0, 1), st.floats(0, 1e6), st.floats(0, 1), st.floats(-0.5, 0.5))
def test_centres_stay_inside_the_unit_interval(n: float, p: float, m: float, q: float, tolerance: float) -> None:
    high, low = pair_centres(Rates(n, n * p), Rates(m, m * q), tolerance)
    assert min(high, low) >= 0.001 - ROUNDING
    assert max(high, low) <= 0.999 + ROUNDING
    assert high - low == pytest.approx(tolerance)


def test_the_past_fades() -> None:
    assert Rates(100, 40).after(10, 1) == (100 * DECAY + 10, 40 * DECAY + 1)


# --- one rate against a limit ---------------------------------------------------------------------------------------


def test_a_rate_by_hand() -> None:
    """Limit 1/2, one bucket of 2 rows with 2 outcomes: z = (2 - 1) / (1/2 x 2) = 1."""
    assert np.allclose(np.exp(rate_log_e(table([2], [2]), 0.5, 2)), 1 + BETS)
    assert np.allclose(np.exp(rate_log_e(table([2], [2]), 0.5, 4)), 1 + BETS / 2)
    assert np.allclose(np.exp(rate_below_log_e(table([2], [0]), 0.5)), 1 + BETS)


def test_no_rows_say_nothing_about_a_rate() -> None:
    assert (rate_log_e(table([0], [0]), 0.1, 5) == 0).all()
    assert (rate_below_log_e(table([0], [0]), 0.1) == 0).all()


@pytest.mark.parametrize("largest", [0, 1, 3, 9])
@pytest.mark.parametrize(("rates", "limit"), [([0.2, 0.2], 0.2), ([0.05, 0.2], 0.2), ([0.5, 0.5], 0.6)])
def test_at_or_below_the_limit_the_expectation_is_at_most_one(rates: list[float], limit: float, largest: int) -> None:
    laws = [binomial(3, rates[0]), binomial(2, rates[1])]
    total = sum(
        laws[0][a] * laws[1][b] * np.exp(rate_log_e(table([3, 2], [a, b]), limit, largest))
        for a, b in product(range(4), range(3))
    )
    assert (np.asarray(total) <= 1 + ROUNDING).all()


@pytest.mark.parametrize(("rates", "limit"), [([0.2, 0.2], 0.2), ([0.5, 0.2], 0.2), ([0.7, 0.6], 0.6)])
def test_a_rate_that_is_still_there_is_not_proven_gone(rates: list[float], limit: float) -> None:
    laws = [binomial(3, rates[0]), binomial(2, rates[1])]
    total = sum(
        laws[0][a] * laws[1][b] * np.exp(rate_below_log_e(table([3, 2], [a, b]), limit))
        for a, b in product(range(4), range(3))
    )
    assert (np.asarray(total) <= 1 + ROUNDING).all()


# --- odds ratios ----------------------------------------------------------------------------------------------------


def test_odds_by_hand() -> None:
    """One outcome among one row of each: it falls on `high` with chance psi / (1 + psi), against 1/2: E = 2 psi / (1 + psi)."""
    assert np.allclose(np.exp(odds_log_e((1, 1), (1, 0))), 2 * ODDS / (1 + ODDS))
    assert np.allclose(np.exp(odds_log_e((1, 0), (1, 1))), 2 / (1 + ODDS))


@pytest.mark.parametrize("tables", [((3, 0), (2, 0)), ((3, 3), (2, 2)), ((0, 0), (4, 1)), ((4, 1), (0, 0))])
def test_without_two_groups_and_two_outcomes_odds_say_nothing(tables: tuple[tuple[int, int], tuple[int, int]]) -> None:
    assert (odds_log_e(*tables) == 0).all()


@settings(deadline=None)
@given(st.integers(1, 6), st.integers(1, 6), st.integers(1, 11))
def test_given_the_margins_the_expectation_is_exactly_one(n_high: int, n_low: int, total: int) -> None:
    """Under equal odds `high` has k of the outcomes with the hypergeometric chance, whatever the common rate is."""
    total = min(total, n_high + n_low)
    ways = comb(n_high + n_low, total)
    mean = sum(
        comb(n_high, k) * comb(n_low, total - k) / ways * np.exp(odds_log_e((n_high, k), (n_low, total - k)))
        for k in range(max(0, total - n_low), min(n_high, total) + 1)
    )
    assert np.allclose(np.asarray(mean), 1)


@pytest.mark.parametrize(("high", "low"), [(0.3, 0.3), (0.2, 0.5), (0.05, 0.06)])
def test_with_odds_at_most_equal_the_expectation_is_at_most_one(high: float, low: float) -> None:
    mean = sum(
        p * q * np.exp(odds_log_e((5, a), (4, b)))
        for (a, p), (b, q) in product(enumerate(binomial(5, high)), enumerate(binomial(4, low)))
    )
    assert (np.asarray(mean) <= 1 + ROUNDING).all()


def test_large_tables_neither_overflow_nor_lose_precision() -> None:
    found = odds_log_e((50_000, 25_500), (50_000, 24_500))
    assert np.isfinite(found).all()
    psi = ODDS[0]
    variance = 100_000 / 16
    approximate = log(psi) * 500 - variance * log(psi) ** 2 / 2
    assert found[0] == pytest.approx(approximate, rel=0.02)
    assert exp(odds_log_e((2_000, 900), (2_000, 900))[0]) < 1
