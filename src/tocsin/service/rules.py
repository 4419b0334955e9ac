"""The rules of text detection as somebody chooses among them: what each finds, and how far a finding of it can be trusted."""

from __future__ import annotations

from dataclasses import dataclass

from tocsin.content.loaders import measured, patterns
from tocsin.detect.text.calibration import BASE, Measured, Word, pooled


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule in a line. The precision holds where one text in a hundred has an item; bounds are of 95 %."""

    id: str
    finds: str
    title: str
    kind: str
    confidence: float
    precision: float
    precision_low: float
    word: Word
    alarms: float
    """Expected false alarms per 1,000 texts."""
    alarms_high: float
    texts: int
    """Ordinary texts that were looked at."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules by id, and the share of texts with an item for which their precision is told."""

    rules: tuple[Rule, ...]
    unmeasured: tuple[str, ...]
    """Rules that changed after they were measured, or of which nothing was."""
    base: float = BASE


def listed(kind: str = "", role: str = "") -> Rules:
    """The shipped rules of a kind, all if none is named, as measured in messages of a role, in all roles together if none is."""
    told, unmeasured = list[Rule](), list[str]()
    for pattern in patterns.load().items:
        if (kind and pattern.kind != kind) or (role and role not in pattern.roles):
            continue
        parts = measured.of_role(pattern, role) if role else measured.load().get(pattern.id, {})
        if parts:
            told.append(_rule(pattern.id, pooled(parts.values())))
        else:
            unmeasured.append(pattern.id)
    return Rules(tuple(told), tuple(unmeasured))


def _rule(name: str, result: Measured) -> Rule:
    pattern, precision, alarms = patterns.load().by_id[name], result.precision(), result.alarms
    return Rule(
        name,
        pattern.named,
        pattern.title,
        pattern.kind,
        pattern.confidence,
        round(precision.value, 4),
        round(precision.low, 4),
        result.word,
        round(alarms.value, 3),
        round(alarms.high, 3),
        result.texts,
    )


def properties(name: str) -> dict[str, str | float]:
    """What SARIF tells of a rule: its precision in the words of code hosts and as measured, and false alarms; empty if not measured."""
    result = measured.whole(name)
    if result is None:
        return {}
    rule = _rule(name, result)
    return {
        "precision": rule.word,
        "measuredPrecision": rule.precision,
        "measuredPrecisionLow": rule.precision_low,
        "falseAlarmsPer1000": rule.alarms,
    }
