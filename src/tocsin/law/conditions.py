"""Conditions over facts, in Kleene's strong three-valued logic, with the reason for every verdict in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from tocsin.model.event import Json
from tocsin.model.law import Fact, Reason, Truth

Operator = Literal[
    "is", "in", "at_least", "at_most", "before", "on_or_after", "contains", "contains_any", "starts_with"
]
NOT_APPLICABLE = "not_applicable"


@dataclass(frozen=True, slots=True)
class Compare:
    """A fact compared with a value; `is True` asks for a plain yes; `at_least` of a set counts its members."""

    fact: str
    operator: Operator
    value: Json
    text: str = ""


@dataclass(frozen=True, slots=True)
class All:
    """Every part holds."""

    parts: tuple[Condition, ...]
    text: str = ""


@dataclass(frozen=True, slots=True)
class Any:
    """At least one part holds."""

    parts: tuple[Condition, ...]
    text: str = ""


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: Condition
    text: str = ""


Condition = Compare | All | Any | Not
ALWAYS = All((), "always")
_ALWAYS_HOLDS = Reason(ALWAYS.text, Truth.YES)


def judge(condition: Condition, facts: Mapping[str, Fact]) -> Reason:
    """The truth of the condition and what it rests on. A fact that is missing or has no value is unknown, never false."""
    if condition is ALWAYS:
        return _ALWAYS_HOLDS
    if isinstance(condition, Compare):
        return _compared(condition, facts.get(condition.fact))
    if isinstance(condition, Not):
        inner = judge(condition.part, facts)
        return Reason(condition.text or f"not: {inner.text}", _NEGATED[inner.truth], (inner,))
    parts = tuple(judge(part, facts) for part in condition.parts)
    both = isinstance(condition, All)
    word = "all of" if both else "any of"
    truth = conjunction(part.truth for part in parts) if both else disjunction(part.truth for part in parts)
    return Reason(condition.text or f"{word}: {'; '.join(part.text for part in parts)}", truth, parts)


def truth(condition: Condition, facts: Mapping[str, Fact]) -> Truth:
    """The truth alone, without a word: what `judge` would say of the condition, in a tenth of the time."""
    if isinstance(condition, Compare):
        fact = facts.get(condition.fact)
        if fact is None or fact.value is None:
            return Truth.UNKNOWN
        return Truth.YES if _holds(condition, fact.value) else Truth.NO
    if isinstance(condition, Not):
        return _NEGATED[truth(condition.part, facts)]
    decisive = Truth.NO if isinstance(condition, All) else Truth.YES
    found = _NEGATED[decisive]
    for part in condition.parts:
        one = truth(part, facts)
        if one is decisive:
            return one
        if one is Truth.UNKNOWN:
            found = one
    return found


def pending(condition: Condition, facts: Mapping[str, Fact]) -> frozenset[str]:
    """The open facts that the condition still turns on; none once it is decided, whatever else is open."""
    if truth(condition, facts) is not Truth.UNKNOWN:
        return frozenset()
    if isinstance(condition, Compare):
        return frozenset({condition.fact})
    parts = (condition.part,) if isinstance(condition, Not) else condition.parts
    return frozenset(name for part in parts for name in pending(part, facts))


def conjunction(truths: Iterator[Truth] | tuple[Truth, ...]) -> Truth:
    """Kleene's and: no if any is no, yes if all are yes, else unknown. Of nothing: yes."""
    values = set(truths)
    if Truth.NO in values:
        return Truth.NO
    return Truth.UNKNOWN if Truth.UNKNOWN in values else Truth.YES


def disjunction(truths: Iterator[Truth] | tuple[Truth, ...]) -> Truth:
    """Kleene's or: yes if any is yes, no if all are no, else unknown. Of nothing: no."""
    values = set(truths)
    if Truth.YES in values:
        return Truth.YES
    return Truth.UNKNOWN if Truth.UNKNOWN in values else Truth.NO


