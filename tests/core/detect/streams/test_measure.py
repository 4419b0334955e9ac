"""How columns of any type are read: flags, numbers and text, with nulls, NaN, infinity and types that do not fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tests.core.detect.samples import SALT, placed
from tocsin.detect.streams import counts, labelled
from tocsin.detect.streams.counts import ALL, GROUPS_MAX
from tocsin.detect.streams.measure import WHOLE, between, flag, numbers, of_texts, texts, valid
from tocsin.model.finding import Category

INF, NAN = float("inf"), float("nan")


def _column(values: list[Any], kind: pa.DataType) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict({"x": pa.array(values, kind)})


def test_flags() -> None:
    known, true = flag(_column([True, None, False], pa.bool_()), "x")
    assert known.tolist() == [True, False, True]
    assert true.tolist() == [True, False, False]


@pytest.mark.parametrize("kind", [pa.float64(), pa.float32()])
def test_numbers_know_infinity_and_not_nan(kind: pa.DataType) -> None:
    known, value = numbers(_column([1.0, None, NAN, INF, -INF], kind), "x")
    assert known.tolist() == [True, False, False, True, True]
    assert value[known].tolist() == [1.0, INF, -INF]


def test_counts_are_numbers_and_text_is_none() -> None:
    known, value = numbers(_column([3, None], pa.int64()), "x")
    assert (known.tolist(), value[0]) == ([True, False], 3.0)
    for kind in (pa.string(), pa.bool_()):
        known, _ = numbers(_column([None, None], kind), "x")
        assert known.tolist() == [False, False]


@pytest.mark.parametrize("encoded", [False, True])
def test_text_is_tested_once_a_value(encoded: bool) -> None:
    batch = _column(["a", None, "b", "a", ""], pa.string())
    if encoded:
        batch = pa.RecordBatch.from_pydict({"x": batch.column("x").dictionary_encode()})
    asked: list[str] = []

    def test(value: str) -> bool:
        asked.append(value)
        return value == "a"

    known, passed = of_texts(batch, "x", test)
    assert known.tolist() == [True, False, True, True, True]
    assert passed.tolist() == [True, False, False, True, False]
    assert sorted(asked) == ["", "a", "b"]
    assert texts(batch, "x").dictionary.to_pylist() == ["a", "b", ""]


def test_a_column_of_nothing_but_nulls() -> None:
    known, passed = of_texts(_column([None, None], pa.string()), "x", lambda _: True)
    assert not known.any()
    assert not passed.any()


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        ([1.0, NAN, None, INF], pa.float64(), [True, False, False, True]),
        (["a", "", None], pa.string(), [True, True, False]),
        ([1, None], pa.int64(), [True, False]),
    ],
)
def test_nan_is_a_missing_value(values: list[Any], kind: pa.DataType, expected: list[bool]) -> None:
    assert valid(_column(values, kind), "x").tolist() == expected


def test_values_are_cut_off_at_both_ends() -> None:
    assert between(np.array([-5.0, 0.0, 5.0, 10.0, INF]), 0.0, 10.0).tolist() == [0.0, 0.0, 0.5, 1.0, 1.0]


def test_a_measure_of_fractions_is_fixed_point() -> None:
    assert labelled.calibration("c", Category.BIAS, harm="x", tag="t").full == WHOLE
    assert labelled.performance("p", "p", labelled.wrong, harm="x", blind_spot="y").full == 1


# --- counts of amounts ----------------------------------------------------------------------------------------------


def _counted(names: list[str], amounts: list[int], units: list[str | None], **how: Any) -> counts.GroupCounts:
    batch = placed({"unit": pa.array(units, pa.string())})
    group = pa.array(names).dictionary_encode()
    return counts.counted(group, pa.array(amounts), batch.column("unit"), batch, 64, SALT, **how)


def test_amounts_are_summed_and_the_large_ones_are_sampled() -> None:
    state = _counted(["a"] * 4, [0, 40, 60, 100], ["u1", "u1", "u2", "u3"], full=100)
    assert state.outcomes("a") == 200
    assert [ref.row for ref in state.refs("a", outcome=True)] == [2, 3]
    assert [ref.row for ref in state.refs("a", outcome=False)] == [0, 1]


def test_rows_without_a_unit_share_a_bucket_unless_each_counts() -> None:
    nobody = [None] * 200
    together = _counted(["a"] * 200, [1] * 200, nobody)
    assert np.count_nonzero(together.counts("a")[0]) == 1
    each = _counted(["a"] * 200, [1] * 200, nobody, each=True)
    assert np.count_nonzero(each.counts("a")[0]) > 50
    mixed = _counted(["a"] * 200, [1] * 200, ["u"] * 100 + [None] * 100, each=True)
    assert int(mixed.counts("a")[0].max()) >= 100
    assert mixed.united == 100


def test_the_series_of_all_rows_is_never_dropped() -> None:
    names = [f"n{n}" for n in range(80)]
    state = _counted([*names, ALL], [1] * 81, ["u"] * 81)
    assert ALL in state.groups
    assert len(state.groups) == GROUPS_MAX
    again = counts.merged(state, _counted([f"m{n}" for n in range(80)], [1] * 80, ["u"] * 80))
    assert again.rows(ALL) == 1
    assert len(again.groups) == GROUPS_MAX
