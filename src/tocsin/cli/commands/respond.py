"""`tocsin respond`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from tocsin.cli.options import DEFAULT, Shared
from tocsin.cli.output import counted, emit, heading, say


def respond(
    incident: str,
    step: str | None = None,
    *,
    outcome: Annotated[str, Parameter(name=["--outcome", "-o"])] = "",
    evidence: Path | None = None,
    shared: Shared = DEFAULT,
) -> None:
    """Show the next steps of the playbook, or complete one.

    Parameters
    ----------
    incident
        The incident's id.
    step
        The step to complete, by its short name or the beginning of its name.
    outcome
        What was done; it stands in the ledger.
    evidence
        A file to seal as evidence of the step.
    """
    from tocsin.adapters.files import told
    from tocsin.service import responding

    with shared.desk() as desk:
        if step is None:
            state = responding.begin(desk, incident)
        else:
            data = b""
            if evidence:
                with told(evidence):
                    data = evidence.read_bytes()
            state = responding.complete(desk, incident, step, outcome, data)
    emit(state, shared, lambda s: _show(incident, s))


def _show(incident: str, state: Any) -> None:
    say(
        f"{state.playbook}: {counted(len(state.done), 'step')} done, {counted(len(state.mandatory_missing), 'mandatory one')} left",
        "bold",
    )
    heading("Next")
    for due in state.next:
        say(f"  {due.slug}  {due.name}{'' if due.mandatory else '  (optional)'}", "bold")
        say(f"      who: {due.role}")
        say(f"      why: {due.why}")
        say(f'      done: tocsin respond {incident} {due.slug} --outcome "{due.evidence}"')
    for fact in state.questions:
        say(f"  ? the way on depends on {fact}: tocsin incident set {incident} --fact {fact}=yes|no")
    if not state.next:
        say("  Nothing is left to do.")