def names(condition: Condition) -> frozenset[str]:
    """The facts that the condition looks at."""
    if isinstance(condition, Compare):
        return frozenset({condition.fact})
    if isinstance(condition, Not):
        return names(condition.part)
    return frozenset(name for part in condition.parts for name in names(part))


def outline(condition: Condition, depth: int = 0) -> Iterator[tuple[int, str]]:
    """The condition as lines with their depth, without any facts: what a statute's reader would compare."""
    if isinstance(condition, Compare):
        yield depth, condition.text or _words(condition)
    elif isinstance(condition, Not):
        yield depth, f"{condition.text}: not" if condition.text else "not"
        yield from outline(condition.part, depth + 1)
    elif condition != ALWAYS:
        word = "all of" if isinstance(condition, All) else "any of"
        yield depth, f"{condition.text}: {word}" if condition.text else word
        for part in condition.parts:
            yield from outline(part, depth + 1)


def comparisons(condition: Condition) -> Iterator[Compare]:
    """Every comparison in the condition."""
    if isinstance(condition, Compare):
        yield condition
    elif isinstance(condition, Not):
        yield from comparisons(condition.part)
    else:
        for part in condition.parts:
            yield from comparisons(part)


def decisive(reason: Reason) -> Reason:
    """The innermost part on which the verdict rests: of what failed the first failing part, of what is open the first open one."""
    for part in reason.because:
        if part.truth is reason.truth:
            return decisive(part)
    return reason


_NEGATED = {Truth.YES: Truth.NO, Truth.NO: Truth.YES, Truth.UNKNOWN: Truth.UNKNOWN}


def _compared(condition: Compare, fact: Fact | None) -> Reason:
    words = condition.text or _words(condition)
    if fact is None or fact.value is None:
        return Reason(f"{words}: not known yet", Truth.UNKNOWN)
    truth = Truth.YES if _holds(condition, fact.value) else Truth.NO
    shown = {True: "yes", False: "no"}.get(fact.value, fact.value) if isinstance(fact.value, bool) else fact.value
    shown = ", ".join(map(str, shown)) if isinstance(shown, list) else shown
    return Reason(f"{words}: {truth} ({condition.fact} = {shown}, said by {fact.author})", truth)


def _words(condition: Compare) -> str:
    name = condition.fact.replace("_", " ")
    if condition.operator == "is" and condition.value is True:
        return name
    if condition.operator == "is" and condition.value is False:
        return f"no {name}"
    operator = condition.operator.replace("_", " ")
    value = " or ".join(map(str, condition.value)) if isinstance(condition.value, tuple) else condition.value
    return f"{name.removesuffix(' on') if operator == 'on or after' else name} {operator} {value}"


def _holds(condition: Compare, value: Json) -> bool:
    wanted = condition.value
    if value == NOT_APPLICABLE:
        return False
    match condition.operator:
        case "is":
            return bool(value == wanted)
        case "in":
            return value in wanted
        case "contains":
            return wanted in value
        case "contains_any":
            return any(one in value for one in wanted)
        case "starts_with":
            return str(value).startswith(str(wanted))
        case "at_least":
            return bool(_size(value) >= wanted)
        case "at_most":
            return bool(_size(value) <= wanted)
        case "before":
            return _day(value) < _day(wanted)
        case "on_or_after":
            return _day(value) >= _day(wanted)


def _size(value: Json) -> Json:
    """Of a set its number of members: "at least two of the following thresholds"."""
    return len(value) if isinstance(value, list) else value


def _day(value: Json) -> date:
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else date.fromisoformat(str(value)[:10])


def is_day(value: Json) -> bool:
    """Whether the value is a date, or the text of one; an instant is none."""
    if isinstance(value, datetime):
        return False
    try:
        return isinstance(value, date) or bool(date.fromisoformat(value))
    except (TypeError, ValueError):
        return False
