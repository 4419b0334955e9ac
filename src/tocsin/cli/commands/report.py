"""`tocsin report ...`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from tocsin.cli.commands import times
from tocsin.cli.options import DEFAULT, Shared
from tocsin.cli.output import counted, emit, moment, say, table

FORM = "eu.aiact.art73/draft-template-1.0.0"


def prepare(
    incident: str,
    *,
    form: str = FORM,
    stage: Literal["initial", "follow_up", "combined", "final", "withdrawn"] = "initial",
    country: str = "",
    out: Path | None = None,
    shared: Shared = DEFAULT,
) -> None:
    """Fill a form as PDF and JSON, with every gap named. The exact bytes are sealed as evidence.

    Where the authorities of a form take a JSON of their own (DORA), it is written as well.

    Parameters
    ----------
    incident
        The incident's id.
    form
        The form's id.
    stage
        Which kind of report it is; it decides which fields may not be missing. `withdrawn` takes an earlier report back.
    country
        The country of the authority, where several are owed.
    out
        Folder for the files; default: reports/ in the workspace.
    """
    from tocsin.service import reporting

    with shared.desk() as desk:
        made = reporting.prepare(desk, incident, form, stage, country, out)
    emit(made, shared, _prepared)


def _prepared(made: Any) -> None:
    say(f"{made.form} version {made.version} ({made.stage}) of {made.incident}", "bold")
    for path in made.files:
        say(f"  {path}")
    say(f"{counted(len(made.gaps), 'gap').capitalize()}{':' if made.gaps else '.'}")
    for gap, source in zip(made.gaps, made.answerable, strict=True):
        say(f"  - {gap}  [{_filled_by(source)}]")
    if made.gaps:
        say(
            f"Answer what you know: tocsin report answer {made.incident} FIELD TEXT, with the field's name in brackets."
        )


def _filled_by(source: str) -> str:
    """What fills the gap: the field's name for an answer, or the part of the record that it follows."""
    kind, _, name = source.partition(".")
    return f"tocsin incident set --{kind} {name}=..." if kind in ("date", "fact") else source


def answer(incident: str, field: str, text: str, *, form: str = FORM, shared: Shared = DEFAULT) -> None:
    """Give a field of a form what no record fills; the next version carries it.

    Parameters
    ----------
    incident
        The incident's id.
    field
        The field's name, as `report prepare` shows it in brackets, for instance incident.operator.
    text
        What is to stand there; for a field with options one of them, for boxes several with `;` between them.
    form
        The form's id.
    """
    from tocsin.service import reporting

    with shared.desk() as desk:
        state = reporting.answer(desk, incident, form, field, text)
    emit(state, shared, lambda i: say(f"{i.id}: {field} is answered; prepare the next version.", "bold"))


def filed(
    incident: str,
    *,
    version: int,
    at: str,
    recipient: str,
    form: str = FORM,
    because: Annotated[str, Parameter(name=["--because", "-b"])] = "",
    file: Path | None = None,
    shared: Shared = DEFAULT,
) -> None:
    """Record that a report was handed in.

    Parameters
    ----------
    incident
        The incident's id.
    version
        The version that was handed in.
    at
        When, with its offset.
    recipient
        To whom.
    form
        The form's id.
    because
        Why it was filed with gaps, if it has any.
    file
        The file that was handed in; it is refused unless its bytes are those that were sealed.
    """
    from tocsin.service import reporting

    with shared.desk() as desk:
        state = reporting.filed(desk, incident, form, version, times.instant(at), recipient, because, file)
    emit(state, shared, lambda i: say(f"{i.id}: version {version} filed with {recipient}.", "bold"))


def diff(incident: str, old: str = "", new: str = "now", *, form: str = FORM, shared: Shared = DEFAULT) -> None:
    """Show what changed between two versions of a report, or since the one that was filed.

    Versions are read from the sealed bytes, not from the files in reports/.

    Parameters
    ----------
    incident
        The incident's id.
    old
        The earlier version: its number, or `filed`; default: the one filed last, or else the newest.
    new
        The later version: its number, `filed`, or `now` for what the record says at this moment.
    form
        The form's id.
    """
    from tocsin.service import comparing

    with shared.desk() as desk:
        made = comparing.diff(desk, incident, form, old, new)
    emit(made, shared, lambda both: _compared(both, shared.zone))


def _compared(made: Any, zone: str | None) -> None:
    say(f"{made.form} of {made.incident}: {_side(made.old, zone)} and {_side(made.new, zone)}", "bold")
    if not made.changed:
        say("Nothing differs.")
        return
    table(("field", "before", "after"), ((row.field, row.before, row.after) for row in made.changed))


def _side(side: Any, zone: str | None) -> str:
    if side.version is None:
        return f"the record now ({side.stage})"
    filed = f", filed {moment(side.filed_at, zone)}" if side.filed_at else ""
    return f"version {side.version} ({side.stage}{filed})"
