"""Forms: fields, where their values come from, and what is missing. A missing value is a named gap, never a blank."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from tocsin.model.errors import UsageFault
from tocsin.model.event import Json
from tocsin.model.law import Citation

FieldType = Literal["text", "long", "number", "date", "datetime", "choice", "boxes"]
Required = Literal["always", "initial", "follow_up", "later", "final", "withdrawn", "optional"]
Stage = Literal["initial", "follow_up", "combined", "final", "withdrawn"]
NEEDED: Mapping[Stage, frozenset[Required]] = {
    "initial": frozenset({"always", "initial"}),
    "follow_up": frozenset({"always", "follow_up", "later"}),
    "combined": frozenset({"always", "final", "later"}),
    "final": frozenset({"always", "follow_up", "final", "later"}),
    "withdrawn": frozenset({"always", "withdrawn"}),
}
"""What each kind of report may not lack; `later` is whatever the first one may still leave open. `withdrawn` takes an earlier one back."""

PREMATURE: Mapping[Stage, frozenset[Required]] = {
    "initial": frozenset({"follow_up", "later", "final"}),
    "follow_up": frozenset({"final"}),
    "withdrawn": frozenset({"follow_up", "later", "final"}),
}
"""What is no part of this kind of report yet, where a form has columns for its stages."""
RECORDED = ("date.", "fact.", "classification.", "report.date", "report.next", "report.type")
"""Sources that begin so follow the record: a person corrects it there, and does not answer in the form."""
SEPARATOR = ";"
"""Between the boxes that one answer ticks."""
_NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Export:
    """Where a field stands in the form's own JSON: see `report.structured`."""

    path: str
    kind: Literal["", "truth", "list"] = ""
    codes: Mapping[str, str] = field(default_factory=dict)
    """Options whose code is not simply their words."""
    alternatives: Mapping[str, str] = field(default_factory=dict)
    """Regular expression -> the path for values of that form."""


