"""Performance, rates of labels and decisions, and how groups fare, from counts of label and decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np

from tocsin.detect.comparing.cells import Counts, read
from tocsin.detect.comparing.effects import Pending, Tolerances
from tocsin.detect.comparing.intervals import Interval, apart, area, rate, ratio
from tocsin.detect.comparing.plan import Plan
from tocsin.detect.comparing.tally import EVERYONE, NO, YES, Grid, Tally

ROWS_MIN = 30
"""A group with fewer rows on a side is counted and not compared there."""
FOUR_FIFTHS = 0.8


class Rate(NamedTuple):
    """A rate: the cells (label times three plus decision) of its rows and of those that count."""

    name: str
    rows: tuple[int, ...]
    outcomes: tuple[int, ...]


DECIDED = Rate("positive decisions", (0, 1, 3, 4, 6, 7), (1, 4, 7))
RECALL = Rate("true positive rate", (3, 4), (4,))
FALSE_POSITIVES = Rate("false positive rate", (0, 1), (1,))
ERRORS = Rate("error rate", (0, 1, 3, 4), (1, 3))
RATES = (
    DECIDED,
    Rate("positive labels", (0, 1, 2, 3, 4, 5), (3, 4, 5)),
    ERRORS,
    RECALL,
    FALSE_POSITIVES,
    Rate("precision", (1, 4), (4,)),
)
COMPARED = (DECIDED, RECALL, FALSE_POSITIVES, ERRORS)
"""What groups are compared by."""


class Counted(NamedTuple):
    """A rate's rows and outcomes, each divided by the design effect."""

    rows: float
    outcomes: float
    design: float

    @property
    def share(self) -> float:
        """The rate."""
        return self.outcomes / self.rows

    def interval(self, alpha: float) -> Interval:
        """Of the rate."""
        return rate(self.rows, self.outcomes, alpha)


@dataclass(frozen=True, slots=True)
class GroupRate:
    """One rate of one group; None where there is no row."""

    group: str
    measure: str
    rows_reference: int
    rows_current: int
    reference: float | None
    current: float | None
    low: float | None
    high: float | None


def counted(grid: Grid, measure: Rate) -> Counted | None:
    """The rate from counts per bucket; None without rows. Of one bucket all rows are independent."""
    rows, outcomes = (grid[:, list(cells)].sum(axis=1).astype(np.float64) for cells in measure[1:])
    n, k = float(rows.sum()), float(outcomes.sum())
    if not n:
        return None
    buckets, share, design = int((rows > 0).sum()), k / n, 1.0
    if buckets > 1 and 0 < share < 1:
        between = float(((outcomes - share * rows) ** 2).sum()) * buckets / (buckets - 1)
        design = max(1.0, between / (n * share * (1 - share)))
    return Counted(n / design, k / design, design)


def performance(plan: Plan, reference: Tally, current: Tally, accepted: Tolerances) -> list[Pending]:
    """Every rate that the named columns allow, and the area under the curve."""
    effects = []
    for measure in RATES:
        sides = [counted(tally.tables[EVERYONE][EVERYONE], measure) for tally in (reference, current) if tally.tables]
        if len(sides) == 2 and sides[0] and sides[1]:
            effects.append(_changed("all rows", measure.name, sides[0], sides[1], accepted.rate))
    if plan.roles.score and plan.roles.label and not plan.regression:
        effects += _ranking(reference, current, accepted)
    return effects


def _changed(about: str, name: str, first: Counted, second: Counted, tolerance: float) -> Pending:
    def interval(alpha: float) -> Interval:
        return apart(first.interval(alpha), second.interval(alpha))

    return Pending(about, name, "share", first.share, second.share, tolerance, interval)


def _ranking(reference: Tally, current: Tally, accepted: Tolerances) -> list[Pending]:
    sides: list[tuple[Counts, Counts, float]] = []
    for tally in (reference, current):
        labels = counted(tally.tables[EVERYONE][EVERYONE], RATES[1])
        no, yes = (read(tally.ranks[answer]).ordered for answer in (NO, YES))
        if labels is None or not no.sum() or not yes.sum():
            return []
        errors = counted(tally.tables[EVERYONE][EVERYONE], ERRORS)
        sides.append((no, yes, max(labels.design, errors.design if errors else 1.0)))

    def interval(alpha: float) -> Interval:
        return apart(*(area(no, yes, alpha, design) for no, yes, design in sides))

    first, second = (area(no, yes, 0.05).value for no, yes, _ in sides)
    return [Pending("all rows", "area under the ROC curve", "share", first, second, accepted.rate, interval)]


