"""The whole comparison: every column, performance, groups, with intervals and verdicts, and what they rest on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from tocsin.detect.comparing.columns import Found, Plot, compared
from tocsin.detect.comparing.effects import Effect, Tolerances, Verdict, settled
from tocsin.detect.comparing.outcomes import Grouping, GroupRate, fairness, performance
from tocsin.detect.comparing.plan import Kind, Left, Plan
from tocsin.detect.comparing.tally import Tally
from tocsin.model.errors import UsageFault

ROWS_FEW = 100


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two: what it was read from, its rows, and the digest of what was counted."""

    name: str
    rows: int
    digest: str


@dataclass(frozen=True, slots=True)
class ColumnCompared:
    """One column."""

    name: str
    kind: Kind
    effects: tuple[Effect, ...]
    notes: tuple[str, ...]
    plot: Plot


@dataclass(frozen=True, slots=True)
class GroupsCompared:
    """One grouping."""

    name: str
    effects: tuple[Effect, ...]
    rates: tuple[GroupRate, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was compared, what was found, and how sure it is."""

    reference: Side
    current: Side
    columns: tuple[ColumnCompared, ...]
    performance: tuple[Effect, ...]
    fairness: tuple[GroupsCompared, ...]
    left_out: tuple[Left, ...]
    confidence: float
    tolerances: Tolerances
    notes: tuple[str, ...]

    def effects(self) -> Iterator[Effect]:
        """Every effect."""
        for column in self.columns:
            yield from column.effects
        yield from self.performance
        for groups in self.fairness:
            yield from groups.effects

    @property
    def beyond(self) -> tuple[Effect, ...]:
        """Those beyond their tolerance."""
        return tuple(effect for effect in self.effects() if effect.verdict is Verdict.BEYOND)


class Named(NamedTuple):
    """A side that was counted, with its name."""

    name: str
    tally: Tally

    def side(self) -> Side:
        """As the report names it."""
        return Side(self.name, self.tally.rows, self.tally.digest())


def comparison(
    plan: Plan, reference: Named, current: Named, accepted: Tolerances | None = None, confidence: float = 0.95
) -> Comparison:
    """Set the two side by side.

    Raises:
        UsageFault: a side has no rows, or the confidence is none.
    """
    accepted = accepted or Tolerances()
    _check(reference, current, confidence)
    sides = (reference.tally, current.tally)
    columns: list[Found] = [compared(column, *sides, accepted) for column in plan.columns]
    fared: list[Grouping] = fairness(*sides, accepted)
    performed = performance(plan, *sides, accepted)
    together = len(performed) + sum(len(found.effects) for found in columns) + sum(len(it.effects) for it in fared)
    return Comparison(
        reference.side(),
        current.side(),
        tuple(
            ColumnCompared(column.name, column.kind, settled(it.effects, confidence, together), it.notes, it.plot)
            for column, it in zip(plan.columns, columns, strict=True)
        ),
        settled(performed, confidence, together),
        tuple(GroupsCompared(g.name, settled(g.effects, confidence, together), g.rates, g.notes) for g in fared),
        plan.left,
        confidence,
        accepted,
        tuple(_notes(plan, reference, current, confidence, together)),
    )


def _check(reference: Named, current: Named, confidence: float) -> None:
    for side, word in ((reference, "reference"), (current, "current data")):
        if not side.tally.rows:
            raise UsageFault(f"the {word} {side.name} has no rows", "name a file with rows")
    if not 0.5 <= confidence < 1:
        raise UsageFault(f"a confidence of {confidence}", "give a share from 0.5 to below 1, such as 0.95")


def _notes(plan: Plan, reference: Named, current: Named, confidence: float, together: int) -> Iterator[str]:
    yield (
        f"Each interval holds at {confidence:.4g}; verdicts hold together at that confidence for all {together:,} effects"
        f" (Bonferroni)."
    )
    if plan.roles.unit:
        yield (
            f"Rows of one {plan.roles.unit} are not taken as independent: intervals come from {plan.buckets} buckets of units"
            f" (design effect). The two sides are taken as independent, which is cautious where the same units stand in both."
        )
    else:
        yield "Rows are taken as independent. Where people come back, name their column with --unit: intervals get wider."
    yield "One comparison at one time. Repeated every day it would be wrong sooner or later: `tocsin detect` is not."
    for side, word in ((reference, "reference"), (current, "current data")):
        if side.tally.rows < ROWS_FEW:
            yield f"The {word} has only {side.tally.rows:,} rows: intervals are wide and rough."
