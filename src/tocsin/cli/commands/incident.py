"""`tocsin incident ...`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from cyclopts import Parameter

from tocsin.cli.commands import duties as law_commands
from tocsin.cli.commands import times
from tocsin.cli.options import DEFAULT, Shared
from tocsin.cli.output import counted, emit, heading, moment, pairs, say, span, table
from tocsin.model.finding import Category
from tocsin.model.incident import Phase
from tocsin.model.policy import Severity

Because = Annotated[str, Parameter(name=["--because", "-b"])]
Items = Annotated[list[str] | None, Parameter(negative="")]


def declare(
    title: str,
    *,
    system: Annotated[str, Parameter(name=["--system", "-s"])],
    category: Category,
    occurred: str | None = None,
    detected: str | None = None,
    fact: Items = None,
    shared: Shared = DEFAULT,
) -> None:
    """Declare an incident that a person noticed.

    Parameters
    ----------
    title
        What happened, in a few words.
    system
        The system concerned.
    category
        What kind of incident it is.
    occurred
        When it happened, with its offset.
    detected
        When it was noticed, with its offset; default: now.
    fact
        An answer as name=value; may be repeated.
    """
    from tocsin.service import duties, incidents

    dates = {name: times.instant(at) for name, at in (("occurred", occurred), ("detected", detected)) if at}
    with shared.desk() as desk:
        made = incidents.declare(desk, system, title, category, dates)
        for item in fact or ():
            name, value = _pair(item)
            made = duties.answer(desk, made.id, name, value, "declaration")
        emit(made, shared, lambda i: say(f"Opened {i.id}: {i.title}", "bold"))


def list_(
    *,
    all_: Annotated[bool, Parameter(name="--all", negative="")] = False,
    system: str | None = None,
    shared: Shared = DEFAULT,
) -> None:
    """List incidents, the gravest and most urgent first.

    Parameters
    ----------
    all_
        Closed ones, too.
    system
        Only this system's.
    """
    from tocsin.service import incidents

    with shared.desk() as desk:
        listed = incidents.listing(desk, open_only=not all_, system=system)
    emit(listed, shared, lambda rows: _list(rows, shared))


def _list(rows: Any, shared: Shared) -> None:
    cells = (
        (i.id, i.severity, i.phase, i.category, i.system, i.title, i.findings, moment(i.opened_at, shared.zone))
        for i in rows
    )
    table(("id", "severity", "phase", "category", "system", "title", "findings", "opened"), cells, right=("findings",))
    if not rows:
        say("No incidents.")


def show(incident: str, *, as_of: str | None = None, shared: Shared = DEFAULT) -> None:
    """Show an incident: state, findings, clocks, what is next.

    Parameters
    ----------
    incident
        The incident's id.
    as_of
        Show what was known at this time.
    """
    from tocsin.service import duties, incidents, measuring, responding

    with shared.desk() as desk:
        at = times.instant(as_of) if as_of else None
        state = incidents.find(desk, incident, at)
        owed = duties.of(desk, state, at)
        response = responding.where(desk, state) if state.playbook else None
        took = measuring.of(state)
    body = {"incident": state, "duties": owed, "response": response, "times": took}
    emit(body, shared, lambda _: _show(state, owed, response, took, shared))


def _show(state: Any, owed: Any, response: Any, took: Any, shared: Shared) -> None:
    from tocsin.incident.telling import ranked

    verdict = state.classification
    say(f"{state.id}  {state.title}", "bold")
    pairs(
        [
            ("system", state.system),
            ("phase", state.phase),
            ("category", state.category),
            ("gravity", verdict and f"{verdict.gravity} (AI Act Art. 3(49): {', '.join(verdict.limbs) or 'no limb'})"),
            ("severity", verdict and verdict.severity),
            ("why", verdict and "; ".join(verdict.why)),
            ("tags", verdict and ", ".join(verdict.tags)),
            ("assigned", ", ".join(f"{role}: {person}" for role, person in state.assignments.items())),
            ("links", ", ".join(f"{relation.replace('_', ' ')} {other}" for relation, other in state.links)),
        ]
    )
    heading("Dates")
    pairs((name, moment(at, shared.zone)) for name, at in sorted(state.dates.items(), key=lambda item: item[1]))
    pairs(
        [
            ("time to detect", span(took.detect)),
            ("to acknowledge", span(took.acknowledge)),
            ("to contain", span(took.contain)),
        ]
    )
    heading(f"Findings ({len(state.findings)})")
    table(
        ("id", "level", "what", "count", "last seen"),
        ((f.id, f.level, f.title, f"{f.count:,}", moment(f.last_at, shared.zone)) for f in ranked(state)),
        right=("count",),
    )
    law_commands.clocks(owed, shared)
    heading("What is next")
    if response is None:
        say(f"  start the playbook: tocsin respond {state.id}")
    else:
        for due in response.next:
            say(f"  {due.slug}: {due.name} ({due.role}){'' if due.mandatory else ', optional'}")


def ack(incident: str, *, shared: Shared = DEFAULT) -> None:
    """Acknowledge an incident: a person now knows, and the organization is aware.

    Parameters
    ----------
    incident
        The incident's id.
    """
    from tocsin.service import incidents

    with shared.desk() as desk:
        emit(
            incidents.acknowledge(desk, incident),
            shared,
            lambda i: say(f"{i.id} acknowledged; aware dates are set.", "bold"),
        )


def set_(
    incident: str,
    *,
    date: Items = None,
    fact: Items = None,
    severity: Severity | None = None,
    phase: Phase | None = None,
    because: Because = "",
    shared: Shared = DEFAULT,
) -> None:
    """Record a date, a fact, the severity or the phase.

    Parameters
    ----------
    incident
        The incident's id.
    date
        name=time, for instance aware.provider=2026-11-24T09:00+01:00; may be repeated.
    fact
        name=answer, for instance personal_data_breach=yes; may be repeated.
    severity
        Overrule the severity matrix; needs --because.
    phase
        Go forward to acknowledged, contained or remediating.
    because
        The reason.
    """
    from tocsin.model.errors import UsageFault
    from tocsin.service import duties, incidents

    if not any((date, fact, severity, phase)):
        raise UsageFault("nothing to set", "use --date, --fact, --severity or --phase")
    with shared.desk() as desk:
        state = incidents.find(desk, incident)
        for item in date or ():
            name, value = _pair(item)
            state = incidents.set_date(desk, incident, name, times.instant(value), because)
        for item in fact or ():
            name, value = _pair(item)
            state = duties.answer(desk, incident, name, value, because)
        if severity:
            state = incidents.set_severity(desk, incident, severity, because)
        if phase:
            state = incidents.set_phase(desk, incident, phase, because)
        emit(
            state,
            shared,
            lambda i: say(f"{i.id} updated: {i.phase}, {i.classification.severity if i.classification else '-'}"),
        )


def assign(incident: str, role: str, person: str, *, shared: Shared = DEFAULT) -> None:
    """Give a role in an incident to a person.

    Parameters
    ----------
    incident
        The incident's id.
    role
        A role of the policy.
    person
        A person of the policy.
    """
    from tocsin.service import incidents

    with shared.desk() as desk:
        emit(incidents.assign(desk, incident, role, person), shared, lambda i: say(f"{i.id}: {role} is {person}."))


def link(
    incident: str,
    relation: Literal["duplicate_of", "related_to", "recurrence_of"],
    other: str,
    *,
    shared: Shared = DEFAULT,
) -> None:
    """Link two incidents, or merge one into the other.

    Parameters
    ----------
    incident
        The incident's id.
    relation
        duplicate_of merges this one into the other; nothing is lost.
    other
        The other incident's id.
    """
    from tocsin.service import incidents

    with shared.desk() as desk:
        emit(
            incidents.link(desk, incident, relation, other),
            shared,
            lambda i: say(f"{i.id} is {relation.replace('_', ' ')} {other}."),
        )


def split(incident: str, *findings: str, title: str, shared: Shared = DEFAULT) -> None:
    """Move findings into an incident of their own.

    Parameters
    ----------
    incident
        The incident's id.
    findings
        Ids of the findings to move.
    title
        Title of the new incident.
    """
    from tocsin.service import incidents

    with shared.desk() as desk:
        both = incidents.split(desk, incident, findings, title)
        emit(
            both,
            shared,
            lambda pair: say(f"{counted(len(findings), 'finding')} moved from {pair[0].id} to {pair[1].id}.", "bold"),
        )


def note(incident: str, text: str, *, shared: Shared = DEFAULT) -> None:
    """Add a note to the timeline.

    Parameters
    ----------
    incident
        The incident's id.
    text
        The note.
    """
    from tocsin.service import incidents

    with shared.desk() as desk:
        emit(incidents.note(desk, incident, text), shared, lambda i: say(f"Noted in {i.id}."))


def timeline(incident: str, *, shared: Shared = DEFAULT) -> None:
    """Tell what happened, in order, and who did it.

    Parameters
    ----------
    incident
        The incident's id.
    """
    from tocsin.service import incidents

    with shared.desk() as desk:
        lines = incidents.timeline(desk, incident)
    emit(
        lines,
        shared,
        lambda rows: table(
            ("event", "when", "who", "what"), ((r.sequence, moment(r.at, shared.zone), r.who, r.text) for r in rows)
        ),
    )


def close(incident: str, *, because: Because = "", shared: Shared = DEFAULT) -> None:
    """Close an incident; refused, with all that is missing, until it is answered, told and proven.

    Parameters
    ----------
    incident
        The incident's id.
    because
        The reason.
    """
    from tocsin.service import responding

    with shared.desk() as desk:
        emit(responding.close(desk, incident, because), shared, lambda i: say(f"{i.id} closed.", "bold"))


def reopen(incident: str, *, because: Because, shared: Shared = DEFAULT) -> None:
    """Reopen a closed incident, with the reason.

    Parameters
    ----------
    incident
        The incident's id.
    because
        The reason.
    """
    from tocsin.service import incidents

    with shared.desk() as desk:
        emit(incidents.reopen(desk, incident, because), shared, lambda i: say(f"{i.id} reopened.", "bold"))


def erase(incident: str, *, because: Because, shared: Shared = DEFAULT) -> None:
    """Erase a closed incident's evidence; the ledger still verifies.

    The key of its evidence is destroyed, so that nobody can read the findings' rows and reports again. That cannot be undone.

    Parameters
    ----------
    incident
        The incident's id.
    because
        The reason, for instance the end of a retention period.
    """
    from tocsin.service import erasing

    with shared.desk() as desk:
        emit(
            erasing.erase(desk, incident, because),
            shared,
            lambda e: say(f"{counted(e.pieces, 'piece')} of {e.incident} erased.", "bold"),
        )


def _pair(item: str) -> tuple[str, str]:
    from tocsin.model.errors import UsageFault

    name, equals, value = item.partition("=")
    if not equals or not name.strip():
        raise UsageFault(f"{item!r} is not of the form name=value")
    return name.strip(), value.strip()
