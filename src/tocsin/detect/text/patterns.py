"""A pattern: what is looked for in text, how a match is confirmed, what it means, and how it is shown without showing it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property, lru_cache
from hashlib import sha256
from typing import Literal

from tocsin.detect.text.allowing import Allowance
from tocsin.detect.text.seeking import Sought, sought

Kind = Literal["personal_data", "secret", "injection", "tool_call"]
Precedence = Literal["checksum", "specific", "generic"]
"""Which of two overlapping matches is kept: a checksum beats a specific form, that a generic one; then the longer."""
RANK: Mapping[str, int] = {"checksum": 0, "specific": 1, "generic": 2}
SEPARATORS = " -"
SEPARATORS_KNOWN = " -./"
FIRST_GROUP = -1
"""Of several groups the first that took part in the match."""


@dataclass(frozen=True)
class Pattern:
    """One pattern: an `expression` for Python's `re` on bytes, or `digits`, the lengths of a number that may be written in groups.

    Expressions have ASCII classes, bounded repeats and never an empty match. `anchors.derived` finds what Hyperscan looks for; an
    `anchor` overrides that: every match of the expression must hold the end of a match of the anchor, and if both begin alike, a match
    of the anchor that begins where it does.
    """

    id: str
    title: str
    kind: Kind
    expression: str
    validator: str
    precedence: Precedence
    roles: tuple[str, ...]
    confidence: float
    severe_in: tuple[str, ...]
    mask: str
    tags: tuple[str, ...]
    entity: str = ""
    """What is found, where several patterns find the same; otherwise the id."""
    digits: tuple[int, ...] = ()
    separators: str = SEPARATORS
    """What may part the groups of `digits`."""
    anchor: str = ""
    ignore_case: bool = False
    group: int = 0
    """The group of the expression that is the finding, or `FIRST_GROUP`."""
    context: tuple[str, ...] = ()
    """Words, in any language, of which one must stand near the match."""
    bare: float = 0.0
    """The confidence without such a word; at zero it is no finding then."""
    keywords: tuple[str, ...] = ()
    """Pieces of which one must stand in the same text, without regard to case."""
    entropy: float = 0.0
    """Bits per character that the finding has at least."""
    allow: tuple[Allowance, ...] = ()
    again: bool = True
    """Whether a match that is not confirmed is tried again one byte on; otherwise the search goes on behind it."""
    languages: tuple[str, ...] = ()

    @property
    def named(self) -> str:
        """What is found."""
        return self.entity or self.id

    @cached_property
    def compiled(self) -> re.Pattern[bytes]:
        """The expression on bytes."""
        return re.compile(self.expression.encode(), re.IGNORECASE if self.ignore_case else 0)

    @cached_property
    def sought(self) -> Sought:
        """How it is looked for."""
        return sought(self.expression, self.anchor, self.ignore_case)


@dataclass(frozen=True, eq=False)
class Patterns:
    """All patterns, in order of their ids; `digest` names the set."""

    items: tuple[Pattern, ...]

    @cached_property
    def digest(self) -> str:
        """The digest of everything that decides what is found and said."""
        body = "\x1e".join("\x1f".join(str(getattr(p, field.name)) for field in fields(p)) for p in self.items)
        return sha256(body.encode()).hexdigest()[:16]

    @cached_property
    def by_id(self) -> Mapping[str, Pattern]:
        """The patterns by id."""
        return {pattern.id: pattern for pattern in self.items}

    def of(self, *kinds: Kind) -> Patterns:
        """The patterns of these kinds: the same object each time, because making patterns ready is dear."""
        return _of(self, kinds)


@lru_cache(maxsize=32)
def _of(patterns: Patterns, kinds: tuple[Kind, ...]) -> Patterns:
    return Patterns(tuple(pattern for pattern in patterns.items if pattern.kind in kinds))
