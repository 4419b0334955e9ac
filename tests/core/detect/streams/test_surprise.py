"""How surprising a value is: by hand, by simulation, and in the cases in which nothing should surprise."""

from __future__ import annotations

from math import exp, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.detect.streams import surprise as s

DAY = 24
calm = settings(max_examples=60, deadline=None)
numbers = st.lists(st.floats(-1e6, 1e6, width=32), min_size=2, max_size=400)


def steady(count: int, seed: int = 0) -> np.ndarray:
    """A daily rhythm with noise."""
    rng = np.random.default_rng(seed)
    hours = np.arange(count)
    return 100 + 20 * np.sin(hours * 2 * np.pi / DAY) + rng.normal(0, 2, count)


def test_the_aspects_by_hand() -> None:
    values = np.array([1.0, 2.0, 4.0, 7.0, 7.0, 5.0, 5.0, 8.0])
    jumps, apart, restless = s.aspects(values, 4)
    assert jumps.tolist() == [1, 2, 3, 0, 2, 0, 3]
    smooth = [1, 1.5, 7 / 3, 13 / 3, 6, 19 / 3, 17 / 3, 6]
    assert apart.tolist() == pytest.approx([abs(smooth[i] - smooth[i - 4]) for i in range(4, 8)])
    assert restless.tolist() == pytest.approx([1, 1.5, 2.5, 1.5, 1, 1, 1.5])


def test_without_a_period_only_jumps_are_looked_at() -> None:
    values = np.arange(10.0) ** 2
    assert len(s.aspects(values, 0)) == len(s.aspects(values, 1)) == 1
    assert s.aspects(values, 0)[0].tolist() == [1, 3, 5, 7, 9, 11, 13, 15, 17]


def test_a_tail_by_hand() -> None:
    past = np.concatenate([np.zeros(490), np.arange(1.0, 11.0), [15.0]])
    mean, spread = 4.5, 8.25
    shape = min(max((1 - mean**2 / spread) / 2, 0.2), 0.5)
    assert shape == 0.2
    scale = mean * (1 - shape)
    assert s._tail(past) == pytest.approx(log(500 / 10) + log(1 + shape * 14 / scale) / shape)
    assert s._tail(np.append(past[:-1], 1.0)) == 0, "what is not above the tail's lowest value is no surprise"
    assert s._tail(np.append(past[:-1], 1.01)) == pytest.approx(log(50) + 0.01 / scale, abs=1e-5)


def test_a_heavy_tail_surprises_less() -> None:
    light, heavy = np.arange(1.0, 11.0), 1 + 2.0 ** np.arange(0, 10)
    values = [tail.min() + 10 * (tail - tail.min()).mean() for tail in (light, heavy)]
    found = [
        s._tail(np.concatenate([np.zeros(490), tail, [x]])) for tail, x in zip((light, heavy), values, strict=True)
    ]
    assert found[0] > found[1] > log(50)


@pytest.mark.parametrize("value", [0.0, 5.0, -3.0, 1e12])
def test_a_flat_line_never_surprises(value: float) -> None:
    assert s.surprise(np.full(300, value), DAY) == 0


def test_the_first_move_of_a_flat_line_surprises_as_much_as_anything_can() -> None:
    values = np.append(np.full(300, 5.0), 50.0)
    assert s.surprise(values, DAY) == pytest.approx(3 * s.CAP)
    assert s.surprise(values, 0) == pytest.approx(s.CAP)


def test_a_short_past_says_nothing() -> None:
    assert s.surprise(np.array([1.0, 900.0]), 0) == 0
    assert s.surprise(np.append(np.arange(9.0) % 2, 99.0), 0) == 0


def test_a_rhythm_is_no_surprise_and_its_absence_is() -> None:
    values = steady(24 * 30)
    ordinary = [s.surprise(values[:n], DAY) for n in range(600, 720)]
    assert np.mean(np.array(ordinary) > 0) < 0.15
    broken = np.append(values[:-1], values[-1] + 60)
    assert s.surprise(broken, DAY) > 2 * max(ordinary[-24:])
    night_at_noon = np.concatenate([values, steady(36)[12:]])
    assert max(s.surprise(night_at_noon[:n], DAY) for n in range(721, 744)) > s.bar(100, DAY)


@calm
@given(values=numbers, period=st.integers(0, 40))
def test_surprise_is_bounded_and_never_fails(values: list[float], period: int) -> None:
    found = s.surprise(np.array(values), period)
    assert 0 <= found <= 3 * s.CAP


@calm
@given(values=st.lists(st.integers(-1000, 1000), min_size=30, max_size=200), scale=st.sampled_from([2.0, 4.0, 0.5]))
def test_the_unit_does_not_matter(values: list[int], scale: float) -> None:
    series = np.array(values, float)
    assert s.surprise(series * scale, 6) == pytest.approx(s.surprise(series, 6), abs=1e-5)


def test_the_memory_ends() -> None:
    rng = np.random.default_rng(5)
    noise = rng.normal(0, 1, s.MEMORY + 600)
    with_old_shock = noise.copy()
    with_old_shock[:100] += 1_000
    assert s.surprise(with_old_shock, 0) == s.surprise(noise, 0)
    assert len(s.aspects(noise, 12)[0]) == s.MEMORY
    assert s.remembered(12) == s.MEMORY + 12


# --- the bar --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("windows", [60.0, 1_000.0, 26_000.0])
def test_the_bar_by_hand(windows: float) -> None:
    assert exp(s.bar(windows, 0)) == pytest.approx(windows)
    assert exp(s.bar(windows, 288) / 2) == pytest.approx(2 * windows)


def test_the_bar_can_be_reached_by_two_aspects_up_to_eighty_thousand_windows() -> None:
    assert s.bar(80_000, 24) < 2 * s.CAP < s.bar(82_000, 24)


def test_half_of_a_fresh_surprise_is_gone_in_about_a_period() -> None:
    assert s.fading(288) ** 288 == pytest.approx(0.5, abs=0.02)
    assert s.fading(0) == s.fading(32)


def noisy(noise: str, count: int, rng: np.random.Generator) -> np.ndarray:
    drawn = rng.normal(0, 1, count)
    if noise == "heavy":
        return rng.standard_t(4, count)
    if noise == "lognormal":
        return np.exp(drawn)
    if noise == "autocorrelated":
        for at in range(1, count):
            drawn[at] += 0.7 * drawn[at - 1]
    return drawn


@pytest.mark.parametrize("noise", ["normal", "heavy", "lognormal", "autocorrelated"])
def test_quiet_series_alarm_no_more_often_than_is_said(noise: str) -> None:
    """40 series of 250 looks after 600 values: 10,000 looks at one in 100 are 100 alarms at most."""
    rng = np.random.default_rng(23)
    least, alarms = s.bar(100, DAY), 0
    for _ in range(40):
        drawn, fresh = noisy(noise, 850, rng), 0.0
        for at in range(600, 850):
            found = s.surprise(drawn[: at + 1], DAY)
            alarms += found >= least and found > fresh
            fresh = max(found, fresh * s.fading(DAY))
    assert alarms <= 100