@dataclass(frozen=True, slots=True)
class Schema:
    """The JSON that authorities take for a form: its name, and where it was read."""

    name: str
    source: Citation
    constants: Mapping[str, Json] = field(default_factory=dict)
    """Path -> what stands there where the object around it does and nothing else was said."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a form; `source` names the value that fills it, `otherwise` the one that does when there is none."""

    no: str
    label: str
    source: str
    type: FieldType = "text"
    options: tuple[str, ...] = ()
    required: Required = "always"
    otherwise: str = ""
    needed_if: str = ""
    """The condition in the form's words. Without `given` only a person can judge it, so that the field is never a gap
    (except where a withdrawal needs it in any case)."""
    given: tuple[str, tuple[str, ...]] = ("", ())
    """The field is asked for when the field with this source holds one of these options."""
    by_stage: Mapping[Stage, str] = field(default_factory=dict)
    """What stands here in each kind of report."""
    longest: int = 0
    """So many characters at most; 0 for no limit."""
    pattern: str = ""
    """A regular expression for the whole value, and `written` says it in words."""
    written: str = ""
    export: Export | None = None


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
    serves: Mapping[str, Stage] = field(default_factory=dict)
    """Stage of the regime -> the kind of report that discharges it."""
    schema: Schema | None = None

    def fields(self) -> tuple[Field, ...]:
        """Every field, in the form's order."""
        return tuple(field for section in self.sections for field in section.fields)


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
    note: str = ""
    """When a field that is empty would be asked for, in the form's words."""


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
    chosen = {field.source: _chosen(field, values, stage) for field in form.fields()}
    sections = tuple(
        FilledSection(
            section.no, section.title, tuple(_filled(field, values, chosen, stage) for field in section.fields)
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
    fields = {field.source: field for field in form.fields() if answerable(field)}
    if source not in fields:
        raise UsageFault(
            f"{form.id} has no field {source!r} to answer", f"there are: {', '.join(fields)}; others follow the record"
        )
    field, given = fields[source], text.strip()
    mistake = _mistake(field, given) if given else "the answer is empty"
    if mistake:
        choice = f"choose one of: {', '.join(field.options)}" if field.options else "write it as the form wants it"
        several = f", or several with {SEPARATOR!r} between them" if field.type == "boxes" else ""
        raise UsageFault(f"{field.no} {field.label}: {mistake}", choice + several)
    return given


def answerable(field: Field) -> bool:
    """Whether a person may fill the field: what is recorded, and what the kind of report decides, follow the record."""
    return not field.source.startswith(RECORDED) and not field.by_stage


def _filled(
    field: Field, values: Mapping[str, Json], chosen: Mapping[str, tuple[str, ...]], stage: Stage
) -> FilledField:
    text, asked = _text(field, _value(field, values, stage)), _asked(field, chosen)
    gap = _mistake(field, text) if text else ""
    if text and not gap and asked is False:
        gap = f"answered, although it is asked for only {field.needed_if}"
    if not text and asked and field.required in NEEDED[stage]:
        follows = field.type == "boxes" and not answerable(field)
        gap = "no box can be ticked yet: the facts are open" if follows else "not known yet"
    kept = "" if gap else text
    note = f"asked for {field.needed_if}" if field.needed_if and not text else ""
    return FilledField(
        field.no, field.label, field.type, kept, gap, field.options, _ticked(field, kept), field.source, note
    )


def _value(field: Field, values: Mapping[str, Json], stage: Stage) -> Json:
    if field.by_stage:
        return field.by_stage.get(stage)
    value = values.get(field.source)
    return values.get(field.otherwise) if value is None else value


def _chosen(field: Field, values: Mapping[str, Json], stage: Stage) -> tuple[str, ...]:
    return _ticked(field, _text(field, _value(field, values, stage)))


def _ticked(field: Field, text: str) -> tuple[str, ...]:
    """The options that the text names, in the order of the form."""
    named = {part.strip() for part in text.split(SEPARATOR)} if field.type == "boxes" else {text}
    return tuple(option for option in field.options if option in named)


def _asked(field: Field, chosen: Mapping[str, tuple[str, ...]]) -> bool | None:
    """Whether the field is asked for here; None when only a person, or a field that is still open, can tell."""
    source, options = field.given
    if not source:
        return None if field.needed_if and field.required != "withdrawn" else True
    held = chosen.get(source, ())
    return any(option in held for option in options) if held else None


def _mistake(field: Field, text: str) -> str:
    """Why the text does not suit the field; empty when it does."""
    if field.options:
        return _not_an_option(field, text)
    if field.type == "number" and not _NUMBER.fullmatch(text):
        return f"{text!r} is not a number"
    if field.type in ("date", "datetime") and not _moment(field.type, text):
        return f"{text!r} is not a {'day' if field.type == 'date' else 'time with its offset'} such as {_EXAMPLES[field.type]}"
    if field.pattern and not re.fullmatch(field.pattern, text, re.ASCII):
        return f"{text!r} is not {field.written}"
    return f"{len(text)} characters, and the form takes {field.longest}" if 0 < field.longest < len(text) else ""


_EXAMPLES = {"date": "2026-11-24", "datetime": "2026-11-24T09:00+01:00"}


def _not_an_option(field: Field, text: str) -> str:
    parts = [part.strip() for part in text.split(SEPARATOR)] if field.type == "boxes" else [text]
    wrong = next((part for part in parts if part not in field.options), None)
    return "" if wrong is None else f"{wrong!r} is not one of the options"


def _moment(kind: FieldType, text: str) -> bool:
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return False
    return len(text) == len("2026-11-24") if kind == "date" else read.tzinfo is not None


def _text(field: Field, value: Json) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, datetime):
        return value.isoformat(" ", "minutes") if field.type == "datetime" else value.date().isoformat()
    if field.type == "boxes" and not isinstance(value, str):
        return f"{SEPARATOR} ".join(option for option in field.options if option in value)
    return value.isoformat() if isinstance(value, date) else str(value).strip()


def _shown(field: FilledField) -> str:
    return field.value or (f"[gap: {field.gap}]" if field.gap else "")
