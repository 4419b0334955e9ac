"""Who comes back: overlap and turnover by hand, and what streams of the same, of changing and of new people show."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.detect.streams.membership import FOLD, OVERLAP_MIN, TURNOVER_MIN, Members


def _of(tables: list[np.ndarray]) -> Members:
    members = Members()
    for place, table in enumerate(tables):
        members = members.after(table, place, len(tables))
    return members


def _people(seed: int, windows: int = 30, churn: float = 0.0, buckets: int = 256) -> list[np.ndarray]:
    """Counts of 250 people of unequal activity; before each window a share of them is replaced."""
    rng = np.random.default_rng(seed)
    weight, bucket, own = rng.lognormal(0, 1, 250), rng.integers(0, buckets, 250), rng.beta(0.1, 1.9, 250)
    told = []
    for _ in range(windows):
        rows = rng.multinomial(500, weight / weight.sum())
        hits = rng.binomial(rows, own)
        told.append(np.stack([np.bincount(bucket, w, minlength=buckets) for w in (rows, hits)]))
        gone = rng.random(250) < churn
        weight[gone], bucket[gone] = rng.lognormal(0, 1, gone.sum()), rng.integers(0, buckets, gone.sum())
        own[gone] = rng.beta(0.1, 1.9, gone.sum())
    return told


def test_the_same_shares_every_window_are_no_turnover() -> None:
    members = _of([np.array([[30.0, 10.0], [3.0, 0.0]])] * 6)
    assert members.together == pytest.approx(5 * 2 * 0.25**2)
    assert members.spread == pytest.approx(6 * 2 * 0.25**2)
    assert members.turnover(6) == pytest.approx(0)
    assert not members.changing(6)


def test_those_who_were_replaced_are_the_turnover() -> None:
    """Six windows: the first four in the first bucket, the last two in the second. Overlap of neighbours: (3 - 1 + 1) / 5 of 1/2."""
    first, second = np.array([[40.0, 0.0], [1.0, 0.0]]), np.array([[0.0, 40.0], [0.0, 1.0]])
    members = _of([first] * 4 + [second] * 2)
    assert members.together / 5 == pytest.approx(0.6 * 0.5)
    assert members.turnover(6) == pytest.approx(1 - (-0.5) / 0.3)
    assert members.changing(6)


def test_the_standard_error_is_clustered_by_bucket() -> None:
    members = _of([np.array([[50.0, 50.0], [10.0, 0.0]])] * 30)
    assert members.error() == pytest.approx(sqrt(150**2 + 150**2) / 3000)


def test_what_lasts_is_what_people_differ_by() -> None:
    """Residual rates of 0.05 and -0.05 in every window, or with changing sides and nothing that lasts."""
    lasting = _of([np.array([[50.0, 50.0], [10.0, 0.0]])] * 4)
    assert lasting.lasting(4) == pytest.approx(2 * 0.05**2)
    sides = [np.array([[50.0, 50.0], [10.0, 0.0]]), np.array([[50.0, 50.0], [0.0, 10.0]])]
    assert _of(sides * 2).lasting(4) == pytest.approx(0)


@pytest.mark.parametrize("buckets", [64, 256])
@pytest.mark.parametrize(("churn", "seen"), [(0.0, False), (0.02, True), (0.05, True), (0.3, True), (1.0, False)])
def test_turnover_is_seen_and_neither_staying_nor_being_new_is_taken_for_it(
    churn: float, seen: bool, buckets: int
) -> None:
    told = [_of(_people(seed, churn=churn, buckets=buckets)).changing(30) for seed in range(20)]
    assert sum(told) == pytest.approx(20 if seen else 0, abs=1)


def test_turnover_measures_how_many_went() -> None:
    """With 5 % replaced before each window 36 % are left after twenty; the overlap of the heaviest is what is measured."""
    told = [_of(_people(seed, churn=0.05)).turnover(30) for seed in range(40)]
    assert np.mean(told) == pytest.approx(1 - 0.95**19, abs=0.08)


def test_rows_that_name_nobody_have_no_members() -> None:
    rng = np.random.default_rng(5)
    members = _of([np.stack([rng.multinomial(500, np.full(256, 1 / 256)), np.zeros(256)]) for _ in range(30)])
    assert members.together / 29 < OVERLAP_MIN * members.spread / 30
    assert members.turnover(30) == 0


def test_one_bucket_says_nothing_of_members() -> None:
    members = _of([np.array([[100.0], [5.0]])] * 10)
    assert (members.turnover(10), members.error(), members.lasting(10)) == (0, 0, 0)


def test_buckets_are_folded_to_sixty_four_where_that_goes() -> None:
    assert Members().after(np.ones((2, 256)), 0, 5).table.shape == (6, FOLD)
    assert Members().after(np.ones((2, 256)), 0, 5).table[0].tolist() == [4.0] * FOLD
    assert Members().after(np.ones((2, 100)), 0, 5).table.shape == (6, 100)


@settings(max_examples=25)
@given(st.integers(0, 1000), st.permutations(range(64)))
def test_which_bucket_is_which_does_not_matter(seed: int, order: list[int]) -> None:
    tables = _people(seed, windows=9, churn=0.1, buckets=64)
    one, other = _of(tables), _of([table[:, order] for table in tables])
    assert other.turnover(9) == pytest.approx(one.turnover(9), abs=1e-9)
    assert other.error() == pytest.approx(one.error())
    assert other.lasting(9) == pytest.approx(one.lasting(9))


def test_five_in_a_hundred_is_what_can_be_told_from_none() -> None:
    told = [_of(_people(seed)).turnover(30) for seed in range(60)]
    assert max(told) < TURNOVER_MIN * 1.2
    assert np.std(told) < 0.03
