"""What is normal: the bounds by hand, the choice between them, and that rare and common outcomes keep a margin."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

from tocsin.detect.streams import reference
from tocsin.detect.streams.quantiles import chi_squared, student
from tocsin.detect.streams.reference import BETS, LAMBDAS, MODES, Normal, Reference, chosen, log_e, normal_of


def _table(rows: int, amount: float, buckets: int = 1) -> np.ndarray:
    return np.array([[rows / buckets] * buckets, [amount / buckets] * buckets])


def _of(rates: list[float], rows: int = 500, buckets: int = 1, *, folding: bool = False) -> Reference:
    kept = Reference()
    for rate in rates:
        kept = kept.after(_table(rows, rate * rows, buckets), folding=folding)
    return kept


WILD = [0.02, 0.10, 0.03, 0.09, 0.02, 0.08, 0.03, 0.10, 0.02, 0.09] * 3
DRIFTING = [0.02 + 0.003 * n for n in range(30)]


def test_mean_variance_and_autocorrelation_are_those_of_the_windows() -> None:
    kept = _of(WILD)
    assert kept.windows == 30
    assert kept.mean == pytest.approx(np.mean(WILD))
    assert kept.variance == pytest.approx(np.var(WILD, ddof=1))
    centred = np.array(WILD) - np.mean(WILD)
    assert kept.autocorrelation == pytest.approx((centred[1:] * centred[:-1]).sum() / (centred**2).sum())


def test_windows_of_different_size_are_pooled_by_rows() -> None:
    kept = Reference().after(_table(900, 90)).after(_table(100, 0))
    assert kept.mean == pytest.approx(0.09)
    assert kept.rows == 1000


def test_own_is_the_t_bound() -> None:
    normal = normal_of(_of(WILD), "own")
    assert normal.above == pytest.approx(student(0.975, 29) * np.std(WILD, ddof=1) / sqrt(30))
    assert normal.limit("up", 0.01) == pytest.approx(normal.mean + normal.above + 0.01)
    assert normal.limit("down", 0.01) == pytest.approx(normal.mean - normal.below - 0.01)


def test_shocks_add_three_times_the_excess_between_windows() -> None:
    kept = _of(WILD, buckets=100)
    own, shocks = normal_of(kept, "own"), normal_of(kept, "shocks")
    assert shocks.above == pytest.approx(own.above + 3 * kept.excess)
    assert kept.excess == pytest.approx(sqrt(kept.variance - kept.within / 30))


def test_gaussian_widens_the_spread_by_its_own_uncertainty() -> None:
    kept = _of(WILD)
    normal = normal_of(kept, "gaussian")
    assert normal.spread == pytest.approx(np.std(WILD, ddof=1) * sqrt(29 / chi_squared(0.05, 29)))
    assert reference.bets(normal) == len(LAMBDAS)


def test_population_is_robust_to_people_who_differ() -> None:
    kept = Reference()
    for _ in range(30):
        kept = kept.after(np.array([[50.0, 50.0], [10.0, 0.0]]), folding=True)
    normal = normal_of(kept, "population")
    assert kept.folded == ((1500, 300.0), (1500, 0.0))
    assert normal.above == pytest.approx(2 * sqrt(2 * (150**2 + 150**2)) / 3000)
    assert normal.above > 10 * normal_of(kept, "own").above


def test_buckets_are_folded_to_sixty_four() -> None:
    kept = Reference().after(np.stack([np.ones(256), np.zeros(256)]), folding=True)
    assert kept.folded == tuple((4, 0.0) for _ in range(64))
    odd = Reference().after(np.stack([np.ones(100), np.zeros(100)]), folding=True)
    assert len(odd.folded) == 100


@pytest.mark.parametrize(
    ("kept", "mode"),
    [
        (_of([0.05, 0.06, 0.04, 0.05, 0.055] * 6, buckets=1), "gaussian"),
        (_of(WILD), "gaussian"),
        (_of(DRIFTING), "shocks"),
        (_of([0.05, 0.0502, 0.0498] * 10), "own"),
    ],
)
def test_auto_looks_at_how_windows_move(kept: Reference, mode: str) -> None:
    assert chosen(kept) == mode
    assert normal_of(kept, "auto").mode == mode


def test_noise_that_buckets_explain_is_no_shock() -> None:
    rng, kept = np.random.default_rng(1), Reference()
    for _ in range(30):
        kept = kept.after(np.stack([np.full(100, 5.0), rng.binomial(5, 0.05, 100).astype(float)]))
    assert chosen(kept) == "own"


def test_what_was_never_seen_is_not_impossible() -> None:
    never = normal_of(_of([0.0] * 30), "auto")
    assert never.limit("up", 0.0) == pytest.approx(3.689 / 15_000, rel=0.01)
    always = normal_of(_of([1.0] * 30), "auto")
    assert always.limit("down", 0.0) == pytest.approx(1 - 3.689 / 15_000, rel=0.01)


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


def test_a_complete_reference_only_remembers_larger_buckets() -> None:
    kept = _of([0.05] * 10)
    assert kept.seeing(900).largest == 900
    assert kept.seeing(1).largest == 500
    assert kept.seeing(900).mean == kept.mean


def test_every_mode_has_its_words() -> None:
    assert set(MODES) >= {"limit", "own", "population", "shocks", "gaussian"}
    assert all(MODES.values())


@pytest.mark.parametrize(("amount", "expected"), [(0, 3.689), (4, 10.24 - 4), (29, 0.0), (600, 0.0)])
def test_few_outcomes_keep_the_margin_of_a_count(amount: int, expected: float) -> None:
    kept = _of([amount / 15_000] * 30)
    margin = normal_of(kept, "own").above
    assert margin == pytest.approx(max(expected, 41.65 - 29 if amount == 29 else 0.0) / 15_000, rel=0.01, abs=1e-9)
