"""A folder that is there whole or not at all: how a workspace is born."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tocsin.adapters.files import sync_folder, told
from tocsin.model.errors import UsageFault

MAKING = ".tocsin-making-"
LAST = ".tocsin"
"""What makes a folder a workspace is moved last: before that, nothing takes the folder for one."""
IGNORED = frozenset({".git"})


@contextmanager
def made_whole(target: Path) -> Iterator[Path]:
    """A folder to fill. It becomes `target` when the block ends well; otherwise nothing of it stays.

    Raises:
        UsageFault: `target` is a file, or a folder with something in it.
        EnvironmentFault: the disk is full or the place may not be written.
    """
    with told(target):
        existed = _free(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        folder = (target if existed else target.parent) / f"{MAKING}{os.getpid()}-{os.urandom(4).hex()}"
        folder.mkdir()
        try:
            yield folder
            if existed:
                _move_into(target, folder)
            else:
                folder.rename(target)
            sync_folder(target.parent)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def awaits_workspace(target: Path) -> bool:
    """Whether the folder holds a policy but no `.tocsin` yet: a copy from version control, say."""
    with told(target):
        return (target / "policy.yaml").is_file() and not (target / LAST).exists()


def _free(target: Path) -> bool:
    """Whether the folder exists already, being empty."""
    if not target.exists() and not target.is_symlink():
        return False
    if not target.is_dir():
        raise UsageFault(f"{target} is not a folder", "name a folder that does not exist yet")
    names = sorted(item.name for item in target.iterdir() if item.name not in IGNORED)
    if "policy.yaml" in names and LAST in names:
        raise UsageFault(f"{target} is a workspace already", "use it as it is, or name another folder")
    if any(name.startswith(MAKING) for name in names):
        raise UsageFault(
            f"an interrupted init left files in {target}", f"remove {', '.join(names)} and run the command again"
        )
    if names:
        raise UsageFault(f"{target} is not empty: it holds {', '.join(names[:3])}", "name a new folder")
    return True


def _move_into(target: Path, folder: Path) -> None:
    """Move what is in `folder` up into `target`; take everything back when one move fails."""
    moved: list[Path] = []
    complete = False
    try:
        for item in sorted(folder.iterdir(), key=lambda item: item.name == LAST):
            item.rename(target / item.name)
            moved.append(target / item.name)
        complete = True
    finally:
        for path in [] if complete else moved:
            path.rename(folder / path.name)
