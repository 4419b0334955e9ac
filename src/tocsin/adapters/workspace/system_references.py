"""What a system file says of people, columns, detectors and facts."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tocsin.adapters.workspace.mistakes import choices, twice, unknown
from tocsin.adapters.workspace.schema import ColumnFile, DetectorFile, StreamFile, SystemFile, TelemetryFile
from tocsin.detect.parameters import misfits
from tocsin.document.checking import near
from tocsin.document.reading import Document, Path
from tocsin.law.regime import FactKind
from tocsin.model.detector import DetectorKind, Parameter
from tocsin.model.errors import Problem
from tocsin.model.telemetry import FEATURE, GROUP, TABLES, Table, Type


@dataclass(frozen=True, slots=True)
class Known:
    """What the files may refer to; None: not checked."""

    detectors: Mapping[str, DetectorKind] | None = None
    playbooks: frozenset[str] | None = None
    facts: Mapping[str, FactKind] | None = None


def system_references(
    file: SystemFile, document: Document, people: Collection[str] | None, known: Known
) -> Iterator[Problem]:
    """Mistakes between a system and what it refers to. `people` are the ids of the policy; None: it could not be read."""
    if people is not None:
        yield from unknown(document, ("owner",), file.owner, people, "person")
    versions = [(("models", index, "version"), model.version) for index, model in enumerate(file.models)]
    yield from twice(document, versions, "version")
    if known.facts is not None:
        for name, value in file.facts.items():
            yield from _fact(document, ("facts", name), value, known.facts)
    yield from stream_references(file, document, known)


def stream_references(file: SystemFile | StreamFile, document: Document, known: Known) -> Iterator[Problem]:
    """Mistakes between a stream's columns and the detectors that look at them."""
    if file.telemetry:
        yield from _columns(file.telemetry, document)
    labels = [(("detectors", index), detector.label) for index, detector in enumerate(file.detectors)]
    yield from twice(document, labels, "detector")
    for index, detector in enumerate(file.detectors if known.detectors is not None else ()):
        yield from _detector(file.telemetry, detector, document, ("detectors", index), known.detectors or {})


_FROM_INVENTORY: Mapping[str, str] = {
    "organization_is_provider": "organization_role",
    "organization_is_deployer": "organization_role",
    "eu_ai_act_route": "eu_ai_act_route",
    "countries": "operates_in",
}
"""Facts that other keys of the system file state already."""


def _fact(document: Document, path: Path, value: Any, facts: Mapping[str, FactKind]) -> Iterator[Problem]:
    name = str(path[-1])
    if name in _FROM_INVENTORY:
        what = f"the fact {name!r} is read from `{_FROM_INVENTORY[name]}`"
        yield Problem(document.place(path, key=True), what, "remove it here")
    elif name not in facts:
        remedy = near(name, facts).removeprefix("; ") or "`tocsin law ask` lists the facts that matter"
        yield Problem(document.place(path, key=True), f"no rule of the law asks for the fact {name!r}", remedy)
    elif not facts[name].takes(value):
        kind = facts[name]
        wrong = next((part for part in value if part not in kind.choices), "") if isinstance(value, list) else value
        remedy = near(str(wrong), kind.choices).removeprefix("; ") or kind.text
        yield Problem(document.place(path), f"{name} must be {kind.wanted} (it says {value!r})", remedy)


def _columns(telemetry: TelemetryFile, document: Document) -> Iterator[Problem]:
    """Columns that the table does not have, settings that do not suit a column, and required columns that nothing maps to."""
    for name, column in telemetry.columns.items():
        kind = _type(telemetry.table, name)
        path: Path = ("telemetry", "columns", name)
        if kind is None:
            what = f"{telemetry.table} have no column {name!r}"
            yield Problem(document.place(path, key=True), what, _column_meant(telemetry.table, name))
        else:
            yield from _settings(column, kind, document, path)
    yield from _labels(telemetry, document)
    if telemetry.format == "otlp":
        return
    for one in TABLES[telemetry.table]:
        if one.required and one.name not in telemetry.columns:
            what = f"the column {one.name!r} is not mapped, and every row needs it"
            yield Problem(document.place(("telemetry", "columns")), what, f"add it: {one.doc}")


def _labels(telemetry: TelemetryFile, document: Document) -> Iterator[Problem]:
    """Labels that come later belong to predictions with an id."""
    place = document.place(("telemetry", "labels"), key=True)
    for name, column in telemetry.labels or ():
        kind = _type(telemetry.table, name)
        if kind is None:
            yield Problem(place, f"{telemetry.table} have no {name}", "labels are for predictions: remove `labels`")
            return
        if column is not None:
            yield from _settings(column, kind, document, ("telemetry", "labels", name))
    if telemetry.labels and "id" not in telemetry.columns:
        yield Problem(place, "labels find their predictions by id, and `id` is not mapped", "add `id` to the columns")
    if telemetry.labels and "label" in telemetry.columns:
        yield Problem(place, "labels come with the predictions and later as well", "remove `label` from the columns")


