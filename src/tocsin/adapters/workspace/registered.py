"""What is registered in a workspace: one file an entry below `.tocsin/registered/`, secret as the salt is."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np

from tocsin.adapters.files import told, write_atomically
from tocsin.detect.agents.registered import Canary, Registered
from tocsin.model.errors import BadInput, Place

VERSION = 1


class _Entry(msgspec.Struct):
    version: int
    id: str
    kind: str
    system: str
    token: str = ""
    every: int = 1
    hashes: str = ""


def write(root: Path, entry: Registered | Canary) -> None:
    """Keep an entry, whole or not at all. Raises EnvironmentFault when the disk does not take it."""
    path = _folder(root) / f"{entry.id}.json"
    with told(path):
        write_atomically(path, msgspec.json.encode(_written(entry)))


def read(root: Path) -> Iterator[Registered | Canary]:
    """Every entry, by id. Raises BadInput for a file that is not one."""
    for path in sorted(_folder(root).glob("*.json")):
        with told(path):
            data = path.read_bytes()
        try:
            entry = msgspec.json.decode(data, type=_Entry)
            if entry.version != VERSION:
                raise ValueError(f"version {entry.version} is not known")
            yield _entry(entry)
        except (msgspec.DecodeError, ValueError) as error:
            problem = f"this is no registered text: {error}"
            raise BadInput.at(Place(str(path)), problem, "register the text again") from None


def remove(root: Path, name: str) -> bool:
    """Forget an entry; whether there was one."""
    path = _folder(root) / f"{name}.json"
    with told(path):
        there = path.exists()
        path.unlink(missing_ok=True)
    return there


def _folder(root: Path) -> Path:
    return root / ".tocsin" / "registered"


def _written(entry: Registered | Canary) -> _Entry:
    if isinstance(entry, Canary):
        return _Entry(VERSION, entry.id, "canary", entry.system, token=entry.token)
    hashes = b64encode(entry.hashes.astype("<u8").tobytes()).decode()
    return _Entry(VERSION, entry.id, entry.kind, entry.system, every=entry.every, hashes=hashes)


def _entry(entry: _Entry) -> Registered | Canary:
    if entry.kind == "canary":
        return Canary(entry.id, entry.system, entry.token)
    hashes = np.frombuffer(b64decode(entry.hashes, validate=True), "<u8").astype(np.uint64)
    return Registered(entry.id, entry.kind, entry.system, hashes, entry.every)
