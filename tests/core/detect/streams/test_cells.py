"""Cells: where several attributes meet, the same however the rows are encoded or split."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tests.core.detect.samples import detector, hostile_predictions
from tocsin.detect.streams.cells import cells, marked


def batch(**columns: list[Any]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict({name: pa.array(values, pa.string()) for name, values in columns.items()})


def test_one_attribute_is_its_own_cell() -> None:
    assert cells(batch(sex=["f", None, "m"]), ["sex"]).to_pylist() == ["f", None, "m"]


def test_two_attributes_meet_in_the_order_given() -> None:
    rows = batch(sex=["f", "m", "f"], age=["old", "young", "old"])
    assert cells(rows, ["sex", "age"]).to_pylist() == ["f & old", "m & young", "f & old"]
    assert cells(rows, ["age", "sex"]).to_pylist() == ["old & f", "young & m", "old & f"]


def test_three_attributes_meet_too() -> None:
    rows = batch(a=["1", "1", "2"], b=["x", "y", "y"], c=["p", "p", "q"])
    assert cells(rows, ["a", "b", "c"]).to_pylist() == ["1 & x & p", "1 & y & p", "2 & y & q"]


def test_a_row_that_lacks_an_attribute_is_in_no_cell() -> None:
    rows = batch(sex=["f", None, "m"], age=[None, "old", "old"])
    assert cells(rows, ["sex", "age"]).to_pylist() == [None, None, "m & old"]


def test_values_that_would_make_two_cells_look_alike_are_in_none() -> None:
    rows = batch(a=["x & y", "x"], b=["z", "y & z"])
    assert cells(rows, ["a", "b"]).to_pylist() == [None, None]
    assert cells(rows, ["a"]).to_pylist() == ["x & y", "x"]


@pytest.mark.parametrize("missing", [[], [None], [None, None]])
def test_without_values_there_are_no_cells(missing: list[None]) -> None:
    assert cells(batch(a=missing, b=missing), ["a", "b"]).to_pylist() == missing


def test_only_what_occurs_is_named_however_many_values_there_are() -> None:
    many = [f"v{n}" for n in range(10_000)]
    found = cells(batch(a=many, b=many[::-1], c=many), ["a", "b", "c"])
    assert len(found.dictionary) == 10_000
    assert found[0].as_py() == "v0 & v9999 & v0"


def test_how_a_column_is_encoded_makes_no_difference() -> None:
    rows = batch(a=["x", "y", "x"], b=["1", "1", None])
    encoded = pa.RecordBatch.from_pydict({name: rows.column(name).dictionary_encode() for name in ("a", "b")})
    assert cells(encoded, ["a", "b"]).to_pylist() == cells(rows, ["a", "b"]).to_pylist()


def test_a_mark_stands_before_every_name() -> None:
    group = cells(batch(a=["x", None]), ["a"])
    assert marked(group, "TPR ").to_pylist() == ["TPR x", None]
    assert marked(group, "") is group


@pytest.mark.parametrize("kind", ["group_parity", "four_fifths", "equalized_odds"])
def test_cells_of_hostile_rows_merge_bit_for_bit(kind: str) -> None:
    watcher = detector(kind, crossed_with=["age"])
    rng = np.random.default_rng(5)
    rows = hostile_predictions(rng, 300)
    whole = watcher.observe(watcher.zero(), rows)
    shuffled = rows.take(pa.array(rng.permutation(300)))
    parts = [watcher.observe(watcher.zero(), shuffled.slice(start, 70)) for start in range(0, 300, 70)]
    merged = watcher.zero()
    for part in reversed(parts):
        merged = watcher.merge(merged, part)
    assert watcher.to_bytes(merged) == watcher.to_bytes(whole)
    assert {name for name in whole.groups if name.endswith("female & old")}
