"""Window states of drift: every pair once, exact under any split, bounded whatever comes, and read back from their bytes."""

from __future__ import annotations

from functools import reduce
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.core.detect.samples import SALT, placed
from tocsin.detect.streams.drifting.keys import MISSING, number, of_numbers, of_text
from tocsin.detect.streams.drifting.tally import SAMPLE, Tally, from_bytes, merged, tallied, to_bytes
from tocsin.model.errors import BadInput

values = st.one_of(
    st.floats(), st.sampled_from([0.0, 1.0, 1.0, float("nan"), float("inf"), -1e300, 5e-324]), st.floats(99, 101)
)
calm = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def batch_of(numbers: list[float], units: list[str | None] | None = None, first: int = 0) -> pa.RecordBatch:
    count = len(numbers)
    unit = pa.array(units if units is not None else [f"u{n % 7}" for n in range(count)], pa.string())
    return placed({"x": pa.array(numbers, pa.float64(), from_pandas=False), "unit": unit}, first)


def state(batch: pa.RecordBatch, most: int = 8, buckets: int = 16) -> Tally:
    keys = of_numbers(batch.column("x").to_numpy(zero_copy_only=False))
    return tallied(keys, batch, buckets, SALT, most)


@calm
@given(st.lists(values, min_size=1, max_size=60), st.integers(0, 2**32 - 1))
def test_any_split_and_any_merge_tree_gives_the_same_bytes(numbers: list[float], seed: int) -> None:
    rng = np.random.default_rng(seed)
    batch = batch_of(numbers)
    whole = to_bytes(state(batch))
    owner = rng.integers(0, 4, len(numbers))
    parts = [batch.take(pa.array(rng.permutation(np.flatnonzero(owner == one)))) for one in range(4)]
    states = [state(part) for part in parts]
    rng.shuffle(states)
    assert to_bytes(reduce(lambda a, b: merged(a, b, 8), states)) == whole
    right = states[-1]
    for left in states[-2::-1]:
        right = merged(left, right, 8)
    assert to_bytes(right) == whole


@calm
@given(st.lists(values, min_size=1, max_size=60))
def test_every_row_is_counted_once_in_few_cells(numbers: list[float]) -> None:
    found = state(batch_of(numbers))
    assert found.rows == len(numbers)
    assert len(np.unique(found.cells[found.cells != MISSING])) <= 8
    assert int(found.counts[found.cells == MISSING].sum()) == sum(np.isnan(numbers))
    assert from_bytes(to_bytes(found)).rows == len(numbers)


def test_pairs_are_ordered_and_stand_once() -> None:
    found = state(batch_of([2.0, 1.0, 2.0, 1.0, 2.0], ["a", "a", "a", "b", "b"]))
    pairs = list(zip(found.cells.tolist(), found.buckets.tolist(), strict=True))
    assert pairs == sorted(set(pairs))
    cells, counts = found.marginal()
    assert [number(int(cell)) for cell in cells] == [1.0, 2.0]
    assert counts.tolist() == [2, 3]
    assert found.united == 5


def test_a_row_without_a_unit_is_a_unit_of_its_own() -> None:
    found = state(batch_of([1.0] * 200, [None] * 200), buckets=64)
    assert found.united == 0
    assert len(np.unique(found.buckets)) > 50
    one = state(batch_of([1.0] * 200, ["me"] * 200), buckets=64)
    assert len(np.unique(one.buckets)) == 1


def test_finer_and_coarser_states_meet_at_the_coarser_level() -> None:
    fine = state(batch_of([1.0, 2.0]))
    coarse = state(batch_of([float(n) for n in range(1, 40)], first=10))
    assert fine.level == 0 < coarse.level
    both = merged(fine, coarse, 8)
    assert both.level >= coarse.level
    assert both.rows == 41
    assert to_bytes(merged(coarse, fine, 8)) == to_bytes(both)


def test_a_million_rows_fit_into_a_megabyte() -> None:
    rng = np.random.default_rng(1)
    numbers = np.concatenate([rng.normal(0, 1, 200_000), rng.standard_cauchy(100_000)])
    batch = batch_of(numbers.tolist(), [f"u{n}" for n in rng.integers(0, 10_000, len(numbers))])
    found = state(batch, most=512, buckets=256)
    assert found.rows == 300_000
    assert len(to_bytes(found)) < 1 << 20


def test_the_sample_is_bounded_and_names_rows_by_their_values() -> None:
    found = state(batch_of([float(n) for n in range(100)]))
    assert len(found.sample) == SAMPLE
    low, high = (int(key) for key in of_numbers(np.array([50.0, 100.0])))
    chosen = found.refs(low, high)
    assert chosen
    assert all(50 <= one.row < 100 for one in chosen)
    assert list(chosen) == sorted(chosen, key=lambda one: one.row)
    assert found.refs(0, 0) == ()


def test_names_are_kept_while_cells_are_single_values() -> None:
    batch = batch_of([1.0, 2.0])
    keys = np.array([of_text("Oslo"), of_text("Roma")])
    names = {of_text("Oslo"): "Oslo" + "o" * 100, of_text("Roma"): "Roma"}
    found = tallied(keys, batch, 4, SALT, 8, names)
    assert sorted(found.names.values()) == ["Oslo" + "o" * 56, "Roma"]
    assert from_bytes(to_bytes(found)).names == dict(found.names)
    assert tallied(keys, batch, 4, SALT, 1, names).names == {}
    again = merged(found, tallied(keys[:1], batch.slice(0, 1), 4, SALT, 8, names), 8)
    assert again.names == found.names


def test_no_rows_are_no_state() -> None:
    assert to_bytes(state(batch_of([]))) == to_bytes(Tally())
    assert Tally().rows == 0
    assert Tally().marginal()[0].tolist() == []
    assert to_bytes(merged(Tally(), Tally(), 8)) == to_bytes(Tally())


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda parts: [9, *parts[1:]], "version 9"),
        (lambda parts: [*parts[:4], parts[4][:-1], *parts[5:]], "different lengths"),
        (lambda parts: [*parts[:3], [99] * len(parts[3]), *parts[4:]], "out of bounds"),
        (lambda parts: parts[:3], "drift counts"),
    ],
)
def test_damaged_bytes_are_bad_input(change: Any, why: str) -> None:
    parts = msgspec.msgpack.decode(to_bytes(state(batch_of([1.0, 2.0, 3.0]))))
    with pytest.raises(BadInput, match=why):
        from_bytes(msgspec.msgpack.encode(change(parts)))
