"""What a set of patterns looks for in one text, once it is known where: exact matches, confirmed and scored.

A look at one expression goes through stretches in which its matches may begin, in order. The plain engine gives one stretch, the
whole text; Hyperscan gives those before the ends of its anchor. Both find the same, because every match begins in a stretch. A
match that is not confirmed is tried again one byte on, as a rule; how often is bounded, and a text that needs more is told as truncated.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cached_property, lru_cache

from tocsin.detect.text import anchors, numbers
from tocsin.detect.text.context import Index
from tocsin.detect.text.gates import margins
from tocsin.detect.text.overlaps import Match
from tocsin.detect.text.patterns import FIRST_GROUP, Pattern, Patterns
from tocsin.detect.text.places import Places, Sought
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
        "anchor",
        "index",
        "margins",
        "match",
        "number",
        "pattern",
        "plain",
        "search",
        "span",
        "validate",
        "wide",
    )

    def __init__(self, number: int, pattern: Pattern, index: Index) -> None:
        self.number, self.pattern, self.index = number, pattern, index
        self.search, self.match = pattern.compiled.search, pattern.compiled.match
        self.validate: Validator | None = None if pattern.validator == "none" else validator(pattern.validator)
        width = anchors.width(pattern.expression)
        self.wide = width > LONGEST
        self.span = min(width, LONGEST) + BEYOND
        self.anchor = (
            anchors.given(pattern.anchor, pattern.ignore_case, width)
            if pattern.anchor
            else anchors.derived(pattern.expression, pattern.ignore_case)
        )
        self.margins = margins(pattern.expression, pattern.ignore_case)
        self.plain = not (
            self.validate or pattern.group or pattern.context or pattern.keywords or pattern.entropy or pattern.allow
        )

    def everywhere(self, text: bytes, found: list[Match]) -> bool:
        """Add the matches in the text; whether more tries were needed than there are."""
        return self._through(text, ((0, len(text)),), found)

    def anchored(self, text: bytes, ends: Iterable[int], found: list[Match]) -> bool:
        """The same, where the anchor is known to end at these places, in ascending order."""
        nearest, farthest = self.anchor.nearest, self.anchor.farthest
        return self._through(text, ((max(end - farthest, 0), end - nearest) for end in ends), found)

    def _through(self, text: bytes, stretches: Iterable[tuple[int, int]], found: list[Match]) -> bool:
        low, tries = 0, most_tries(len(text))
        for begin, last in stretches:
            low = max(low, begin)
            while low <= last:
                match = (self.match if low == last else self.search)(text, low, last + self.span)
                if match is None or match.start() > last:
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
        start, end = _group(match) if self.pattern.group == FIRST_GROUP else match.span(self.pattern.group)
        if start < end and self._passes(text, match.span(), (start, end)):
            spans = self.validate(text[start:end].decode("latin-1")) if self.validate else [(0, end - start)]
            for first, last in spans:
                if score := self._score(text, start + first, start + last):
                    found.append(Match(self.number, start + first, start + last, score))
        if len(found) == before and self.pattern.again:
            return match.start() + 1
        return max(match.end(), match.start() + 1) if self.pattern.group or len(found) == before else found[-1].end

    def _passes(self, text: bytes, match: tuple[int, int], value: tuple[int, int]) -> bool:
        pattern = self.pattern
        if pattern.entropy and entropy(text[value[0] : value[1]]) < pattern.entropy:
            return False
        if pattern.keywords and not any(word.encode() in _lowered(text) for word in pattern.keywords):
            return False
        return not any(allowance.permits(text, match, value) for allowance in pattern.allow)

    def _score(self, text: bytes, start: int, end: int) -> float:
        pattern = self.pattern
        near = not pattern.context or self.number in self.index.near(text, start, end)
        return pattern.confidence if near else pattern.bare


class Looking:
    """Everything that is looked for, prepared once for a set of patterns."""

    def __init__(self, patterns: Patterns) -> None:
        self.patterns = patterns.items
        wanted = [(n, p.context) for n, p in enumerate(patterns.items)]
        index = Index(wanted)
        self.looks: Mapping[int, Look] = {n: Look(n, p, index) for n, p in enumerate(patterns.items) if not p.digits}
        self.numbers = numbers.Numbers({n: p for n, p in enumerate(patterns.items) if p.digits}, index)

    @cached_property
    def places(self) -> Places:
        """Finds where anchors end, by number of the pattern; runs of digits have the number behind the last one."""
        sought = [Sought(number, look.anchor.expression, look.margins) for number, look in self.looks.items()]
        runs = [Sought(len(self.patterns), self.numbers.anchor, None)] if self.numbers.wanted else []
        return Places([*sought, *runs])

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
        for look in self.looks.values():
            cut |= look.everywhere(text, found)
        return found, cut


def _group(match: re.Match[bytes]) -> tuple[int, int]:
    """The first group that holds something; the whole match where none does."""
    spans = (match.span(number) for number in range(1, match.re.groups + 1))
    return next((span for span in spans if span[0] < span[1]), match.span())


@lru_cache(maxsize=1)
def _lowered(text: bytes) -> bytes:
    """The text in lower case: the patterns ask for it one after another."""
    return text.lower()
