"""`tocsin measure`."""

from __future__ import annotations

from typing import Any

from tocsin.cli.options import DEFAULT, Shared
from tocsin.cli.output import counted, emit, heading, pairs, say, span, table


def measure(*, shared: Shared = DEFAULT) -> None:
    """Show times to detect, answer and close, and how often deadlines were met."""
    from tocsin.service.measuring import measure as run

    with shared.desk() as desk:
        figures = run(desk)
    emit(figures, shared, _show)


def _show(figures: Any) -> None:
    say(f"{counted(figures.incidents, 'incident').capitalize()}, {figures.open} of them open", "bold")
    for name, counts in (
        ("category", figures.by_category),
        ("severity", figures.by_severity),
        ("month", figures.by_month),
    ):
        pairs([(f"by {name}", ", ".join(f"{key} {count}" for key, count in counts.items()))])
    heading("From detection; to detect: from the start of the harm")
    rows = ((f"to {step}", s.count, span(s.median), span(s.slow)) for step, s in figures.spreads.items())
    table(("time", "incidents", "median", "90th percentile"), rows, right=("incidents",))
    met = figures.punctuality
    rate = f"{met.rate:.0%} in time" if met.rate is not None else "none has come due"
    say(f"Binding duties: {met.in_time} met in time, {met.late} late, {met.overdue} overdue ({rate}).")
