"""Traffic: what is drawn has the rows, the rate and the spread that were asked for, and what was seen is measured back."""

from __future__ import annotations

from math import exp, inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.detect.planning.traffic import Stream, Traffic, moved, observed
from tocsin.detect.streams.counts import ALL, Group, GroupCounts, design

BUCKETS = 256


def windows(traffic: Traffic, count: int, seed: int = 1, buckets: int = BUCKETS) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    stream = Stream(np.random.default_rng((seed, 1)), traffic, buckets)
    return [stream.window(rng, traffic.rate) for _ in range(count)]


def states(tables: list[np.ndarray], name: str = ALL, full: int = 1) -> list[GroupCounts]:
    whole = [np.stack([t[0], np.rint(t[1] * full)]).astype(np.int64) for t in tables]
    return [GroupCounts(t.shape[1], {name: Group(t, (), ())}, 0, 1) for t in whole]


@pytest.mark.parametrize(("units", "correlation"), [(0, 0.0), (250, 0.1), (250, 0.3), (50_000, 0.3)])
def test_windows_have_the_rows_and_the_rate_asked_for(units: int, correlation: float) -> None:
    drawn = np.sum(windows(Traffic(500, 0.05, correlation, units), 400), axis=0).sum(axis=1)
    assert drawn[0] / 400 == pytest.approx(500, rel=0.02)
    assert drawn[1] / drawn[0] == pytest.approx(0.05, rel=0.05)


def test_people_keep_their_rates_from_window_to_window() -> None:
    tables = windows(Traffic(5_000, 0.2, 0.5, 60), 2)
    rates = [
        t[1][t[0] > 50] / t[0][t[0] > 50] for t in tables if (tables[0][0] > 50).sum() == (tables[1][0] > 50).sum()
    ]
    both = (tables[0][0] > 50) & (tables[1][0] > 50)
    first, second = (t[1][both] / t[0][both] for t in tables)
    assert np.corrcoef(first, second)[0, 1] > 0.9
    assert len(rates) in (0, 2)


def test_other_seeds_are_other_people() -> None:
    one, other = (Stream(np.random.default_rng(seed), Traffic(500, 0.05, 0.3, 250), BUCKETS) for seed in (1, 2))
    assert not np.array_equal(one.rates, other.rates)
    again = Stream(np.random.default_rng(1), Traffic(500, 0.05, 0.3, 250), BUCKETS)
    assert np.array_equal(one.rates, again.rates)


def test_the_design_effect_is_the_one_that_is_measured() -> None:
    traffic = Traffic(2_000, 0.2, 0.3, 250)
    found = np.mean([design(table) for seed in range(60) for table in windows(traffic, 2, seed)])
    assert traffic.design() == pytest.approx(1 + 0.3 * (2_000 * exp(1) / 250 - 1))
    assert found == pytest.approx(traffic.design(), rel=0.25)


def test_independent_rows_have_no_design_effect() -> None:
    assert Traffic(500, 0.05).design() == 1.0
    assert np.mean([design(table) for table in windows(Traffic(500, 0.05), 200)]) == pytest.approx(1, abs=0.05)


def test_units_beyond_the_cap_spread_as_they_would() -> None:
    many = Traffic(200_000, 0.2, 0.3, 40_960)
    found = np.mean([design(table) for seed in range(30) for table in windows(many, 1, seed)])
    assert found == pytest.approx(many.design(), rel=0.3)


@given(
    st.lists(st.floats(0.001, 0.999), min_size=1, max_size=20),
    st.floats(0.001, 0.999),
)
def test_moved_rates_stay_rates_and_meet_their_mean(rates: list[float], after: float) -> None:
    before = float(np.mean(rates))
    found = moved(np.array(rates), before, after)
    assert found.min() >= 0
    assert found.max() <= 1
    assert float(found.mean()) == pytest.approx(after, abs=1e-9)


