"""`tocsin findings`."""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import Parameter

from tocsin.cli.options import DEFAULT, Shared
from tocsin.cli.output import counted, emit, heading, moment, pairs, say, table
from tocsin.model.errors import UsageFault
from tocsin.model.finding import Level


def findings(
    finding: str | None = None,
    *,
    system: Annotated[str | None, Parameter(name=["--system", "-s"])] = None,
    level: str | None = None,
    shared: Shared = DEFAULT,
) -> None:
    """List what the detectors found, or explain one finding.

    Parameters
    ----------
    finding
        The id of a finding, or its beginning: explain it.
    system
        Only this system's.
    level
        Only this level: sighting, alarm or severe.
    """
    from tocsin.service.detecting import findings as recorded

    if level is not None and level not in set(Level):
        raise UsageFault(f"no level {level!r}", f"the levels are: {', '.join(Level)}")
    with shared.desk() as desk:
        found = recorded(desk, [system] if system else [])
        if system and not found:
            desk.system(system)
    if finding is None:
        chosen = [(f, at) for f, at in found if level in (None, f.level)]
        emit([f for f, _ in chosen], shared, lambda _: _list(chosen, shared))
        return
    matching = [f for f, _ in found if f.id.startswith(finding)]
    if len(matching) != 1:
        raise UsageFault(
            f"{counted(len(matching), 'finding')} with an id that begins with {finding!r}", "see: tocsin findings"
        )
    emit(matching[0], shared, lambda f: explain(f, shared))


def _list(found: list[Any], shared: Shared) -> None:
    if not found:
        say("No findings.")
        return
    rows = ((f.id, f.level, f.system, f.detector, f.title, f.count, moment(at, shared.zone)) for f, at in found)
    table(("id", "level", "system", "detector", "what", "count", "found"), rows, right=("count",))
    say(f"{counted(len(found), 'finding').capitalize()}. Explain one with: tocsin findings ID")


def explain(f: Any, shared: Shared) -> None:
    """Show a finding with everything it says of itself."""
    say(f"{f.level.upper()}  {f.title}", "bold")
    say(f.explanation)
    heading("How sure")
    pairs(
        [
            (
                "evidence" if f.strength.kind == "e_value" else "score",
                f"{f.strength.value:.4g}, told from {f.strength.threshold:.4g} on",
            ),
            ("guarantee", f.strength.guarantee),
            ("effect", _effect(f.effect)),
            ("since", _since(f.since, shared)),
            (
                "window",
                f"{f.window.index}: {moment(f.window.start, shared.zone)} to {moment(f.window.end, shared.zone)}",
            ),
        ]
    )
    heading("What it rests on")
    shown = ((name, value) for name, value in f.details.items() if name not in ("digests", "cut"))
    pairs([("count", f"{f.count:,}"), *shown])
    pairs(
        [("shown masked", ", ".join(f.masked)), ("tags", ", ".join(f.tags)), ("detector", f"{f.system} / {f.detector}")]
    )
    for ref in f.rows[:5]:
        say(f"    segment {ref.segment[:12]} row {ref.row}")
    heading("What it cannot see")
    for line in f.blind_spots:
        say(f"  - {line}")
    heading("What to look at next")
    for line in f.next_steps:
        say(f"  - {line}")


def _effect(effect: Any) -> str:
    if effect is None:
        return ""
    return f"{effect.name}: {effect.value:.1f} {effect.unit} ({effect.low:.1f} to {effect.high:.1f} at {effect.confidence:.0%})"


def _since(since: Any, shared: Shared) -> str:
    if since is None:
        return ""
    earliest, latest = moment(since.earliest, shared.zone), moment(since.latest, shared.zone)
    return f"about {moment(since.start, shared.zone)} (between {earliest} and {latest}; {since.note})"
