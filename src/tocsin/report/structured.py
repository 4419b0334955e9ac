"""The JSON of a form that authorities take as such: each field at its place, options as codes, instants in UTC.

A place is a path: `a.b` is a member, `a[].b` stands in the only item of a list, and `a[key=code].b` in the item whose `key` is that code.
A path that ends in `[key]` makes such an item for each box that is ticked; the others must come after it in the form.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from tocsin.model.event import Json
from tocsin.report.forms import PREMATURE, Export, Field, Filled, FilledField, Form

_SEGMENT = re.compile(r"(?P<name>\w+)(?P<item>\[(?P<key>\w*)(=(?P<code>[^\]]+))?\])?")


def structured(form: Form, filled: Filled) -> dict[str, Json]:
    """What is known of the form, in the shape that its schema names.

    Gaps are absent, as an authority refuses empty members; and so is what only a later report asks for: nobody tells it unasked.
    """
    made: dict[str, Json] = {}
    early = PREMATURE.get(filled.stage, frozenset())
    values = {(field.no, field.label): field for section in filled.sections for field in section.fields}
    for field in form.fields():
        given = values[field.no, field.label]
        if field.export and given.value and field.required not in early:
            _put(made, _path(field.export, given.value), _json(field, field.export, given))
    for path, constant in (form.schema.constants if form.schema else {}).items():
        if _stands(made, path.rpartition(".")[0]) and not _stands(made, path):
            _put(made, path, constant)
    return made


def code(option: str, codes: Mapping[str, str]) -> str:
    """The code of an option: its words in lower case, joined, without a request to specify; or the one that is listed for it."""
    plain = option.replace("(please specify)", "").translate(str.maketrans("", "", "()")).strip().lower()
    return codes.get(option) or re.sub(r"[^a-z0-9-]+", "_", plain)


def _json(field: Field, export: Export, given: FilledField) -> Json:
    if field.type == "boxes":
        return [code(option, export.codes) for option in given.ticked]
    if export.kind == "truth":
        return given.value == "Yes"
    if export.kind == "list":
        return [part.strip() for part in given.value.split(",")]
    if field.type == "choice":
        return code(given.value, export.codes)
    if field.type == "number":
        return float(given.value) if "." in given.value else int(given.value)
    if field.type == "datetime":
        return f"{datetime.fromisoformat(given.value).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return given.value


def _path(export: Export, value: str) -> str:
    return next((path for form, path in export.alternatives.items() if re.fullmatch(form, value)), export.path)


def _put(root: dict[str, Json], path: str, value: Json) -> None:
    """Set the value at the path, with the objects on the way to it. An item of a certain code is not made: nobody ticked it."""
    *way, last = _segments(path)
    here = root
    for segment in way:
        found = _member(here, segment)
        if found is None:
            return
        here = found
    if last["item"]:
        here[last["name"]] = [{last["key"]: one} for one in value]
    else:
        here[last["name"]] = value


def _member(here: dict[str, Json], segment: dict[str, str]) -> dict[str, Json] | None:
    """The object of that name, or the item of the list of that name. None where there is no item of the code that is asked for."""
    if not segment["item"]:
        member: dict[str, Json] = here.setdefault(segment["name"], {})
        return member
    if segment["key"]:
        items: list[dict[str, Json]] = here.get(segment["name"], [])
        return next((item for item in items if item[segment["key"]] == segment["code"]), None)
    only: list[dict[str, Json]] = here.setdefault(segment["name"], [{}])
    return only[0]


def _stands(root: Json, path: str) -> bool:
    """Whether something is at the path already."""
    for segment in _segments(path):
        root = root.get(segment["name"])
        if root is None:
            return False
        root = root[0] if segment["item"] else root
    return True


def _segments(path: str) -> Iterator[dict[str, str]]:
    for part in path.split("."):
        found = _SEGMENT.fullmatch(part)
        assert found, path
        yield {name: value or "" for name, value in found.groupdict().items()}
