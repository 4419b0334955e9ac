"""Numbers in cells: what is counted where, how finely quantiles are read, and that nothing is lost far out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.detect.comparing.cells import (
    CELLS,
    Numbers,
    Scale,
    boundaries,
    coarse,
    codes,
    counted,
    cuts,
    quantile,
    read,
    runs,
    scale,
)

ANY = st.floats(allow_nan=True, allow_infinity=True)


def cells(values: list[float] | np.ndarray, by: Scale | None = None) -> tuple[Numbers, Scale]:
    array = np.asarray(values, np.float64)
    by = by or scale(array)
    return read(counted(array, codes(array, by))), by


def test_every_value_is_counted_once_as_finite_missing_or_infinite() -> None:
    found, _ = cells([1.0, 2.0, np.nan, np.inf, -np.inf, 3.0, np.nan])
    assert (found.known, found.missing, found.infinite) == (3, 2, 2)


@given(st.lists(ANY, min_size=1, max_size=50))
def test_counts_add_up_for_any_numbers(values: list[float]) -> None:
    found, _ = cells(values)
    assert found.known == sum(map(np.isfinite, values))
    assert found.missing == sum(map(np.isnan, values))
    assert found.infinite == sum(map(np.isinf, values))


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=60))
def test_a_larger_value_never_falls_into_a_lower_cell(values: list[float]) -> None:
    by = scale(np.array(values))
    places = [int(np.flatnonzero(cells([value], by)[0].ordered)[0]) for value in sorted(values)]
    assert places == sorted(places)


def test_numbers_too_far_out_for_a_cell_are_finite_all_the_same() -> None:
    found, _ = cells([1e300, -1e300, 1.0], Scale(0.0, 1.0))
    assert (found.known, found.infinite) == (3, 0)
    assert found.ordered[0] == found.ordered[-1] == 1


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.9, 0.99])
def test_quantiles_are_within_a_hundredth_of_the_distance_to_the_centre(share: float) -> None:
    values = np.random.default_rng(1).lognormal(3, 1, 50_000)
    found, by = cells(values)
    true = float(np.quantile(values, share))
    assert quantile(found.ordered, by, share)[0] == pytest.approx(true, abs=abs(true - by.centre) / 100 + 1e-3)


def test_years_are_told_apart_although_they_lie_far_from_zero() -> None:
    values = np.repeat([2019.0, 2020, 2021, 2022, 2023], 100)
    found, by = cells(values)
    assert (found.ordered > 0).sum() == 5
    assert quantile(found.ordered, by, 0.5)[0] == pytest.approx(2021, abs=0.02)


def test_a_constant_is_read_back_exactly() -> None:
    found, by = cells([7.25] * 40)
    assert quantile(found.ordered, by, 0.1, 0.5, 0.9) == pytest.approx([7.25] * 3)
    assert len(cuts(found.ordered, 10)) == 1


def test_the_scale_of_nothing_is_the_unit() -> None:
    assert scale(np.array([np.nan, np.inf])) == Scale(0.0, 1.0)
    assert scale(np.array([5.0, 5.0])) == Scale(5.0, 1.0)
    assert scale(np.array([5.0, 5.0, 5.0, 5.0, 9.0])) == Scale(5.0, 4.0), "half of it is one value"


def test_cuts_make_parts_of_about_equal_counts() -> None:
    values = np.random.default_rng(2).normal(size=20_000)
    found, by = cells(values)
    parts = runs(found.ordered, cuts(found.ordered, 10))
    assert len(parts) == 10
    assert parts.sum() == 20_000
    assert parts.min() > 1_800
    edges = boundaries(cuts(found.ordered, 10), by)
    assert edges == pytest.approx(np.quantile(values, np.arange(1, 10) / 10), abs=0.02)


def test_a_value_that_half_of_the_rows_have_is_a_part_of_its_own() -> None:
    values = np.concatenate([np.zeros(500), np.random.default_rng(3).uniform(1, 2, 500)])
    found, _ = cells(values)
    parts = runs(found.ordered, cuts(found.ordered, 10))
    assert 500 in parts.tolist()
    assert parts.min() > 0


def test_coarse_cells_agree_with_the_runs() -> None:
    values = np.random.default_rng(4).exponential(2, 5_000)
    found, by = cells(values)
    starts = cuts(found.ordered, 10)
    table = coarse(starts)
    assert len(table) == CELLS
    assert np.bincount(table[codes(values, by)]).tolist() == runs(found.ordered, starts).tolist()
    edge = codes(np.array([np.inf, -np.inf, np.nan]), by)
    assert table[edge].tolist() == [len(starts) - 1, 0, len(starts)]


@settings(max_examples=30)
@given(st.lists(st.floats(-100, 100), min_size=1, max_size=80), st.integers(0, 80))
def test_counts_of_parts_add_to_the_counts_of_the_whole(values: list[float], at: int) -> None:
    by = scale(np.array(values))
    whole, first, second = (
        counted(np.array(part), codes(np.array(part, np.float64), by)) if part else np.zeros(CELLS, np.int64)
        for part in (values, values[:at], values[at:])
    )
    assert (whole == first + second).all()
