"""Scanning texts without a workspace: what stands in them, and how much like an attack they read. Nothing is kept.

`tocsin.scan(texts)` and the command `tocsin scan` are this.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa

from tocsin.adapters.shelf import FolderShelf, cache_folder
from tocsin.adapters.suppressions import Suppression
from tocsin.adapters.texts import ROLES, Columns, Kind, Text, batches, opened
from tocsin.content.loaders import gitleaks
from tocsin.content.loaders import injection as trained
from tocsin.content.loaders import patterns as shipped
from tocsin.detect.text import injection, telling
from tocsin.detect.text.databases import keep_on
from tocsin.detect.text.hidden import attacks, everything
from tocsin.detect.text.patterns import Patterns
from tocsin.detect.text.telling import Found
from tocsin.model.errors import BadInput, Place, UsageFault

REDACTED = frozenset({"personal_data", "secret"})
INJECTION, MODEL = "prompt_injection", "model"
LIKE_AN_ATTACK = "[reads like an attack]"
FLAGGED = 0.5
"""From this score on a text counts as an attack."""
SCORE_MIN = 0.3
SALT_BYTES_MIN, SALT_BYTES_MAX = 16, 4_096
WITHHELD = "[text withheld: it holds more than was looked at]"
"""Stands for a text of which not every finding is known: what was not found cannot be masked."""
MODEL_BYTES = 256 << 10
"""The model needs thirty bytes of memory for each byte of text: a longer text is judged in pieces, and scores as the worst."""


@dataclass(frozen=True, slots=True)
class Scan:
    """What stands in one text: findings in order, scores by name from 0 to 1, and whether there was more than was looked at."""

    findings: tuple[Found, ...]
    scores: dict[str, float]
    truncated: bool = False
    suppressed: tuple[Found, ...] = ()
    """Findings that the user does not want told; masks replace them nevertheless."""

    @property
    def worst(self) -> float:
        """The highest score of anything in the text."""
        return max(*(one.score for one in self.findings), *self.scores.values(), 0.0, 0.0)

    @property
    def told(self) -> tuple[Found, ...]:
        """The findings, and as one without an extent what only the trained model says where it counts as an attack."""
        score = self.scores.get(INJECTION, 0.0)
        if score < FLAGGED or any(one.category == "injection" for one in self.findings):
            return self.findings
        return (Found(INJECTION, "injection", 0, 0, score, MODEL, LIKE_AN_ATTACK, ""), *self.findings)


@dataclass(frozen=True, slots=True)
class Scanner:
    """A set of patterns made ready. `salt` keys the digests of values; findings below `least` are not told."""

    patterns: Patterns
    salt: bytes
    least: float = SCORE_MIN

    def scan(self, texts: Any, roles: Sequence[str] | str = "user") -> list[Scan]:
        """What stands in each of the texts: a list of text, bytes or None, or an Arrow array of them.

        Raises:
            UsageFault: a role is unknown, there are not as many roles as texts, or `texts` is a single text.
        """
        if isinstance(texts, str | bytes):
            raise UsageFault("a single text is given", "give a list of texts")
        texts = texts if isinstance(texts, pa.Array | pa.ChunkedArray) else list(texts)
        said = [roles] * len(texts) if isinstance(roles, str) else list(roles)
        _check(said, len(texts))
        every = everything(texts, self.patterns)
        found: list[list[Found]] = [[] for _ in said]
        for row in every.rows:
            found[row.number] += telling.found(row, self.patterns.items, said[row.number], self.salt)
        for number, told in telling.uncovered(every.hidden, self.patterns.items, said, self.salt):
            found[number].append(told)
        for one in attacks(every, said, _judged, FLAGGED, len(self.patterns.items)):
            key = telling.digest(one.value, self.salt)
            told = Found(INJECTION, "injection", one.start, one.end, one.score, MODEL, LIKE_AN_ATTACK, key, one.via)
            found[one.row].append(told)
        findings = [tuple(one for one in sorted(each, key=_place) if one.score >= self.least) for each in found]
        scores = injection_scores(texts, said, findings)
        return [
            Scan(f, {INJECTION: s}, n in every.truncated) for n, (f, s) in enumerate(zip(findings, scores, strict=True))
        ]


def _place(one: Found) -> tuple[int, int]:
    return one.start, one.end


def _judged(texts: Sequence[bytes], roles: Sequence[str]) -> list[float]:
    return injection_scores(texts, roles, [()] * len(texts))


def _check(roles: Sequence[str], count: int) -> None:
    if len(roles) != count:
        raise UsageFault(f"{len(roles)} roles for {count} texts", "give one role for each text, or one for all")
    if unknown := set(roles) - set(ROLES):
        raise UsageFault(f"no role {', '.join(sorted(map(repr, unknown)))}", f"the roles are {', '.join(ROLES)}")


def injection_scores(texts: Any, roles: Sequence[str], findings: Sequence[Iterable[Found]]) -> list[float]:
    """How much like an attack each text reads: what the trained model says or, if higher, the surest rule of injection."""
    owner, parts = list[int](), list[bytes]()
    for number, text in enumerate(_as_bytes(texts)):
        for start in range(0, len(text), MODEL_BYTES):
            owner.append(number)
            parts.append(text[start : start + MODEL_BYTES])
    modelled = np.zeros(len(roles))
    if parts:
        said = [roles[number] for number in owner]
        np.maximum.at(modelled, owner, injection.score(parts, said, trained.load()))
    ruled = (max((one.score for one in each if one.category == "injection"), default=0.0) for each in findings)
    return [round(max(pair), 4) for pair in zip(modelled.tolist(), ruled, strict=True)]


def _as_bytes(texts: Any) -> Iterator[bytes]:
    values = texts.to_pylist() if isinstance(texts, pa.Array | pa.ChunkedArray) else texts
    return (text.encode("utf-8", "replace") if isinstance(text, str) else text or b"" for text in values)


def scanner(rules: Patterns | None = None, salt: bytes = b"", least: float = SCORE_MIN) -> Scanner:
    """The shipped patterns and these, ready; of one id these. Without a salt, digests mean something within this scanner only."""
    keep_on(FolderShelf(cache_folder()))
    patterns = shipped.load()
    if rules:
        every = {pattern.id: pattern for pattern in (*patterns.items, *rules.items)}
        patterns = Patterns(tuple(every[name] for name in sorted(every)))
    return Scanner(patterns, salt or secrets.token_bytes(32), least)


def rules_of(path: Path) -> gitleaks.Loaded:
    """The rules of a `gitleaks.toml`. Raises BadInput when it is none, UsageFault when it is not there."""
    with opened(path) as file:
        return gitleaks.read(file.read(), str(path))


def salt_of(path: Path) -> bytes:
    """The salt of a file, without white space at its ends. Raises BadInput when it is too short, UsageFault when it is not there."""
    with opened(path) as file:
        salt = file.read(SALT_BYTES_MAX).strip()
    if len(salt) < SALT_BYTES_MIN:
        wrong = f"a salt of {len(salt)} bytes can be guessed"
        raise BadInput.at(Place(str(path)), wrong, f"write {SALT_BYTES_MIN} random bytes or more: openssl rand -hex 32")
    return salt


def scanned(
    path: Path | None, stream: BinaryIO, kind: Kind, columns: Columns, role: str, scanner: Scanner
) -> Iterator[tuple[Text, Scan]]:
    """The texts of a file (`path` None: of standard input) with what stands in each.

    Raises:
        BadInput: the file as a whole is not what it should be, or has no such column.
    """
    for batch in batches(path, stream, kind, columns, role):
        results = scanner.scan([text.data for text in batch], [text.role for text in batch])
        yield from zip(batch, results, strict=True)


@lru_cache
def _shipped() -> Scanner:
    return scanner()


def scan(texts: Any, roles: Sequence[str] | str = "user") -> list[Scan]:
    """What stands in each of the texts, with the shipped patterns. See `Scanner.scan`."""
    return _shipped().scan(texts, roles)


def redact(texts: Sequence[str], roles: Sequence[str] | str = "user") -> list[str]:
    """The texts with personal data and secrets replaced by what they are: `[e-mail address at ***.eu]`."""
    return [redacted(text, one) for text, one in zip(texts, scan(texts, roles), strict=True)]


def redacted(text: str, result: Scan) -> str:
    """The text with the personal data and secrets that were found in it replaced; one that holds more than was looked at is withheld."""
    if result.truncated:
        return WITHHELD
    return telling.redacted(text, (*result.findings, *result.suppressed), REDACTED)


def suppressed(text: Text, result: Scan, suppressions: Sequence[Suppression]) -> Scan:
    """The result without what these suppress; the score is then that of the remaining rules and, unless suppressed, the model."""

    def covered(rule: str, key: str) -> bool:
        return any(one.covers(rule, key, text.id) for one in suppressions)

    dropped = tuple(one for one in result.findings if covered(one.rule, one.key))
    unjudged = covered(MODEL, "")
    if not dropped and not unjudged:
        return result
    kept = tuple(one for one in result.findings if not covered(one.rule, one.key))
    (score,) = injection_scores([None if unjudged else text.data], [text.role], [kept])
    return replace(result, findings=kept, scores={**result.scores, INJECTION: score}, suppressed=dropped)
