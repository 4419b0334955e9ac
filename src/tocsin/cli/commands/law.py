"""`tocsin law ...`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any

from cyclopts import Parameter

from tocsin.cli.commands import times
from tocsin.cli.options import DEFAULT, Shared
from tocsin.cli.output import counted, emit, heading, moment, pairs, say, span, table
from tocsin.model.errors import EXIT_OK, EXIT_REFUSED


def list_(*, on: str | None = None, jurisdiction: str | None = None, shared: Shared = DEFAULT) -> None:
    """List the regimes that Tocsin knows, and what each is today. Needs no workspace.

    Parameters
    ----------
    on
        What each is on this day, such as 2027-12-02; default: today.
    jurisdiction
        Only this one's, such as EU.
    """
    from tocsin.service import lawbook
    from tocsin.service.clock import wall_clock

    day = times.day(on) if on else wall_clock().date()
    found = [one for one in lawbook.listed(day) if jurisdiction in (None, one.jurisdiction)]
    emit(found, shared, lambda rows: _list(rows, day))


def _list(rows: Any, day: Any) -> None:
    cells = ((r.id, r.title, r.who, ", ".join(r.status), r.stages, r.confidence) for r in rows)
    table(("id", "duty", "who", f"on {day}", "stages", "read"), cells, right=("stages",))
    say(
        "Each one: tocsin law show ID.  Read: P primary text, Q official text quoted, S secondary, UNCONFIRMED by nobody."
    )


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
    condition = f"\nif {_outlined(period.when).replace(chr(10), chr(10) + '   ')}" if _outlined(period.when) else ""
    return f"{period.status} from {period.valid_from}{until}{condition}" + (f"\n{period.note}" if period.note else "")


def _stage(stage: Any) -> Iterator[str]:
    yield f"clock: {' or '.join(stage.anchors)}"
    if _outlined(stage.when):
        yield f"if {_outlined(stage.when)}"
    for dated in stage.deadlines:
        until = f" until {dated.valid_to}" if dated.valid_to else ""
        counted_by = "" if dated.deadline.unit == "none" else f" (counted by {dated.deadline.law})"
        when = f"\nif {_outlined(dated.when)}" if _outlined(dated.when) else ""
        yield f"deadline from {dated.valid_from}{until}: {dated.label}{counted_by}{when}"
    for part in stage.content:
        yield f"content: {part}"
    if stage.form:
        yield f"form: {stage.form}"


def _switch(switch: Any) -> str:
    options = "\n".join(
        f"{'* ' if name == switch.default else '  '}{name}: {text}" for name, text in switch.options.items()
    )
    return f"{switch.id}: {switch.text}\n{options}"


def check(*, shared: Shared = DEFAULT) -> int:
    """Compare every regime with its cases that were counted by hand. Needs no workspace.

    Exit code 1 when one says something else.
    """
    from tocsin.service import lawbook

    checked = lawbook.check()
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


def due(
    *incidents: str,
    as_of: str | None = None,
    explain: Annotated[bool, Parameter(negative="")] = False,
    shared: Shared = DEFAULT,
) -> None:
    """Show who must be told what by when, and why.

    Two instants are shown: the one to work towards, and the last lawful one under the counting law.

    Parameters
    ----------
    incidents
        Incidents; default: all open ones.
    as_of
        Show what was known and due at this time.
    explain
        Show the reasons, the counting line by line, the citations, and what is not owed.
    """
    from tocsin.service import duties

    with shared.desk() as desk:
        found = duties.due(desk, incidents, times.instant(as_of) if as_of else None, explain_no=explain)
    emit(found, shared, lambda all_: _due(all_, shared, explain=explain))


def _due(found: Any, shared: Shared, *, explain: bool) -> None:
    for one in found:
        say(f"{one.incident}  {one.title}", "bold")
        clocks(one, shared)
        if explain:
            for owed in one.obligations:
                _explain(owed, shared)
        if one.open_questions:
            say(f"  {counted(one.open_questions, 'open question')}: tocsin law ask {one.incident}")
        say(f"  {one.statement}")
    if not found:
        say("No open incidents.")


def clocks(one: Any, shared: Shared, *, only_open: bool = False) -> None:
    """Show the clocks of one incident: the policy's own, and the law's."""
    heading("Clocks of the policy")
    table(
        ("what", "due", "state"),
        ((t.name, moment(t.due, shared.zone), _state(t.due, t.met_at, one.as_of)) for t in one.targets),
    )
    heading("Clocks of the law")
    shown = [o for o in one.obligations if not only_open or o.status == "binding" or o.operational_due]
    show_duties(shown, shared, one.as_of)


def show_duties(owed: Iterable[Any], shared: Shared, now: Any, *, brief: bool = False) -> None:
    """A row for each duty; authorities of several countries that are owed the same by the same time share it.

    In brief, authorities are told by their countries.
    """
    together: dict[tuple[str, ...], list[str]] = {}
    for one in owed:
        key = (_status(one), one.title, _when(one, shared), _left(one, now))
        together.setdefault(key, []).append(_where(one))
    to = _briefly if brief else "\n".join
    rows = ((status, title, to(named), when, left) for (status, title, when, left), named in together.items())
    table(("status", "duty", "to", "due (latest lawful)", "left"), rows)


def _briefly(named: Sequence[str]) -> str:
    countries = [name[:2] for name in named if name[2:4] == ": "]
    return f"the authorities of {', '.join(countries)}" if countries else "; ".join(named)


def _status(owed: Any) -> str:
    certainty = {"yes": "owed", "unknown": "possible", "no": "not owed"}[owed.truth]
    if owed.status == "dormant":
        return f"rehearsal: {certainty}"
    return f"{certainty}, {owed.status}" if owed.status != "binding" else certainty


def _where(owed: Any) -> str:
    return "; ".join(f"{f'{r.country}: ' if r.country else ''}{r.name}" for r in owed.recipients)


def _when(owed: Any, shared: Shared) -> str:
    if owed.operational_due is None:
        return (
            owed.label
            if owed.anchor_at or "delay" in owed.label
            else f"{owed.label}; the clock has not started ({owed.anchor})"
        )
    first = moment(owed.operational_due, shared.zone, owed.timezone)
    return (
        first
        if owed.legal_latest == owed.operational_due
        else f"{first}; latest {moment(owed.legal_latest, shared.zone, owed.timezone)}"
    )


def _left(owed: Any, now: Any) -> str:
    if owed.decision:
        return f"decided: not owed ({owed.decision})"
    if owed.discharged_at:
        return "done"
    if owed.operational_due is None:
        return ""
    return span(owed.operational_due - now)


def _state(due_at: Any, met_at: Any, now: Any) -> str:
    if met_at:
        return "met" if met_at <= due_at else f"met {span(met_at - due_at)} late"
    return f"{span(due_at - now)} left" if due_at > now else f"overdue by {span(now - due_at)}"


def _explain(owed: Any, shared: Shared) -> None:
    heading(owed.id)
    _reason(owed.reason, 1)
    for step in owed.trace:
        at = f"  [{moment(step.instant, shared.zone, owed.timezone)}]" if step.instant else ""
        rule = f"  ({step.rule})" if step.rule else ""
        say(f"  · {step.text}{at}{rule}")
    for note in owed.notes:
        say(f"  note: {note}")
    for cited in owed.citations:
        say(f"  source: {cited.instrument}, {cited.pinpoint} <{cited.url}> read {cited.read_on} [{cited.confidence}]")


def _reason(reason: Any, depth: int) -> None:
    say(f"{'  ' * depth}{ {'yes': '✓', 'no': '✗', 'unknown': '?'}[reason.truth] } {reason.text}")
    for part in reason.because:
        _reason(part, depth + 1)


def ask(incident: str, *, shared: Shared = DEFAULT) -> None:
    """Show the open questions, the most decisive first.

    Parameters
    ----------
    incident
        The incident's id.
    """
    from tocsin.service import duties

    with shared.desk() as desk:
        asked = duties.ask(desk, incident)
        now = desk.clock()
    emit(asked, shared, lambda rows: _ask(incident, rows, now))


def _ask(incident: str, asked: Any, now: Any) -> None:
    for number, question in enumerate(asked, start=1):
        earliest = f", the earliest in {span(question.earliest_due - now)}" if question.earliest_due else ""
        say(f"{number}. {question.text}", "bold")
        say(f"   decides {counted(len(question.decides), 'duty', 'duties')}{earliest}. {question.help}")
        if question.citation:
            say(f"   {question.citation.instrument}, {question.citation.pinpoint} [{question.citation.confidence}]")
        answers = "|".join(question.choices) or question.type
        say(f"   answer: tocsin incident set {incident} --fact {question.fact}={answers}")
    if not asked:
        say("No open questions.")


def decide(
    incident: str,
    obligation: str,
    *,
    because: Annotated[str, Parameter(name=["--because", "-b"])],
    shared: Shared = DEFAULT,
) -> None:
    """Record that a report is not owed, with the reason.

    Parameters
    ----------
    incident
        The incident's id.
    obligation
        The obligation's id, as law due --json shows it.
    because
        The reason; it stands in the ledger with your name.
    """
    from tocsin.service import duties

    with shared.desk() as desk:
        state = duties.decide_not_owed(desk, incident, obligation, because)
    emit(state, shared, lambda i: say(f"{i.id}: {obligation} is decided as not owed.", "bold"))
