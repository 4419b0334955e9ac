"""Which reader a file needs, and whether the file has the columns that the mapping names, before anything is recorded."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tocsin.adapters.telemetry.chunks import Reader
from tocsin.adapters.telemetry.mapping import Plan, missing_columns, refused
from tocsin.adapters.telemetry.opening import opened
from tocsin.model.errors import BadInput, Place
from tocsin.model.policy import TelemetryMapping

NAMES_KEPT = 1_000


def chosen(readers: Mapping[str, Reader], telemetry: TelemetryMapping, path: Path) -> Reader:
    """The reader that the mapping names, or else the one that is surest of the file. Raises BadInput when none fits."""
    name: str = telemetry.format
    if name == "auto":
        with opened(path) as file:
            sure = {reader.name: reader.recognizes(file.name, file.head) for reader in readers.values()}
        name = max(sure, key=lambda reader: sure[reader])
        if not sure[name] and file.head:
            known = ", ".join(sorted(readers))
            what = "the format is not recognized"
            raise BadInput.at(Place(str(path)), what, f"set telemetry.format to one of: {known}")
    reader = readers[name]
    if reader.table not in (None, telemetry.table):
        what = f"{reader.name} files hold {reader.table}, but the system's telemetry.table is {telemetry.table}"
        raise BadInput.at(Place(str(path)), what, "give another file, or change the mapping")
    return reader


def check_columns(path: Path, reader: Reader, columns: Plan) -> None:
    """Look for the mapped columns. Raises BadInput for those that the file does not have.

    Where rows may leave a key out, the file is read until each was seen once.
    """
    if not missing_columns(columns, ()):
        return
    seen: set[str] = set()
    names: dict[str, None] = {}
    rows = 0
    with opened(path) as file:
        for chunk in reader.read(file.stream, str(path), columns.wanted()):
            seen |= set(chunk.columns)
            names |= dict.fromkeys(chunk.names) if len(names) < NAMES_KEPT else {}
            rows += len(chunk.lines)
            if (names and not reader.sparse) or not missing_columns(columns, seen):
                break
    missing = missing_columns(columns, seen)
    if missing and (rows or (names and not reader.sparse)):
        raise refused(str(path), missing, list(names))
