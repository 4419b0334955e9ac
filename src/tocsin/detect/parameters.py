"""The parameters of a detector: what a system file may say, and the defaults for what it does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from tocsin.model.detector import DetectorKind, Parameter
from tocsin.model.event import Json


class Misfit(NamedTuple):
    """A mistake in the parameters: which one (a name that is not known, too), what is wrong, and what it means."""

    parameter: str
    what: str
    remedy: str
    known: bool


def misfits(kind: DetectorKind, given: Mapping[str, Any]) -> list[Misfit]:
    """Every mistake in the parameters given for a detector of this kind."""
    known = {parameter.name: parameter for parameter in kind.parameters}
    found = []
    for name, value in given.items():
        if name not in known:
            choices = ", ".join(sorted(known))
            found.append(Misfit(name, f"{kind.name} has no parameter {name!r}", f"there are: {choices}", known=False))
        elif wrong := _wrong(known[name], value):
            found.append(Misfit(name, wrong, known[name].doc, known=True))
    missing = (parameter for parameter in kind.parameters if parameter.required and parameter.name not in given)
    return found + [Misfit(p.name, f"{kind.name} needs {p.name!r}", p.doc, known=True) for p in missing]


def complete(kind: DetectorKind, given: Mapping[str, Any]) -> Mapping[str, Json]:
    """The parameters with the defaults of those that were not given."""
    return {parameter.name: given.get(parameter.name, parameter.default) for parameter in kind.parameters}


def _wrong(parameter: Parameter, value: Any) -> str:
    """What is wrong with a value; empty when nothing is."""
    number = parameter.type is float and isinstance(value, int) and not isinstance(value, bool)
    misplaced_flag = parameter.type is int and isinstance(value, bool)
    if not number and (not isinstance(value, parameter.type) or misplaced_flag):
        return f"{parameter.name} must be {_WORDS[parameter.type]} (it says {value!r})"
    if parameter.choices and value not in parameter.choices:
        return f"{parameter.name} must be one of {', '.join(map(str, parameter.choices))} (it says {value!r})"
    low, high = parameter.low, parameter.high
    if (low is not None and value < low) or (high is not None and value > high):
        return f"{parameter.name} must lie between {low} and {high} (it says {value!r})"
    return ""


_WORDS = {
    float: "a number",
    int: "a whole number",
    str: "text",
    bool: "true or false",
    list: "a list",
    dict: "a mapping",
}
