"""A plan of detectors: its words, and as a page."""

from __future__ import annotations

from collections.abc import Iterator

from tocsin.adapters.documents import page as pages
from tocsin.adapters.documents import plots
from tocsin.adapters.documents.comparison import amount
from tocsin.detect.planning.power import FOUND, Plan, Planned, Power
from tocsin.model.chart import Chart, Line

HEADS = ("level", "beyond", "found", "half by window", "9 of 10 by window", "half of them, 95 % interval")


def page(plan: Plan) -> str:
    """The whole plan."""
    title = f"What the detectors of {plan.system} can find" if plan.system else "What the detector can find"
    return pages.document(title, _parts(plan))


def introduced(one: Planned) -> Iterator[str]:
    """What the figures rest on."""
    assert one.power is not None
    power, unit = one.power, one.power.unit
    cut = f"{one.window_rows:,} rows" if one.window_rows else f"{one.window_hours:g} hours"
    from_where = f"as in the newest {one.windows_seen:,} windows" if one.windows_seen else "as assumed"
    yield f"{power.about[0].upper()}{power.about[1:]}. Windows of {cut}; {power.rows:,.0f} rows that count in each, {from_where}."
    yield f"Normal is {_with(power.normal, unit)}; accepted is {'up' if power.sign > 0 else 'down'} to {_with(power.accepted, unit)}."
    yield f"Guarantee: {one.guarantee}."
    yield from (f"Note: {note}." for note in power.notes)


def smallest(one: Planned) -> Iterator[str]:
    """The smallest change that can be found, and what the simulation leaves open."""
    assert one.power is not None
    power = one.power
    share = f"{FOUND:.0%} of such changes are found within {power.within:,} windows{_lasting(one, power.within)}"
    if power.smallest is None:
        yield f"No change is so large that {share}."
    else:
        yield f"Smallest change that can be found: {power.about} at {_with(power.smallest, power.unit)}; {share}."
    yield (
        f"From {power.streams} simulated streams for each level, counted from the window in which the change begins; "
        f"the medians are known to about {power.error:.0%}."
    )


def advised(one: Planned) -> Iterator[str]:
    """How the stream would best be cut."""
    assert one.power is not None
    if one.advice is None:
        return
    advice = one.advice
    period = "" if advice.every_hours is None else f"{_period(advice.every_hours)}, about "
    yield (
        f"To find {_with(advice.target, one.power.unit)}, about {advice.cost_rows:,} rows are needed; "
        f"windows of {period}{advice.rows:,} rows suit that (a fifth, rounded down; at least 30 people and 5 rows of each group)."
    )


def _parts(plan: Plan) -> Iterator[str]:
    yield pages.paragraph(
        "Simulated with the detectors' own code. A change is found in a window when the detector alarms at its end; window 1 is the one "
        "in which the change begins."
    )
    for one in plan.detectors:
        yield pages.heading(one.detector)
        if one.power is None:
            yield pages.paragraph(f"No plan: {one.reason}.")
            continue
        yield pages.items(list(introduced(one)))
        yield _plot(one.power)
        yield pages.table(f"Changes of the {one.power.about}", HEADS, _rows(one.power), range(1, 6))
        yield pages.items([*smallest(one), *advised(one)])


def _rows(power: Power) -> Iterator[tuple[str, ...]]:
    for delay in power.delays:
        low, high = delay.typical_low, delay.typical_high
        counts = (f"{n:,}" if n else f"> {power.within:,}" for n in (delay.median, delay.slow))
        span = f"{low:.1f} to {high:.1f}" if low is not None and high is not None else "-"
        yield (amount(delay.level, power.unit), amount(delay.beyond, power.unit), f"{delay.found:.0%}", *counts, span)


def _plot(power: Power) -> str:
    levels = tuple(amount(delay.level, power.unit) for delay in power.delays)
    half = Line("half", [delay.median for delay in power.delays])
    most = Line("nine of ten", [delay.slow for delay in power.delays], style=1)
    told = "; ".join(
        f"at {level} half by window {d.median or 'none'}" for level, d in zip(levels, power.delays, strict=True)
    )
    return plots.svg(Chart(f"Windows until a change of the {power.about} is found", told, "", levels, (half, most)))


def _with(value: float, unit: str) -> str:
    shown = amount(value, unit)
    return shown if unit == "share" else f"{shown} {unit}".strip()


def _period(hours: int) -> str:
    days, rest = divmod(hours, 24)
    return f"{hours} hours" if rest else f"{days} days" if days > 1 else "a day"


def _lasting(one: Planned, windows: int) -> str:
    if not one.window_hours:
        return ""
    hours = windows * one.window_hours
    return f" ({hours / 24:,.3g} days)" if hours >= 24 else f" ({hours:,.3g} hours)"
