"""What one part of a workspace says of another: people, playbooks, detectors, columns, countries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from tocsin.adapters.workspace.schema import PolicyFile, SystemFile
from tocsin.detect.parameters import misfits
from tocsin.document.checking import near
from tocsin.document.reading import Document, Path
from tocsin.model.detector import DetectorKind
from tocsin.model.errors import Problem
from tocsin.model.finding import Category
from tocsin.model.policy import ACTIVITIES, Severity
from tocsin.model.telemetry import FEATURE, GROUP, TABLES

_CODES = (
    "ADAEAFAGAIALAMAOARATAUAZBABBBDBEBFBGBHBIBJBNBOBRBSBTBWBYBZCACDCFCGCHCICLCMCNCOCRCUCVCYCZDEDJDKDMDODZECEEEGERES"
    "ETFIFJFMFRGAGBGDGEGHGMGNGQGRGTGWGYHKHNHRHTHUIDIEILINIQIRISITJMJOJPKEKGKHKIKMKNKPKRKWKZLALBLCLILKLRLSLTLULVLYMA"
    "MCMDMEMGMHMKMLMMMNMOMRMTMUMVMWMXMYMZNANENGNINLNONPNRNZOMPAPEPGPHPKPLPSPTPWPYQARORSRURWSASBSCSDSESGSISKSLSMSNSO"
    "SRSSSTSVSYSZTDTGTHTJTLTMTNTOTRTTTVTWTZUAUGUSUYUZVAVCVEVNVUWSXKYEZAZMZWEUUK"
)
COUNTRIES = frozenset(_CODES[at : at + 2] for at in range(0, len(_CODES), 2))
"""ISO 3166-1 alpha-2 codes, with EU for Union law as such and UK as another writing of GB."""


def policy_references(file: PolicyFile, document: Document, playbooks: Collection[str] | None) -> Iterator[Problem]:
    """Mistakes between the parts of a policy."""
    people = {person.id for person in file.people}
    yield from _twice(document, "people", [person.id for person in file.people])
    yield from _twice(document, "roles", [role.id for role in file.roles])
    yield from _unknown(document, ("owner",), file.owner, people, "person")
    for index, role in enumerate(file.roles):
        for number, person in enumerate(role.people):
            yield from _unknown(document, ("roles", index, "people", number), person, people, "person")
    yield from _countries(document, "jurisdictions", file.jurisdictions)
    for activity in ACTIVITIES:
        accountable = [role.id for role in file.roles if role.duties.get(activity) == "accountable"]
        if len(accountable) != 1:
            who = ", ".join(accountable) or "nobody"
            yield Problem(
                document.place(("roles",)), f"{activity}: {who} is accountable", "make exactly one role accountable"
            )
    if file.severity[-1].when:
        place = document.place(("severity", len(file.severity) - 1))
        yield Problem(
            place, "the severity matrix has no last rule that always holds", "end it with a rule with `when: {}`"
        )
    for severity in Severity:
        if severity not in file.targets:
            yield Problem(document.place(("targets",)), f"{severity} has no response targets", "add them")
    for category in Category:
        if category not in file.playbooks:
            yield Problem(document.place(("playbooks",)), f"{category} has no playbook", "name one")
        elif playbooks is not None:
            yield from _unknown(document, ("playbooks", category), file.playbooks[category], playbooks, "playbook")
    if file.approved_on and file.review_by and file.review_by <= file.approved_on:
        yield Problem(document.place(("review_by",)), "the review is due before the approval", "set a later date")


def system_references(
    file: SystemFile,
    document: Document,
    people: Collection[str] | None,
    detectors: Mapping[str, DetectorKind] | None,
    facts: Collection[str] | None,
) -> Iterator[Problem]:
    """Mistakes between a system and what it refers to."""
    if people is not None:
        yield from _unknown(document, ("owner",), file.owner, people, "person")
    yield from _countries(document, "operates_in", file.operates_in)
    yield from _twice(document, "models", [model.version for model in file.models])
    if facts is not None:
        for fact in file.facts:
            yield from _unknown(document, ("facts", fact), fact, facts, "fact")
    if file.telemetry:
        yield from _columns(file, document)
    yield from _twice(document, "detectors", [_label(detector) for detector in file.detectors])
    if detectors is not None:
        for index in range(len(file.detectors)):
            yield from _detector(file, document, index, detectors)


def _label(detector: Any) -> str:
    return detector.id or f"{detector.kind}:{detector.parameters.get('group', '')}"


def _columns(file: SystemFile, document: Document) -> Iterator[Problem]:
    """Columns that the table does not have, and required ones that nothing maps to."""
    telemetry = file.telemetry
    assert telemetry is not None
    known = {column.name: column for column in TABLES[telemetry.table]}
    for name in telemetry.columns:
        family = telemetry.table == "predictions" and name.startswith((GROUP, FEATURE))
        if name not in known and not family:
            place = document.place(("telemetry", "columns", name), key=True)
            yield Problem(place, f"{telemetry.table} have no column {name!r}", _choices(name, [*known, "group.<name>"]))
    if telemetry.format == "otlp":
        return
    for name, column in known.items():
        if column.required and name not in telemetry.columns:
            yield Problem(
                document.place(("telemetry", "columns")), f"column {name!r} is not mapped", f"add it: {column.doc}"
            )


def _detector(file: SystemFile, document: Document, index: int, kinds: Mapping[str, DetectorKind]) -> Iterator[Problem]:
    chosen, path = file.detectors[index], ("detectors", index)
    if chosen.kind not in kinds:
        yield Problem(
            document.place((*path, "kind")), f"no detector {chosen.kind!r}", _choices(chosen.kind, sorted(kinds))
        )
        return
    kind = kinds[chosen.kind]
    yield from _parameters(document, path, chosen.parameters, kind)
    table = file.telemetry.table if file.telemetry else None
    if table != kind.table:
        yield Problem(
            document.place(path), f"{kind.name} watches {kind.table}, this system has {table or 'no telemetry'}"
        )
    elif file.telemetry and file.telemetry.format != "otlp":
        group = chosen.parameters.get("group")
        needed = [*kind.required, *([f"{GROUP}{group}"] if isinstance(group, str) else [])]
        for column in needed:
            if column not in file.telemetry.columns:
                yield Problem(
                    document.place(path), f"{kind.name} needs the column {column!r}", "map it under telemetry.columns"
                )


def _parameters(document: Document, path: Path, given: Mapping[str, Any], kind: DetectorKind) -> Iterator[Problem]:
    names = sorted(parameter.name for parameter in kind.parameters)
    for wrong in misfits(kind, given):
        place = document.place((*path, "with", wrong.parameter), key=not wrong.known)
        yield Problem(place, wrong.what, wrong.remedy if wrong.known else _choices(wrong.parameter, names))


def _countries(document: Document, name: str, codes: tuple[str, ...]) -> Iterator[Problem]:
    for index, code in enumerate(codes):
        base = code.split("-")[0]
        if base not in COUNTRIES:
            yield Problem(
                document.place((name, index)), f"no country {code!r}", "use an ISO 3166 code such as DE, or EU"
            )


def _unknown(document: Document, path: Path, value: str, known: Collection[str], noun: str) -> Iterator[Problem]:
    if value not in known:
        yield Problem(document.place(path), f"no {noun} {value!r}", _choices(value, sorted(known)))


def _twice(document: Document, name: str, values: list[str]) -> Iterator[Problem]:
    for value, count in Counter(values).items():
        if count > 1:
            last = len(values) - 1 - values[::-1].index(value)
            yield Problem(
                document.place((name, last)), f"{value!r} stands {count} times in {name}", "rename or remove one"
            )


def _choices(wrong: str, right: list[str]) -> str:
    return near(wrong, right).removeprefix("; ") or f"there are: {', '.join(right)}"