class Grouping(NamedTuple):
    """One column of groups, or several crossed: the effects, each group's rates, and what has to be said."""

    name: str
    effects: list[Pending]
    rates: tuple[GroupRate, ...]
    notes: tuple[str, ...]


def fairness(reference: Tally, current: Tally, accepted: Tolerances) -> list[Grouping]:
    """How groups fare, grouping by grouping."""
    names = dict.fromkeys((*reference.tables, *current.tables))
    return [
        _grouping(name, reference.tables.get(name, {}), current.tables.get(name, {}), accepted)
        for name in names
        if name != EVERYONE
    ]


def _grouping(name: str, first: Mapping[str, Grid], second: Mapping[str, Grid], accepted: Tolerances) -> Grouping:
    effects: list[Pending] = []
    rates: list[GroupRate] = []
    small: set[str] = set()
    for measure in COMPARED:
        before, after = (_by_group(side, measure) for side in (first, second))
        rates += [_told(group, measure, before, after) for group in sorted(before.keys() | after.keys())]
        big = {group: it for group, it in after.items() if it.rows * it.design >= ROWS_MIN}
        small |= after.keys() - big.keys()
        if len(big) > 1:
            effects += _gaps(name, measure, before, big, accepted)
    notes = []
    if small:
        notes.append(f"fewer than {ROWS_MIN} rows of some rate, not compared there: {_few(sorted(small))}")
    if len(second) < 2:
        notes.append("a single group: there is nothing to compare it with")
    return Grouping(name, effects, tuple(rates), tuple(notes))


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def _by_group(side: Mapping[str, Grid], measure: Rate) -> dict[str, Counted]:
    found = ((group, counted(grid, measure)) for group, grid in side.items())
    return {group: it for group, it in found if it is not None}


def _told(group: str, measure: Rate, before: Mapping[str, Counted], after: Mapping[str, Counted]) -> GroupRate:
    first, second = before.get(group), after.get(group)
    seen = second.interval(0.05) if second else None
    return GroupRate(
        group,
        measure.name,
        round(first.rows * first.design) if first else 0,
        round(second.rows * second.design) if second else 0,
        first.share if first else None,
        second.share if second else None,
        seen.low if seen else None,
        seen.high if seen else None,
    )


def _gaps(
    name: str, measure: Rate, before: Mapping[str, Counted], after: Mapping[str, Counted], accepted: Tolerances
) -> list[Pending]:
    """The widest gap of all pairs in the current data, its interval allowing for the choice, and how it changed."""
    groups = sorted(after, key=lambda group: (after[group].share, group))
    low, high, pairs = groups[0], groups[-1], len(list(combinations(groups, 2)))
    earlier = (before[low], before[high]) if low in before and high in before else None

    def now(alpha: float) -> Interval:
        return apart(after[low].interval(alpha / pairs), after[high].interval(alpha / pairs))

    told = f"{name}: {high} over {low}"
    past = earlier[1].share - earlier[0].share if earlier else None
    gap = after[high].share - after[low].share
    effects = [Pending(told, f"gap in {measure.name}", "share", past, gap, accepted.rate, now)]
    if earlier:
        was = earlier

        def moved(alpha: float) -> Interval:
            return apart(apart(was[0].interval(alpha / pairs), was[1].interval(alpha / pairs)), now(alpha))

        effects.append(Pending(told, f"change of the gap in {measure.name}", "share", past, gap, accepted.rate, moved))
    if measure is DECIDED:
        effects.append(_four_fifths(f"{name}: {low} over {high}", after[high], after[low], pairs))
    return effects


def _four_fifths(about: str, high: Counted, low: Counted, pairs: int) -> Pending:
    def interval(alpha: float) -> Interval:
        return ratio((high.rows, high.outcomes), (low.rows, low.outcomes), alpha / pairs)

    return Pending(
        about, "ratio of positive decisions", "ratio", None, interval(0.05).value, 0.0, interval, FOUR_FIFTHS
    )
