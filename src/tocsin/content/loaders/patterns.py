"""The shipped patterns: being a file below `content/patterns/` is the registration; samples stand beside each pattern.

A file holds one pattern, named as its id, or a list `patterns` of related ones with what they share in `common`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields
from functools import lru_cache
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from itertools import pairwise
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from tocsin.detect.text import anchors
from tocsin.detect.text.allowing import Allowance, Target
from tocsin.detect.text.looking import LONGEST
from tocsin.detect.text.masks import PLACEHOLDERS, unknown
from tocsin.detect.text.patterns import SEPARATORS, SEPARATORS_KNOWN, Kind, Pattern, Patterns, Precedence
from tocsin.detect.text.seeking import Sought
from tocsin.detect.text.validators import VALIDATORS, validator
from tocsin.document.checking import Strict, fitted
from tocsin.document.reading import Document, read
from tocsin.model.errors import BadInput, Place, Problem

UNUSED = ("positive", "negative", "allow", "source")
"""Fields of a file that a pattern does not have as they are written."""
FOLDER = files("tocsin.content").joinpath("patterns")
COMPILED = FOLDER.joinpath("compiled.jsonl")
ALL_ROLES = ("system", "user", "assistant", "tool", "retrieved")


Sample = Annotated[str, BeforeValidator(lambda written: "".join(written) if isinstance(written, list) else written)]
"""A text, or a list of its parts: a made-up secret is written in parts, so that scanners of repositories leave it alone."""


class Allowed(Strict):
    """What a pattern matches and is no finding."""

    words: tuple[str, ...] = ()
    expressions: tuple[str, ...] = ()
    target: Target = "value"
    every: bool = False


class PatternFile(Strict):
    """One pattern as it is written in `content/patterns/`."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    kind: Kind
    entity: str = ""
    expression: str = ""
    digits: tuple[int, ...] = Field(default=(), description="the lengths of a number")
    separators: str = SEPARATORS
    anchor: str = ""
    ignore_case: bool = False
    group: int = Field(default=0, ge=0)
    validator: str = "none"
    precedence: Precedence = "specific"
    context: tuple[str, ...] = ()
    bare: float = Field(default=0.0, ge=0, le=1)
    keywords: tuple[str, ...] = ()
    entropy: float = Field(default=0.0, ge=0, le=8)
    allow: tuple[Allowed, ...] = ()
    roles: tuple[str, ...] = ALL_ROLES
    confidence: float = Field(ge=0, le=1)
    severe_in: tuple[str, ...] = ()
    mask: str
    tags: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    source: str = ""
    """Who publishes the form, and what it is."""
    positive: tuple[Sample, ...] = Field(min_length=2)
    negative: tuple[Sample, ...] = Field(min_length=2)


class PatternList(Strict):
    """A file of several patterns."""

    patterns: tuple[PatternFile, ...] = Field(min_length=1)


@lru_cache
def load() -> Patterns:
    """Every shipped pattern. A file whose digest is that of its line in `compiled.jsonl` is not read as YAML again.

    Raises BadInput for a file that is not one.
    """
    found: list[Pattern] = []
    for path, name in _files(FOLDER, "patterns"):
        known = _compiled().get((name, sha256(path.read_bytes()).hexdigest()))
        found += map(_compiled_pattern, known) if known is not None else map(_pattern, _read(path, name))
    found.sort(key=lambda pattern: pattern.id)
    if any(one.id == after.id for one, after in pairwise(found)):
        written()  # tells both places
    return Patterns(tuple(found))


def compiled() -> str:
    """What `compiled.jsonl` must hold for the files as they are now: one line a file, so that changes to two files do not meet."""
    lines = []
    for path, name in sorted(_files(FOLDER, "patterns"), key=lambda pair: pair[1]):
        value = [_plain(_pattern(file)) for file in _read(path, name)]
        digest = sha256(path.read_bytes()).hexdigest()
        line = {"name": name, "digest": digest, "value": value}
        lines.append(json.dumps(line, ensure_ascii=False, separators=(",", ":")))
    return "\n".join(lines) + "\n"


def _plain(pattern: Pattern) -> dict[str, Any]:
    """The fields that differ from their defaults, and how it is looked for."""
    standard = {field.name: field.default for field in fields(Pattern)}
    found = {name: value for name, value in asdict(pattern).items() if value != standard[name]}
    return {**found, "sought": pattern.sought} if pattern.expression else found


