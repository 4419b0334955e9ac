"""The parameters of a detector: what a system file may say, and the defaults for what it does not."""

from __future__ import annotations

import json
from collections import Counter
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
    found += [Misfit(p.name, f"{kind.name} needs {p.name!r}", p.doc, known=True) for p in missing]
    if not found and (wrong_together := kind.check(complete(kind, given))):
        parameter, remedy = wrong_together
        found.append(Misfit(parameter, f"the settings of {kind.name} do not go together", remedy, known=True))
    return found


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
    if isinstance(value, list):
        return _wrong_list(parameter, value)
    low, high = parameter.low, parameter.high
    if not ((low is None or value >= low) and (high is None or value <= high)):
        bounds = f"lie between {low} and {high}" if None not in (low, high) else f"be at least {low}"
        return f"{parameter.name} must {bounds} (it says {value!r})"
    return ""


def _wrong_list(parameter: Parameter, values: list[Any]) -> str:
    """What is wrong with a list, whose `low` is its least length: YAML reads `[1, no]` as a number and a flag, not as names."""
    for value in values:
        if not isinstance(value, str):
            return (
                f"{parameter.name} must be a list of text: write {json.dumps(str(value))} in quotes (it says {value!r})"
            )
    if twice := [value for value, count in Counter(values).items() if count > 1]:
        return f"{parameter.name} names {twice[0]!r} twice"
    if len(values) < (parameter.low or 0):
        return f"{parameter.name} needs at least {parameter.low:g} entries (it has {len(values)})"
    return ""


_WORDS = {
    float: "a number",
    int: "a whole number",
    str: "text",
    bool: "true or false",
    list: "a list",
    dict: "a mapping",
}
