"""Conditions as they are written in packs -> conditions as the law room judges them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any as Value
from typing import get_args

from tocsin.document.checking import near
from tocsin.law.conditions import ALWAYS, All, Any, Compare, Condition, Not, Operator, is_day
from tocsin.law.regime import FactKind

OPERATORS = get_args(Operator)


class Malformed(ValueError):
    """A condition that cannot be read, in words."""


def condition(written: Value, definitions: Mapping[str, Condition], facts: Mapping[str, FactKind]) -> Condition:
    """The condition in this piece of a pack: {fact: ...}, {use: ...}, {all: [...]}, {any: [...]} or {not: ...}.

    Raises:
        Malformed: unknown keys, facts or definitions.
    """
    if written is None:
        return ALWAYS
    if not isinstance(written, dict):
        raise Malformed(f"a condition must be a mapping, not {written!r}")
    text = str(written.get("text", ""))
    rest = {key: value for key, value in written.items() if key != "text"}
    if "fact" in rest:
        return _compare(rest, text, facts)
    if len(rest) != 1:
        raise Malformed(f"a condition has one of: fact, use, all, any, not; this one has {', '.join(rest) or 'none'}")
    ((key, value),) = rest.items()
    if key == "use":
        if value not in definitions:
            raise Malformed(f"no definition {value!r}{near(str(value), list(definitions))}")
        return definitions[value]
    if key == "not":
        return Not(condition(value, definitions, facts), text)
    if key in ("all", "any") and isinstance(value, list):
        parts = tuple(condition(part, definitions, facts) for part in value)
        return All(parts, text) if key == "all" else Any(parts, text)
    raise Malformed(f"a condition cannot have {key!r}{near(str(key), ['fact', 'use', 'all', 'any', 'not'])}")


def _compare(rest: Mapping[str, Value], text: str, facts: Mapping[str, FactKind]) -> Compare:
    name = rest["fact"]
    if name not in facts:
        raise Malformed(f"no fact {name!r}{near(str(name), list(facts))}")
    given = {key: value for key, value in rest.items() if key != "fact"} or {"is": True}
    ((operator, value), *more) = given.items()
    if operator not in OPERATORS or more:
        raise Malformed(f"{name}: no comparison {operator!r}{near(str(operator), list(OPERATORS))}")
    kind = facts[name]
    if operator not in _SUITS[kind.type]:
        suits = ", ".join(_SUITS[kind.type])
        raise Malformed(f"{name} is a {kind.type}: it cannot be compared with {operator!r}; there are: {suits}")
    for one in value if isinstance(value, list) else [value]:
        _check(kind, one, "number" if operator in COUNTING else kind.type)
    return Compare(name, operator, _plain(value), text)


COUNTING: tuple[Operator, ...] = ("at_least", "at_most")
"""Comparisons that count the members of a set."""
_SUITS: Mapping[str, tuple[Operator, ...]] = {
    "truth": ("is",),
    "number": ("is", "in", "at_least", "at_most"),
    "text": ("is", "in", "starts_with"),
    "choice": ("is", "in"),
    "set": ("contains", "contains_any", *COUNTING),
    "date": ("before", "on_or_after"),
}
"""Type of a fact -> the comparisons that mean something for it."""


def _check(kind: FactKind, value: Value, type_: str) -> None:
    """Whether the fact can be compared with the value, which must be of the type. Raises Malformed if not."""
    if type_ in ("choice", "set") and kind.choices and value not in kind.choices:
        raise Malformed(f"{kind.name} has no choice {value!r}{near(str(value), kind.choices)}")
    fits: Mapping[str, bool] = {
        "truth": isinstance(value, bool),
        "number": isinstance(value, int | float) and not isinstance(value, bool),
        "text": isinstance(value, str),
        "date": is_day(value),
    }
    if not fits.get(type_, True):
        raise Malformed(f"{kind.name} is a {kind.type}: it cannot be compared with {value!r}")


def _plain(value: Value) -> Value:
    """A list as a tuple, and a date as the text that answers have."""
    if isinstance(value, date):
        return value.isoformat()
    return tuple(value) if isinstance(value, list) else value
