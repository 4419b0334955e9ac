"""A document against its model: every mistake at once, in plain words, with its line, column and a suggestion."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema

from tocsin.document.fields import Country, Duration, Identifier, Text, Zone, duration, near, zone
from tocsin.document.reading import Document, Path, read
from tocsin.model.errors import BadInput, Problem

__all__ = [
    "Country",
    "Duration",
    "Identifier",
    "Strict",
    "Text",
    "Zone",
    "checked",
    "duration",
    "fitted",
    "near",
    "zone",
]

Checked = TypeVar("Checked", bound=BaseModel)
_UNBENT = frozenset({"int", "float", "bool"})


def _unbend(schema: Any) -> None:
    if isinstance(schema, dict):
        if isinstance(schema.get("type"), str) and schema["type"] in _UNBENT:
            schema["strict"] = True
        for key, part in schema.items():
            if key not in ("default", "metadata", "serialization"):
                _unbend(part)
    elif isinstance(schema, list | tuple):
        for part in schema:
            _unbend(part)


class Strict(BaseModel):
    """The base of every document's model: unknown keys are mistakes, values are not bent, results are frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """The model's schema with numbers and flags taken as they are: `"5"` is no number, `1` is not true."""
        schema = handler(source)
        _unbend(schema)
        return schema


def checked(data: bytes | str, file: str, model: type[Checked]) -> Checked:
    """The document as a value of `model`. Raises BadInput with every mistake in it."""
    return fitted(read(data, file), model)


def fitted(document: Document, model: type[Checked]) -> Checked:
    """A read document as a value of `model`. Raises BadInput with every mistake in it."""
    problems = set(document.problems)
    try:
        value = model.model_validate(document.value)
    except ValidationError as error:
        told = {problem.place for problem in problems}
        problems |= {problem for problem in _problems(document, model, error) if problem.place not in told}
    if problems:
        raise BadInput(problems)
    return value


def _problems(document: Document, model: type[BaseModel], error: ValidationError) -> set[Problem]:
    """The error's mistakes in plain words. A missing key of which a misspelling stands there is one mistake, not two."""
    found = [(_path(document.value, one["loc"]), one) for one in error.errors(include_url=False)]
    problems, meant = set(), set()
    for path, one in found:
        if one["type"] == "extra_forbidden":
            siblings = [name for name in _names(model, path[:-1]) if name not in _keys(document.value, path[:-1])]
            suggestion = near(str(path[-1]), siblings).removeprefix("; ")
            meant |= {(*path[:-1], name) for name in siblings if suggestion == f"did you mean {name!r}?"}
            remedy = suggestion or _may_stand(siblings)
            problems.add(Problem(document.place(path, key=True), f"unknown key {path[-1]!r}", remedy))
        elif one["type"] != "missing" and not _follows(one):
            what, remedy = _words(one["type"], one.get("ctx", {}), one)
            problems.add(Problem(document.place(path), what, remedy))
    missing = {path for path, one in found if one["type"] == "missing"} - meant
    return problems | {
        Problem(document.place(path), f"{path[-1]!r} is missing", _add(_description(model, path))) for path in missing
    }


def _add(description: str) -> str:
    return f"add it: {description}" if description else "add it"


def _follows(found: Mapping[str, Any]) -> bool:
    """Whether a mistake only follows from others: a list is not too short because its entries are wrong."""
    given = found.get("input")
    return found["type"] == "too_short" and isinstance(given, list) and len(given) >= found["ctx"]["min_length"]


def _may_stand(names: Iterable[str]) -> str:
    known = ", ".join(names)
    return f"keys that may stand here: {known}" if known else "remove it"


def _words(kind: str, context: Mapping[str, Any], found: Mapping[str, Any]) -> tuple[str, str]:
    """What is wrong and what to do, in plain language."""
    given = found.get("input")
    shown = f" (it says {given!r})" if isinstance(given, str | int | float | bool) and len(str(given)) < 60 else ""
    if kind in ("enum", "literal_error"):
        choices = re.findall(r"'([^']*)'", str(context.get("expected", "")))
        return f"must be one of {', '.join(choices)}{shown}", near(str(given), choices).removeprefix("; ")
    if kind == "value_error":
        return f"{context.get('error') or found['msg']}{shown}", ""
    if kind == "string_pattern_mismatch":
        return f"must look like {context.get('pattern')}{shown}", ""
    if kind in _BOUNDS:
        name, word = _BOUNDS[kind]
        return f"must be {word} {context[name]}{shown}", ""
    for prefix, words in _TYPE_WORDS.items():
        if kind.startswith(prefix):
            return f"must be {words}{shown}", ""
    return f"{found['msg'].replace('Input should', 'must')}{shown}", ""


_BOUNDS = {
    "greater_than_equal": ("ge", "at least"),
    "greater_than": ("gt", "more than"),
    "less_than_equal": ("le", "at most"),
    "less_than": ("lt", "less than"),
}
_TYPE_WORDS = {
    "date_": "a date such as 2026-11-24",
    "datetime_": "a date and time with its offset such as 2026-11-24T09:30:00+01:00",
    "timezone_": "a date and time with its offset such as 2026-11-24T09:30:00+01:00",
    "int_": "a whole number",
    "float_": "a number",
    "bool_": "true or false",
    "string_too_short": "filled in",
    "string_": "text (quote it if it looks like a number or a date)",
    "list_type": "a list (lines that begin with -)",
    "tuple_type": "a list (lines that begin with -)",
    "too_short": "a list with at least one entry",
    "dict_type": "a mapping (lines of the form key: value)",
    "mapping_type": "a mapping (lines of the form key: value)",
    "model_type": "a mapping (lines of the form key: value)",
    "model_attributes_type": "a mapping (lines of the form key: value)",
}


def _path(value: Any, location: tuple[str | int, ...]) -> Path:
    """The location without the names that pydantic adds for alternatives: only steps that the document has, and the last."""
    path: list[str | int] = []
    for index, step in enumerate(location):
        inside = (isinstance(value, dict) and step in value) or (isinstance(value, list) and isinstance(step, int))
        if inside:
            path.append(step)
            value = value[step] if not isinstance(value, list) or int(step) < len(value) else None
        elif index == len(location) - 1 and isinstance(value, dict):
            path.append(step)
    return tuple(path)


def _keys(value: Any, path: Path) -> list[str]:
    for step in path:
        value = value[step]
    return list(value) if isinstance(value, dict) else []


def _names(model: type[BaseModel], path: Path) -> list[str]:
    """The keys that may stand at the path."""
    return sorted({name for one in _models_at(model, path) for name in _fields(one)})


def _description(model: type[BaseModel], path: Path) -> str:
    """What the field at the path is for; empty when its model does not say."""
    found = [_fields(one).get(str(path[-1])) for one in _models_at(model, path[:-1])]
    return next((field.description for field in found if field and field.description), "")


def _models_at(model: type[BaseModel], path: Path) -> list[type[BaseModel]]:
    """The models that may stand at the path, by the annotations along it."""
    models = [model]
    for step in path:
        models = [inner for outer in models for inner in _below(outer, step)]
    return models


def _fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _below(model: type[BaseModel], step: str | int) -> list[type[BaseModel]]:
    field = _fields(model).get(str(step))
    return _models(field.annotation) if field else [model]


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in getattr(annotation, "__args__", ()) for model in _models(part)]
