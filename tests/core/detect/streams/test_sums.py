"""The state of a metric: exact whatever the order, bounded, and honest about infinities."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.detect.samples import placed
from tocsin.detect.streams import sums
from tocsin.detect.streams.sums import LARGEST, SAMPLE, WHOLE, Sums
from tocsin.model.errors import BadInput
from tocsin.model.finding import RowRef

calm = settings(max_examples=80, deadline=None)
values_ = st.lists(st.floats(allow_nan=False), max_size=40)


def state(values: list[float], first: int = 0, segment: str = "a" * 64) -> Sums:
    batch = placed({"x": values}, first, segment)
    return sums.counted(np.ones(len(values), bool), np.array(values, float), batch)


def test_rows_sum_and_mean() -> None:
    found = state([1.0, 2.5, -0.5])
    assert (found.rows, found.sum, found.mean, found.every) == (3, 3.0, 1.0, 3)
    assert state([]).mean is None
    assert Sums().sum == 0


def test_rows_without_a_number_count_as_rows_only() -> None:
    batch = placed({"x": [1.0, 2.0, 3.0]})
    found = sums.counted(np.array([True, False, True]), np.array([1.0, 99.0, 3.0]), batch)
    assert (found.rows, found.sum, found.every) == (2, 4.0, 3)
    assert [row for _, _, row in found.low] == [0, 2]
    nothing = sums.counted(np.zeros(3, bool), np.zeros(3), batch)
    assert nothing == Sums(every=3)


@calm
@given(values=values_)
def test_the_sum_is_exact(values: list[float]) -> None:
    clipped = [min(max(value, -LARGEST), LARGEST) for value in values]
    exact = sum((Fraction(round(Fraction(value) * WHOLE)) for value in clipped), Fraction(0))
    assert state(values).total == exact


def test_infinities_count_as_the_largest_value() -> None:
    found = state([float("inf"), float("-inf"), 1e300])
    assert found.sum == LARGEST
    assert found.high[0][0] == LARGEST


def test_the_extreme_rows_are_kept_in_order() -> None:
    found = state([5.0, 1.0, 9.0, 3.0, 7.0, 2.0, 8.0])
    assert [(value, row) for value, _, row in found.low] == [(1, 1), (2, 5), (3, 3), (5, 0), (7, 4)]
    assert [(value, row) for value, _, row in found.high] == [(9, 2), (8, 6), (7, 4), (5, 0), (3, 3)]


def test_of_equal_values_the_first_rows_are_kept() -> None:
    found = state([4.0] * 1_000, first=50)
    assert [row for _, _, row in found.low] == [50, 51, 52, 53, 54]
    assert found.high == found.low
    assert len(sums.to_bytes(found)) < 2_000


@calm
@given(values=values_, cut=st.integers(0, 40), seed=st.integers(0, 2**32 - 1))
def test_any_cut_and_order_gives_the_same_bytes(values: list[float], cut: int, seed: int) -> None:
    whole = sums.to_bytes(state(values))
    parts = [state(values[:cut]), state(values[cut:], first=min(cut, len(values)))]
    assert sums.to_bytes(sums.merged(parts[0], parts[1])) == whole
    assert sums.to_bytes(sums.merged(parts[1], parts[0])) == whole
    batch = placed({"x": values}).take(np.random.default_rng(seed).permutation(len(values)))
    shuffled = sums.counted(np.ones(len(values), bool), np.array(batch.column("x").to_pylist(), float), batch)
    assert sums.to_bytes(shuffled) == whole


@calm
@given(one=values_, other=values_)
def test_bytes_read_back(one: list[float], other: list[float]) -> None:
    found = sums.merged(state(one), state(other, segment="b" * 64))
    assert sums.from_bytes(sums.to_bytes(found)) == found
    assert len(found.low) <= SAMPLE


def test_rows_of_two_segments_are_named_in_stored_order() -> None:
    found = sums.merged(state([1.0, 2.0], segment="b" * 64), state([0.5, 7.0], segment="a" * 64))
    assert sums.refs(found.low) == tuple(RowRef(s * 64, row) for s in "ab" for row in (0, 1))


@pytest.mark.parametrize("data", [b"", b"\x90", b"\x96\x02\x01\xc4\x01\x00\x01\x90\x90", b"\xc1"])
def test_damaged_bytes_are_bad_input(data: bytes) -> None:
    with pytest.raises(BadInput, match="no sums"):
        sums.from_bytes(data)
