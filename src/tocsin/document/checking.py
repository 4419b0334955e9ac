"""A document against its model: every mistake at once, in plain words, with its line, column and a suggestion."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, TypeVar
from zoneinfo import available_timezones

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints, ValidationError

from tocsin.document.reading import Document, Path, read
from tocsin.model.errors import BadInput, Problem

Checked = TypeVar("Checked", bound=BaseModel)


class Strict(BaseModel):
    """The base of every document's model: unknown keys are mistakes, values are not bent, results are frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(seconds?|s|minutes?|min|m|hours?|h|days?|d|weeks?|w)")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def duration(value: object) -> timedelta:
    """The length of time in text such as `15m`, `2 h`, `1 day`, `4 weeks`. Raises ValueError otherwise."""
    if isinstance(value, timedelta):
        return value
    match = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if not match or not float(match[1]):
        raise ValueError("must be a length of time such as 15m, 2h, 1d or 4w")
    return timedelta(**{_UNITS[match[2][0]]: float(match[1])})


def zone(value: object) -> str:
    """The IANA name of a time zone. Raises ValueError with the nearest names otherwise."""
    if isinstance(value, str) and value in available_timezones():
        return value
    raise ValueError(f"must be an IANA time zone{near(str(value), sorted(available_timezones()))}")


def near(wrong: str, right: list[str]) -> str:
    """`, did you mean …?` when one of `right` resembles `wrong`; nothing otherwise."""
    close = difflib.get_close_matches(wrong, right, n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else ""


Duration = Annotated[timedelta, BeforeValidator(duration)]
Zone = Annotated[str, BeforeValidator(zone)]
Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]


def checked(data: bytes | str, file: str, model: type[Checked]) -> Checked:
    """The document as a value of `model`. Raises BadInput with every mistake in it."""
    return fitted(read(data, file), model)


def fitted(document: Document, model: type[Checked]) -> Checked:
    """A read document as a value of `model`. Raises BadInput with every mistake in it."""
    problems = set(document.problems)
    try:
        value = model.model_validate(document.value)
    except ValidationError as error:
        problems |= {_problem(document, model, dict(found)) for found in error.errors(include_url=False)}
    if problems:
        raise BadInput(problems)
    return value


def _problem(document: Document, model: type[BaseModel], found: dict[str, Any]) -> Problem:
    path = _path(document.value, found["loc"])
    kind, context = found["type"], found.get("ctx", {})
    if kind == "extra_forbidden":
        siblings = [name for name in _names(model, path[:-1]) if name not in _keys(document.value, path[:-1])]
        known = ", ".join(siblings)
        remedy = near(str(path[-1]), siblings).removeprefix("; ") or (
            f"keys that may stand here: {known}" if known else "remove it"
        )
        return Problem(document.place(path, key=True), f"unknown key {path[-1]!r}", remedy)
    if kind == "missing":
        return Problem(document.place(path), f"{path[-1]!r} is missing", "add it")
    what, remedy = _words(kind, context, found)
    return Problem(document.place(path), what, remedy)


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
        return f"must be lower-case letters, digits, - and _{shown}", ""
    if kind.startswith(("greater_than", "less_than")):
        return f"{found['msg'].replace('Input should be', 'must be')}{shown}", ""
    for prefix, words in _TYPE_WORDS.items():
        if kind.startswith(prefix):
            return f"must be {words}{shown}", ""
    return f"{found['msg'].replace('Input should', 'must')}{shown}", ""


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


def _names(model: Any, path: Path) -> list[str]:
    """The keys that may stand at the path, by the models of the annotations along it."""
    models = [model]
    for step in path:
        models = [inner for outer in models for inner in _below(outer, step)]
    return sorted({field.alias or name for one in models for name, field in one.model_fields.items()})


def _below(model: type[BaseModel], step: str | int) -> list[type[BaseModel]]:
    if isinstance(step, int):
        return [model]
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    return _models(fields[step].annotation) if step in fields else [model]


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in getattr(annotation, "__args__", ()) for model in _models(part)]