_MAP_IT = {"label": "map it under telemetry.columns, or under telemetry.labels if it comes later"}


def _column_meant(table: Table, name: str) -> str:
    known = [column.name for column in TABLES[table]]
    if table == "interactions" or near(name, known):
        return choices(name, known)
    bare = name.rsplit(".", 1)[-1] or "<name>"
    return f"a group is called {GROUP}{bare}, a feature {FEATURE}{bare}"


def _type(table: Table, name: str) -> Type | None:
    """The type of a column; None when the table has no such column."""
    for prefix, kind in _FAMILIES.items():
        if table == "predictions" and name.startswith(prefix) and name != prefix:
            return kind
    return next((column.type for column in TABLES[table] if column.name == name), None)


_FAMILIES: Mapping[str, Type] = {GROUP: "category", FEATURE: "number"}
_SUITS: Mapping[str, Type] = {"zone": "time", "format": "time", "above": "flag", "at_least": "flag", "equals": "flag"}
"""Setting of a column -> the only type of column that it suits."""


def _settings(column: ColumnFile, kind: Type, document: Document, path: Path) -> Iterator[Problem]:
    for setting, suits in _SUITS.items():
        if getattr(column, setting) is not None and kind != suits:
            what = f"`{setting}` is for {suits}s, and {path[-1]} is a {kind}"
            yield Problem(document.place((*path, setting), key=True), what, "remove it")
    if column.type == "text" and not str(path[-1]).startswith(FEATURE):
        what = f"`type` is for features, and {path[-1]} is a {kind}"
        yield Problem(document.place((*path, "type"), key=True), what, "remove it")


def _detector(
    telemetry: TelemetryFile | None,
    chosen: DetectorFile,
    document: Document,
    path: Path,
    kinds: Mapping[str, DetectorKind],
) -> Iterator[Problem]:
    if chosen.kind not in kinds:
        yield from unknown(document, (*path, "kind"), chosen.kind, kinds, "detector")
        return
    kind = kinds[chosen.kind]
    for misfit in misfits(kind, chosen.parameters):
        place = document.place((*path, "with", misfit.parameter), key=not misfit.known)
        suggestion = "" if misfit.known else near(misfit.parameter, [one.name for one in kind.parameters])
        yield Problem(place, misfit.what, suggestion.removeprefix("; ") or misfit.remedy)
    if telemetry is None or (telemetry.table != kind.table and not kind.either):
        has = f"has {telemetry.table}" if telemetry else "maps no telemetry"
        yield Problem(
            document.place((*path, "kind")), f"{kind.name} watches {kind.table}, this system {has}", "remove it"
        )
    elif telemetry.format != "otlp":
        yield from _needed(telemetry, chosen, kind, document, path)


def _needed(
    telemetry: TelemetryFile, chosen: DetectorFile, kind: DetectorKind, document: Document, path: Path
) -> Iterator[Problem]:
    """Columns that the detector looks at and the system does not map."""
    for name in kind.required:
        if name not in telemetry.columns and not (name == "label" and telemetry.labels):
            what = f"{kind.name} needs the column {name!r}"
            yield Problem(document.place((*path, "kind")), what, _MAP_IT.get(name, "map it under telemetry.columns"))
    for setting in ("group", "crossed_with"):
        named = chosen.parameters.get(setting)
        for group in named if isinstance(named, list) else [named]:
            if isinstance(group, str) and f"{GROUP}{group}" not in telemetry.columns:
                mapped = [name.removeprefix(GROUP) for name in telemetry.columns if name.startswith(GROUP)]
                what = f"the group {group!r} is not mapped: there is no column {GROUP + group!r}"
                yield Problem(document.place((*path, "with", setting)), what, choices(group, mapped))
    for parameter in (parameter for parameter in kind.parameters if parameter.column):
        given = chosen.parameters.get(parameter.name, parameter.default)
        for column in given if isinstance(given, list) else [given]:
            if isinstance(column, str) and (wrong := _unfit(telemetry, column, parameter)):
                at = (*path, "with", parameter.name) if parameter.name in chosen.parameters else (*path, "kind")
                suitable = [name for name in telemetry.columns if not _unfit(telemetry, name, parameter)]
                yield Problem(document.place(at), f"{parameter.name}: {wrong}", choices(column, suitable))


_VALUES: Mapping[str, frozenset[Type]] = {
    "number": frozenset(("number", "count")),
    "text": frozenset(("text", "category")),
}


def _unfit(telemetry: TelemetryFile, name: str, parameter: Parameter) -> str:
    """Why the column cannot be what the parameter names; empty when it can."""
    if name not in telemetry.columns:
        return f"the column {name!r} is not mapped"
    own = telemetry.columns[name].type if name.startswith(FEATURE) else _type(telemetry.table, name)
    fits = parameter.column == "any" or own in _VALUES[parameter.column]
    return "" if fits else f"the column {name!r} holds values of type {own}, not {parameter.column}"
