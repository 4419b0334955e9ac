"""Cases of a regime with their answers, counted by hand: `content/law/<id>/vectors.yaml`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from importlib.resources.abc import Traversable
from typing import Any

from pydantic import AwareDatetime, Field

from tocsin.content.loaders.shipped import SHIPPED
from tocsin.document.checking import Strict, fitted
from tocsin.document.fields import is_country, near
from tocsin.document.reading import Document, Path, read
from tocsin.law.regime import Library, Regime
from tocsin.law.vectors import Expected, Vector
from tocsin.model.errors import Problem
from tocsin.model.law import ANCHORS, Case, Fact, Status, Truth

JUST_AFTER = timedelta(hours=1)


class _ExpectedFile(Strict):
    truth: Truth = Truth.YES
    status: Status = Status.BINDING
    due: AwareDatetime | None = None
    latest: AwareDatetime | None = None
    to: str = ""
    benchmark: AwareDatetime | None = None
    """The last of its benchmarks."""


class _VectorFile(Strict):
    name: str
    facts: dict[str, Any]
    dates: dict[str, AwareDatetime] = Field(min_length=1)
    countries: tuple[str, ...]
    as_of: AwareDatetime | None = None
    expect: dict[str, _ExpectedFile] = Field(default_factory=dict)
    not_owed: tuple[str, ...] = ()
    why: str


class _VectorsFile(Strict):
    vectors: tuple[_VectorFile, ...] = Field(min_length=2)


def load(regime: str, root: Traversable = SHIPPED) -> tuple[Vector, ...]:
    """The vectors of a regime. Raises BadInput for a file that is not one, FileNotFoundError where there is none."""
    _, file = _read(regime, root)
    return tuple(_vector(written) for written in file.vectors)


def mistakes(regime: Regime, library: Library, root: Traversable = SHIPPED) -> Iterator[Problem]:
    """What the vectors of a regime speak of that does not exist or contradicts itself, with its line."""
    document, file = _read(regime.id, root)
    stages = [stage.id for stage in regime.stages]
    for number, written in enumerate(file.vectors):
        at: Path = ("vectors", number)
        for name, value in written.facts.items():
            yield from _fact_mistakes(document, (*at, "facts", name), value, library)
        for index, code in enumerate(written.countries):
            if not is_country(code):
                remedy = near(code, library.places).removeprefix("; ") or "write an ISO 3166 code such as DE or US-CA"
                yield Problem(document.place((*at, "countries", index)), f"no country {code!r}", remedy)
        for name in written.dates:
            if name.partition(".")[0] not in ANCHORS:
                remedy = near(name, ANCHORS).removeprefix("; ") or f"there are: {', '.join(ANCHORS)}"
                yield Problem(document.place((*at, "dates", name), key=True), f"no date {name!r}", remedy)
        for name in dict.fromkeys((*written.expect, *written.not_owed)):
            spot = document.place((*at, "expect", name), key=True)
            if name.partition("@")[0] not in stages:
                remedy = near(name, stages).removeprefix("; ") or f"there are: {', '.join(stages)}"
                yield Problem(spot, f"{regime.id} has no stage {name!r}", remedy)
            elif name in written.expect and name in written.not_owed:
                yield Problem(spot, f"{name!r} is expected, and expected not to be owed", "remove one of the two")


def _fact_mistakes(document: Document, path: Path, value: Any, library: Library) -> Iterator[Problem]:
    name = str(path[-1])
    if name not in library.facts:
        remedy = near(name, library.facts).removeprefix("; ") or "the facts are in law/facts and in the packs"
        yield Problem(document.place(path, key=True), f"no fact {name!r}", remedy)
    elif not library.facts[name].takes(value):
        what = f"{name} must be {library.facts[name].wanted} (it says {value!r})"
        yield Problem(document.place(path), what, library.facts[name].text)


def _read(regime: str, root: Traversable) -> tuple[Document, _VectorsFile]:
    document = read(root.joinpath(f"{regime}/vectors.yaml").read_bytes(), f"law/{regime}/vectors.yaml")
    return document, fitted(document, _VectorsFile)


def _vector(written: _VectorFile) -> Vector:
    as_of = written.as_of or max(written.dates.values()) + JUST_AFTER
    case = Case(_facts(written.facts, as_of), dict(written.dates), written.countries, as_of)
    expect = {stage: _expected(file) for stage, file in written.expect.items()}
    return Vector(written.name, case, expect, written.not_owed, written.why)


def _expected(file: _ExpectedFile) -> Expected:
    return Expected(**file.model_dump(), given=frozenset(file.model_fields_set & {"due", "latest", "benchmark"}))


def _facts(values: Mapping[str, Any], at: datetime) -> dict[str, Fact]:
    shown = {name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()}
    return {name: Fact(name, value, "vector", "vector", at) for name, value in shown.items()}