def test_shocks_move_whole_windows() -> None:
    calm, wild = (windows(Traffic(50_000, 0.1, shock=shock), 200) for shock in (0.0, 0.3))
    spread = [np.std([t[1].sum() / t[0].sum() for t in tables]) / 0.1 for tables in (calm, wild)]
    assert spread[0] < 0.03
    assert spread[1] == pytest.approx(0.3, rel=0.25)


def test_amounts_have_the_spread_asked_for() -> None:
    tables = windows(Traffic(100_000, 0.4, spread=0.25), 50)
    ratio = [((t[1] - 0.4 * t[0]) ** 2).sum() / (0.24 * t[0].sum()) for t in tables]
    assert np.mean(ratio) == pytest.approx(0.25, rel=0.1)
    assert all((t[1] >= 0).all() and (t[1] <= t[0]).all() for t in tables)


def test_one_bucket_holds_everything() -> None:
    (table,) = windows(Traffic(500, 0.05, 0.3, 250), 1, buckets=1)
    assert table.shape == (2, 1)


class TestObserved:
    def test_what_was_drawn_is_measured_back(self) -> None:
        seen = observed(states(windows(Traffic(2_000, 0.1, 0.2, 300), 60)))[ALL]
        assert seen.rows == pytest.approx(2_000, rel=0.03)
        assert seen.rate == pytest.approx(0.1, rel=0.05)
        assert sum(seen.shares) == pytest.approx(1)
        assert seen.design() == pytest.approx(Traffic(2_000, 0.1, 0.2, 300).design(), rel=0.5)
        assert seen.shock == 0.0

    def test_the_design_effect_of_what_was_seen_is_that_of_its_windows(self) -> None:
        tables = windows(Traffic(2_000, 0.1, 0.3, 200), 60)
        seen = observed(states(tables))[ALL]
        assert seen.design() == pytest.approx(float(np.mean([design(t) for t in tables])), rel=0.1)

    def test_shocks_are_seen_and_a_lasting_step_is_none(self) -> None:
        wild = observed(states(windows(Traffic(20_000, 0.1, shock=0.3), 60)))[ALL]
        assert wild.shock == pytest.approx(0.3, rel=0.4)
        step = [*windows(Traffic(20_000, 0.1), 30), *windows(Traffic(20_000, 0.2), 30, 2)]
        assert observed(states(step))[ALL].shock < 0.12

    def test_amounts_are_scaled_and_their_spread_is_seen(self) -> None:
        seen = observed(states(windows(Traffic(20_000, 0.4, spread=0.25), 20), full=1 << 20), 1 << 20)[ALL]
        assert seen.rate == pytest.approx(0.4, abs=0.01)
        assert seen.spread == pytest.approx(0.25, rel=0.1)
        assert seen.correlation == 0.0

    def test_a_series_that_most_windows_lack_is_left_out(self) -> None:
        some = states(windows(Traffic(100, 0.5), 10)) + states(windows(Traffic(100, 0.5), 3), "rare")
        assert list(observed(some)) == [ALL]

    def test_extremes_stay_inside(self) -> None:
        table = np.zeros((2, 4), np.int64)
        table[0] = 10
        assert observed(states([table]))[ALL].rate > 0
        table[1] = 10
        assert observed(states([table]))[ALL].rate < 1
        assert observed([]) == {}


class TestRowsFor:
    def test_full_buckets_by_hand(self) -> None:
        # n rows into 256 equal buckets fill 256 (1 - exp(-n / 256)) of them: 30 at n = 31.9
        assert Traffic(500, 0.1).rows_for(30) == pytest.approx(31.9, rel=0.11)

    def test_few_units_never_fill_many_buckets(self) -> None:
        assert Traffic(500, 0.1, 0.1, 20).rows_for(30) == inf

    def test_heavy_buckets_need_more_rows(self) -> None:
        heavy = (0.5, *((0.5 / 99,) * 99))
        assert (
            Traffic(500, 0.1, shares=heavy).rows_for(30)
            > 2 * Traffic(500, 0.1, shares=(0.01,) * 100).rows_for(30) * 0.9
        )
