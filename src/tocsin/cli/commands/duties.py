"""`tocsin law due|ask|explain|decide|ics|diff`: what the law asks of incidents."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from tocsin.cli.commands import times
from tocsin.cli.options import DEFAULT, Shared
from tocsin.cli.output import console, counted, emit, heading, moment, pairs, say, span, table

POSSIBLE_MAX = 5
"""How many duties that are only possible are shown beside those that are owed; one to several authorities counts once."""
TABLE_WIDTH_MIN = 100
"""Columns of a terminal below which duties are listed instead."""
CERTAINTY = {"yes": "owed", "unknown": "possible", "no": "not owed"}
READ = {"P": "primary text", "Q": "official text quoted", "S": "secondary source", "UNCONFIRMED": "read by nobody yet"}
Flag = Annotated[bool, Parameter(negative="")]


def due(
    *incidents: str,
    as_of: str | None = None,
    all_: Annotated[bool, Parameter(name="--all", negative="")] = False,
    explain: Flag = False,
    shared: Shared = DEFAULT,
) -> None:
    """Show who must be told what by when.

    Two instants are shown: the one to work towards, and the last lawful one under the counting law. Of duties that are only possible,
    because questions are open, the most urgent are shown.

    Parameters
    ----------
    incidents
        Incidents; default: all open ones.
    as_of
        Show what was known and due at this time.
    all_
        Every possible duty, too.
    explain
        Show the reasons, the counting line by line, the citations, and what is not owed.
    """
    from tocsin.service import duties

    with shared.desk() as desk:
        found = duties.due(desk, incidents, times.instant(as_of) if as_of else None, explain_no=explain)
    emit(found, shared, lambda told: _due(told, shared, explain=explain, everything=all_))


def _due(found: Any, shared: Shared, *, explain: bool, everything: bool) -> None:
    for one in found:
        say(f"{one.incident}  {one.title}", "bold")
        clocks(one, shared, everything=everything)
        if explain:
            for owed in (o for o in one.obligations if o.truth == "yes" or (everything and o.truth == "unknown")):
                heading(owed.id)
                _grounds(owed, shared)
            _not_owed(one)
        if one.open_questions:
            say(f"  {counted(one.open_questions, 'open question')}: tocsin law ask {one.incident}")
        say()
    if found:
        say(found[0].statement)
    else:
        say("No open incidents.")


def _not_owed(one: Any) -> None:
    from tocsin.law.conditions import decisive

    no = [o for o in one.obligations if o.truth == "no"]
    if no:
        heading("Not owed, and what decided it")
    for owed in no:
        say(f"  {owed.id}: {decisive(owed.reason).text}")


def clocks(one: Any, shared: Shared, *, everything: bool = False) -> None:
    """Show the clocks of one incident: the policy's own, and the law's."""
    if one.targets:
        heading("Clocks of the policy")
        rows = ((t.name, moment(t.due, shared.zone), _state(t.due, t.met_at, one.as_of)) for t in one.targets)
        table(("what", "due", "state"), rows)
    heading("Clocks of the law")
    counts = [o for o in one.obligations if everything or o.status in ("binding", "dormant")]
    owed = [o for o in counts if o.truth == "yes"]
    possible = [o for o in counts if o.truth == "unknown"]
    names = [_name(o) for o in possible if o.status == "binding"]
    urgent = list(dict.fromkeys(names))[:POSSIBLE_MAX]
    shown = [o for o in possible if everything or _name(o) in urgent]
    if owed or shown:
        show_duties([*owed, *shown], shared, one.as_of)
    left = len({_name(o) for o in possible} - {_name(o) for o in shown})
    if left:
        say(f"  {counted(left, 'more duty is', 'more duties are')} possible: tocsin law due {one.incident} --all")
    others = len(one.obligations) - len(counts)
    if others:
        say(f"  {counted(others, 'duty', 'duties')} of proposals and guidelines, which alarm nobody: --all shows them")
    if not owed and not possible:
        say("  No law of the library asks for anything here.")


def _name(owed: Any) -> str:
    """The duty's id without the country of the authority."""
    return f"{owed.regime}.{owed.stage}"


def show_duties(owed: Iterable[Any], shared: Shared, now: Any, *, brief: bool = False) -> None:
    """A row for each duty; authorities of several countries that are owed the same by the same time share it.

    In brief, authorities are told by their countries.
    """
    together: dict[tuple[str, ...], list[str]] = {}
    for one in owed:
        title = one.title if brief else f"{one.title}\n{_name(one)}"
        key = (_status(one), title, _when(one, shared), _left(one, now))
        together.setdefault(key, []).append(_where(one))
    to = _briefly if brief else "\n".join
    rows = [(status, title, to(named), when, left) for (status, title, when, left), named in together.items()]
    if console().width < TABLE_WIDTH_MIN:
        _listed(rows)
    else:
        table(("status", "duty", "to", "due (latest lawful)", "left"), rows)


