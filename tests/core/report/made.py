"""Forms in a few words, for the tests of this room."""

from __future__ import annotations

from datetime import date
from typing import Any

from tocsin.model.event import Json
from tocsin.model.law import Citation
from tocsin.report.forms import Field, Filled, FilledField, Form, Section, Stage, fill

SOURCE = Citation("Commission draft", "template 1.0.0", "https://example.eu/form", date(2026, 9, 1), "Q")


def form(*fields: Field) -> Form:
    """A form of one section."""
    return Form("r/f", "A form", "1.0", "draft", SOURCE, (Section("1", "All", fields),), ("a notice",), "d" * 64)


def field(**changes: Any) -> Field:
    """A text field that is always required."""
    return Field(**{"no": "1.1", "label": "What", "source": "what"} | changes)


def filled(given: Field, value: Json, stage: Stage = "initial") -> FilledField:
    """The field filled with the value."""
    return whole([given], {given.source: value}, stage).sections[0].fields[0]


def whole(fields: list[Field], values: dict[str, Json], stage: Stage = "initial") -> Filled:
    """A form of these fields, filled."""
    return fill(form(*fields), values, stage, {"Incident": "INC-2026-0001"})
