"""Values as ordered whole numbers: the order of floats, exact inverses, levels that never fall, boundaries that survive."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.detect.streams.drifting.keys import (
    MISSING,
    bits_needed,
    coarser,
    number,
    of_numbers,
    of_text,
    of_texts,
    roundest,
)

floats = st.floats(allow_nan=False, width=64)
whole = st.integers(-(2**62), 2**62)


def keys(*values: float) -> list[int]:
    return [int(key) for key in of_numbers(np.array(values, np.float64))]


@given(st.lists(floats, min_size=2, max_size=30))
def test_keys_are_in_the_order_of_the_numbers(values: list[float]) -> None:
    found = of_numbers(np.array(values))
    for (a, b), (key_a, key_b) in zip(pairwise(values), pairwise(found), strict=True):
        assert (a < b) == (key_a < key_b)
        assert (a == b) == (key_a == key_b)


@given(floats)
def test_a_key_names_its_number(value: float) -> None:
    assert number(keys(value)[0]) == value


def test_neighbours_are_neighbours_and_both_zeros_one() -> None:
    one, after = keys(1.0, float(np.nextafter(1.0, 2.0)))
    assert after - one == 1
    assert keys(0.0, -0.0) == [0, 0]
    assert keys(float(np.nextafter(0.0, -1.0))) == [-2]


def test_nan_is_missing_and_infinities_are_outermost() -> None:
    least, most, missing = keys(-math.inf, math.inf, math.nan)
    assert missing == MISSING
    assert least < keys(-1e308)[0]
    assert keys(1e308)[0] < most < MISSING
    assert number(MISSING) == math.inf
    assert number(-MISSING - 1) == -math.inf


def test_texts_have_one_key_each_and_nulls_are_missing() -> None:
    values = pa.array(["Oslo", None, "Roma", "Oslo"]).dictionary_encode()
    found = of_texts(values).tolist()
    assert found == [of_text("Oslo"), MISSING, of_text("Roma"), of_text("Oslo")]
    assert 0 <= of_text("Oslo") < 2**62
    assert of_text("Oslo") != of_text("oslo")
    assert of_texts(pa.array([None, None], pa.string()).dictionary_encode()).tolist() == [MISSING, MISSING]


def test_a_coarser_cell_is_all_keys_that_agree_but_for_the_last_bits() -> None:
    cells = np.array([-5, -4, 3, 4, 7, 8, MISSING])
    assert coarser(cells, 2).tolist() == [-2, -1, 0, 1, 1, 2, MISSING]
    assert coarser(cells, 0) is cells
    assert coarser(cells, 200).tolist() == [-1, -1, 0, 0, 0, 0, MISSING]


@given(st.lists(whole, min_size=1, max_size=60, unique=True), st.integers(2, 10))
def test_the_level_is_the_least_that_fits(values: list[int], most: int) -> None:
    cells = np.array(sorted(values), np.int64)
    bits = bits_needed(cells, most)
    assert len(np.unique(coarser(cells, bits))) <= most
    if bits:
        assert len(np.unique(coarser(cells, bits - 1))) > most


@given(st.lists(whole, min_size=1, max_size=40), st.lists(whole, min_size=1, max_size=40))
def test_the_level_of_more_rows_is_never_lower(few: list[int], others: list[int]) -> None:
    part, all_of_them = np.unique(np.array(few)), np.unique(np.array(few + others))
    assert bits_needed(part, 4) <= bits_needed(all_of_them, 4)


def test_missing_values_need_no_cell() -> None:
    assert bits_needed(np.array([1, 2, MISSING]), 2) == 0
    assert bits_needed(np.array([MISSING]), 2) == 0
    assert bits_needed(np.zeros(0, np.int64), 2) == 0


@pytest.mark.parametrize(
    ("low", "high", "found"), [(3, 9, 8), (8, 9, 9), (16, 24, 24), (-3, 5, 0), (-9, -3, -8), (-8, -7, -7), (0, 7, 4)]
)
def test_the_roundest_key_between(low: int, high: int, found: int) -> None:
    assert roundest(low, high) == found


@given(whole, st.integers(1, 2**40))
def test_the_roundest_key_lies_between_and_none_is_rounder(low: int, width: int) -> None:
    high = low + width
    found = roundest(low, high)
    assert low < found <= high
    if found:
        step = found & -found
        assert all(not low < one <= high for one in (found - step, found + step) if one % (2 * step) == 0)


def test_round_numbers_are_preferred() -> None:
    low, high = keys(39.31, 40.87)
    assert number(roundest(low, high)) == 40.0
