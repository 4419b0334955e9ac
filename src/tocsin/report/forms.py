"""Forms: fields, where their values come from, and what is missing. A missing value is a named gap, never a blank."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from tocsin.model.errors import UsageFault
from tocsin.model.event import Json
from tocsin.model.law import Citation

FieldType = Literal["text", "long", "number", "date", "datetime", "choice", "boxes"]
Required = Literal["always", "initial", "follow_up", "final", "optional"]
Stage = Literal["initial", "follow_up", "combined", "final"]
NEEDED: Mapping[Stage, frozenset[Required]] = {
    "initial": frozenset({"always", "initial"}),
    "follow_up": frozenset({"always", "follow_up"}),
    "combined": frozenset({"always", "final"}),
    "final": frozenset({"always", "follow_up", "final"}),
}
"""What each kind of report may not lack."""

_NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a form; `source` names the value that fills it."""

    no: str
    label: str
    source: str
    type: FieldType = "text"
    options: tuple[str, ...] = ()
    required: Required = "always"


@dataclass(frozen=True, slots=True)
class Section:
    """A numbered section."""

    no: str
    title: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Form:
    """A form as its authority publishes it."""

    id: str
    title: str
    version: str
    status: str
    source: Citation
    sections: tuple[Section, ...]
    notices: tuple[str, ...]
    digest: str


@dataclass(frozen=True, slots=True)
class FilledField:
    """A field with its value, or the reason why there is none. `ticked` are the boxes that hold; `source` is what fills it."""

    no: str
    label: str
    type: FieldType
    value: str
    gap: str
    options: tuple[str, ...] = ()
    ticked: tuple[str, ...] = ()
    source: str = ""


@dataclass(frozen=True, slots=True)
class FilledSection:
    """A section with its filled fields."""

    no: str
    title: str
    fields: tuple[FilledField, ...]


@dataclass(frozen=True, slots=True)
class Filled:
    """A form filled as far as it can be."""

    form: str
    title: str
    version: str
    status: str
    source: str
    stage: Stage
    sections: tuple[FilledSection, ...]
    notices: tuple[str, ...]
    heading: Mapping[str, str]

    def open_fields(self) -> tuple[FilledField, ...]:
        """Every field without a value that this report may not lack."""
        return tuple(field for section in self.sections for field in section.fields if field.gap)

    def gaps(self) -> tuple[str, ...]:
        """The open fields as `number label: reason`."""
        return tuple(f"{field.no} {field.label}: {field.gap}" for field in self.open_fields())


def fill(form: Form, values: Mapping[str, Json], stage: Stage, heading: Mapping[str, str]) -> Filled:
    """The form with these values by source name; unknown sources and values outside the options become gaps."""
    sections = tuple(
        FilledSection(
            section.no,
            section.title,
            tuple(_filled(field, values.get(field.source), stage) for field in section.fields),
        )
        for section in form.sections
    )
    source = f"{form.source.instrument}, {form.source.pinpoint} (source read: {form.source.confidence})"
    return Filled(form.id, form.title, form.version, form.status, source, stage, sections, form.notices, heading)


def differences(old: Filled, new: Filled) -> tuple[tuple[str, str, str], ...]:
    """(field, before, after) for every field whose value changed, came or went."""
    before = {(f.no, f.label): _shown(f) for section in old.sections for f in section.fields}
    after = {(f.no, f.label): _shown(f) for section in new.sections for f in section.fields}
    return tuple(
        (" ".join(field), before.get(field, ""), after.get(field, ""))
        for field in dict.fromkeys([*after, *before])
        if before.get(field) != after.get(field)
    )


def answered(form: Form, source: str, text: str) -> str:
    """What a person gives for a field that the record does not fill, as it will stand in the form.

    Raises:
        UsageFault: no such field, one that is filled from what is recorded, or a text that does not suit it.
    """
    fields = {field.source: field for section in form.sections for field in section.fields if _answerable(field)}
    if source not in fields:
        raise UsageFault(
            f"{form.id} has no field {source!r} to answer", f"there are: {', '.join(fields)}; others follow the record"
        )
    field, given = fields[source], text.strip()
    mistake = _mistake(field, given) if given else "the answer is empty"
    if mistake:
        choice = f"choose one of: {', '.join(field.options)}" if field.options else "write it as the form wants it"
        raise UsageFault(f"{field.no} {field.label}: {mistake}", choice)
    return given


def _answerable(field: Field) -> bool:
    """Dates and boxes follow from recorded dates and facts, and the type of the report from its stage."""
    return field.type not in ("date", "datetime", "boxes") and field.source != "report.type"


def _filled(field: Field, value: Json, stage: Stage) -> FilledField:
    if field.type == "boxes":
        return _boxes(field, value or (), stage)
    text = _text(field, value)
    missing = "not known yet" if not text and field.required in NEEDED[stage] else ""
    gap = _mistake(field, text) or missing
    kept = "" if gap else text
    ticked = (kept,) if field.options and kept else ()
    return FilledField(field.no, field.label, field.type, kept, gap, field.options, ticked, field.source)


def _mistake(field: Field, text: str) -> str:
    """Why the text does not suit the field; empty when it does."""
    if field.type == "number" and text and not _NUMBER.fullmatch(text):
        return f"{text!r} is not a number"
    return f"{text!r} is not one of the options" if text and field.options and text not in field.options else ""


def _boxes(field: Field, ticked: Sequence[str], stage: Stage) -> FilledField:
    kept = tuple(option for option in field.options if option in ticked)
    gap = "no box can be ticked yet: the facts are open" if not kept and field.required in NEEDED[stage] else ""
    return FilledField(field.no, field.label, field.type, "; ".join(kept), gap, field.options, kept, field.source)


def _text(field: Field, value: Json) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, datetime):
        return value.isoformat(" ", "minutes") if field.type == "datetime" else value.date().isoformat()
    return value.isoformat() if isinstance(value, date) else str(value).strip()


def _shown(field: FilledField) -> str:
    return field.value or (f"[gap: {field.gap}]" if field.gap else "")
