"""What an update of the packs changes for the incidents that are open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tocsin.content.loaders import law as library_loader
from tocsin.content.loaders import libraries
from tocsin.law import updating
from tocsin.law.obligations import obligations
from tocsin.law.regime import Library
from tocsin.law.updating import Change, Packs
from tocsin.model.errors import UsageFault
from tocsin.model.incident import Phase
from tocsin.model.law import STATEMENT
from tocsin.service import duties, incidents, keeping
from tocsin.service.desk import Desk

INSTALLED, LAST = "installed", "last"
PREFIX_MIN = 6


@dataclass(frozen=True, slots=True)
class Affected:
    """An open incident for which something changes."""

    incident: str
    title: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Updated:
    """Two libraries, how they differ, and the open incidents for which that changes something."""

    old: str
    new: str
    as_of: datetime
    packs: Packs
    looked_at: int
    """How many incidents are open."""
    incidents: tuple[Affected, ...]
    statement: str = STATEMENT


def diff(desk: Desk, old: str = LAST, new: str = INSTALLED) -> Updated:
    """What changes for the open incidents from `old` to `new`.

    Each is a path to a library (a folder, a wheel, an older installation), `installed`, `last` (the one that this workspace used before
    the installed one), or the beginning of the digest of one that the workspace used.

    Raises:
        UsageFault: there is no such library.
        BadInput: a library cannot be read; every mistake is told.
    """
    before, after = _named(desk, old), _named(desk, new)
    open_ones = [one for one in incidents.every(desk) if one.phase is not Phase.CLOSED]
    found = []
    for one in open_ones:
        case = duties.case_of(desk, one)
        told = updating.changes(obligations(case, before), obligations(case, after))
        if told:
            found.append(Affected(one.id, one.title, told))
    return Updated(
        before.digest, after.digest, desk.clock(), updating.packs(before, after), len(open_ones), tuple(found)
    )


def _named(desk: Desk, word: str) -> Library:
    installed = library_loader.load()
    if word == INSTALLED or (len(word) >= PREFIX_MIN and installed.digest.startswith(word)):
        return installed
    copies = [path for path in keeping.copies(desk.root) if path.stem != installed.digest]
    if word == LAST:
        if not copies:
            raise UsageFault(
                "this workspace has used no other packs than the installed ones", "name a folder or a wheel"
            )
        return libraries.kept(copies[-1], copies[-1].stem)
    if Path(word).exists():
        return libraries.at(Path(word))
    chosen = [path for path in copies if len(word) >= PREFIX_MIN and path.stem.startswith(word)]
    if len(chosen) != 1:
        known = ", ".join(path.stem[:12] for path in copies) or "none"
        what = f"{word!r} is no library of law: no folder, no wheel, and not the digest of packs that were used here"
        raise UsageFault(what, f"digests of packs that were used before: {known}")
    return libraries.kept(chosen[0], chosen[0].stem)
