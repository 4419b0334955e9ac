"""Cells: tenths of the reference with round boundaries, constants, frequent texts, and coarser windows that cannot mislead."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.detect.samples import SALT, placed
from tocsin.detect.streams.drifting.cutting import (
    GATHERED_MAX,
    NONE,
    OTHER,
    TEXTS,
    Cut,
    Gathered,
    apart,
    cut,
    quantiles,
)
from tocsin.detect.streams.drifting.cutting import (
    placed as in_cells,
)
from tocsin.detect.streams.drifting.keys import MISSING, number, of_numbers
from tocsin.detect.streams.drifting.looking import of_categories
from tocsin.detect.streams.drifting.tally import Tally, tallied


def rows(count: int) -> pa.RecordBatch:
    return placed({"unit": pa.array([f"u{n % 50}" for n in range(count)])})


def of(values: np.ndarray, most: int = 512) -> Tally:
    return tallied(of_numbers(values), rows(len(values)), 16, SALT, most)


def of_texts(values: list[str | None], most: int = 4096) -> Tally:
    keys, names = of_categories(pa.array(values, pa.string()).dictionary_encode())
    return tallied(keys, rows(len(values)), 16, SALT, most, names)


def cut_of(values: np.ndarray) -> Cut:
    return cut(Gathered().after(of(values), ordered=True), ordered=True)


def shares(made: Cut, tally: Tally) -> np.ndarray:
    counts = in_cells(made, tally, 16).counts.sum(axis=0)
    return np.asarray(counts / counts.sum())


def test_numbers_fall_into_tenths_with_round_boundaries() -> None:
    values = np.random.default_rng(1).normal(40, 12, 5_000)
    made = cut_of(values)
    assert len(made.names) == 11
    assert made.names[-1] == NONE
    assert shares(made, of(values))[:-1] == pytest.approx([0.1] * 10, abs=0.03)
    assert all(number(edge) == round(number(edge) * 4) / 4 for edge in made.edges)
    assert made.shares == pytest.approx(shares(made, of(values)).tolist())
    assert made.quantiles == pytest.approx([24.6, 40, 55.4], abs=1.5)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.one_of(st.floats(), st.integers(-3, 3).map(float)), min_size=1, max_size=200))
def test_whatever_the_numbers_every_row_has_one_cell(values: list[float]) -> None:
    made = cut_of(np.array(values))
    assert list(made.edges) == sorted(set(made.edges))
    assert len(made.table) == len(made.edges) + 1 == len(made.names) - 1
    assert sum(made.shares) == pytest.approx(1)
    counts = in_cells(made, of(np.array(values)), 16).counts
    assert counts.sum() == len(values)
    assert counts[:, made.missing].sum() == sum(np.isnan(values))


def test_a_constant_has_a_run_below_it_and_one_above() -> None:
    made = cut_of(np.full(600, 5.3))
    assert made.shares == (0.0, 1.0, 0.0, 0.0)
    low, high = (number(edge) for edge in made.edges)
    assert 5.3 * (1 - 2**-9) < low <= 5.3 < high < 5.3 * (1 + 2**-9)
    assert shares(made, of(np.array([5.2, 5.3, 5.4, 5.4]))).tolist() == [0.25, 0.25, 0.5, 0.0]


def test_a_heavy_value_is_a_run_of_its_own() -> None:
    rng = np.random.default_rng(2)
    values = np.where(rng.random(4_000) < 0.6, 0.0, rng.exponential(3, 4_000))
    made = cut_of(values)
    at = np.searchsorted(np.array(made.edges), 0, side="right")
    assert made.shares[int(at)] == pytest.approx(0.6, abs=0.03)
    assert made.shares[0] == 0.0
    assert shares(made, of(np.array([-1.0])))[0] == 1.0


def test_nothing_but_missing_values_is_two_cells() -> None:
    made = cut_of(np.full(600, np.nan))
    assert made.names == ("any value", NONE)
    assert made.shares == (0.0, 1.0)
    assert made.quantiles == ()
    assert made.span(made.missing) == (MISSING, MISSING + 1)


def test_boundaries_survive_windows_that_are_two_thousand_times_as_large() -> None:
    rng = np.random.default_rng(3)
    for draw in (rng.normal, rng.lognormal, lambda _, __, n: rng.standard_cauchy(n)):
        made = cut_of(draw(0, 1, 500))
        large = of(draw(0, 1, 400_000))
        assert large.level > 0
        assert in_cells(made, large, 16).astray.sum() <= 0.001 * 400_000


def test_rows_of_a_fine_cell_across_a_boundary_are_told() -> None:
    made = cut_of(np.random.default_rng(4).normal(0, 1, 500))
    rough = of(np.random.default_rng(5).normal(0, 1, 500), most=4)
    cells = in_cells(made, rough, 16)
    assert cells.counts.sum() == 500
    assert 100 < cells.astray.sum() <= 500
    fine = of(np.random.default_rng(5).normal(0, 1, 500))
    assert in_cells(made, fine, 16).astray.sum() == 0


def test_the_span_of_a_cell_holds_its_keys() -> None:
    made = cut_of(np.random.default_rng(6).normal(0, 1, 1_000))
    keys = of_numbers(np.array([-9.0, 0.01, 9.0]))
    for cell, key in ((0, keys[0]), (len(made.names) - 2, keys[2])):
        low, high = made.span(cell)
        assert low <= key < high
    assert made.span(0)[1] == made.span(1)[0]


def test_a_cut_is_read_back_from_its_text() -> None:
    made = cut_of(np.random.default_rng(8).normal(0, 1, 600))
    assert Cut.read(made.told()) == made
    assert set(made.told()) <= set("0123456789abcdef")


def test_frequent_texts_are_cells_and_all_others_one() -> None:
    made = cut(Gathered().after(of_texts(["Oslo"] * 50 + ["Roma"] * 30 + [None] * 20), ordered=False), ordered=False)
    assert set(made.names) == {"Oslo", "Roma", OTHER, NONE}
    told = dict(zip(made.names, made.shares, strict=True))
    assert told == {"Oslo": 0.5, "Roma": 0.3, OTHER: 0.0, NONE: 0.2}
    now = dict(zip(made.names, shares(made, of_texts(["Oslo", "Wien", "Wien", None])), strict=True))
    assert now == {"Oslo": 0.25, "Roma": 0.0, OTHER: 0.5, NONE: 0.25}
    low, high = made.span(made.names.index("Oslo"))
    assert high - low == 1
    assert made.span(made.names.index(OTHER)) == (0, 0)


def test_of_many_texts_the_most_frequent_are_kept() -> None:
    texts: list[str | None] = [f"v{n}" for n in range(2_000)] + [f"v{n}" for n in range(60) for _ in range(200 - n)]
    gathered = Gathered().after(of_texts(texts), ordered=False)
    assert len(gathered.cells) == GATHERED_MAX
    made = cut(gathered, ordered=False)
    assert len(made.names) == TEXTS + 2
    assert set(made.names) == {f"v{n}" for n in range(TEXTS)} | {OTHER, NONE}


def test_texts_in_cells_of_a_hash_have_numbers_for_names() -> None:
    gathered = Gathered().after(of_texts([f"v{n}" for n in range(200)], most=16), ordered=False)
    made = cut(gathered, ordered=False)
    assert 2 <= len(made.names) <= 18
    assert all(name.startswith("(") for name in made.names)
    assert sum(made.shares) == pytest.approx(1)
    assert in_cells(made, of_texts(["v1", "v2"]), 16).counts.sum() == 2


def test_what_is_gathered_over_windows_is_what_one_window_would_give() -> None:
    values = np.random.default_rng(7).normal(0, 1, 900)
    values[::9] = np.nan
    by_parts = Gathered()
    for part in np.split(values, 3):
        by_parts = by_parts.after(of(part, most=64), ordered=True)
    whole = Gathered().after(of(values, most=64), ordered=True)
    assert by_parts.windows == 3
    assert by_parts.rows == whole.rows == 900
    assert by_parts.missing == whole.missing == 100
    assert by_parts.filled == 3 * whole.filled == 3 * len(np.unique(of(values).buckets))
    assert by_parts.level <= whole.level


def test_quantiles_are_read_off_the_cells() -> None:
    cells = of_numbers(np.arange(1.0, 101.0))
    assert quantiles(cells, np.ones(100, np.int64), 0) == (10.0, 50.0, 90.0)
    assert quantiles(cells[:0], np.zeros(0, np.int64), 0) == ()


@pytest.mark.parametrize(
    ("numbers", "told"),
    [
        ([1.0, 2.0], ["1", "2"]),
        ([1000.06, 1000.25], ["1000.1", "1000.2"]),
        ([1000.0, 1000.0], ["1000", "1000"]),
        ([0.1 + 0.2, 0.3], ["0.30000000000000004", "0.29999999999999999"]),
    ],
)
def test_numbers_are_told_with_the_digits_that_tell_them_apart(numbers: list[float], told: list[str]) -> None:
    assert apart(numbers) == told
