"""Where anchors end in a text, as Hyperscan reports it.

Three things make it fast, each measured on 6 MB of messages with planted items. Anchors whose matches hold digits are looked for only
near digits (20 ms less). The others are parted by the length of the literal that they hold, because together they hinder each other
(10 ms less). And as a report costs 0.2 microseconds, a text that would give very many is given up, and its rows are searched one by one.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from tocsin.detect.text import gates
from tocsin.detect.text.databases import Expressions, database
from tocsin.detect.text.seeking import Sought

try:
    import hyperscan
except ImportError:  # no wheel for this processor
    hyperscan = None  # type: ignore[assignment]

BITS = 16
NUMBER = (1 << BITS) - 1
"""The low bits of a coded end are the anchor's number."""
BYTES_PER_END, ENDS_FREE = 16, 4096
"""A text may have so many ends, and one more for each so many bytes."""
_SHORT, _LONG = 2, 4
_GROUP = 34
"""The longest group of digits that is thought of first."""
_ZERO, _NINE = b"09"
_SLACK = 8
"""What an anchor may look at beside the match."""
_Report = Callable[[int, int, int, int, Any], bool | None]


class Place(NamedTuple):
    """An anchor by its number: how it is looked for, and how its expression is got."""

    number: int
    sought: Sought
    expression: Callable[[], str]


class TooMany(Exception):
    """More ends than a text of this length may have."""


class Places:
    """Anchors made ready."""

    def __init__(self, anchors: Sequence[Place]) -> None:
        anywhere = [one for one in anchors if not one.sought.near_digits]
        near = [one for one in anchors if one.sought.near_digits]
        self._gate = max((one.number for one in anchors), default=0) + 1
        gate = [Place(self._gate, Sought(gates.GATE, 1, 1, 1, 0), lambda: gates.GATE)] if near else []
        shapes = [one for one in anywhere if one.sought.literal < _SHORT]
        groups = (
            [*shapes[::2], *gate],
            shapes[1::2],
            [one for one in anywhere if _SHORT <= one.sought.literal < _LONG],
            [one for one in anywhere if one.sought.literal >= _LONG],
        )
        self.groups = [_expressions(group) for group in groups if group]
        self._near = _expressions(near)
        self._before = max((one.sought.before for one in near), default=0) + _SLACK
        self._after = max((one.sought.after for one in near), default=0) + _SLACK

    @cached_property
    def _ready(self) -> list[Any]:
        return [database(group) for group in self.groups]

    @cached_property
    def _near_ready(self) -> Any:
        return database(self._near)

    def ends(self, data: bytes) -> list[int]:
        """The ends in ascending order, each coded with its anchor's number.

        Raises TooMany.
        """
        found: list[int] = []
        append, most = found.append, ENDS_FREE + len(data) // BYTES_PER_END

        def report(number: int, start: int, end: int, flags: int, context: Any) -> bool:  # noqa: ARG001 - Hyperscan's signature
            append(end << BITS | number)
            return len(found) > most

        try:
            return self._all(data, found, report, lambda _: False)
        except hyperscan.ScanTerminated:
            raise TooMany from None

    def first_ends(self, data: bytes, most: int) -> list[int]:
        """The same, but of each anchor not many more than `most`: as many as it takes to know that there are more."""
        found: list[int] = []
        append, counts = found.append, [0] * (self._gate + 1)

        def report(number: int, start: int, end: int, flags: int, context: Any) -> None:  # noqa: ARG001
            counts[number] = count = counts[number] + 1
            if count <= most + 1:
                append(end << BITS | number)

        return self._all(data, found, report, lambda number: counts[number] > most)

    def _all(self, data: bytes, found: list[int], report: _Report, cut: Callable[[int], bool]) -> list[int]:
        for ready in self._ready:
            ready.scan(data, match_event_handler=report)
        near = [code >> BITS for code in found if code & NUMBER == self._gate]
        if not near:
            return sorted(found)
        kept = [code for code in found if code & NUMBER != self._gate]
        windows = [(0, len(data))] if cut(self._gate) else self._windows(data, sorted(near))
        found.clear()
        parts = [data[begin:end] for begin, end in windows]
        self._near_ready.scan(b"\n".join(parts), match_event_handler=report)
        return sorted(kept + _moved(found, windows))

    def _windows(self, data: bytes, ends: Iterable[int]) -> list[tuple[int, int]]:
        """The stretches around digits behind which the gate ends, apart and in order."""
        windows, first, last = list[tuple[int, int]](), 0, 0
        for end in ends:
            begin = _group(data, end) - self._before
            if begin > last:
                if last:
                    windows.append((first, last))
                first = begin
            last = end + self._after
        return [*windows, (first, min(last, len(data)))]


def _expressions(anchors: Sequence[Place]) -> Expressions:
    names = tuple((one.number, one.sought.digest) for one in anchors)
    return Expressions(names, lambda: [one.expression() for one in anchors])


def _group(data: bytes, end: int) -> int:
    """A place before which the group of digits that ends here, or one byte before, does not begin."""
    begin = end - _GROUP
    while begin > 0 and _ZERO <= data[begin - 1] <= _NINE:
        low = max(0, begin - _GROUP)
        begin = low + len(data[low:begin].rstrip(b"0123456789"))
    return begin


def _moved(codes: list[int], windows: Sequence[tuple[int, int]]) -> list[int]:
    """The coded ends in joined windows, moved to where they stand in the text."""
    firsts, moves, at = list[int](), list[int](), 0
    for begin, end in windows:
        firsts.append(at << BITS)
        moves.append((begin - at) << BITS)
        at += end - begin + 1
    return [code + moves[bisect_right(firsts, code - (1 << BITS)) - 1] for code in codes]
