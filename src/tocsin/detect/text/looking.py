"""What a set of patterns looks for in one text, once it is known where: exact matches, confirmed and scored.

A look at one expression goes through stretches in which its matches may begin, in order. The plain engine gives one stretch, the
whole text; Hyperscan gives those before the ends of its anchor. Both find the same, because every match begins in a stretch. A
match that is not confirmed is tried again one byte on, as a rule; how often is bounded, and a text that needs more is told as truncated.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property, lru_cache, partial

from tocsin.detect.text import numbers, seeking
from tocsin.detect.text.context import Index
from tocsin.detect.text.overlaps import Match
from tocsin.detect.text.patterns import Pattern, Patterns
from tocsin.detect.text.places import Place, Places
from tocsin.detect.text.seeking import Sought
from tocsin.detect.text.validators import Validator, validator
from tocsin.detect.text.validators_secrets import entropy

LONGEST = 8_192
"""No match is longer, in bytes."""
BEYOND = 4
"""What an expression may look at behind its match."""
TRIES_PER_TEXT, BYTES_PER_TRY = 256, 256
"""Tries of one pattern in one text: so many, and one more for each so many bytes."""


def most_tries(length: int) -> int:
    """How many tries a pattern has in a text of this many bytes."""
    return TRIES_PER_TEXT + length // BYTES_PER_TRY


class Look:
    """One expression and how its matches are confirmed."""

    __slots__ = (
        "freely",
        "group",
        "index",
        "match",
        "number",
        "pattern",
        "plain",
        "score",
        "search",
        "sought",
        "span",
        "validate",
        "wide",
    )

    def __init__(self, number: int, pattern: Pattern, index: Index) -> None:
        self.number, self.pattern, self.index, self.sought = number, pattern, index, pattern.sought
        self.search, self.match = pattern.compiled.search, pattern.compiled.match
        self.validate: Validator = validator(pattern.validator)
        self.group = pattern.group
        self.freely = not (pattern.keywords or pattern.entropy or pattern.allow)
        """Whether nothing but the validator decides."""
        self.score = 0.0 if pattern.context else pattern.confidence
        """How sure each match is; zero where the words near it decide."""
        self.wide = self.sought.width > LONGEST
        self.span = min(self.sought.width, LONGEST) + BEYOND
        self.plain = self.freely and pattern.validator == "none" and not (pattern.group or pattern.context)

    def everywhere(self, text: bytes, found: list[Match]) -> bool:
        """Add the matches in the text; whether more tries were needed than there are."""
        return self._through(text, (len(text),), 0, len(text), found)

    def anchored(self, text: bytes, ends: Iterable[int], found: list[Match]) -> bool:
        """The same, where the anchor is known to end at these places, in ascending order."""
        return self._through(text, ends, self.sought.nearest, self.sought.farthest, found)

    def _through(self, text: bytes, ends: Iterable[int], nearest: int, farthest: int, found: list[Match]) -> bool:
        """Go through the stretches from `farthest` to `nearest` bytes before the ends."""
        low, tries, span = 0, most_tries(len(text)), self.span
        look = self.match if nearest == farthest else self.search
        for end in ends:
            begin, last = end - farthest, end - nearest
            low = max(low, begin)
            while low <= last:
                match = look(text, low, last + span)
                if match is None or match.start() > last:
                    low = last + 1
                    break
                if not tries:
                    return True
                tries -= 1
                low = self._confirmed(text, match, found)
        return False

    def _confirmed(self, text: bytes, match: re.Match[bytes], found: list[Match]) -> int:
        """Add what is confirmed of the match; where the search goes on."""
        if self.wide:
            match = self.match(text, match.start(), match.start() + self.span) or match
        if self.plain:
            found.append(Match(self.number, match.start(), match.end(), self.pattern.confidence))
            return max(match.end(), match.start() + 1)
        before = len(found)
        start, end = match.span(self.group) if self.group >= 0 else _group(match)
        if start < end and (self.freely or self._passes(text, match.span(), (start, end))):
            for first, last in self.validate(text[start:end].decode("latin-1")):
                if score := self.score or self._score(text, start + first, start + last):
                    found.append(Match(self.number, start + first, start + last, score))
        if len(found) == before and self.pattern.again:
            return match.start() + 1
        return max(match.end(), match.start() + 1) if self.group or len(found) == before else found[-1].end

    def _passes(self, text: bytes, match: tuple[int, int], value: tuple[int, int]) -> bool:
        pattern = self.pattern
        if pattern.entropy and entropy(text[value[0] : value[1]]) < pattern.entropy:
            return False
        if pattern.keywords and not any(word.encode() in _lowered(text) for word in pattern.keywords):
            return False
        return not any(allowance.permits(text, match, value) for allowance in pattern.allow)

    def _score(self, text: bytes, start: int, end: int) -> float:
        pattern = self.pattern
        return pattern.confidence if self.number in self.index.near(text, start, end) else pattern.bare


class _Looks(dict[int, Look]):
    """By number of the pattern; each is made when it is first needed, because expressions are dear to compile."""

    def __init__(self, patterns: Sequence[Pattern], index: Index) -> None:
        self.patterns, self.index = patterns, index

    def __missing__(self, number: int) -> Look:
        look = self[number] = Look(number, self.patterns[number], self.index)
        return look


class Looking:
    """Everything that is looked for, prepared once for a set of patterns."""

    def __init__(self, patterns: Patterns) -> None:
        self.patterns = patterns.items
        index = Index((n, p.context) for n, p in enumerate(patterns.items))
        self.looks = _Looks(patterns.items, index)
        self.numbers = numbers.Numbers({n: p for n, p in enumerate(patterns.items) if p.digits}, index)

    @cached_property
    def places(self) -> Places:
        """Finds where anchors end, by number of the pattern; runs of digits have the number behind the last one."""
        found = [Place(n, p.sought, partial(_anchor, p)) for n, p in enumerate(self.patterns) if not p.digits]
        if self.numbers.wanted:
            run = self.numbers.anchor
            found.append(Place(len(self.patterns), Sought(run, 1, 1, 1, 0), lambda: run))
        return Places(found)

    def anchored(self, text: bytes, ends: Mapping[int, list[int]]) -> tuple[list[Match], bool]:
        """The matches in a text where anchors end at these places, and whether it was too much."""
        found: list[Match] = []
        cut, most = False, most_tries(len(text))
        for number, places in ends.items():
            if number == len(self.patterns):
                cut |= self.numbers.found(text, self.numbers.around(text, places), found)
            elif len(places) > most:
                cut |= self.looks[number].everywhere(text, found)
            else:
                cut |= self.looks[number].anchored(text, places, found)
        return found, cut

    def everywhere(self, text: bytes) -> tuple[list[Match], bool]:
        """The same by reading the text from end to end for each pattern."""
        found: list[Match] = []
        cut = self.numbers.found(text, self.numbers.runs(text), found)
        for number, pattern in enumerate(self.patterns):
            if not pattern.digits:
                cut |= self.looks[number].everywhere(text, found)
        return found, cut


def _anchor(pattern: Pattern) -> str:
    return seeking.anchor(pattern.expression, pattern.anchor, pattern.ignore_case).expression


def _group(match: re.Match[bytes]) -> tuple[int, int]:
    """The first group that holds something; the whole match where none does."""
    spans = (match.span(number) for number in range(1, match.re.groups + 1))
    return next((span for span in spans if span[0] < span[1]), match.span())


@lru_cache(maxsize=1)
def _lowered(text: bytes) -> bytes:
    """The text in lower case: the patterns ask for it one after another."""
    return text.lower()
