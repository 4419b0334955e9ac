"""What a user has looked at and does not want told again: a rule, a value by its keyed digest, or both; in which texts, why, until when.

A suppression without a reason or an end is refused, and one that has ended no longer counts.
"""

from __future__ import annotations

from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from tocsin.adapters.texts import opened
from tocsin.document.checking import Strict, Text, checked


class Suppression(Strict):
    """One of them. `texts` is a pattern of ids, such as `tests/*`; `until` is the last day on which it counts."""

    rule: Text | None = None
    key: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")] | None = None
    """The keyed digest of a value as a scan under the same salt tells it: 32 hexadecimal digits."""
    texts: Text = "*"
    reason: Text
    until: date

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if self.rule is None and self.key is None:
            raise ValueError("name a rule, a key or both")
        return self

    @property
    def named(self) -> str:
        """What it suppresses, to be read."""
        return " of ".join(filter(None, (self.key, self.rule)))

    def covers(self, rule: str, key: str, text: str) -> bool:
        """Whether a finding of the rule, of the value with this digest, in the text of this id is meant."""
        return self.rule in (None, rule) and self.key in (None, key) and fnmatchcase(text, self.texts)


class _File(Strict):
    suppress: tuple[Suppression, ...] = Field(min_length=1)


def load(path: Path) -> tuple[Suppression, ...]:
    """The suppressions of a file. Raises BadInput with every mistake in it, UsageFault when it is not there."""
    with opened(path) as file:
        return checked(file.read(), str(path), _File).suppress
