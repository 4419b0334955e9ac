"""Quantiles against the tables that statisticians print."""

from __future__ import annotations

import pytest

from tocsin.detect.streams.quantiles import chi_squared, normal, poisson_upper, student


@pytest.mark.parametrize(("p", "value"), [(0.5, 0.0), (0.975, 1.959964), (0.9875, 2.241403), (0.025, -1.959964)])
def test_normal(p: float, value: float) -> None:
    assert normal(p) == pytest.approx(value, abs=1e-5)


@pytest.mark.parametrize(
    ("p", "degrees", "value"),
    [
        (0.975, 4, 2.776),
        (0.975, 9, 2.262),
        (0.975, 19, 2.093),
        (0.975, 29, 2.045),
        (0.95, 29, 1.699),
        (0.9875, 19, 2.433),
    ],
)
def test_student(p: float, degrees: int, value: float) -> None:
    assert student(p, degrees) == pytest.approx(value, rel=0.01)


def test_student_is_symmetric_and_tends_to_the_normal() -> None:
    assert student(0.025, 12) == pytest.approx(-student(0.975, 12))
    assert student(0.975, 100_000) == pytest.approx(normal(0.975), abs=1e-3)


@pytest.mark.parametrize(
    ("p", "degrees", "value"),
    [(0.05, 29, 17.708), (0.95, 29, 42.557), (0.95, 9, 16.919), (0.05, 9, 3.325), (0.975, 2, 7.378)],
)
def test_chi_squared(p: float, degrees: int, value: float) -> None:
    assert chi_squared(p, degrees) == pytest.approx(value, rel=0.01)


@pytest.mark.parametrize(("count", "value"), [(0, 3.689), (1, 5.572), (10, 18.390), (100, 121.63)])
def test_the_upper_bound_of_a_count(count: int, value: float) -> None:
    assert poisson_upper(count, 0.975) == pytest.approx(value, rel=0.01)
