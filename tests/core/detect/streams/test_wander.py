"""Whether windows move by more than noise: statistics by hand, what calm and shaken streams show, and that a step hides neither."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.detect.streams.wander import CARRY, SIDE_MIN, Wander, unrest, unstepped, wander

NOISE = 0.01**2


def _calm(seed: int, windows: int = 30, deviation: float = 0.01) -> np.ndarray:
    return 0.05 + np.random.default_rng(seed).normal(0, deviation, windows)


def _carried(seed: int, windows: int = 30, carry: float = 0.8, shock: float = 0.01) -> np.ndarray:
    """Noise of one hundredth and a shock as large that carries over."""
    rng = np.random.default_rng([seed, 7])
    level = np.zeros(windows)
    level[0] = rng.normal(0, shock)
    for n in range(1, windows):
        level[n] = carry * level[n - 1] + rng.normal(0, shock * sqrt(1 - carry**2))
    return 0.05 + level + rng.normal(0, 0.01, windows)


def _share(judged: list[Wander]) -> float:
    return sum(one.suspected for one in judged) / len(judged)


def test_unrest_by_hand() -> None:
    """K of three windows: rows sum to 1.96, 2.2, 1.96, all to 6.12; centred diagonal 1 - 2 x 1.96/3 + 0.68 and 1 - 2 x 2.2/3 + 0.68."""
    corner, middle = 1 - 2 * 1.96 / 3 + 0.68, 1 - 2 * 2.2 / 3 + 0.68
    beside, across = CARRY - (1.96 + 2.2) / 3 + 0.68, CARRY**2 - 2 * 1.96 / 3 + 0.68
    size = sqrt(2 * (2 * corner**2 + middle**2 + 4 * beside**2 + 2 * across**2))
    x = np.array([0.02, -0.01, -0.01])
    form = (
        corner * (x[0] ** 2 + x[2] ** 2)
        + middle * x[1] ** 2
        + 2 * beside * (x[0] + x[2]) * x[1]
        + 2 * across * x[0] * x[2]
    )
    assert unrest(x, NOISE) == pytest.approx((form - NOISE * (2 * corner + middle)) / (NOISE * size))


def test_unrest_apart_leaves_the_windows_own_squares_out() -> None:
    """Windows that alternate are spread, and anything but together."""
    x = np.array([0.02, -0.02] * 15)
    assert unrest(x, NOISE, apart=True) < unrest(x, NOISE)
    assert unrest(x, float(x @ x) / 29, apart=True) < -2


@given(st.integers(0, 10_000), st.floats(-0.02, 0.02), st.floats(0.1, 10))
def test_a_level_or_a_unit_changes_nothing(seed: int, level: float, unit: float) -> None:
    x = _calm(seed) - 0.05
    assert unrest(x + level, NOISE) == pytest.approx(unrest(x, NOISE), abs=1e-6)
    assert unrest(x * unit, NOISE * unit**2) == pytest.approx(unrest(x, NOISE), rel=1e-6, abs=1e-6)
    assert wander(x * unit, NOISE * unit**2, 30).excess == pytest.approx(wander(x, NOISE, 30).excess * unit)


def test_both_statistics_are_about_standard_normal_on_noise() -> None:
    told = np.array([unrest(_calm(seed) - _calm(seed).mean(), NOISE) for seed in range(2_000)])
    assert abs(told.mean()) < 0.1
    assert told.std() == pytest.approx(1, abs=0.1)
    apart = [unrest(x - x.mean(), float(np.var(x, ddof=1)), apart=True) for x in map(_calm, range(2_000))]
    assert np.std(apart) == pytest.approx(1, abs=0.2)


def test_shocks_that_carry_over_are_suspected_and_calm_streams_are_cleared_as_they_go_on() -> None:
    seeds = range(300)
    assert _share([wander(_carried(seed), NOISE, 30) for seed in seeds]) > 0.85
    assert _share([wander(_carried(seed, 90), NOISE, 30) for seed in seeds]) > 0.9
    first, later = (_share([wander(_calm(seed, many), NOISE, 30) for seed in seeds]) for many in (30, 90))
    assert first < 0.45
    assert later < 0.2


def test_shocks_that_last_are_serial_and_those_of_a_window_mostly_are_not() -> None:
    lasting = [wander(_carried(seed, 120), NOISE, 30) for seed in range(200)]
    alone = [wander(_carried(seed, 120, carry=0.0), NOISE, 30) for seed in range(200)]
    assert sum(one.serial for one in lasting) > 190
    assert sum(one.serial for one in alone) < 110
    assert _share(alone) > 0.9


def test_a_step_is_taken_out_whole() -> None:
    step = np.where(np.arange(40) < 17, 0.05, 0.09)
    assert unstepped(step) == pytest.approx(np.zeros(40))
    assert unstepped(np.full(20, 0.3)) == pytest.approx(np.zeros(20))


@given(st.integers(0, 5_000), st.integers(SIDE_MIN, 40 - SIDE_MIN))
def test_no_step_fits_better_than_the_one_taken_out(seed: int, place: int) -> None:
    rates = _calm(seed, 40)
    other = rates - np.where(np.arange(40) < place, rates[:place].mean(), rates[place:].mean())
    left = unstepped(rates)
    assert float(left @ left) <= float(other @ other) + 1e-12
    assert left.sum() == pytest.approx(0, abs=1e-9)


def test_the_change_that_is_looked_for_is_no_shock() -> None:
    """A calm stream that doubles for twenty windows is not taken for one that wanders: the detector would go blind."""
    judged = []
    for seed in range(200):
        rates = _calm(seed, 80)
        rates[60:] += 0.05
        judged.append(wander(rates, NOISE, 30))
        assert judged[-1].deviation < 0.013
    assert _share(judged) < 0.35


def test_a_suspicion_of_the_reference_stays_until_there_are_twice_as_many_windows() -> None:
    rates = np.concatenate([_carried(3, 30, shock=0.03), _calm(1, 29)])
    begin = wander(rates[:30], NOISE, 30)
    assert begin.suspected
    held = wander(rates[:59], NOISE, 30)
    assert held.suspected
    assert held.excess >= begin.excess


def test_without_known_noise_only_windows_that_follow_each_other_clearly_are_serial() -> None:
    """One bucket a window: nothing tells noise from shocks, so all of the spread is taken for shocks."""
    told = [wander(_calm(seed), 0.0, 30) for seed in range(200)]
    assert all(one.suspected and one.excess == one.deviation for one in told)
    assert sum(one.serial for one in told) < 50
    assert wander(np.full(30, 0.05), 0.0, 30) == Wander(suspected=False, serial=False, excess=0.0, deviation=0.0)
    assert wander(np.linspace(0.02, 0.09, 30), 0.0, 30).serial
