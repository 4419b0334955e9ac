"""How far a finding of a rule can be trusted, from what was measured: items planted in made-up texts, and ordinary texts of each role.

Of texts of which a share `base` holds an item, findings are right with the probability base * found / (base * found + (1 - base) *
wrong), where `found` is the share of planted items that are found and `wrong` the share of ordinary texts with a wrong finding (Bayes).
Each share has a Wilson interval (1927) of 95 %; the worst of both gives the lower bound of the precision, the best the upper.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from hashlib import sha256
from typing import Literal, NamedTuple

from tocsin.detect.comparing.intervals import Interval, rate
from tocsin.detect.text.patterns import Pattern

BASE = 0.01
"""One text in a hundred holds an item: the precision is told for this."""
ALPHA = 0.05
DOCUMENT = "document"
Word = Literal["very-high", "high", "medium", "low"]
WORDS: tuple[tuple[float, Word], ...] = ((0.95, "very-high"), (0.8, "high"), (0.5, "medium"), (0.0, "low"))
"""From which lower bound on a precision has a name, as code hosts know them in SARIF."""
TOLD_ONLY = ("title", "mask", "tags", "severe_in", "languages", "entity")
"""Fields of a pattern that do not decide what is found."""


class Measured(NamedTuple):
    """Of a rule: items planted and of these found; ordinary texts and of these such with a wrong finding."""

    planted: int
    found: int
    texts: int
    wrong: int

    @property
    def alarms(self) -> Interval:
        """Expected false alarms per 1,000 texts."""
        return Interval(*(1_000 * bound for bound in rate(self.texts, self.wrong, ALPHA)))

    def precision(self, base: float = BASE) -> Interval:
        """The share of its findings that are right where a share `base` of the texts holds an item."""
        found, wrong = rate(self.planted, self.found, ALPHA), rate(self.texts, self.wrong, ALPHA)
        value = _right(base, found.value, wrong.value)
        return Interval(value, _right(base, found.low, wrong.high), _right(base, found.high, wrong.low))

    @property
    def word(self) -> Word:
        """What the lower bound of the precision is called."""
        low = self.precision().low
        return next(word for bound, word in WORDS if low >= bound)


def roles(pattern: Pattern) -> tuple[str, ...]:
    """On which ordinary texts a pattern is measured: documents stand for what tools return and what is retrieved, what assistants write for
    the calls among it; system prompts were not looked at."""
    if pattern.kind == "tool_call":
        return ("assistant",)
    own = tuple(role for role in ("user", "assistant") if role in pattern.roles)
    return (*own, DOCUMENT) if {"tool", "retrieved"} & set(pattern.roles) else own


def _right(base: float, found: float, wrong: float) -> float:
    right = base * found
    return right / (right + (1 - base) * wrong) if right else 0.0


def pooled(parts: Iterable[Measured]) -> Measured:
    """All roles together; what was planted is the same for each."""
    every = list(parts)
    return Measured(every[0].planted, every[0].found, sum(p.texts for p in every), sum(p.wrong for p in every))


def digest(pattern: Pattern) -> str:
    """Names what decides the findings of a pattern: a measurement holds for this."""
    decides = sorted(
        (field.name, getattr(pattern, field.name)) for field in fields(pattern) if field.name not in TOLD_ONLY
    )
    return sha256(repr(decides).encode()).hexdigest()[:12]
