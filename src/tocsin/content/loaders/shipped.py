"""Shipped documents that are too many to be read as YAML at every start: `law/compiled.jsonl` holds their values with their digests.

One line a document, so that the lines of two who each changed a pack can be put together without a conflict. A document whose
digest differs from that of its line was changed since; it is read from its YAML, with the place of every mistake.
`python tools/catalogue.py` compiles; a test compares. Why: docs/decisions/0005.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime, time
from functools import lru_cache
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, TypeVar

from pydantic import ValidationError

from tocsin.document.checking import Strict, checked
from tocsin.document.reading import read
from tocsin.model.errors import BadInput, Problem

COMPILED = "compiled.jsonl"
SHIPPED = files("tocsin.content").joinpath("law")
Model = TypeVar("Model", bound=Strict)


def document(root: Traversable, name: str, model: type[Model]) -> tuple[Model, str]:
    """The document `name` below `root`, as a value of the model, with the digest of its bytes.

    Raises:
        BadInput: every mistake in it.
    """
    data = root.joinpath(name).read_bytes()
    digest = sha256(data).hexdigest()
    known = _compiled().get((name, digest))
    with suppress(ValidationError):  # the model changed since: its mistakes are told from the YAML, with their places
        if known is not None:
            return model.model_validate(known), digest
    return checked(data, f"law/{name}", model), digest


def located(root: Traversable, name: str, error: BadInput) -> Iterator[Problem]:
    """The mistakes of a document, which tell the field, with the line in which that stands."""
    written = read(root.joinpath(name).read_bytes(), f"law/{name}")
    for problem in error.problems():
        path: list[str | int] = []
        for part in problem.place.field.split("."):
            path.append(_step(written.value, path, part))
        yield replace(problem, place=written.place(tuple(path)))


def _step(value: Any, path: Sequence[str | int], part: str) -> str | int:
    """The next step of a path as a document has it: an entry of a list is named by its number or by its id."""
    for step in path:
        known = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
        value = value[step] if step in known else None
    if not isinstance(value, list):
        return part
    ids = [one.get("id") if isinstance(one, dict) else None for one in value]
    return int(part) if part.isdecimal() else ids.index(part) if part in ids else part


def names(root: Traversable = SHIPPED) -> Iterator[str]:
    """The documents of a library of law, except for cases and forms."""
    for item in sorted(root.iterdir(), key=lambda item: item.name):
        if item.name == "facts":
            yield from sorted(f"facts/{file.name}" for file in item.iterdir() if file.name.endswith(".yaml"))
        elif item.name.endswith(".yaml"):
            yield item.name
        elif item.is_dir() and item.joinpath("pack.yaml").is_file():
            yield f"{item.name}/pack.yaml"


def compiled() -> str:
    """What `law/compiled.jsonl` must hold for the documents as they are now. Raises BadInput for one that is not YAML."""
    made = []
    for name in names():
        data = SHIPPED.joinpath(name).read_bytes()
        document_ = read(data, f"law/{name}")
        if document_.problems:
            raise BadInput(document_.problems)
        line = {"name": name, "digest": sha256(data).hexdigest(), "value": document_.value}
        made.append(json.dumps(line, default=_plain, ensure_ascii=False, separators=(",", ":")))
    return "\n".join(made) + "\n"


def _plain(value: Any) -> str:
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    raise TypeError(f"{value!r} has no place in a document")


@lru_cache(maxsize=1)
def _compiled() -> dict[tuple[str, str], Any]:
    """Name and digest -> value. What a line says is trusted: it is made by the build, and a test holds it to the YAML."""
    file = SHIPPED.joinpath(COMPILED)
    lines = map(json.loads, file.read_bytes().splitlines()) if file.is_file() else ()
    return {(line["name"], line["digest"]): line["value"] for line in lines}
