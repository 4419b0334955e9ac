"""`tocsin ingest`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from tocsin.cli.options import DEFAULT, Shared
from tocsin.cli.output import bars, counted, emit, say, table


def ingest(
    *files: Path,
    system: Annotated[str, Parameter(name=["--system", "-s"])],
    labels: Annotated[bool, Parameter(negative="")] = False,
    shared: Shared = DEFAULT,
) -> None:
    """Read telemetry files into the workspace: JSONL, CSV, Parquet, OTLP/JSON; also compressed.

    The same file twice changes nothing. A run that was killed goes on where it was. Bad rows are kept in quarantine, with the line and
    the reason.

    Parameters
    ----------
    files
        Files, folders, or - for standard input.
    system
        The system whose telemetry it is.
    labels
        The files hold labels that came later than their predictions.
    """
    from tocsin.model.errors import UsageFault
    from tocsin.service.ingesting import ingest as run

    if not files:
        raise UsageFault("no file is named", "name files, folders, or - for standard input")
    with shared.desk() as desk, bars(shared) as progress:
        result = run(desk, system, files, progress, labels=labels)
    emit(result, shared, _ingested)


def _state(file: Any) -> str:
    if file.already_known:
        return "known already, nothing changed"
    if file.read_again:
        return "quarantine read again"
    return f"grew: read after line {file.continued_after:,}" if file.continued_after else "read"


def _ingested(result: Any) -> None:
    rows = [
        (
            f.name,
            f"{f.rows:,}",
            f"{f.quarantined:,}",
            f"{f.duplicates:,}",
            _state(f),
        )
        for f in result.files
    ]
    table(("file", "rows", "quarantined", "duplicates", "state"), rows, right=("rows", "quarantined", "duplicates"))
    for file in result.files:
        if file.quarantined and not file.already_known:
            say(f"{file.name}: {file.quarantined:,} bad rows are kept in {file.quarantine}", "yellow")
            for reason, count in file.reasons.items():
                say(f"  {count:,} × {reason}")
        if file.left_out and not file.rows:
            say(f"{file.name}: every row was left out: look at the values below `telemetry.only`", "yellow")
        elif file.left_out:
            say(f"{file.name}: {counted(file.left_out, 'row')} of other systems left out")
        if file.out_of_order:
            say(f"{file.name}: {counted(file.out_of_order, 'row')} older than the row before")
    say(f"{counted(result.rows, 'row')} in, {result.quarantined:,} in quarantine.", "bold")
