"""Cases of a regime with their answers, counted by hand: `content/law/<id>/vectors.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from importlib.resources import files
from typing import Any

from pydantic import AwareDatetime, Field

from tocsin.document.checking import Strict, checked
from tocsin.law.vectors import Expected, Vector
from tocsin.model.law import Case, Fact, Status, Truth

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


def load(regime: str) -> tuple[Vector, ...]:
    """The vectors of a regime. Raises BadInput for a file that is not one, FileNotFoundError where there is none."""
    name = f"law/{regime}/vectors.yaml"
    data = files("tocsin.content").joinpath(name).read_bytes()
    return tuple(_vector(written) for written in checked(data, name, _VectorsFile).vectors)


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
