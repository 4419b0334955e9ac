"""The forms of regimes: being a file in `content/law/<regime>/forms/` is the registration."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from hashlib import sha256
from importlib.resources import files
from typing import Literal

from pydantic import Field as Setting

from tocsin.content.loaders.packs import READ_ON
from tocsin.document.checking import Strict, checked
from tocsin.model.errors import UsageFault
from tocsin.model.law import Citation, Confidence
from tocsin.report.forms import Export, Field, FieldType, Form, Required, Schema, Section, Stage


class _ExportFile(Strict):
    path: str
    kind: Literal["", "truth", "list"] = Setting("", alias="as")
    codes: dict[str, str] = Setting(default_factory=dict)
    alternatives: dict[str, str] = Setting(default_factory=dict)


class _FieldFile(Strict):
    no: str
    label: str
    source: str = Setting(alias="from")
    otherwise: str = ""
    type: FieldType = "text"
    options: tuple[str, ...] = ()
    required: Required = "always"
    needed_if: str = ""
    given: dict[str, tuple[str, ...]] = Setting(default_factory=dict, max_length=1)
    by_stage: dict[Stage, str] = Setting(default_factory=dict)
    longest: int = 0
    pattern: str = ""
    written: str = ""
    json_: str | _ExportFile = Setting("", alias="json")


class _SectionFile(Strict):
    no: str
    title: str
    fields: tuple[_FieldFile, ...]


class _SourceFile(Strict):
    instrument: str
    pinpoint: str
    url: str
    confidence: Confidence
    read_on: date = READ_ON


class _SchemaFile(Strict):
    name: str
    source: _SourceFile
    constants: dict[str, str | dict[str, str]] = Setting(default_factory=dict)


class _FormFile(Strict):
    id: str
    title: str
    version: str
    status: str
    source: _SourceFile
    sections: tuple[_SectionFile, ...]
    notices: tuple[str, ...]
    serves: dict[str, Stage] = Setting(default_factory=dict)
    json_: _SchemaFile | None = Setting(None, alias="json")


@lru_cache
def names() -> tuple[str, ...]:
    """The ids of all forms: `<regime>/<file>`."""
    law = files("tocsin.content").joinpath("law")
    found = []
    for regime in law.iterdir():
        forms = regime.joinpath("forms")
        if forms.is_dir():
            found += [
                f"{regime.name}/{path.name.removesuffix('.yaml')}"
                for path in forms.iterdir()
                if path.name.endswith(".yaml")
            ]
    return tuple(sorted(found))


@lru_cache
def load(form_id: str) -> Form:
    """The form of that id. Raises UsageFault with the ids there are."""
    if form_id not in names():
        raise UsageFault(f"there is no form {form_id!r}", f"there are: {', '.join(names())}")
    regime, name = form_id.split("/")
    data = files("tocsin.content").joinpath("law", regime, "forms", f"{name}.yaml").read_bytes()
    file = checked(data, f"law/{regime}/forms/{name}.yaml", _FormFile)
    return Form(
        file.id,
        file.title,
        file.version,
        file.status,
        _citation(file.source),
        tuple(Section(s.no, s.title, tuple(_field(f) for f in s.fields)) for s in file.sections),
        file.notices,
        sha256(data).hexdigest(),
        file.serves,
        Schema(file.json_.name, _citation(file.json_.source), file.json_.constants) if file.json_ else None,
    )


def _citation(file: _SourceFile) -> Citation:
    return Citation(file.instrument, file.pinpoint, file.url, file.read_on, file.confidence)


def _field(file: _FieldFile) -> Field:
    plain = file.model_dump(exclude={"given", "json_"})
    return Field(**plain, given=next(iter(file.given.items()), ("", ())), export=_export(file.json_))


def _export(file: str | _ExportFile) -> Export | None:
    if isinstance(file, str):
        return Export(file) if file else None
    return Export(file.path, file.kind, file.codes, file.alternatives)
