"""Directions: along what a distribution may move, each a number from 0 to 1 per cell whose mean is followed up and down.

Ordered cells, with r the middle of a cell's ranks in the reference (0 to 1) and u = 2 r - 1: `rank` is r (its mean is the probability
that a value of now exceeds one of the reference), `spread` is u^2, and the first, the last and the missing cell count by themselves.
Texts: every cell by itself. These half-spaces are tested with the reference's error entered direction by direction (N4), which finds
a shift of a tenth of a standard deviation three times as fast as a ball around the reference does.
"""

from __future__ import annotations

from math import sqrt
from typing import Literal, NamedTuple

import numpy as np

from tocsin.detect.streams.drifting.cutting import Cut
from tocsin.detect.streams.drifting.keys import Floats

Unit = Literal["sd", "psi"]
RANK, SPREAD, CELL = "rank", "spread", "cell:"
FLAT = 1e-9
CONSTANT = 0.01
"""With less spread than this the values are about one constant, and spread says nothing that rank does not."""


class Along(NamedTuple):
    """A direction: its name, and from 0 to 1 what each cell counts."""

    name: str
    values: Floats


def along(cut: Cut) -> tuple[Along, ...]:
    """The directions of these cells."""
    shares, last = np.array(cut.shares), cut.missing
    cells = np.eye(len(shares))
    if not cut.ordered:
        return tuple(Along(f"{CELL}{cell}", cells[cell]) for cell in range(len(shares)))
    whole = float(shares[:last].sum())
    rank = (np.cumsum(shares[:last]) - shares[:last] / 2) / whole if whole else np.full(last, 0.5)
    spread = (2 * rank - 1) ** 2
    usual = float(shares[:last] @ spread) / (whole or 1.0)
    moves = [Along(RANK, np.append(rank, 0.5))]
    if usual > CONSTANT:
        moves.append(Along(SPREAD, np.append(spread, usual)))
    ends = dict.fromkeys((0, last - 1, last))
    found = [*moves, *(Along(f"{CELL}{cell}", cells[cell]) for cell in ends)]
    return tuple(one for one in found if float(np.ptp(one.values)) > FLAT)


def accepted(tolerance: float, unit: Unit, values: Floats, shares: Floats) -> float:
    """By how much the mean of a direction may move, from a tolerance for the whole distribution.

    `sd`: so many standard deviations of the direction in the reference. `psi`: the most that any distribution whose population
    stability index to the reference is at most so much can move it, so that an alarm proves a larger index. The bound: with
    J = sum (p - q) log(p / q) >= 2 sum (p - q)^2 / (p + q), by Cauchy and Schwarz the mean moves by at most
    sqrt(J (V_p + V_q) / 2), V the mean squares of what is left of h after its mean under q; V_p - V_q is the move of another
    direction, at most sqrt(J) / 2 of its range; and no mean moves by more than sqrt(J) / 2.
    """
    centre = float(shares @ values)
    squares = (values - centre) ** 2
    variance = float(shares @ squares)
    if unit == "sd":
        return tolerance * sqrt(variance)
    half = sqrt(tolerance) / 2
    return min(half, sqrt(tolerance * (variance + half * float(np.ptp(squares)) / 2)))
