"""Numbers of a known length, however they are written: runs of digits, parted into groups, of which some groups are the number.

`2024 4111 1111 1111 1111` holds a card, and two cards may stand side by side. One anchor finds all runs; each stretch of whole groups
is given to the patterns of its length. A number begins and ends at the edge of its run or at a space. A run's edge is no
word character, no `@` or `+`, and no decimal comma, so that identifiers, addresses and amounts are no numbers; nor is a list of single
digits, in which some stretch always has the right check digit.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

from tocsin.detect.text.context import Index
from tocsin.detect.text.overlaps import Match
from tocsin.detect.text.patterns import SEPARATORS_KNOWN, Pattern
from tocsin.detect.text.validators import validator

TRIES_PER_TEXT, BYTES_PER_TRY = 256, 128
"""Stretches of groups that are tried in one text: so many, and one more for each so many bytes."""
_RUN = re.compile(rb"[0-9](?:[ ./-]?[0-9])*")
_GROUP = re.compile(rb"[0-9]+")
_SINGLE = re.compile(r"(?<![0-9])[0-9](?![0-9])")
_BEGINS = re.compile(rb"(?<![0-9A-Za-z_+@])(?<![0-9],)(?<![0-9A-Za-z_]-)")
_ENDS = re.compile(rb"(?![0-9A-Za-z_@])(?!,[0-9])(?!-[A-Za-z_])")
_CHUNK = 96
_NONE: set[int] = set()
_BLANK = ord(" ")
Run = tuple[int, int]


class Numbers:
    """Patterns that are lengths of numbers, by length."""

    def __init__(self, patterns: Mapping[int, Pattern], index: Index) -> None:
        self.wanted: Mapping[int, _Length] = _by_length(patterns)
        self._index = index
        self.shortest, self.longest = min(self.wanted, default=1), max(self.wanted, default=0)

    @property
    def anchor(self) -> str:
        """What Hyperscan looks for: the end of a group with enough digits before it."""
        return f"[0-9](?:[ .\\/-]?[0-9]){{{self.shortest - 1}}}\\b"

    def runs(self, text: bytes) -> Iterator[Run]:
        """Every run of digits that is long enough."""
        if self.wanted:
            for match in _RUN.finditer(text):
                if match.end() - match.start() >= self.shortest:
                    yield match.span()

    def around(self, text: bytes, ends: Iterable[int]) -> Iterator[Run]:
        """The runs that hold these ends of groups, in ascending order, each once."""
        done = 0
        for end in ends:
            if end > done:
                run = _RUN.match(text, _begin(text, end - 1))
                assert run is not None, "the anchor ends behind a digit"
                done = run.end()
                yield run.span()

    def found(self, text: bytes, runs: Iterable[Run], found: list[Match]) -> bool:
        """Add the numbers in the runs; whether there was more to try than is tried."""
        tries = TRIES_PER_TEXT + len(text) // BYTES_PER_TRY
        for run in runs:
            for start, end in self._stretches(text, run):
                if not tries:
                    return True
                tries -= 1
                self._try(text, start, end, found)
        return False

    def _stretches(self, text: bytes, run: Run) -> Iterator[Run]:
        """The stretches of whole groups of the run whose count of digits is wanted."""
        start, end = run
        if text[start:end].isdigit():  # one group, as nearly always
            if end - start in self.wanted and _BEGINS.match(text, start) and _ENDS.match(text, end):
                yield run
            return
        groups = [match.span() for match in _GROUP.finditer(text, start, end)]
        begins_well, ends_well = _BEGINS.match(text, run[0]), _ENDS.match(text, run[1])
        for at, (start, _) in enumerate(groups):
            if not (begins_well if at == 0 else text[start - 1] == _BLANK):
                continue
            count = 0
            for begin, end in islice(groups, at, None):
                count += end - begin
                if count > self.longest:
                    break
                if count in self.wanted and (ends_well if end == run[1] else text[end] == _BLANK):
                    yield start, end

    def _try(self, text: bytes, start: int, end: int, found: list[Match]) -> None:
        written = text[start:end].decode("ascii")
        digits = written if written.isdigit() else "".join(filter(str.isdigit, written))
        if _listed(written, len(digits)):
            return
        length = self.wanted[len(digits)]
        near = self._index.near(text, start, end) if length.asks else _NONE
        for number in (*length.always, *map(length.asked.__getitem__, near & length.asked.keys())):
            pattern = number.pattern
            if number.forbidden and not number.forbidden.isdisjoint(written):
                continue
            if validator(pattern.validator)(digits):  # found when it is first needed: it is a module
                sure = not pattern.context or number.number in near
                found.append(Match(number.number, start, end, pattern.confidence if sure else pattern.bare))


def _listed(written: str, digits: int) -> bool:
    """Whether these are single digits one after the other: more than half of the groups have one digit."""
    parts = len(written) - digits + 1
    return parts > 2 and 2 * len(_SINGLE.findall(written)) > parts


class _Number:
    """One pattern of numbers, prepared."""

    __slots__ = ("forbidden", "number", "pattern")

    def __init__(self, number: int, pattern: Pattern) -> None:
        self.number, self.pattern = number, pattern
        self.forbidden = frozenset(SEPARATORS_KNOWN) - frozenset(pattern.separators)


class _Length:
    """The patterns of one length: those that are always tried, and by number those that a word near by must ask for."""

    __slots__ = ("always", "asked", "asks")

    def __init__(self, numbers: Sequence[_Number]) -> None:
        self.asked = {one.number: one for one in numbers if one.pattern.context and not one.pattern.bare}
        self.always = [one for one in numbers if one.number not in self.asked]
        self.asks = any(one.pattern.context for one in numbers)


def _by_length(patterns: Mapping[int, Pattern]) -> Mapping[int, _Length]:
    found: defaultdict[int, list[_Number]] = defaultdict(list)
    for number, pattern in patterns.items():
        for length in pattern.digits:
            found[length].append(_Number(number, pattern))
    return {length: _Length(numbers) for length, numbers in found.items()}


def _begin(text: bytes, place: int) -> int:
    """Where the run of digits around a digit begins."""
    while True:
        low = max(0, place - _CHUNK)
        match = _RUN.match(text[low : place + 1][::-1])
        assert match is not None, "a run holds a digit"
        begin = place + 1 - match.end()
        if begin > low + 1 or low == 0:
            return begin
        place = begin