def _compiled_pattern(value: dict[str, Any]) -> Pattern:
    plain: dict[str, Any] = {
        name: tuple(part) if isinstance(part, list) else part
        for name, part in value.items()
        if name not in ("allow", "sought")
    }
    allowed: list[dict[str, Any]] = [
        {name: tuple(part) if isinstance(part, list) else part for name, part in one.items()}
        for one in value.get("allow", ())
    ]
    pattern = Pattern(**plain, allow=tuple(Allowance(**one) for one in allowed))
    if "sought" in value:
        vars(pattern)["sought"] = Sought(*value["sought"])
    return pattern


@lru_cache(maxsize=1)
def _compiled() -> dict[tuple[str, str], list[dict[str, Any]]]:
    """Name and digest -> patterns. What a line says is trusted: it is made by the build, and a test holds it to the YAML."""
    lines = map(json.loads, COMPILED.read_bytes().splitlines()) if COMPILED.is_file() else ()
    return {(line["name"], line["digest"]): line["value"] for line in lines}


@lru_cache
def written() -> tuple[PatternFile, ...]:
    """The patterns as they are written, samples included, sorted by id."""
    found = [(file, name) for path, name in _files(FOLDER, "patterns") for file in _read(path, name)]
    found.sort(key=lambda pair: pair[0].id)
    for (file, name), (after, other) in pairwise(found):
        if file.id == after.id:
            raise BadInput.at(Place(other), f"the id {file.id!r} stands in {name} as well", "give it another id")
    return tuple(file for file, _ in found)


def _files(folder: Traversable, name: str) -> list[tuple[Traversable, str]]:
    found = []
    for item in folder.iterdir():
        if item.is_dir():
            found += _files(item, f"{name}/{item.name}")
        elif item.name.endswith(".yaml"):
            found.append((item, f"{name}/{item.name}"))
    return found


def _read(path: Traversable, name: str) -> tuple[PatternFile, ...]:
    """The patterns of a file. Raises BadInput with every mistake in it."""
    document = read(path.read_bytes(), name)
    several = isinstance(document.value, dict) and "patterns" in document.value
    items = fitted(_with_common(document), PatternList).patterns if several else (fitted(document, PatternFile),)
    problems = [
        Problem(document.place(("patterns", n) if several else ()), f"{item.id}: {wrong}", "correct the pattern")
        for n, item in enumerate(items)
        for wrong in _wrong(item)
    ]
    if not several and f"/{items[0].id}.yaml" not in name:
        wrong = f"the id {items[0].id!r} differs from the file's name"
        problems.append(Problem(Place(name), wrong, "correct the pattern"))
    if problems:
        raise BadInput(problems)
    return items


def _with_common(document: Document) -> Document:
    """The document with what is common written into each pattern that does not say otherwise."""
    value = {key: part for key, part in document.value.items() if key != "common"}
    common, items = document.value.get("common", {}), value["patterns"]
    if isinstance(common, Mapping) and isinstance(items, list):
        value["patterns"] = [{**common, **item} if isinstance(item, Mapping) else item for item in items]
    return Document(document.file, value, document.places, document.key_places, document.problems)


def _wrong(file: PatternFile) -> Iterator[str]:
    """What is wrong with a pattern that its model cannot tell."""
    if bool(file.expression) == bool(file.digits):
        yield "a pattern has either an expression or digits"
    if file.expression:
        yield from _wrong_expression(file)
    if not all(6 <= length <= 34 for length in file.digits):
        yield "a number has 6 to 34 digits"
    if not set(file.separators) <= set(SEPARATORS_KNOWN):
        yield f"separators are some of {SEPARATORS_KNOWN!r}"
    try:
        validator(file.validator)
    except KeyError:
        yield f"no validator {file.validator!r}; there are {', '.join(VALIDATORS)} and the modules of python-stdnum"
    if placeholders := unknown(file.mask):
        yield f"the mask has no {', '.join(placeholders)}; there are {', '.join(PLACEHOLDERS)}"
    if file.bare and not file.context:
        yield "`bare` is the confidence without context, and there is none"


def _wrong_expression(file: PatternFile) -> Iterator[str]:
    try:
        compiled = re.compile(file.expression.encode())
        anchors.derived(file.expression, file.ignore_case)
        if file.anchor:
            anchors.given(file.anchor, file.ignore_case, LONGEST)
        width = anchors.width(file.expression)
    except (re.error, ValueError) as error:
        yield f"this is no expression: {error}"
        return
    if width > LONGEST:
        yield f"a match may have {LONGEST} bytes: give every repeat a limit"
    if file.group > compiled.groups:
        yield f"the expression has no group {file.group}"
    if compiled.search(b""):
        yield "the expression matches nothing at all"


def _pattern(file: PatternFile) -> Pattern:
    fields: dict[str, Any] = {name: getattr(file, name) for name in PatternFile.model_fields if name not in UNUSED}
    return Pattern(**fields, allow=tuple(Allowance(**allowed.model_dump()) for allowed in file.allow))
