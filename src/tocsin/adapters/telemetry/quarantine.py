"""Rows that could not be used, kept beside the telemetry: one JSON object a line with the line, the reason and the raw text.

They are written as they are found, so that a file of nothing but bad rows costs no memory, and named whole only at the end.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import IO

import msgspec
import numpy as np

from tocsin.adapters.files import sync_folder, told
from tocsin.adapters.telemetry.chunks import Bad, Lines
from tocsin.model.errors import Refused

KINDS_MAX = 50


class Quarantine:
    """The bad rows of one file, on their way to `path`; only one process at a time may write them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        self._part = path.with_name(f".{path.name}.part")
        self._file: IO[bytes] | None = None
        self._digest = sha256()
        self._kinds: Counter[str] = Counter()

    def add(self, rows: Iterable[Bad]) -> None:
        """Keep these rows."""
        for row in rows:
            line = {"line": row.line, "reason": row.reason, "remedy": row.remedy, "raw": row.raw}
            self._write(msgspec.json.encode(line) + b"\n")
            self._kinds[row.kind] += 1
            self.count += 1

    def reasons(self) -> dict[str, int]:
        """How often each kind of mistake occurred, the most frequent first; nothing of the rows themselves."""
        return dict(self._kinds.most_common(KINDS_MAX))

    def close(self) -> str:
        """Put the file in its place, durably; gives the hex SHA-256 of its bytes."""
        if self._file is not None:
            with told(self.path):
                self._file.flush()
                os.fsync(self._file.fileno())
                self._file.close()
                self._part.replace(self.path)
                sync_folder(self.path.parent)
            self._file = None
        return self._digest.hexdigest()

    def discard(self) -> None:
        """Forget what was written so far; nothing happens after `close`."""
        if self._file is not None:
            self._file.close()
            self._file = None
            self._part.unlink(missing_ok=True)

    def _write(self, data: bytes) -> None:
        with told(self.path):
            if self._file is None:
                self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._file = os.fdopen(os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")
            self._file.write(data)
        self._digest.update(data)


def lines_in(path: Path, digest: str) -> Lines:
    """The lines of the rows in a quarantine file. Raises Refused when it is not the file of that digest."""
    found, lines = sha256(), []
    with told(path), path.open("rb") as file:
        for line in file:
            found.update(line)
            lines.append(_numbers.decode(line).line)
    if found.hexdigest() != digest:
        raise Refused(f"{path} was changed", remedy="restore it from a backup")
    return np.array(lines, np.int64)


class _Number(msgspec.Struct, gc=False):
    line: int


_numbers = msgspec.json.Decoder(_Number)
