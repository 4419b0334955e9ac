"""Register: texts that must not come out of a system, and canaries that show when their surroundings were read.

The text itself is not kept, only keyed hashes of its stretches; the ledger holds that it was registered, by whom and when.
"""

from __future__ import annotations

from base64 import b32encode
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path

from tocsin.adapters.files import told
from tocsin.adapters.workspace import registered as store
from tocsin.detect.agents.registered import KINDS, Canary, Registered, Registry, registered
from tocsin.detect.agents.shingles import LENGTH
from tocsin.model.errors import UsageFault
from tocsin.model.event import ANY_VERSION, Append, Json
from tocsin.service.desk import Desk

STREAM = "registered"
TEXT_MAX = 256 << 20
"""Bytes of a text that can be registered."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Something registered, as it may be shown: nothing of the text."""

    id: str
    kind: str
    system: str
    stretches: int
    token: str = ""
    """Of a canary only, and only when it is made: plant it now."""


def add(desk: Desk, system: str, name: str, kind: str, file: Path) -> Entry:
    """Register the text in a file for a system.

    Raises:
        UsageFault: no such system or kind, the id is taken or none, or the text is not UTF-8, too short or too large.
        EnvironmentFault: the file cannot be read.
    """
    desk.system(system)
    _free(desk, name)
    if kind not in KINDS:
        raise UsageFault(f"no kind of text {kind!r}", f"the kinds are: {', '.join(KINDS)}")
    entry = registered(name, kind, system, _text(file), _key(desk))
    if not len(entry.hashes):
        raise UsageFault(
            f"{file} holds less than {LENGTH} bytes of wording", "register a longer text, or plant a canary"
        )
    return _kept(desk, entry)


def canary(desk: Desk, system: str, name: str, random: Callable[[int], bytes]) -> Entry:
    """Make a canary for a system. `random` gives so many random bytes. Its token is shown once and then kept secret."""
    desk.system(system)
    _free(desk, name)
    token = "tcn" + b32encode(random(14)).decode().lower()[:21]
    return replace(_kept(desk, Canary(name, system, token)), token=token)


def entries(desk: Desk) -> list[Entry]:
    """Everything registered, by id."""
    return [_shown(entry) for entry in store.read(desk.root)]


def remove(desk: Desk, name: str) -> None:
    """Forget an entry; findings that it made stay. Raises UsageFault when there is none of that id."""
    if name not in {entry.id for entry in entries(desk)}:
        known = ", ".join(entry.id for entry in entries(desk)) or "nothing yet"
        raise UsageFault(f"nothing registered under {name!r}", f"registered: {known}")
    _record(desk, "text_forgotten", id=name)
    store.remove(desk.root, name)


def registry(desk: Desk, system: str) -> Registry:
    """What is registered for a system, as detectors take it."""
    mine = [entry for entry in store.read(desk.root) if entry.system == system]
    texts = tuple(entry for entry in mine if isinstance(entry, Registered))
    canaries = tuple(entry for entry in mine if isinstance(entry, Canary))
    return Registry(texts, canaries, _key(desk))


def _kept(desk: Desk, entry: Registered | Canary) -> Entry:
    """Recorded first, then kept: a crash in between leaves a record without a text, and adding it again mends that."""
    shown = _shown(entry)
    _record(desk, "text_registered", id=shown.id, text=shown.kind, system=shown.system, stretches=shown.stretches)
    store.write(desk.root, entry)
    return shown


def _record(desk: Desk, kind: str, **data: Json) -> None:
    desk.ledger.append(Append(STREAM, ANY_VERSION, [desk.event(kind, **data)]))


def _shown(entry: Registered | Canary) -> Entry:
    if isinstance(entry, Canary):
        return Entry(entry.id, "canary", entry.system, 0)
    return Entry(entry.id, entry.kind, entry.system, len(entry.hashes) * entry.every)


def _free(desk: Desk, name: str) -> None:
    if not name or not all(c.isascii() and (c.isalnum() or c in "-_") for c in name):
        raise UsageFault(f"{name!r} is no id", "use a-z, 0-9, - and _, for instance lotse-prompt")
    if name in {entry.id for entry in entries(desk)}:
        raise UsageFault(f"{name!r} is registered already", f"choose another id, or: tocsin register forget {name}")


def _text(file: Path) -> str:
    with told(file):
        size = file.stat().st_size
        if size > TEXT_MAX:
            raise UsageFault(f"{file} has {size:,} bytes; {TEXT_MAX:,} can be registered", "split it into several")
        data = file.read_bytes()
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageFault(f"{file} is not UTF-8: {error.reason} at byte {error.start:,}", "save it as UTF-8") from None


def _key(desk: Desk) -> int:
    return int.from_bytes(blake2b(b"registered", digest_size=8, key=desk.salt[:64]).digest(), "little")
