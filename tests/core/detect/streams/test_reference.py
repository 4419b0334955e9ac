"""What is normal: the bounds by hand, the choice between them, later readings, and that rare and common outcomes keep a margin."""

from __future__ import annotations

from math import sqrt

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.detect.streams import reference
from tocsin.detect.streams.membership import Members
from tocsin.detect.streams.quantiles import chi_squared, student
from tocsin.detect.streams.reference import BETS, LAMBDAS, MODES, Normal, Reference, log_e


def _table(rows: int, amount: float, buckets: int = 1) -> np.ndarray:
    return np.array([[rows / buckets] * buckets, [amount / buckets] * buckets])


def _with(tables: list[np.ndarray], mode: str = "auto", needed: int = 30, loud: range = range(0)) -> Reference:
    kept = Reference()
    for place, table in enumerate(tables):
        kept = kept.after(table, mode, needed, quiet=place not in loud)
    return kept


def _of(rates: list[float], mode: str = "auto", rows: int = 500, buckets: int = 1) -> Reference:
    return _with([_table(rows, rate * rows, buckets) for rate in rates], mode)


def _normal(kept: Reference) -> Normal:
    assert kept.normal is not None
    return kept.normal


def _noisy(seed: int, windows: int, rate: float = 0.05, buckets: int = 100) -> list[np.ndarray]:
    """Independent rows, five in each bucket."""
    rng = np.random.default_rng(seed)
    return [np.stack([np.full(buckets, 5.0), rng.binomial(5, rate, buckets).astype(float)]) for _ in range(windows)]


WILD = [0.02, 0.10, 0.03, 0.09, 0.02, 0.08, 0.03, 0.10, 0.02, 0.09] * 3
DRIFTING = [0.02 + 0.003 * n for n in range(30)]
CALM = [0.05, 0.0502, 0.0498] * 10


def test_nothing_is_normal_before_the_reference_is_complete() -> None:
    assert _of(WILD[:29]).normal is None
    kept = _of(WILD)
    assert kept.windows == 30
    assert kept.normal is not None
    assert kept.members == Members()


def test_windows_of_different_size_are_pooled_by_rows() -> None:
    kept = _with([_table(900, 90), _table(100, 0)] * 15)
    assert _normal(kept).mean == pytest.approx(0.09)
    assert _normal(kept).rows == 500


def test_own_is_the_t_bound() -> None:
    normal = _normal(_of(WILD, "own"))
    assert normal.above == pytest.approx(student(0.95, 29) * np.std(WILD, ddof=1) / sqrt(30))
    assert normal.limit("up", 0.01) == pytest.approx(normal.mean + normal.above + 0.01)
    assert normal.limit("down", 0.01) == pytest.approx(normal.mean - normal.below - 0.01)


def test_shocks_add_four_times_the_excess_between_windows() -> None:
    own, shocks = _of(WILD, "own", buckets=100), _of(WILD, "shocks", buckets=100)
    assert shocks.noise == 0, "buckets that all have the rate of their window explain nothing"
    assert _normal(shocks).above == pytest.approx(_normal(own).above + 4 * np.std(WILD, ddof=1))


def test_what_buckets_explain_is_no_excess() -> None:
    tables = _noisy(1, 30)
    own, shocks = _with(tables, "own"), _with(tables, "shocks")
    rates = np.array([table[1].sum() / 500 for table in tables])
    within = np.mean([((t[1] - t[1].sum() / 500 * t[0]) ** 2).sum() / 500**2 for t in tables])
    assert own.noise == pytest.approx(within, rel=0.1)
    assert _normal(own).mode == "own"
    assert _normal(shocks).above - _normal(own).above == pytest.approx(
        4 * sqrt(max(rates.var(ddof=1) - own.noise, 0.0))
    )


def test_what_lasts_between_people_is_no_noise_of_a_window() -> None:
    """Two people of rates 0.2 and 0: each window's rate is 0.1 exactly, however much they differ."""
    kept = _with([np.array([[50.0, 50.0], [10.0, 0.0]])] * 30, "own")
    assert kept.noise == pytest.approx(0, abs=1e-12)


