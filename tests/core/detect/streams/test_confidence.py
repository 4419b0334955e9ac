"""Intervals for display: their numbers by hand, their coverage at every look by seeded simulation."""

from __future__ import annotations

from math import e, log, sqrt

import numpy as np
import pytest

from tocsin.detect.streams import confidence
from tocsin.detect.streams.confidence import RATIO_MAX, difference, multiplier, rate, ratio


def test_the_multiplier_by_hand() -> None:
    """alpha = 1/e: best = 2 + log 2 + 1; after 5,000 rows q = best."""
    q = 3 + log(2)
    assert multiplier(5_000, 1 / e) == pytest.approx(sqrt(2 * (1 + 1 / q) * (0.5 * log(q + 1) + 1)))
    assert multiplier(0, 0.05) == 0


def test_a_sequence_is_wider_than_one_look_and_tightest_near_the_tuned_rows() -> None:
    wide = [multiplier(rows, 0.05) for rows in (50, 500, 5_000, 50_000, 5_000_000)]
    assert all(each > 1.96 for each in wide)
    assert min(wide) == multiplier(5_000, 0.05)


def test_a_rate_with_its_bounds() -> None:
    found = rate(1_000, 300, 0.05)
    spread = sqrt((300.5 / 1_001) * (700.5 / 1_001) / 1_000)
    assert found.value == 0.3
    assert found.high - 0.3 == pytest.approx(multiplier(1_000, 0.05) * spread)
    assert 0.3 - found.low == pytest.approx(found.high - 0.3)


def test_bounds_stay_between_zero_and_one() -> None:
    assert rate(0, 0, 0.05) == (0.0, 0.0, 1.0)
    assert rate(10, 0, 0.05).low == 0
    assert rate(10, 0, 0.05).high > 0
    assert rate(10, 10, 0.05).high == 1
    assert difference((0, 0), (5, 1), 0.05) == (0.0, -1.0, 1.0)
    assert difference((5, 1), (0, 0), 0.05) == (0.0, -1.0, 1.0)
    assert difference((3, 3), (3, 0), 0.05).high == 1


def test_a_difference_adds_variances() -> None:
    found = difference((1_000, 400), (500, 100), 0.05)
    spread = sqrt((400.5 / 1_001) * (600.5 / 1_001) / 1_000 + (100.5 / 501) * (400.5 / 501) / 500)
    assert found.value == pytest.approx(0.2)
    assert found.high - found.value == pytest.approx(multiplier(1_500, 0.05) * spread)


def test_units_that_repeat_widen_the_interval() -> None:
    plain, repeated = (rate(2_000, 600, 0.05, design) for design in (1.0, 4.0))
    assert repeated.high - 0.3 == pytest.approx(2 * (plain.high - 0.3))
    assert rate(2_000, 600, 0.05, 0.2) == plain
    assert difference((900, 90), (900, 80), 0.05, 0.5) == difference((900, 90), (900, 80), 0.05)


@pytest.mark.parametrize(("chance", "alpha"), [(0.3, 0.05), (0.1, 0.1)])
def test_the_truth_is_inside_at_every_look(chance: float, alpha: float) -> None:
    """400 seeded streams looked at after each of 60 windows of 100 rows: three standard errors above alpha are allowed."""
    rng = np.random.default_rng(3)
    missed = 0
    for _ in range(400):
        outcomes = np.cumsum(rng.binomial(100, chance, 60))
        bounds = [rate(100 * (n + 1), int(k), alpha) for n, k in enumerate(outcomes)]
        missed += any(not b.low <= chance <= b.high for b in bounds)
    assert missed / 400 <= alpha + 3 * sqrt(alpha * (1 - alpha) / 400)


def test_the_tuning_is_told() -> None:
    assert confidence.ROWS_TUNED == 5_000


# --- a ratio --------------------------------------------------------------------------------------------------------


def test_a_ratio_with_its_bounds() -> None:
    found = ratio((1_000, 200), (1_000, 400), 0.05)
    assert found.value == 0.5
    spread = sqrt((1 - 0.2) / (0.2 * 1_000) + (1 - 0.4) / (0.4 * 1_000))
    assert log(found.high / found.low) / 2 == pytest.approx(multiplier(2_000, 0.05) * spread, rel=0.01)
    clustered = ratio((1_000, 200), (1_000, 400), 0.05, 4.0)
    assert log(clustered.high / clustered.low) == pytest.approx(2 * log(found.high / found.low))


def test_a_ratio_of_nothing_is_not_known() -> None:
    for low, high in (((0, 0), (9, 3)), ((9, 3), (0, 0)), ((9, 3), (9, 0))):
        assert ratio(low, high, 0.05) == (1.0, 0.0, RATIO_MAX)
    assert ratio((50, 0), (50, 40), 0.05).value == 0
    assert ratio((50, 0), (50, 40), 0.05).low == 0
    assert ratio((2, 2), (1_000, 1), 0.05).high == RATIO_MAX


def test_a_ratio_is_covered_at_every_look() -> None:
    """200 seeded streams, ten looks each, true ratio 0.75."""
    rng, missed = np.random.default_rng(3), 0
    for _ in range(200):
        low, high = rng.binomial(300, 0.3, 10).cumsum(), rng.binomial(300, 0.4, 10).cumsum()
        looks = [ratio((300 * n, low[n - 1]), (300 * n, high[n - 1]), 0.05) for n in range(1, 11)]
        missed += any(not look.low <= 0.75 <= look.high for look in looks)
    assert missed <= 16
