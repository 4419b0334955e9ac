"""`tocsin init`, `tocsin check`, `tocsin policy`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from tocsin.cli.options import DEFAULT, Shared
from tocsin.cli.output import counted, emit, heading, say, table
from tocsin.model.errors import EXIT_BAD_INPUT, EXIT_OK, EXIT_REFUSED
from tocsin.service.clock import wall_clock


def init(
    directory: Path,
    *,
    template: Annotated[str | None, Parameter(name=["--template", "-t"])] = None,
    shared: Shared = DEFAULT,
) -> None:
    """Make a workspace from a template.

    Parameters
    ----------
    directory
        The folder to make; it may exist if it is empty, or hold a policy.yaml of your own.
    template
        bank, assistant, hospital or empty; default: empty.
    """
    from tocsin.service import workspaces

    made = workspaces.init(directory, template, shared.author(), wall_clock)
    emit(made, shared, _made)


def _made(made: Any) -> None:
    say(f"Made a workspace in {made.root} from the template {made.template}.", "bold")
    for name in made.files:
        say(f"  {name}")
    say()
    say(f"Next: edit policy.yaml, then run: tocsin check -C {made.root}")


def check(*, gaps: Annotated[bool, Parameter(negative="")] = False, shared: Shared = DEFAULT) -> int:
    """Check the policy and every system; list every mistake and every gap.

    Exit code 3 when there are mistakes. Gaps do not make the workspace unusable; with --gaps they give exit code 1.

    Parameters
    ----------
    gaps
        Fail on gaps as well.
    """
    from tocsin.service import workspaces

    checked = workspaces.check(shared.root(), wall_clock().date())
    body = {"ok": checked.ok, "problems": checked.problems, "gaps": checked.gaps, "false_alarms": checked.false_alarms}
    body["chosen"] = checked.chosen
    emit(body, shared, lambda _: _checked(checked))
    if not checked.ok:
        return EXIT_BAD_INPUT
    return EXIT_REFUSED if gaps and checked.gaps else EXIT_OK


def _checked(checked: Any) -> None:
    for problem in checked.problems:
        say(f"error: {problem}", "red")
    if checked.gaps:
        heading("Gaps: duties of the policy that nothing answers yet")
        table(
            ("weight", "what", "remedy", "asked by"),
            ((g.weight, g.what, g.remedy, ", ".join(g.answers)) for g in checked.gaps),
        )
    for sentence in checked.chosen:
        say(sentence)
    if checked.false_alarms:
        heading("False alarms to expect")
        for promise in checked.false_alarms:
            say(f"  {promise}")
    say()
    mistakes = counted(len(checked.problems), "mistake").capitalize()
    say(f"{mistakes}, {counted(len(checked.gaps), 'gap')}.", "bold")


def policy(*, shared: Shared = DEFAULT) -> None:
    """Print the policy as the document that a board signs, in Markdown."""
    from tocsin.govern.policy_document import markdown
    from tocsin.service import workspaces

    document = workspaces.document(shared.root())
    emit(document, shared, lambda _: say(markdown(document)))
