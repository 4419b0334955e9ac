"""What a user has looked at and does not want told again: rules, in which texts, why, and until when.

A suppression without a reason or an end is refused, and one that has ended no longer counts.
"""

from __future__ import annotations

from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path

from pydantic import Field

from tocsin.adapters.texts import opened
from tocsin.document.checking import Strict, Text, checked


class Suppression(Strict):
    """One of them. `texts` is a pattern of ids, such as `tests/*`; `until` is the last day on which it counts."""

    rule: Text
    texts: Text = "*"
    reason: Text
    until: date

    def covers(self, rule: str, text: str) -> bool:
        """Whether a finding of the rule in the text of this id is meant."""
        return rule == self.rule and fnmatchcase(text, self.texts)


class _File(Strict):
    suppress: tuple[Suppression, ...] = Field(min_length=1)


def load(path: Path) -> tuple[Suppression, ...]:
    """The suppressions of a file. Raises BadInput with every mistake in it, UsageFault when it is not there."""
    with opened(path) as file:
        return checked(file.read(), str(path), _File).suppress
