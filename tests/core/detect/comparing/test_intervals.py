"""Intervals cover the truth about as often as they say; figures counted by hand; and edges where formulas break."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tocsin.detect.comparing.cells import Scale, codes, counted, read
from tocsin.detect.comparing.intervals import (
    Interval,
    apart,
    area,
    design_effect,
    quantile_of,
    rate,
    ratio,
    stability,
)

ALPHA = 0.05
BY = Scale(0.0, 1.0)


def covered(draw: Callable[[np.random.Generator], Interval], truth: float, times: int = 400) -> float:
    """The share of repeated samples whose interval holds the truth."""
    generator = np.random.default_rng(7)
    found = [draw(generator) for _ in range(times)]
    return sum(it.low <= truth <= it.high for it in found) / times


def test_wilsons_interval_is_the_one_in_the_books() -> None:
    found = rate(10, 1, ALPHA)
    assert (found.low, found.high) == pytest.approx((0.01788, 0.40415), abs=1e-4)
    assert rate(0, 0, ALPHA) == Interval(0.0, 0.0, 1.0)
    assert rate(50, 0, ALPHA).low == 0.0
    assert rate(50, 50, ALPHA).high == 1.0


def test_newcombes_difference_is_the_one_of_his_paper() -> None:
    """56/70 against 48/80: 0.2, from 0.0524 to 0.3339 (Newcombe 1998, table II, method 10)."""
    found = apart(rate(80, 48, ALPHA), rate(70, 56, ALPHA))
    assert found == pytest.approx((0.2, 0.0524, 0.3339), abs=1e-4)


@pytest.mark.parametrize(("p", "q"), [(0.02, 0.02), (0.3, 0.3), (0.05, 0.2)])
def test_differences_of_rates_are_covered(p: float, q: float) -> None:
    def draw(g: np.random.Generator) -> Interval:
        return apart(rate(400, g.binomial(400, p), ALPHA), rate(300, g.binomial(300, q), ALPHA))

    assert 0.92 <= covered(draw, q - p) <= 0.99


def test_ratios_are_covered_and_defined_without_outcomes() -> None:
    def draw(g: np.random.Generator) -> Interval:
        return ratio((400, g.binomial(400, 0.4)), (300, g.binomial(300, 0.3)), ALPHA)

    assert 0.92 <= covered(draw, 0.75) <= 0.99
    nothing = ratio((10, 0), (10, 0), ALPHA)
    assert nothing.low < 1 < nothing.high
    assert ratio((0, 0), (10, 1), ALPHA).high == np.inf


CELLS_P = np.array([0.1] * 10)
SHIFTED = np.array([0.08, 0.09, 0.09, 0.1, 0.1, 0.1, 0.1, 0.11, 0.11, 0.12])
STEEP = np.array([0.02, 0.03, 0.05, 0.1, 0.1, 0.1, 0.1, 0.15, 0.15, 0.2])


@pytest.mark.parametrize("q", [CELLS_P, SHIFTED, STEEP], ids=["none", "small", "large"])
@pytest.mark.parametrize("rows", [400, 5_000])
def test_the_stability_index_is_covered(q: np.ndarray, rows: int) -> None:
    truth = float(((q - CELLS_P) * np.log(q / CELLS_P)).sum())

    def draw(g: np.random.Generator) -> Interval:
        return stability(g.multinomial(rows, CELLS_P), g.multinomial(2 * rows, q), ALPHA).interval

    assert 0.92 <= covered(draw, truth) <= 1.0


def test_the_index_without_noise_is_near_the_truth_where_the_usual_one_is_not() -> None:
    g = np.random.default_rng(11)
    found = [stability(g.multinomial(200, CELLS_P), g.multinomial(200, CELLS_P), ALPHA) for _ in range(200)]
    raw, value = (float(np.mean(it)) for it in zip(*((f.raw, f.interval.value) for f in found), strict=True))
    assert raw == pytest.approx(9 * 2 / 200, rel=0.2), "what everybody reports on no change at all"
    assert value < raw / 3


def test_the_index_of_one_cell_is_nothing_and_empty_cells_are_finite() -> None:
    assert stability(np.array([5]), np.array([9]), ALPHA).interval == Interval(0.0, 0.0, 0.0)
    found = stability(np.array([50, 0, 50]), np.array([0, 60, 40]), ALPHA)
    assert 0 < found.interval.low < found.raw < found.interval.high < np.inf


def test_a_design_effect_widens_the_index() -> None:
    p, q = np.array([500, 500]), np.array([400, 600])
    alone, repeated = (stability(p, q, ALPHA, design).interval for design in (1.0, 4.0))
    assert repeated.low < alone.low < alone.high < repeated.high


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_quantiles_are_covered(share: float) -> None:
    truth = float(np.quantile(np.random.default_rng(0).normal(size=2_000_000), share))

    def draw(g: np.random.Generator) -> Interval:
        values = g.normal(size=500)
        return quantile_of(read(counted(values, codes(values, BY))).ordered, BY, share, ALPHA)

    assert 0.92 <= covered(draw, truth, 200) <= 0.99


def test_the_area_counts_pairs_and_ties_as_halves() -> None:
    negative, positive = np.array([2, 1, 1, 0]), np.array([0, 1, 1, 2])
    pairs = [(n, p) for n, k in enumerate(negative) for _ in range(k) for p, m in enumerate(positive) for _ in range(m)]
    wanted = sum((p > n) + (p == n) / 2 for n, p in pairs) / len(pairs)
    assert area(negative, positive, ALPHA).value == pytest.approx(wanted)
    assert area(np.array([0, 0]), np.array([1, 2]), ALPHA) == Interval(0.5, 0.0, 1.0)


def test_the_area_is_covered() -> None:
    truth = 0.7602  # of two normals one standard deviation apart: Phi(1 / sqrt 2)

    def draw(g: np.random.Generator) -> Interval:
        sides = (g.normal(0, 1, 150), g.normal(1, 1, 100))
        return area(*(read(counted(v, codes(v, BY))).ordered for v in sides), ALPHA)

    assert 0.91 <= covered(draw, truth, 200) <= 0.99


def test_rows_that_come_in_tens_have_a_design_effect_of_ten() -> None:
    g = np.random.default_rng(5)
    people = g.multinomial(1, [0.5, 0.3, 0.2], size=2_560)
    grid = (people * 10).reshape(256, 10, 3).sum(axis=1)
    assert design_effect(grid) == pytest.approx(10, rel=0.25)
    rows = g.multinomial(100, [0.5, 0.3, 0.2], size=256)
    assert design_effect(rows) == pytest.approx(1, abs=0.2)


def test_a_design_effect_needs_two_buckets_and_two_cells() -> None:
    assert design_effect(np.array([[5, 5]])) == 1.0
    assert design_effect(np.array([[5, 0], [7, 0]])) == 1.0


def test_rates_with_units_are_covered_when_sizes_are_divided_by_the_design_effect() -> None:
    def draw(g: np.random.Generator) -> Interval:
        people = g.beta(0.3 / 0.25 * 0.75, 0.7 / 0.25 * 0.75, size=512)  # between-person correlation 0.25
        outcomes = g.binomial(10, people).reshape(256, 2).sum(axis=1)
        grid = np.column_stack([20 - outcomes, outcomes])
        design = design_effect(grid)
        return rate(5_120 / design, outcomes.sum() / design, ALPHA)

    assert 0.91 <= covered(draw, 0.3, 300) <= 0.99
