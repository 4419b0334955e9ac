"""Directions of ordered cells and of texts, and what a tolerance for the whole distribution allows each of them."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tocsin.detect.streams.drifting.cutting import Cut
from tocsin.detect.streams.drifting.directions import CELL, RANK, SPREAD, accepted, along


def cut(*shares: float, ordered: bool = True) -> Cut:
    count = len(shares) - 1
    names = (*(f"c{n}" for n in range(count)), "(missing)")
    return Cut(tuple(range(count - 1)), tuple(range(count)), names, shares, ordered, 2.0)


def named(made: Cut) -> dict[str, list[float]]:
    return {one.name: one.values.tolist() for one in along(made)}


def test_rank_is_the_middle_of_a_cells_ranks_and_missing_values_are_in_the_middle() -> None:
    found = named(cut(0.25, 0.25, 0.5, 0.0))
    assert found[RANK] == [0.125, 0.375, 0.75, 0.5]
    spread = [0.5625, 0.0625, 0.25]
    assert found[SPREAD] == pytest.approx([*spread, 0.25 * spread[0] + 0.25 * spread[1] + 0.5 * spread[2]])
    assert [name for name in found if name.startswith(CELL)] == ["cell:0", "cell:2", "cell:3"]
    assert found["cell:2"] == [0, 0, 1, 0]


def test_ranks_are_those_of_the_values_that_are_there() -> None:
    assert named(cut(0.25, 0.25, 0.5))[RANK] == pytest.approx([0.25, 0.75, 0.5])


def test_the_mean_rank_of_the_reference_is_one_half() -> None:
    made = cut(0.1, 0.2, 0.3, 0.2, 0.2)
    for one in along(made):
        if one.name == RANK:
            assert float(np.array(made.shares) @ one.values) == pytest.approx(0.5)


def test_a_constant_has_no_spread_to_follow() -> None:
    found = named(cut(0.0, 1.0, 0.0, 0.0))
    assert SPREAD not in found
    assert found[RANK] == [0.0, 0.5, 1.0, 0.5]


def test_a_column_without_values_is_followed_by_what_is_there() -> None:
    assert list(named(cut(0.0, 1.0))) == ["cell:0", "cell:1"]


def test_texts_are_followed_one_by_one() -> None:
    found = named(cut(0.5, 0.3, 0.2, 0.0, ordered=False))
    assert list(found) == ["cell:0", "cell:1", "cell:2", "cell:3"]
    assert np.array(list(found.values())).tolist() == np.eye(4).tolist()


def test_standard_deviations_are_those_of_the_direction() -> None:
    shares, values = np.array([0.5, 0.5]), np.array([0.0, 1.0])
    assert accepted(0.1, "sd", values, shares) == pytest.approx(0.05)
    assert accepted(0.0, "psi", values, shares) == 0


def test_the_move_that_an_index_allows_by_hand() -> None:
    shares, values = np.array([0.5, 0.5]), np.array([0.0, 1.0])
    assert accepted(0.04, "psi", values, shares) == pytest.approx(0.2 * sqrt(0.25))
    rare = np.array([0.99, 0.01])
    bound = sqrt(0.04 * (0.0099 + 0.1 * (0.9801 - 0.0001) / 2))
    assert accepted(0.04, "psi", values, rare) == pytest.approx(min(0.1, bound))


positive = st.lists(st.floats(0.01, 1), min_size=3, max_size=12)


@given(positive, st.data())
def test_no_distribution_within_the_index_moves_a_direction_further(weights: list[float], data: st.DataObject) -> None:
    others = data.draw(st.lists(st.floats(0.01, 1), min_size=len(weights), max_size=len(weights)))
    values = np.array(data.draw(st.lists(st.floats(0, 1), min_size=len(weights), max_size=len(weights))))
    q, p = np.array(weights) / sum(weights), np.array(others) / sum(others)
    index = float(((p - q) * np.log(p / q)).sum())
    assume(index > 1e-9)
    assert abs(float((p - q) @ values)) <= accepted(index, "psi", values, q) + 1e-9


def test_the_bound_is_not_much_larger_than_what_a_shift_really_does() -> None:
    shares = np.full(10, 0.1)
    rank = (np.arange(10) + 0.5) / 10
    tilted = shares * np.exp(1.05 * (rank - 0.5))
    tilted /= tilted.sum()
    index = float(((tilted - shares) * np.log(tilted / shares)).sum())
    moved = float((tilted - shares) @ rank)
    assert moved <= accepted(index, "psi", rank, shares) <= 1.15 * moved
