"""Quantiles of the three distributions that references need, by the standard expansions (relative error below 1 % from 4 degrees on)."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist

_NORMAL = NormalDist()


def normal(p: float) -> float:
    """The quantile of the standard normal distribution."""
    return _NORMAL.inv_cdf(p)


def student(p: float, degrees: int) -> float:
    """The quantile of Student's t: the Cornish-Fisher expansion to the third order (Abramowitz & Stegun 26.7.5)."""
    z, n = normal(p), float(degrees)
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / n + second / n**2 + third / n**3


def chi_squared(p: float, degrees: float) -> float:
    """The quantile of chi squared (Wilson & Hilferty 1931)."""
    part = 2 / (9 * degrees)
    return float(degrees * max(1 - part + normal(p) * sqrt(part), 0.0) ** 3)


def poisson_upper(count: float, p: float) -> float:
    """The upper confidence bound at level p of a Poisson mean of which `count` was seen (Garwood 1936)."""
    return chi_squared(p, 2 * (count + 1)) / 2
