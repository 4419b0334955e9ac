"""The library of regimes: being a folder of `content/law/` with a `pack.yaml` is the registration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from functools import lru_cache
from hashlib import sha256
from importlib.resources.abc import Traversable
from typing import Any, Literal, get_args

from pydantic import Field

from tocsin.content.loaders.calendars import calendar, made_up
from tocsin.content.loaders.packs import (
    READ_ON,
    FactFile,
    PackFile,
    RecipientFile,
    read_condition,
    recipients,
    regime,
)
from tocsin.content.loaders.shipped import SHIPPED, document, located, names
from tocsin.document.checking import Strict, Zone, near
from tocsin.law.conditions import Condition
from tocsin.law.counting import Calendar
from tocsin.law.regime import FactKind, Library, Place, Regime
from tocsin.model.errors import BadInput, Problem
from tocsin.model.errors import Place as Spot

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS = get_args(Weekday)
KINDS = "organization_kinds"
"""The fact whose choices the packs bring along."""


class _FactsFile(Strict):
    facts: dict[str, FactFile] = Field(default_factory=dict)
    definitions: dict[str, Any] = Field(default_factory=dict)
    contradictions: tuple[Any, ...] = ()


class _PlaceFile(Strict):
    zone: Zone
    within: str = ""
    weekend: tuple[Weekday, ...] = ("saturday", "sunday")
    made_up_days: bool = False
    """The government makes single days of a weekend working days; they then count as such."""


class _PlacesFile(Strict):
    places: dict[str, _PlaceFile]


class _RegistersFile(Strict):
    as_of: date
    registers: dict[str, dict[str, tuple[RecipientFile, ...]]]


Packs = list[tuple[str, PackFile, str]]
"""Folder, pack, digest."""


@lru_cache
def load(root: Traversable = SHIPPED) -> Library:
    """The shipped library, or that of another folder. Raises BadInput with every mistake of every pack."""
    packs, problems = _packs(root)
    facts, definitions, contradictions = _facts(root, packs)
    places = _places(root)
    regimes: list[Regime] = []
    for folder, pack, digest in packs:
        try:
            regimes.append(regime(pack, folder, digest, definitions, facts))
        except BadInput as error:
            problems += located(root, f"{folder}/pack.yaml", error)
        if pack.jurisdiction not in places:
            what = f"no place {pack.jurisdiction!r}"
            hint = near(pack.jurisdiction, places).removeprefix("; ") or "see law/places.yaml"
            wrong = BadInput.at(Spot(field="jurisdiction"), what, hint)
            problems += located(root, f"{folder}/pack.yaml", wrong)
    if problems:
        raise BadInput(problems)
    return Library(tuple(regimes), facts, places, library_digest(root), READ_ON, contradictions)


def library_digest(root: Traversable) -> str:
    """The digest of all documents of a library: SHA-256 over their names and the SHA-256 of each, in the order of the names."""
    lines = (f"{name} {sha256(root.joinpath(name).read_bytes()).hexdigest()}\n" for name in sorted(names(root)))
    return sha256("".join(lines).encode()).hexdigest()


def _packs(root: Traversable) -> tuple[Packs, list[Problem]]:
    found: Packs = []
    problems: list[Problem] = []
    for name in names(root):
        if name.endswith("/pack.yaml"):
            try:
                found.append((name.split("/")[0], *document(root, name, PackFile)))
            except BadInput as error:
                problems += error.problems()
    return found, problems


def _facts(root: Traversable, packs: Packs) -> tuple[dict[str, FactKind], dict[str, Condition], tuple[Condition, ...]]:
    """The shared facts, definitions and contradictions, with the facts and kinds of organization that packs bring along."""
    facts: dict[str, FactKind] = {}
    written: dict[str, tuple[Any, str]] = {}
    excluded: list[tuple[Any, Spot]] = []
    for name in names(root):
        if name.startswith("facts/"):
            file, _ = document(root, name, _FactsFile)
            facts |= {fact: body.kind(fact) for fact, body in file.facts.items()}
            written |= {key: (body, name) for key, body in file.definitions.items()}
            spots = (Spot(f"law/{name}", field=f"contradictions.{n}") for n in range(len(file.contradictions)))
            excluded += zip(file.contradictions, spots, strict=True)
    for folder, pack, _ in packs:
        clash = set(facts) & set(pack.facts)
        if clash:
            where = Spot(f"law/{folder}/pack.yaml", field=f"facts.{min(clash)}")
            raise BadInput.at(where, f"the fact {min(clash)!r} exists already", "use that one, or rename this one")
        facts |= {fact: body.kind(fact) for fact, body in pack.facts.items()}
    kinds = {kind: words for _, pack, _ in packs for kind, words in pack.kinds.items()}
    facts[KINDS] = _with_kinds(facts[KINDS], kinds)
    open_kinds = facts | {
        KINDS: replace(facts[KINDS], choices=())
    }  # shared conditions may name kinds of packs that are not here
    definitions: dict[str, Condition] = {}
    for key, (body, name) in written.items():
        definitions[key] = read_condition(
            body, definitions, open_kinds, Spot(f"law/{name}", field=f"definitions.{key}")
        )
    contradictions = tuple(read_condition(body, definitions, open_kinds, spot) for body, spot in excluded)
    return facts, definitions, contradictions


def _with_kinds(fact: FactKind, kinds: Mapping[str, str]) -> FactKind:
    ordered = dict(sorted(kinds.items()))
    return replace(fact, choices=tuple(ordered), meanings=ordered)


def _days_off(code: str, place: _PlaceFile) -> Calendar:
    weekend = frozenset(WEEKDAYS.index(day) for day in place.weekend)
    found = replace(calendar(code), weekend=weekend)
    return replace(found, made_up=lambda year: made_up(code, year)) if place.made_up_days else found


def _places(root: Traversable) -> dict[str, Place]:
    where, _ = document(root, "places.yaml", _PlacesFile)
    named, _ = document(root, "authorities.yaml", _RegistersFile)
    return {
        code: Place(
            code,
            place.zone,
            _days_off(code, place),
            {name: recipients(them, code) for name, them in named.registers.get(code, {}).items()},
            place.within,
        )
        for code, place in where.places.items()
    }
