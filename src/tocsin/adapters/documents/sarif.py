"""Findings in text as SARIF 2.1.0 (OASIS), which code hosts and editors read: rules, results with places, and what could not be read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import quote

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
FINGERPRINT = "keyedDigest/v1"
"""What the digest is called among the partial fingerprints (SARIF 2.1.0, 3.27.17)."""
LEVELS: Mapping[str, str] = {
    "secret": "error",
    "personal_data": "warning",
    "injection": "warning",
    "tool_call": "warning",
}


class Located(NamedTuple):
    """A finding and where it begins: the file, the line (from 1) and the column (from 1; 0: the line holds a record)."""

    file: str
    line: int
    column: int
    rule: str
    category: str
    message: str
    score: float
    key: str = ""
    """The keyed digest of the value, by which a host knows it again under the same salt; empty: it means nothing beyond this run."""
    via: str = ""
    """The encodings that hid it, the outer one first."""


class Rule(NamedTuple):
    """What a rule is called, what it finds, and what was measured of it (SARIF 2.1.0, 3.8: a property bag)."""

    id: str
    title: str
    properties: Mapping[str, str | float] = MappingProxyType({})


class Unread(NamedTuple):
    """What was wrong with a record or a file."""

    file: str
    line: int
    what: str


def document(
    found: Sequence[Located], rules: Iterable[Rule], unread: Sequence[Unread], version: str
) -> Mapping[str, Any]:
    """The log, ready to be written as JSON. Of the rules those stand in it that found something."""
    used = {one.rule for one in found}
    named = [rule for rule in rules if rule.id in used]
    places = {rule.id: place for place, rule in enumerate(named)}
    driver = {
        "name": "Tocsin",
        "version": version,
        "rules": [_described(rule) for rule in named],
    }
    notes = [{"level": "warning", "message": {"text": n.what}, "locations": [_place(n.file, n.line)]} for n in unread]
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(one, places[one.rule]) for one in found],
        "invocations": [{"executionSuccessful": True, "toolExecutionNotifications": notes}],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _described(rule: Rule) -> Mapping[str, Any]:
    properties = {"properties": dict(rule.properties)} if rule.properties else {}
    return {"id": rule.id, "shortDescription": {"text": rule.title}, **properties}


def _result(one: Located, place: int) -> Mapping[str, Any]:
    column = {"startColumn": one.column} if one.column else {}
    known = {"partialFingerprints": {FINGERPRINT: one.key}} if one.key else {}
    via = {"via": one.via} if one.via else {}
    return {
        "ruleId": one.rule,
        "ruleIndex": place,
        "level": LEVELS[one.category],
        "rank": round(one.score * 100, 2),
        "message": {"text": one.message},
        "locations": [_place(one.file, one.line, column)],
        **known,
        "properties": {"category": one.category, "score": one.score, **via},
    }


def _place(file: str, line: int, column: Mapping[str, int] | None = None) -> Mapping[str, Any]:
    region = {"startLine": max(line, 1), **(column or {})}
    return {"physicalLocation": {"artifactLocation": {"uri": _uri(file)}, "region": region}}


def _uri(file: str) -> str:
    """The path as a URI; standard input, which has none, is called so."""
    return "stdin" if file == "-" else quote(file.replace("\\", "/"))
