"""An effect: a number on both sides, how far they are apart, and what may be said of it.

Each interval holds by itself at the confidence that was asked for. Verdicts hold together: they use intervals at which the chance of
any mistake among all of a report's effects is that of one (Bonferroni).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from tocsin.detect.comparing.intervals import Interval
from tocsin.model.errors import UsageFault


class Verdict(StrEnum):
    """What the data show of an effect."""

    BEYOND = "beyond tolerance"
    WITHIN = "within tolerance"
    UNSURE = "not sure"


@dataclass(frozen=True, slots=True)
class Tolerances:
    """So much is accepted. Raises UsageFault for what is no share."""

    psi: float = 0.1
    """Population stability index."""
    shift: float = 0.1
    """Of a quantile, in shares of the distance between the reference's 10th and 90th percentile."""
    rate: float = 0.02
    """Difference of two rates, gaps between groups included."""

    def __post_init__(self) -> None:
        """Say what is no tolerance."""
        for name, value in (("psi", self.psi), ("shift", self.shift), ("rate", self.rate)):
            if not 0 <= value < float("inf"):
                raise UsageFault(f"a tolerance of {value} for {name}", "give a number from 0 on")


@dataclass(frozen=True, slots=True)
class Effect:
    """One number that was compared."""

    about: str
    """The column, the measure's subject, or the groups."""
    measure: str
    unit: str
    """`share`, `index`, `ratio`, or `column`: the column's own."""
    reference: float | None
    current: float | None
    value: float
    low: float
    high: float
    tolerance: float
    verdict: Verdict


class Pending(NamedTuple):
    """An effect whose interval is still a function of the chance to miss."""

    about: str
    measure: str
    unit: str
    reference: float | None
    current: float | None
    tolerance: float
    interval: Callable[[float], Interval]
    """From alpha."""
    floor: float | None = None
    """For ratios: at least this is accepted, and the tolerance is not looked at."""


def settled(pending: Sequence[Pending], confidence: float, together: int) -> tuple[Effect, ...]:
    """The effects with their intervals at this confidence, and verdicts that hold for `together` of them at once."""
    return tuple(_settled(effect, 1 - confidence, together) for effect in pending)


def _settled(effect: Pending, alpha: float, together: int) -> Effect:
    shown, sure = effect.interval(alpha), effect.interval(alpha / max(together, 1))
    verdict = _verdict(sure, effect)
    accepted = effect.tolerance if effect.floor is None else effect.floor
    return Effect(*effect[:5], shown.value, shown.low, shown.high, accepted, verdict)


def _verdict(sure: Interval, effect: Pending) -> Verdict:
    if effect.floor is not None:
        beyond, within = sure.high < effect.floor, sure.low >= effect.floor
    else:
        beyond = sure.low > effect.tolerance or sure.high < -effect.tolerance
        within = -effect.tolerance <= sure.low and sure.high <= effect.tolerance
    return Verdict.BEYOND if beyond else Verdict.WITHIN if within else Verdict.UNSURE
