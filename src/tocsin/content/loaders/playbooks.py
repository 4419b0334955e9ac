"""The shipped playbooks: being a file in `content/playbooks/` is the registration."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from importlib.resources import files

import msgspec

from tocsin.model.errors import BadInput, Place, Problem, UsageFault
from tocsin.respond.cacao import Playbook, parsed


@lru_cache
def load() -> Mapping[str, Playbook]:
    """Every shipped playbook by its file's name. Raises BadInput with every mistake of every file."""
    problems: list[Problem] = []
    playbooks = {}
    for path in sorted(files("tocsin.content").joinpath("playbooks").iterdir(), key=lambda item: item.name):
        if path.name.endswith(".json"):
            key = path.name.removesuffix(".json")
            try:
                playbooks[key] = read(path.read_bytes(), key)
            except BadInput as error:
                problems += error.problems()
    if problems:
        raise BadInput(problems)
    return playbooks


def source(key: str) -> bytes:
    """The bytes of the shipped playbook of that name, as its digest is taken of them."""
    return files("tocsin.content").joinpath("playbooks", f"{named(key).key}.json").read_bytes()


def read(data: bytes, key: str) -> Playbook:
    """The playbook in these bytes. Raises BadInput."""
    try:
        body = msgspec.json.decode(data, type=dict)
    except msgspec.DecodeError as error:
        raise BadInput.at(Place(f"playbooks/{key}.json"), f"not a JSON object: {error}", "mend the file") from None
    return parsed(body, key, sha256(data).hexdigest())


def named(key: str) -> Playbook:
    """The playbook of that name. Raises UsageFault with the names there are."""
    playbooks = load()
    if key not in playbooks:
        raise UsageFault(f"there is no playbook {key!r}", f"there are: {', '.join(playbooks)}")
    return playbooks[key]
