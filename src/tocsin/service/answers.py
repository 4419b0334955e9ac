"""Answers to the law's questions, as people write them: each is read by the fact's type, and checked against the other answers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from tocsin.document.fields import country, near
from tocsin.law.asking import COUNTRIES, DATE
from tocsin.law.conditions import NOT_APPLICABLE, comparisons, truth
from tocsin.law.regime import FactKind, Library
from tocsin.model.errors import Refused, UsageFault
from tocsin.model.event import Json
from tocsin.model.law import Fact, Truth

YES, NO, UNKNOWN = ("yes", "y", "true"), ("no", "n", "false"), ("unknown", "?", "open")
NEITHER = (NOT_APPLICABLE, "not applicable", "n/a")
NONE = "none"
_WANTED = {
    "truth": "yes, no or unknown",
    "number": "a number",
    "date": "a date such as 2026-11-24",
    "text": "text",
}


def read(facts: Mapping[str, FactKind], name: str, text: str) -> Json:
    """The value in the text; None for unknown.

    Raises:
        UsageFault: the law asks for no such fact, or the text is no answer to it.
    """
    if name.startswith(DATE):
        raise UsageFault(f"{name} is a date", f"record it with --date {name.removeprefix(DATE)}=2026-11-24T09:00+01:00")
    if name not in facts:
        raise UsageFault(f"the law asks for no fact {name!r}{near(name, sorted(facts))}", "see: tocsin law ask")
    kind, word = facts[name], text.strip().lower()
    if word in UNKNOWN:
        return None
    if word in NEITHER:
        return NOT_APPLICABLE
    try:
        return _READERS[kind.type](kind, text.strip())
    except ValueError as error:
        wanted = _WANTED.get(kind.type, f"one of {', '.join(kind.choices)}{_or_none(kind)}")
        hint = near(str(error), kind.choices) if kind.choices else ""
        raise UsageFault(f"{name} must be {wanted}, not {text!r}{hint}", kind.text) from None


def countries(text: str) -> Json:
    """The codes in the text as they are recorded, `DE,US-CA`; None for unknown. Raises UsageFault for what is no country."""
    if text.strip().lower() in UNKNOWN:
        return None
    found = []
    for part in text.split(","):
        try:
            found.append(country(part.strip()))
        except ValueError as error:
            raise UsageFault(f"{COUNTRIES}: {part.strip()!r} {error}", "write codes such as DE,FR,US-CA") from None
    return ",".join(dict.fromkeys(found))


def check(library: Library, facts: Mapping[str, Fact], name: str) -> None:
    """Whether the answer to the fact can stand beside the others. Raises Refused with what it contradicts."""
    for condition in library.contradictions:
        involved = {compared.fact for compared in comparisons(condition)}
        if name in involved and truth(condition, facts) is Truth.YES:
            others = [facts[other] for other in sorted(involved - {name})]
            shown = [f"{o.name} is {_shown(o.value)}, said by {o.author} ({o.source or 'no source'})" for o in others]
            what = f"{name}={_shown(facts[name].value)} contradicts another answer: {condition.text}"
            raise Refused(what, shown, "correct the other answer first, or this one")


def _shown(value: Json) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _or_none(kind: FactKind) -> str:
    return f" (several separated by commas), or {NONE}" if kind.type == "set" else ""


def _truth(_: FactKind, text: str) -> Json:
    word = text.lower()
    if word not in YES + NO:
        raise ValueError(word)
    return word in YES


def _number(_: FactKind, text: str) -> Json:
    return float(text) if "." in text else int(text)


def _date(_: FactKind, text: str) -> Json:
    return date.fromisoformat(text).isoformat()


def _choice(kind: FactKind, text: str) -> Json:
    if text.lower() not in kind.choices:
        raise ValueError(text.lower())
    return text.lower()


def _set(kind: FactKind, text: str) -> Json:
    words = [] if text.lower() == NONE else [part.strip().lower() for part in text.split(",")]
    for word in words:
        _choice(kind, word)
    return sorted(set(words))


_READERS = {
    "truth": _truth,
    "number": _number,
    "text": lambda _, text: text,
    "date": _date,
    "choice": _choice,
    "set": _set,
}
