"""The copies of packs that a workspace keeps: every library that its duties were computed with, as `.tocsin/law/<digest>.zip`.

So what was due under an older version can be computed again, and compared, when that version is long gone from the machine.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from tocsin.adapters.files import write_atomically
from tocsin.content.loaders import law, libraries

FOLDER = Path(".tocsin") / "law"


def keep(root: Path) -> None:
    """Keep a copy of the installed library in the workspace at `root`, once. Where nothing can be written, nothing is kept."""
    path = root / FOLDER / f"{law.load().digest}.zip"
    if not path.exists():
        with suppress(OSError):
            write_atomically(path, libraries.packed())


def copies(root: Path) -> list[Path]:
    """The kept copies, the one that was made last at the end."""
    return sorted((root / FOLDER).glob("*.zip"), key=lambda path: (path.stat().st_mtime_ns, path.name))
