"""The shipped patterns: being a file below `content/patterns/` is the registration; samples stand beside each pattern."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from pydantic import Field

from tocsin.detect.text.masks import PLACEHOLDERS, unknown
from tocsin.detect.text.patterns import Kind, Pattern, Patterns, Precedence
from tocsin.detect.text.validators import VALIDATORS
from tocsin.document.checking import Strict, checked
from tocsin.model.errors import BadInput, Place

ALL_ROLES = ("system", "user", "assistant", "tool", "retrieved")


class PatternFile(Strict):
    """A file of `content/patterns/`."""

    id: str
    title: str
    kind: Kind
    expression: str
    anchor: str = ""
    ignore_case: bool = False
    reach: int = Field(default=256, ge=8, le=4096)
    validator: str = "none"
    precedence: Precedence = "specific"
    context: str = ""
    roles: tuple[str, ...] = ALL_ROLES
    confidence: float = Field(ge=0, le=1)
    severe_in: tuple[str, ...] = ()
    mask: str
    tags: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    positive: tuple[str, ...] = Field(min_length=2)
    negative: tuple[str, ...] = Field(min_length=2)


@lru_cache
def load() -> Patterns:
    """Every shipped pattern. Raises BadInput for a file that is not one."""
    return Patterns(tuple(_pattern(file) for file in written()))


@lru_cache
def written() -> tuple[PatternFile, ...]:
    """The files as they are, samples included, sorted by id."""
    found = (_read(path, name) for path, name in _files(files("tocsin.content").joinpath("patterns"), "patterns"))
    return tuple(sorted(found, key=lambda file: file.id))


def _files(folder: Traversable, name: str) -> list[tuple[Traversable, str]]:
    found = []
    for item in folder.iterdir():
        if item.is_dir():
            found += _files(item, f"{name}/{item.name}")
        elif item.name.endswith(".yaml"):
            found.append((item, f"{name}/{item.name}"))
    return found


def _read(path: Traversable, name: str) -> PatternFile:
    file = checked(path.read_bytes(), name, PatternFile)
    wrong = "" if f"/{file.id}.yaml" in name else f"the id {file.id!r} differs from the file's name"
    if file.validator not in VALIDATORS:
        wrong = f"no validator {file.validator!r}; there are {', '.join(VALIDATORS)}"
    if placeholders := unknown(file.mask):
        wrong = f"the mask has no {', '.join(placeholders)}; there are {', '.join(PLACEHOLDERS)}"
    if wrong:
        raise BadInput.at(Place(name), wrong, "correct the pattern")
    return file


def _pattern(file: PatternFile) -> Pattern:
    fields: dict[str, Any] = {
        name: getattr(file, name) for name in PatternFile.model_fields if name not in ("positive", "negative")
    }
    return Pattern(**fields)
