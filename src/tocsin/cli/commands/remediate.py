"""`tocsin remediate`."""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import Parameter

from tocsin.cli.commands import times
from tocsin.cli.options import DEFAULT, Shared
from tocsin.cli.output import bars, emit, moment, say, table
from tocsin.model.errors import EXIT_OK, EXIT_REFUSED


def remediate(
    incident: str,
    *,
    cause: str | None = None,
    action: str | None = None,
    effective: str | None = None,
    release: str = "",
    correct: str = "",
    verify: Annotated[bool, Parameter(negative="")] = False,
    attest: str | None = None,
    shared: Shared = DEFAULT,
) -> int:
    """Record cause and corrective actions; prove the fix on telemetry from after it.

    With --verify the detector that fired runs again on the rows since the fix and must reject that the fault is still there. Exit code 1
    while that is not proven.

    Parameters
    ----------
    incident
        The incident's id.
    cause
        What caused it, and how that is known.
    action
        A corrective action.
    effective
        From when the action is in force, with its offset.
    release
        The release that carries it.
    correct
        The id of a recorded action that this one replaces, for instance A1, when its time or text was wrong.
    verify
        Prove the fix now.
    attest
        How a person verified the end, where there is no finding of a detector to replay.
    """
    from tocsin.model.errors import UsageFault
    from tocsin.service import incidents, remediating

    if (effective or release or correct) and not action:
        raise UsageFault("--effective, --release and --correct belong to an action", "say what was done with --action")
    if not any((cause, action, verify, attest)):
        raise UsageFault("nothing to do", "use --cause, --action, --verify or --attest")
    at = times.instant(effective) if effective else None
    with shared.desk() as desk, bars(shared) as progress:
        if cause:
            remediating.record_cause(desk, incident, cause)
        if action:
            remediating.record_action(desk, incident, action, at, release, correct=correct)
        if attest:
            remediating.attest(desk, incident, attest)
        verdict = remediating.verify(desk, incident, progress) if verify else None
        state = incidents.find(desk, incident)
    emit(verdict or state, shared, lambda _: _show(state, verdict, shared.zone))
    return EXIT_OK if verdict is None or verdict.passed else EXIT_REFUSED


def _show(state: Any, verdict: Any, zone: str | None) -> None:
    say(f"{state.id}  {state.title}", "bold")
    say(f"  cause: {state.cause or 'not recorded'}")
    for action in state.actions:
        since = moment(action.effective_from, zone) if action.effective_from else "not yet"
        say(f"  action {action.id}: {action.text} (effective {since})")
    if state.attested:
        say(f"  the end was verified: {state.attested}")
    if verdict:
        rows = (
            (p.finding, p.detector, "proven" if p.clearance.passed else "NOT PROVEN", p.clearance.statement)
            for p in verdict.proofs
        )
        table(("finding", "detector", "", "statement"), rows)