def test_gaussian_widens_the_spread_by_its_own_uncertainty() -> None:
    normal = _normal(_of(WILD, "gaussian"))
    assert normal.spread == pytest.approx(np.std(WILD, ddof=1) * sqrt(29 / chi_squared(0.05, 29)))
    assert reference.bets(normal) == len(LAMBDAS)
    assert normal.above == pytest.approx(_normal(_of(WILD, "own")).above + 0.75 * np.std(WILD, ddof=1))


def test_population_is_robust_to_people_who_differ() -> None:
    tables = [np.array([[50.0, 50.0], [10.0, 0.0]])] * 30
    normal = _normal(_with(tables, "population"))
    assert normal.mode == "population"
    assert normal.above == pytest.approx(2.25 * sqrt(2 * (150**2 + 150**2)) / 3000)
    assert _normal(_with(tables, "own")).above == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("kept", "mode"),
    [
        (_of(WILD), "gaussian"),
        (_of(DRIFTING), "shocks"),
        (_of([0.05] * 30), "own"),
        (_of([0.0] * 30), "own"),
        (_with(_noisy(1, 30)), "own"),
        (_with(_noisy(1, 10, 0.05) + _noisy(2, 10, 0.09) + _noisy(3, 10, 0.05)), "shocks"),
    ],
)
def test_auto_looks_at_how_windows_move(kept: Reference, mode: str) -> None:
    assert _normal(kept).mode == mode


