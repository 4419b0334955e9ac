"""Cases with their answers, counted by hand, and what a regime says otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from tocsin.law.obligations import obligations
from tocsin.law.regime import Library, Regime
from tocsin.model.law import Case, Obligation, Status, Truth


@dataclass(frozen=True, slots=True)
class Expected:
    """What a case says of one stage. `given` names the instants that it says anything about: `due`, `latest`, `benchmark`."""

    truth: Truth = Truth.YES
    status: Status = Status.BINDING
    due: datetime | None = None
    latest: datetime | None = None
    to: str = ""
    benchmark: datetime | None = None
    given: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Vector:
    """A case and what it owes, by stage (with `@<country>` where recipients differ by country)."""

    name: str
    case: Case
    expect: Mapping[str, Expected]
    not_owed: tuple[str, ...]
    why: str


def owed(vector: Vector, regime: Regime, library: Library) -> dict[str, Obligation]:
    """What the regime alone says of the case, by stage; what is not owed included."""
    found = obligations(vector.case, replace(library, regimes=(regime,)), explain_no=True)
    return {one.id.removeprefix(f"{regime.id}."): one for one in found}


def differences(vector: Vector, regime: Regime, library: Library) -> list[str]:
    """Where the regime says something else than was counted by hand; nothing if it does not."""
    found = owed(vector, regime, library)
    wrong = [line for stage, wanted in vector.expect.items() for line in _of_stage(stage, wanted, found.get(stage))]
    owed_too = [stage for stage in vector.not_owed if stage in found and found[stage].truth is not Truth.NO]
    return [*wrong, *(f"{stage}: {found[stage].truth}, should not be owed" for stage in owed_too)]


def _of_stage(stage: str, wanted: Expected, found: Obligation | None) -> Iterator[str]:
    if found is None:
        yield f"{stage}: there is no such duty"
        return
    compared: list[tuple[str, object, object]] = [
        ("truth", found.truth, wanted.truth),
        ("status", found.status, wanted.status),
    ]
    if "due" in wanted.given:
        compared.append(("due", found.operational_due, wanted.due))
    if "latest" in wanted.given:
        compared.append(("latest", found.legal_latest, wanted.latest))
    if "benchmark" in wanted.given:
        compared.append(("benchmark", found.benchmarks[-1].at if found.benchmarks else None, wanted.benchmark))
    for name, is_, should in compared:
        if is_ != should:
            yield f"{stage}: {name} is {is_}, should be {should}"
    if wanted.to and wanted.to not in [recipient.name for recipient in found.recipients]:
        yield f"{stage}: does not go to {wanted.to}"
