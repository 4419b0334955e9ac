"""What is told of a match: what it is, where it stands, how sure, under which keyed digest, and a mask in place of the value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from typing import NamedTuple

from tocsin.detect.text.engine import Row
from tocsin.detect.text.hidden import Hidden
from tocsin.detect.text.masks import masked
from tocsin.detect.text.patterns import Pattern

_SEPARATORS = b" -./()\t\r\n_"


class Found(NamedTuple):
    """One finding in a text. Offsets count characters; `key` is the same for the same value under the same salt."""

    entity: str
    category: str
    start: int
    end: int
    score: float
    rule: str
    shown: str
    key: str
    via: str = ""
    """The encodings that hid it, the outer one first: `base64>url`. The offsets are then those of the encoded stretch."""


def found(row: Row, patterns: Sequence[Pattern], role: str, salt: bytes) -> Iterator[Found]:
    """What is told of a row's matches by patterns that count in messages of this role."""
    for match, (start, end) in row.placed():
        pattern = patterns[match.pattern]
        if role in pattern.roles:
            value = row.text[match.start : match.end]
            shown, key = masked(pattern.mask, value.decode("utf-8", "replace")), digest(value, salt)
            yield Found(pattern.named, pattern.kind, start, end, match.score, pattern.id, shown, key)


def uncovered(
    found: Iterable[Hidden], patterns: Sequence[Pattern], roles: Sequence[str], salt: bytes
) -> Iterator[tuple[int, Found]]:
    """The same of what is in encodings: the number of the row, and what is told of it."""
    for one in found:
        pattern = patterns[one.pattern]
        if roles[one.row] in pattern.roles:
            shown, key = masked(pattern.mask, one.value.decode("utf-8", "replace")), digest(one.value, salt)
            told = Found(pattern.named, pattern.kind, one.start, one.end, one.score, pattern.id, shown, key, one.via)
            yield one.row, told


def digest(value: bytes, salt: bytes) -> str:
    """The keyed digest of a value without case and separators, so that one card written in two ways is one."""
    return blake2b(value.lower().translate(None, _SEPARATORS), digest_size=16, key=salt[:64]).hexdigest()


def redacted(text: str, findings: Sequence[Found], categories: frozenset[str]) -> str:
    """The text with the findings of these categories replaced by their masks; of those that overlap the first mask stands for all."""
    parts, at = [], 0
    for one in sorted(findings, key=lambda each: (each.start, -each.end)):
        if one.category in categories and one.end > at:
            parts += [text[at : one.start], one.shown] if one.start >= at else []
            at = one.end
    return "".join([*parts, text[at:]])