def test_auto_sees_members_come_and_go() -> None:
    """Ten people in ten buckets: a third of them is replaced twice."""
    rng, tables = np.random.default_rng(4), []
    for place in range(30):
        here = (np.arange(5) + place // 10 * 3) % 16
        rows = np.zeros(16)
        rows[here] = 100
        tables.append(np.stack([rows, rng.binomial(rows.astype(int), 0.1).astype(float)]))
    assert _normal(_with(tables)).mode == "population"
    assert _normal(_with(tables, "own")).mode == "own"
    assert _normal(_with(tables[:1] * 30)).mode != "population"


def test_the_stream_is_read_again_at_twice_and_four_times_and_the_narrowest_limits_stay() -> None:
    kept = _with(_noisy(3, 130), "own")
    assert len(kept.readings) == 3
    normal = _normal(kept)
    upper, lower = (
        min(one.mean + one.above for one in kept.readings),
        max(one.mean - one.below for one in kept.readings),
    )
    assert lower < normal.mean < upper
    assert (normal.limit("up", 0), normal.limit("down", 0)) == pytest.approx((upper, lower))
    assert kept.readings[1].above * sqrt(60) / sqrt(30) == pytest.approx(
        kept.readings[0].above * student(0.975, 59) / student(0.95, 29), rel=0.3
    )


def test_a_change_that_nobody_saw_cannot_raise_the_limit_nor_move_it_past_the_first_mean() -> None:
    quiet, risen = _with(_noisy(5, 30), "own"), _with(_noisy(5, 30) + _noisy(6, 60, 0.2), "own")
    assert risen.readings[1].mean > 0.12
    assert _normal(risen).limit("up", 0) == _normal(quiet).limit("up", 0)
    assert _normal(risen).limit("down", 0) == _normal(quiet).mean
    fallen = _with(_noisy(5, 30) + _noisy(6, 60, 0.01), "own")
    assert _normal(fallen).limit("up", 0) == _normal(quiet).mean
    assert _normal(fallen).limit("down", 0) == _normal(quiet).limit("down", 0)


def test_windows_with_a_known_fault_say_nothing_of_what_is_normal() -> None:
    loud = _with(_noisy(5, 30) + _noisy(6, 30, 0.5), loud=range(30, 60))
    assert loud.windows == 30
    assert loud.normal == _with(_noisy(5, 30)).normal


def test_what_is_normal_is_decided_every_ten_windows() -> None:
    tables = _noisy(7, 30) + _noisy(8, 9, 0.02)
    assert _with(tables).normal == _with(tables[:30]).normal
    later = _with([*tables, *_noisy(9, 1)])
    assert _normal(later).rows == 500
    assert later.windows == 40


@pytest.mark.parametrize("seed", [5, 8, 10, 27, 34])
def test_a_calm_stream_that_was_suspected_is_cleared_when_it_stays_calm(seed: int) -> None:
    begin, later = _normal(_with(_noisy(seed, 30))), _normal(_with(_noisy(seed, 90)))
    assert begin.mode == "shocks"
    assert later.mode == "own"
    assert later.above < begin.above / 2


def test_the_change_itself_makes_no_detector_blind() -> None:
    """A rise from 5 % to 12 % for twenty windows: suspected or not, what is no news stays far below it."""
    for seed in range(20):
        normal = _normal(_with(_noisy(seed, 60) + _noisy(seed + 100, 20, 0.12)))
        assert normal.limit("up", 0) + normal.spread < 0.11


@given(st.integers(1, 9))
@settings(max_examples=9, deadline=None)
def test_the_margin_of_members_holds_whatever_else_is_seen(share: int) -> None:
    """Where members come and go the limit is never nearer to the first mean than theirs."""
    tables = []
    for place in range(40):
        rows = np.zeros(16)
        rows[(np.arange(4) + place // 5) % 16] = 100
        tables.append(np.stack([rows, rows * share / 20 * (1 + 0.1 * (place % 3))]))
    kept = _with(tables)
    assert kept.population > 0
    assert _normal(kept).mode == "population"
    assert _normal(kept).above >= kept.population
    assert _normal(kept).below >= kept.population


def test_a_path_is_remembered_no_longer_than_128_windows_unless_the_reference_is() -> None:
    assert _with(_noisy(3, 150)).windows == 128
    assert _with(_noisy(3, 150), needed=140).windows == 140


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(5, 40), st.integers(0, 45))
def test_a_reference_survives_its_bytes(seed: int, needed: int, more: int) -> None:
    kept = _with(_noisy(seed, needed + more), needed=needed)
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(kept), type=Reference)
    assert again == kept
    table = _noisy(seed + 1, 1)[0]
    assert again.after(table, "auto", needed) == kept.after(table, "auto", needed)


def test_what_was_never_seen_is_not_impossible() -> None:
    """The bound of a Poisson count of none at 95 % is 2.996."""
    never = _normal(_of([0.0] * 30))
    assert never.limit("up", 0.0) == pytest.approx(2.996 / 15_000, rel=0.01)
    always = _normal(_of([1.0] * 30))
    assert always.limit("down", 0.0) == pytest.approx(1 - 2.996 / 15_000, rel=0.01)


def test_a_limit_beyond_one_or_zero_is_no_bet() -> None:
    table = _table(100, 100)
    assert (log_e(Normal("limit", 0.9), "up", 0.2, table, 1) == np.zeros(len(BETS))).all()
    assert (log_e(Normal("limit", 0.1), "down", 0.2, _table(100, 0), 1) == np.zeros(len(BETS))).all()


def test_down_is_up_of_what_is_lacking() -> None:
    table = np.array([[10.0, 20.0, 5.0], [1.0, 4.0, 0.0]])
    mirrored = np.stack([table[0], table[0] - table[1]])
    down = log_e(Normal("limit", 0.3), "down", 0.05, table, 20)
    up = log_e(Normal("limit", 0.7), "up", 0.05, mirrored, 20)
    assert down == pytest.approx(up)
    assert down.max() > 0


def test_gaussian_bets_are_those_of_the_formula_and_small_windows_count_less() -> None:
    normal = Normal("gaussian", 0.05, 0.005, 0.005, 0.01, 500)
    u = (0.08 - 0.055) / 0.01
    assert log_e(normal, "up", 0.0, _table(500, 40), 0) == pytest.approx(LAMBDAS * u - LAMBDAS**2 / 2)
    small = log_e(normal, "up", 0.0, _table(125, 10), 0)
    assert small == pytest.approx(LAMBDAS * u / 2 - LAMBDAS**2 / 2)


def test_the_largest_bucket_goes_on_to_be_remembered() -> None:
    kept = _of(CALM, buckets=10)
    assert kept.after(_table(9000, 400, 10), "auto", 30).largest == 900
    assert kept.after(_table(10, 1, 10), "auto", 30, quiet=False).largest == 50


def test_every_mode_has_its_words() -> None:
    assert set(MODES) >= {"limit", "own", "population", "shocks", "gaussian"}
    assert all(MODES.values())


@pytest.mark.parametrize(("amount", "expected"), [(0, 2.996), (4, 9.154 - 4), (29, 39.54 - 29), (600, 0.0)])
def test_few_outcomes_keep_the_margin_of_a_count(amount: int, expected: float) -> None:
    margin = _normal(_of([amount / 15_000] * 30, "own")).above
    assert margin == pytest.approx(expected / 15_000, rel=0.01, abs=1e-9)
