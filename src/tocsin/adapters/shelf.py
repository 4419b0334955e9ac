"""Compiled databases of patterns in the user's cache folder. Whatever goes wrong there only costs the time to compile again."""

from __future__ import annotations

import os
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from tocsin.adapters.files import write_atomically

KEPT = 80
"""Databases kept, five for a set of patterns; of more, those that were used longest ago go."""
DIGEST_BYTES = 32


def cache_folder() -> Path:
    """`$XDG_CACHE_HOME/tocsin`, or `~/.cache/tocsin`."""
    named = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(named) if named else Path("~/.cache").expanduser()) / "tocsin"


class FolderShelf:
    """A file a database, with the digest of its bytes before it, so that damage is seen."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, name: str) -> bytes | None:
        """What was written under the name; None where there is nothing, or it is damaged."""
        path = self._path(name)
        with suppress(OSError):
            data = path.read_bytes()
            if sha256(data[DIGEST_BYTES:]).digest() == data[:DIGEST_BYTES]:
                os.utime(path)
                return data[DIGEST_BYTES:]
        return None

    def write(self, name: str, data: bytes) -> None:
        """Keep it if the disk takes it."""
        with suppress(OSError):
            write_atomically(self._path(name), sha256(data).digest() + data)
            self._tidy()

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.hsdb"

    def _tidy(self) -> None:
        files = sorted(self._folder.glob("*.hsdb"), key=lambda path: path.stat().st_mtime, reverse=True)
        for path in files[KEPT:]:
            path.unlink(missing_ok=True)
