"""`tocsin law list|show|check`: the library itself, without a workspace."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tocsin.cli.commands import times
from tocsin.cli.options import DEFAULT, Shared
from tocsin.cli.output import counted, emit, heading, pairs, say, table
from tocsin.model.errors import EXIT_OK, EXIT_REFUSED


def list_(*, on: str | None = None, jurisdiction: str | None = None, shared: Shared = DEFAULT) -> None:
    """List the regimes that Tocsin knows, and what each is today. Needs no workspace.

    Parameters
    ----------
    on
        What each is on this day, such as 2027-12-02; default: today.
    jurisdiction
        Only this one's, such as EU, or US with its states.
    """
    from tocsin.service import lawbook
    from tocsin.service.clock import wall_clock

    day = times.day(on) if on else wall_clock().date()
    emit(lawbook.listed(day, jurisdiction or ""), shared, _list)


def _list(listing: Any) -> None:
    cells = ((r.id, r.title, r.who, ", ".join(r.status), r.confidence) for r in listing.regimes)
    table(("id", "duty", "who", f"on {listing.on}", "read"), cells)
    say(f"{counted(len(listing.regimes), 'regime')}.  Each one: tocsin law show ID", "bold")
    say(listing.statement)


def show(regime: str, *, shared: Shared = DEFAULT) -> None:
    """Show a regime with every part of it, to check it against the statute. Needs no workspace.

    Parameters
    ----------
    regime
        The regime's id.
    """
    from tocsin.service import lawbook

    emit(lawbook.shown(regime), shared, _show)


def _show(shown: Any) -> None:
    regime = shown.regime
    say(f"{regime.id}  {regime.title}", "bold")
    pairs(
        [
            ("instrument", regime.instrument),
            ("jurisdiction", regime.jurisdiction),
            ("who", regime.who),
            ("penalties", regime.penalties),
            ("retention", regime.retention),
            ("pack", regime.digest),
            ("read", f"{shown.confidence}: the least well read of its sources"),
        ]
    )
    _part("It applies if", [_outlined(regime.applies)])
    _part("Status", [_period(period) for period in regime.periods])
    for stage in regime.stages:
        _part(f"Stage {stage.id}: {stage.title}", [*_stage(stage), f"source: {', '.join(stage.cite)}"])
    _part("Taken over by other law", [f"{r.text} ({r.effect})\n{_outlined(r.when)}" for r in regime.reroutings])
    _part("Contested readings", [_switch(switch) for switch in regime.switches])
    _part("To", [f"{f'{r.country}: ' if r.country else ''}{r.name} [{r.confidence}]" for r in shown.recipients])
    _part("Notes", regime.notes)
    cited = regime.citations.items()
    _part(
        "Sources",
        [f"{key}: {c.instrument}, {c.pinpoint} <{c.url}> read {c.read_on} [{c.confidence}]" for key, c in cited],
    )
    say()
    say(shown.statement)


def _part(title: str, entries: Iterable[str]) -> None:
    told = [entry for entry in entries if entry]
    if told:
        heading(title)
    for entry in told:
        first, *more = entry.split("\n")
        say(f"  {first}")
        for line in more:
            say(f"    {line}")


def _outlined(condition: Any) -> str:
    from tocsin.law.conditions import outline

    return "\n".join(f"{'  ' * depth}{text}" for depth, text in outline(condition))


def _period(period: Any) -> str:
    until = f" until {period.valid_to}" if period.valid_to else ""
    until += f" in {', '.join(period.countries)}" if period.countries else ""
    condition = f"\nif {_outlined(period.when).replace(chr(10), chr(10) + '   ')}" if _outlined(period.when) else ""
    return f"{period.status} from {period.valid_from}{until}{condition}" + (f"\n{period.note}" if period.note else "")


def _stage(stage: Any) -> Iterator[str]:
    if stage.who:
        yield f"who: {stage.who}"
    for one in stage.recipients:
        yield f"to: {one.name} [{one.confidence}]"
    yield f"clock: {' or '.join(stage.anchors)}"
    if _outlined(stage.when):
        yield f"if {_outlined(stage.when)}"
    for dated in stage.deadlines:
        until = f" until {dated.valid_to}" if dated.valid_to else ""
        when = f"\nif {_outlined(dated.when)}" if _outlined(dated.when) else ""
        yield f"deadline from {dated.valid_from}{until}: {dated.label}{_counting(dated)}{when}"
    for part in stage.content:
        yield f"content: {part}"
    if stage.form:
        yield f"form: {stage.form}"


def _counting(dated: Any) -> str:
    """How the deadline is counted, where that is not plain from its label; nothing where there is nothing to count."""
    if dated.deadline.unit == "none":
        return ""
    parts = [f"counted by {dated.deadline.law}"]
    if dated.anchors:
        parts.append(f"from {' or '.join(dated.anchors)}")
    if dated.deadline.cut_off:
        parts.append(f"the day ends at {dated.deadline.cut_off:%H:%M}")
    if dated.deadline.carry_over:
        parts.append("past a day off as latest arguable only")
    return f" ({', '.join(parts)})"


def _switch(switch: Any) -> str:
    options = "\n".join(
        f"{'* ' if name == switch.default else '  '}{name}: {text}" for name, text in switch.options.items()
    )
    return f"{switch.id}: {switch.text}\n{options}"


def check(packs: Path | None = None, *, shared: Shared = DEFAULT) -> int:
    """Compare every regime with its cases that were counted by hand. Needs no workspace.

    Exit code 1 when one says something else, 3 when a pack or a case has mistakes; each is told with its line.

    Parameters
    ----------
    packs
        Another library: a folder of packs, a wheel of Tocsin, an older installation; default: the installed one.
    """
    from tocsin.service import lawbook

    checked = lawbook.check(packs)
    emit(checked, shared, _checked)
    return EXIT_REFUSED if checked.faults else EXIT_OK


def _checked(checked: Any) -> None:
    for fault in checked.faults:
        say(f"WRONG: {fault}", "red")
    say(
        f"{counted(checked.regimes, 'regime')}, {counted(checked.cases, 'case')}: {counted(len(checked.faults), 'difference')}.",
        "bold",
    )
    say(f"packs {checked.packs}")