def _listed(rows: Sequence[Sequence[str]]) -> None:
    """The rows one below the other, where five columns would be broken within words."""
    for status, duty, to, when, left in rows:
        title, *name = duty.split("\n")
        say(f"{status}: {title}", "bold")
        by_when = f"{when}; left: {left}" if left else when
        pairs([("by when", by_when), ("to", to.replace("\n", "; ")), ("id", "".join(name))])


def _briefly(named: Sequence[str]) -> str:
    countries = [name[:2] for name in named if name[2:4] == ": "]
    return f"the authorities of {', '.join(countries)}" if countries else "; ".join(named)


def _status(owed: Any) -> str:
    certainty = CERTAINTY[owed.truth]
    if owed.status == "dormant":
        return f"rehearsal: {certainty}"
    return certainty if owed.status == "binding" else f"{owed.status}, not law now: {certainty}"


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


def explain(incident: str, obligation: str, *, as_of: str | None = None, shared: Shared = DEFAULT) -> None:
    """Explain one duty: why it is owed or not, how its clock was counted, and where that is written.

    Parameters
    ----------
    incident
        The incident's id.
    obligation
        The duty's id, as law due --explain shows it, such as eu.gdpr.art33.notification@DE.
    as_of
        Explain it as it was known at this time.
    """
    from tocsin.service import duties

    with shared.desk() as desk:
        told = duties.explain(desk, incident, obligation, times.instant(as_of) if as_of else None)
    emit(told, shared, lambda one: _explained(one, shared))


def _explained(told: Any, shared: Shared) -> None:
    owed = told.obligation
    say(owed.id, "bold")
    say(owed.title)
    pairs(
        [
            ("incident", f"{told.incident}  {told.title}"),
            ("verdict", f"{_status(owed)}, at {moment(told.as_of, shared.zone)}"),
            ("who", owed.who),
            ("to", _where(owed)),
            ("by when", f"{owed.label}: {_when(owed, shared)}" if owed.operational_due else _when(owed, shared)),
            ("left", _left(owed, told.as_of)),
            ("form", owed.form),
            ("read", f"{READ[owed.confidence]} (the least well read source; see below)"),
        ]
    )
    _grounds(owed, shared)
    if owed.content:
        heading("It must say")
    for part in owed.content:
        say(f"  - {part}")
    if told.questions:
        heading("What would decide it")
    for question in told.questions:
        say(f"  {question.text}")
        say(f"    {_how_to_answer(told.incident, question)}")
    say()
    say(told.statement)


def _grounds(owed: Any, shared: Shared) -> None:
    heading("Why")
    _reason(owed.reason, 1)
    if owed.trace:
        heading("How it was counted")
        say(f"  days off: {owed.calendar}; zone: {owed.timezone}; from: {owed.anchor}")
    for number, step in enumerate(owed.trace, start=1):
        at = f"  [{moment(step.instant, shared.zone, owed.timezone)}]" if step.instant else ""
        rule = f"  ({step.rule})" if step.rule else ""
        say(f"  {number}. {step.text}{at}{rule}")
    for benchmark in owed.benchmarks:
        at = f": {moment(benchmark.at, shared.zone, owed.timezone)}" if benchmark.at else ""
        say(f"  expected, never due: {benchmark.label}{at}")
    for note in owed.notes:
        say(f"  note: {note}")
    heading("Sources")
    for cited in owed.citations:
        say(f"  {cited.instrument}, {cited.pinpoint} <{cited.url}> read {cited.read_on} [{cited.confidence}]")
    say(f"  pack {owed.pack_digest[:16]}")


def _reason(reason: Any, depth: int) -> None:
    text = reason.text.partition(": ")[0] if reason.text.startswith(("all of: ", "any of: ")) else reason.text
    say(f"{'  ' * depth}{ {'yes': '✓', 'no': '✗', 'unknown': '?'}[reason.truth] } {text}")
    for part in reason.because:
        _reason(part, depth + 1)


def ask(incident: str, *, shared: Shared = DEFAULT) -> None:
    """Show the open questions, the most decisive first.

    First where it happened and what the organization is, so that no law of other places or sectors is asked about. Answers bring up new
    questions only where a duty still turns on them.

    Parameters
    ----------
    incident
        The incident's id.
    """
    from tocsin.service import duties

    with shared.desk() as desk:
        emit(duties.ask(desk, incident), shared, _ask)


