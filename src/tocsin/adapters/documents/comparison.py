"""A comparison of two sets of rows as a page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tocsin.adapters.documents import page as pages
from tocsin.detect.comparing.effects import Effect, Verdict
from tocsin.detect.comparing.report import ColumnCompared, Comparison, GroupsCompared

HEADS = ("about", "measure", "reference", "current", "effect", "from", "to", "tolerance", "verdict")
SIDES = ("reference (left, grey)", "current (right, blue)")


def amount(value: float | None, unit: str) -> str:
    """The number in its unit: shares as percent, everything else with four digits."""
    if value is None:
        return "-"
    return f"{value:.2%}" if unit == "share" else f"{value:.4g}"


def page(found: Comparison) -> str:
    """The whole report."""
    return pages.document("Comparison", _parts(found))


def _parts(found: Comparison) -> Iterator[str]:
    for side, word in ((found.reference, "Reference"), (found.current, "Current")):
        yield pages.paragraph(f"{word}: {side.name}, {side.rows:,} rows, counts {side.digest[:12]}")
    effects = list(found.effects())
    yield pages.paragraph(f"{len(found.beyond):,} of {len(effects):,} effects are beyond their tolerance.")
    yield pages.items(found.notes)
    notable = [effect for effect in effects if effect.verdict is not Verdict.WITHIN]
    if notable:
        yield _effects("What is beyond tolerance, or not sure", notable)
    if found.performance:
        yield pages.heading("Performance and rates")
        yield _effects("All rows", found.performance)
    for groups in found.fairness:
        yield from _groups(groups)
    yield pages.heading("Columns")
    for column in found.columns:
        yield from _column(column)
    if found.left_out:
        yield pages.table("Not compared", ("column", "why"), found.left_out)


def _effects(caption: str, effects: Iterable[Effect]) -> str:
    rows = ((e.about, e.measure, *_numbers(e), e.verdict.value) for e in effects)
    return pages.table(caption, HEADS, rows, range(2, 8))


def _numbers(effect: Effect) -> list[str]:
    values = (effect.reference, effect.current, effect.value, effect.low, effect.high, effect.tolerance)
    return [amount(value, effect.unit) for value in values]


def _groups(groups: GroupsCompared) -> Iterator[str]:
    yield pages.heading(f"Groups: {groups.name}")
    yield pages.items(groups.notes)
    if groups.effects:
        yield _effects("The widest gap of each rate", groups.effects)
    rows = (
        (
            it.group,
            it.measure,
            f"{it.rows_reference:,}",
            f"{it.rows_current:,}",
            *(amount(value, "share") for value in (it.reference, it.current, it.low, it.high)),
        )
        for it in groups.rates
    )
    heads = ("group", "rate", "rows, reference", "rows, current", "reference", "current", "from", "to")
    yield pages.table("Rates by group, with 95 % intervals of the current ones", heads, rows, range(2, 8))


def _column(column: ColumnCompared) -> Iterator[str]:
    yield pages.heading(f"{column.name} ({column.kind.value})", 3)
    yield pages.items(column.notes)
    if column.plot.labels:
        yield pages.bars(column.name, column.plot.labels, column.plot.reference, column.plot.current, SIDES)
    yield _effects(f"Effects of {column.name}", column.effects)
