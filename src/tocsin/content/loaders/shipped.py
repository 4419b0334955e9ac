"""Shipped documents that are too many to be read as YAML at every start: `law/compiled.json` holds their values with their digests.

A document whose digest differs from the compiled one was changed since; it is read from its YAML, with the place of every mistake.
`python tools/catalogue.py` compiles; a test compares.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime, time
from functools import lru_cache
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, TypeVar

from tocsin.document.checking import Strict, checked
from tocsin.document.reading import read

COMPILED = "compiled.json"
SHIPPED = files("tocsin.content").joinpath("law")
Model = TypeVar("Model", bound=Strict)


def document(root: Traversable, name: str, model: type[Model]) -> tuple[Model, str]:
    """The document `name` below `root`, as a value of the model, with the digest of its bytes.

    Raises:
        BadInput: every mistake in it.
    """
    data = root.joinpath(name).read_bytes()
    digest = sha256(data).hexdigest()
    known = _compiled().get(name)
    if known and known["digest"] == digest:
        return model.model_validate(known["value"]), digest
    return checked(data, f"law/{name}", model), digest


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
    """What `law/compiled.json` must hold for the documents as they are now."""
    made = {}
    for name in names():
        data = SHIPPED.joinpath(name).read_bytes()
        made[name] = {"digest": sha256(data).hexdigest(), "value": read(data, f"law/{name}").value}
    return json.dumps(made, default=_plain, ensure_ascii=False, indent=0, sort_keys=True) + "\n"


def _plain(value: Any) -> str:
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    raise TypeError(f"{value!r} has no place in a document")


@lru_cache(maxsize=1)
def _compiled() -> dict[str, Any]:
    file = SHIPPED.joinpath(COMPILED)
    return dict(json.loads(file.read_bytes())) if file.is_file() else {}
