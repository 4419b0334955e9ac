"""`tocsin detect`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any

from cyclopts import Parameter

from tocsin.cli.commands import times
from tocsin.cli.options import DEFAULT, Shared
from tocsin.cli.output import bars, emit, heading, moment, say, table
from tocsin.model.errors import EXIT_OK, EXIT_REFUSED
from tocsin.model.finding import Level


def detect(
    *systems: str,
    close_until: str | None = None,
    triage: Annotated[bool, Parameter(negative="--no-triage")] = True,
    shared: Shared = DEFAULT,
) -> int:
    """Judge new telemetry; open and update incidents.

    Exit code 1 when something was found or an incident was opened, 0 when neither was.

    Parameters
    ----------
    systems
        Systems to judge; default: all.
    close_until
        Close windows that end before this time although no newer telemetry is there; of rows, the last unfinished one, too.
    triage
        Take findings to incidents.
    """
    from tocsin.service.detecting import detect as run
    from tocsin.service.triage import triage as take

    with shared.desk() as desk, bars(shared) as progress:
        detected = run(desk, systems, progress, close_until=times.instant(close_until) if close_until else None)
        triaged = take(desk, progress) if triage else None
    body = {"systems": detected.systems, "false_alarms": detected.false_alarms, "triage": triaged}
    emit(body, shared, lambda _: show(detected, triaged, shared))
    return EXIT_REFUSED if detected.findings or (triaged and triaged.opened) else EXIT_OK


def show(detected: Any, triaged: Any, shared: Shared) -> None:
    """Show what a run judged, found and opened."""
    rows = []
    for system in detected.systems:
        for watched in system.detectors:
            note = "began anew" if watched.began_anew else ""
            rows.append(
                (
                    system.system,
                    watched.detector,
                    watched.windows,
                    watched.windows_total,
                    _evidence(watched.statistics),
                    len(watched.findings),
                    note,
                )
            )
    table(
        ("system", "detector", "windows", "of", "evidence / alarm", "findings", ""),
        rows,
        right=("windows", "of", "findings"),
    )
    for system in detected.systems:
        for watched in system.detectors:
            _totals(system.system, watched)
    for promise in detected.false_alarms:
        say(promise)
    for finding in detected.findings:
        if finding.level != Level.SIGHTING:
            _told(finding, shared)
    _sightings([finding for finding in detected.findings if finding.level == Level.SIGHTING])
    if triaged:
        say()
        for incident_id in triaged.opened:
            say(f"Opened {incident_id}. See: tocsin incident show {incident_id}", "bold red")
        for incident_id in triaged.joined:
            say(f"Updated {incident_id}.", "bold")
        if not triaged.opened and not triaged.joined:
            say("No incident was opened or changed.", "bold")


def _told(finding: Any, shared: Shared) -> None:
    heading(f"{finding.level.upper()}  {finding.title}")
    say(f"  {finding.explanation}")
    say(f"  {finding.system} / {finding.detector} / finding {finding.id} / {moment(finding.window.end, shared.zone)}")


def _sightings(found: Sequence[Any]) -> None:
    """Sightings by what was seen, the most frequent first: they are counted, and none is an incident by itself."""
    if not found:
        return
    counts, times = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for finding in found:
        counts[finding.system, finding.title] += finding.count
        times[finding.system, finding.title] += 1
    heading("Sightings")
    rows = ((system, what, f"{n:,}", times[system, what]) for (system, what), n in counts.most_common())
    table(("system", "what", "count", "windows"), rows, right=("count", "windows"))
    say("Each one: tocsin findings --level sighting")


def _evidence(statistics: Any) -> str:
    """Evidence against "nothing is wrong", of what is nearest to its alarm, beside what raises that, as powers of ten."""
    logs = statistics.get("log10_e") or {}
    threshold = statistics.get("log10_threshold")
    if not logs or threshold is None:
        return "-"
    nearest = logs.get(statistics.get("top"), max(logs.values()))
    return f"10^{nearest:.1f} / 10^{threshold:.1f}"


def _totals(system: str, watched: Any) -> None:
    """Rows and rates per group since the detector began."""
    totals = watched.statistics.get("totals") or {}
    shown = ", ".join(f"{name} {k / n:.2%} of {n:,}" for name, (n, k) in totals.items() if n)
    if shown:
        say(f"{system} / {watched.detector}: {shown}")
