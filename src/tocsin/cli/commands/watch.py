"""`tocsin watch`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from tocsin.cli.options import DEFAULT, Shared
from tocsin.cli.output import counted, emit, say


def watch(
    folder: Path,
    *,
    system: Annotated[str, Parameter(name=["--system", "-s"])],
    every: float = 2.0,
    once: Annotated[bool, Parameter(negative="")] = False,
    shared: Shared = DEFAULT,
) -> None:
    """Follow a folder: ingest, detect and triage what arrives.

    A file is read once its size no longer changes. Stop with Ctrl-C; starting again reads nothing twice.

    Parameters
    ----------
    folder
        The folder to follow.
    system
        The system whose telemetry arrives there.
    every
        Seconds between two looks.
    once
        Look until nothing more arrives, then stop.
    """
    from tocsin.service.detecting import detect
    from tocsin.service.triage import triage
    from tocsin.service.watching import watch as run

    with shared.desk() as desk:

        def after() -> None:
            detected, triaged = detect(desk, (system,)), triage(desk)
            for finding in detected.findings:
                _tell(shared, f"{finding.level.upper()}  {finding.title}")
            for incident_id in triaged.opened:
                _tell(shared, f"opened {incident_id}")

        def arrived(file: Any) -> None:
            _tell(shared, f"{file.name}: {counted(file.rows, 'row')}, {file.quarantined:,} in quarantine")

        def failed(path: Path, error: Exception) -> None:
            _tell(shared, f"{path.name}: {error}")

        if not once:
            _tell(shared, f"Watching {folder} for {system}; Ctrl-C stops.")
        result = run(
            desk,
            system,
            folder,
            stop=lambda: False,
            until_quiet=once,
            on_file=arrived,
            on_error=failed,
            after=after,
            interval_s=every,
        )
    emit(
        result,
        shared,
        lambda r: say(
            f"{counted(r.files, 'file')}, {counted(r.rows, 'row')}, {r.quarantined:,} in quarantine, {r.failed} failed."
        ),
    )


def _tell(shared: Shared, text: str) -> None:
    if not shared.json:
        say(text)
