"""`tocsin demo`."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Any

from tocsin.cli.commands import duties as law_commands
from tocsin.cli.options import DEFAULT, Shared
from tocsin.cli.output import bars, counted, emit, heading, moment, say
from tocsin.model.errors import EXIT_OK, EXIT_REFUSED


def demo(directory: Path = Path("tocsin-demo"), *, shared: Shared = DEFAULT) -> int:
    """Play a month in the life of a bank and its support assistant.

    A credit model turns unfair with release 2.3.0, and a poisoned document makes the assistant leak customers' data. Everything that
    follows goes through the same commands that you will use.

    Parameters
    ----------
    directory
        The folder to make.
    """
    from tocsin.service.demonstrating import play

    if not shared.json:
        say("Playing October 2026 at Nordhafen Bank: a credit model and a support assistant, about 430,000 rows.")
    try:
        with bars(shared) as progress:
            played = play(directory, progress)
    except KeyboardInterrupt:
        print("the month was not played to its end; play it again in a new folder", file=sys.stderr)
        raise
    emit(played, shared, lambda p: _show(p, shared))
    return EXIT_OK if played.verified and not played.others and len(played.incidents) == 2 else EXIT_REFUSED


def _show(played: Any, shared: Shared) -> None:
    say(
        f"{played.predictions:,} credit decisions and {played.messages:,} messages came in; {played.windows:,} windows were judged."
    )
    more = f", and {played.others} that should not be there" if played.others else " and nothing else"
    say(f"{counted(len(played.incidents), 'incident')} opened{more}.", "bold")
    for told in played.incidents:
        _incident(told, shared)
    heading("The ledger")
    state = "verified: every event, segment and piece of evidence" if played.verified else "NOT VERIFIED"
    say(f"  {counted(played.events, 'event')}, {state}; signed checkpoint in {played.checkpoint}")
    heading("Where to look")
    for told in played.incidents:
        say(f"  tocsin incident show {told.id} -C {played.root}")
    say(f"  tocsin law due --explain {played.incidents[0].id if played.incidents else ''} -C {played.root}")
    say(f"  tocsin findings -C {played.root}")
    say(f"  tocsin verify {played.root} --deep")
    for path in (path for told in played.incidents for path in told.report):
        say(f"  {path}")


def _incident(told: Any, shared: Shared) -> None:
    heading(f"{told.id}  {told.title}")
    say(
        f"  {told.severity}, detected {told.minutes_to_detect} minutes after the harm began, on {moment(told.detected, shared.zone)}"
    )
    law_commands.show_duties(told.clocks, shared, told.detected, brief=True)
    for path in told.report:
        say(f"  report: {path}" + (f" ({counted(told.gaps, 'gap')} named)" if path.endswith(".pdf") else ""))
    for line, findings in Counter(told.proof).items():
        say(f"  {line}" + (f" ({counted(findings, 'finding')})" if findings > 1 else ""))
    say(
        "  closed" if told.closed else f"  open: {'; '.join(told.still_missing) or 'the fix is not proven yet'}", "bold"
    )