def _ask(asked: Any) -> None:
    for number, question in enumerate(asked.questions, start=1):
        say(f"{number}. {question.text}", "bold")
        say(f"   {_weight(number, question, asked.as_of)} {question.help}")
        for choice, meaning in question.meanings.items():
            say(f"   - {choice}: {meaning}")
        if question.citation:
            say(f"   {question.citation.instrument}, {question.citation.pinpoint} [{question.citation.confidence}]")
        say(f"   {_how_to_answer(asked.incident, question)}")
    if not asked.questions:
        say("No open questions.")
    say(asked.statement)


def _weight(number: int, question: Any, now: Any) -> str:
    """What the answer decides, in words; the first question says that it is the first."""
    first = "answer this first: it " if number == 1 else ""
    if not question.decides:
        return "decides nothing by itself, only together with others."
    left = question.earliest_due - now if question.earliest_due else None
    when = f"{span(-left)} ago" if left and left.days < 0 else f"in {span(left)}"
    earliest = f", the earliest {when}" if left else ""
    return f"{first}decides {counted(len(question.decides), 'duty', 'duties')}{earliest}."


def _how_to_answer(incident: str, question: Any) -> str:
    base = f"answer: tocsin incident set {incident}"
    if question.type == "instant":
        return f"{base} --date {question.fact.removeprefix('date.')}=TIME"
    if question.type == "set":
        return f"{base} --fact {question.fact}=NAME,...|none"
    shown = "|".join(question.choices) if question.type != "text" else ""
    return f"{base} --fact {question.fact}={shown or question.type.upper()}"


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


def ics(
    *incidents: str,
    out: Path | None = None,
    possible: Flag = False,
    shared: Shared = DEFAULT,
) -> None:
    """Write deadlines as a calendar with alarms (RFC 5545), for the program in which you look at your days.

    What is due and the last lawful instant are separate entries. Only what is due by a law that binds has alarms. Write it again
    after an answer or a filing: entries move, and what is done is cancelled.

    Parameters
    ----------
    incidents
        Incidents; default: all open ones.
    out
        The file to write, such as duties.ics; default: standard output.
    possible
        Also what may be owed while questions are open.
    """
    from tocsin.service import reminding

    with shared.desk() as desk:
        made = reminding.remind(desk, incidents, out, possible=possible)
    emit(made, shared, _ics)


def _ics(made: Any) -> None:
    import sys

    if made.text:
        sys.stdout.write(made.text)
        return
    say(f"{counted(len(made.entries), 'entry', 'entries')} in {made.path}", "bold")
    if made.left_out:
        say(f"  {counted(made.left_out, 'possible duty is', 'possible duties are')} left out: --possible takes them in")
    say(f"  {made.statement}")


def diff(old: str = "last", new: str = "installed", *, shared: Shared = DEFAULT) -> None:
    """Tell which open incidents change when packs are updated, and how.

    A library is named by its path (a folder of packs, a wheel of Tocsin, an older installation), by the first digits of its digest if
    this workspace has used it, as `installed`, or as `last`: the one that this workspace used before.

    Parameters
    ----------
    old
        The library before; default: last.
    new
        The library after; default: installed.
    """
    from tocsin.service import updating

    with shared.desk() as desk:
        emit(updating.diff(desk, old, new), shared, lambda told: _diff(told, shared))


def _diff(told: Any, shared: Shared) -> None:
    say(f"packs {told.old[:12]} -> {told.new[:12]}", "bold")
    for what in ("added", "removed", "changed"):
        ids = getattr(told.packs, what)
        if ids:
            say(f"  {what}: {', '.join(ids)}")
    for one in told.incidents:
        heading(f"{one.incident}  {one.title}")
        for change in one.changes:
            _change(change, shared)
    unchanged = told.looked_at - len(told.incidents)
    say()
    say(
        f"{counted(len(told.incidents), 'open incident changes', 'open incidents change')}, {unchanged} stay as they are.",
        "bold",
    )
    say(told.statement)


def _change(change: Any, shared: Shared) -> None:
    moved = (
        f", {span(abs(change.earlier))} {'later' if change.earlier.days < 0 else 'earlier'}" if change.earlier else ""
    )
    due_at = f", due {moment(change.due, shared.zone)}" if change.due else ""
    say(f"  {change.obligation} {change.what}{moved}{due_at}", "bold")
    say(f"    {change.title}")
    for part in change.parts if change.what == "changes" else ():
        say(f"    {part.part}: {part.before or '(none)'}")
        say(f"    {' ' * len(part.part)}  {part.after or '(none)'}")
