"""The forms of regimes: being a file in `content/law/<regime>/forms/` is the registration."""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

from pydantic import Field as Setting

from tocsin.content.loaders.packs import READ_ON
from tocsin.document.checking import Strict, checked
from tocsin.model.errors import UsageFault
from tocsin.model.law import Citation, Confidence
from tocsin.report.forms import Field, FieldType, Form, Required, Section


class _FieldFile(Strict):
    no: str
    label: str
    source: str = Setting(alias="from")
    type: FieldType = "text"
    options: tuple[str, ...] = ()
    required: Required = "always"


class _SectionFile(Strict):
    no: str
    title: str
    fields: tuple[_FieldFile, ...]


class _SourceFile(Strict):
    instrument: str
    pinpoint: str
    url: str
    confidence: Confidence


class _FormFile(Strict):
    id: str
    title: str
    version: str
    status: str
    source: _SourceFile
    sections: tuple[_SectionFile, ...]
    notices: tuple[str, ...]


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
    source = Citation(file.source.instrument, file.source.pinpoint, file.source.url, READ_ON, file.source.confidence)
    sections = tuple(Section(s.no, s.title, tuple(_field(f) for f in s.fields)) for s in file.sections)
    return Form(
        file.id, file.title, file.version, file.status, source, sections, file.notices, sha256(data).hexdigest()
    )


def _field(file: Any) -> Field:
    return Field(file.no, file.label, file.source, file.type, file.options, file.required)
