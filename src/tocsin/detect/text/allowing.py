"""What a pattern matches and is none the less no finding: placeholders, numbers of manuals, values that everybody knows.

The forms are those of gitleaks' allowlists, so that a file of such rules means here what it means there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

Target = Literal["value", "match", "line"]


@dataclass(frozen=True)
class Allowance:
    """Words (anywhere in the value, without regard to case) and expressions on the value, the whole match or the line it stands in.

    One of them is enough, or with `every` both a word and an expression are needed where both are given.
    """

    words: tuple[str, ...] = ()
    expressions: tuple[str, ...] = ()
    target: Target = "value"
    every: bool = False

    @cached_property
    def _compiled(self) -> tuple[re.Pattern[bytes], ...]:
        return tuple(re.compile(expression.encode()) for expression in self.expressions)

    @cached_property
    def _words(self) -> tuple[bytes, ...]:
        return tuple(word.lower().encode() for word in self.words)

    def permits(self, text: bytes, match: tuple[int, int], value: tuple[int, int]) -> bool:
        """Whether the value at these offsets of the text, found as part of this match, is no finding."""
        found = text[value[0] : value[1]]
        small = found.lower()
        named = any(word in small for word in self._words)
        if named and not (self.every and self.expressions):
            return True
        if not self.expressions or (self.every and self.words and not named):
            return False
        shown = found if self.target == "value" else _target(text, match, self.target)
        return any(expression.search(shown) for expression in self._compiled)


def _target(text: bytes, match: tuple[int, int], target: Target) -> bytes:
    start, end = match
    if target == "line":
        start, after = text.rfind(b"\n", 0, start) + 1, text.find(b"\n", end)
        end = len(text) if after < 0 else after
    return text[start:end]
