"""What every match of an expression holds: four digits or more, near which it is then enough to look, and a literal.

Most numbers of people stand behind a word (`passport no`, `TVA`): hundreds of words that no text needs to be searched for where there is no
number. What is told here follows from the parsed expression, so that nobody has to keep it true.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from itertools import groupby
from re import _constants as words  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, NamedTuple

from tocsin.detect.text.anchors import UNBOUNDED, taken

DIGITS_MIN = 4
GATE = rf"[0-9](?:[ .\/-]?[0-9]){{{DIGITS_MIN - 1}}}(?:[^0-9]|\z)"
"""So many digits, which single separators may part, and the byte behind them."""
FARTHEST = 160
"""An expression that reaches farther from its digits is looked for everywhere."""
_COPIES = 40
_DIGITS = frozenset(b"0123456789")
_BETWEEN = frozenset(b" ./-")


class Margins(NamedTuple):
    """The most bytes of a match before the last of its digits, and behind it."""

    before: int
    after: int


class _Atom(NamedTuple):
    """Bytes of one class (None: of any), and of an alternation its parts."""

    least: int
    most: int
    taken: frozenset[int] | None = None
    parts: tuple[tuple[_Atom, ...], ...] = ()

    @property
    def fixed(self) -> bool:
        """Whether it is one byte, be it small or capital."""
        return self.taken is not None and len(self.taken) <= 2 and self.least == self.most == 1


_Row = tuple[_Atom, ...]


@lru_cache(maxsize=4096)
def margins(expression: str, ignore_case: bool) -> Margins | None:
    """How far the matches reach around `DIGITS_MIN` digits that each of them holds; None where that is not certain or too far."""
    found = _margins(_parsed(expression, ignore_case))
    return found if found and max(found) <= FARTHEST else None


@lru_cache(maxsize=4096)
def literal(expression: str) -> int:
    """The length of the longest literal that every match holds, without regard to case."""
    return _literal(_parsed(expression, ignore_case=False))


def _parsed(expression: str, ignore_case: bool) -> _Row:
    tree = parser.parse(expression.encode(), parser.SRE_FLAG_IGNORECASE if ignore_case else 0)
    return _row(tree, bool(tree.state.flags & parser.SRE_FLAG_IGNORECASE))


def _row(tree: Iterable[Any], folded: bool) -> _Row:
    return tuple(atom for operator, value in tree for atom in _atoms(operator, value, folded))


def _atoms(operator: Any, value: Any, folded: bool) -> _Row:
    if operator in (words.AT, words.ASSERT, words.ASSERT_NOT):
        return ()
    if operator is words.SUBPATTERN:
        return _row(value[3], folded or bool(value[1] & parser.SRE_FLAG_IGNORECASE))
    if operator is words.ATOMIC_GROUP:
        return _row(value, folded)
    if operator in (words.MAX_REPEAT, words.MIN_REPEAT, words.POSSESSIVE_REPEAT):
        return _repeated(value[0], min(int(value[1]), UNBOUNDED), _row(value[2], folded))
    if operator is words.BRANCH:
        parts = tuple(_row(part, folded) for part in value[1])
        single = [atom.taken for part in parts for atom in part]
        union = None if None in single else frozenset[int]().union(*(one for one in single if one))
        return (_Atom(min(map(_least, parts)), max(map(_most, parts)), union, parts),)
    if operator is words.GROUPREF:
        return (_Atom(0, UNBOUNDED),)
    return (_Atom(1, 1, taken(operator, value, folded)),)


def _repeated(least: int, most: int, row: _Row) -> _Row:
    """The row as often as it must stand, and what may follow."""
    if len(row) == 1 and row[0].taken is not None and row[0].least == row[0].most == 1 and (least != 1 or most != 1):
        return (_Atom(least, most, row[0].taken),)
    copies = min(least, _COPIES)
    more = _Atom(_least(row) * (least - copies), min(_most(row) * (most - copies), UNBOUNDED))
    return row * copies + ((more,) if more.most else ())


def _least(row: _Row) -> int:
    return sum(atom.least for atom in row)


def _most(row: _Row) -> int:
    return sum(atom.most for atom in row)


def _margins(row: _Row) -> Margins | None:
    """Of all digits in the row those that are nearest to its ends; otherwise of an alternation whose every part holds digits."""
    found = []
    for at, atom in enumerate(row):
        if end := _digits_end(row, at):
            found.append(Margins(_most(row[:end]), _most(row[end:])))
        elif (inside := [_margins(part) for part in atom.parts]) and all(inside):
            before, after = (max(one[side] for one in inside if one) for side in (0, 1))
            found.append(Margins(_most(row[:at]) + before, after + _most(row[at + 1 :])))
    return min(found, key=max, default=None)


def _digits_end(row: _Row, begin: int) -> int:
    """Where digits that begin at this place of the row end, if they are enough; otherwise 0."""
    count, end, parted = 0, 0, True
    for at in range(begin, len(row)):
        atom = row[at]
        if atom.taken is None or (atom.least == 0 and not atom.taken <= _BETWEEN):
            break
        if atom.taken <= _DIGITS:
            count, end, parted = count + atom.least, at + 1, False
        elif atom.taken <= _BETWEEN and atom.most == 1 and not parted:
            parted = True
        else:
            break
    return end if count >= DIGITS_MIN else 0


def _literal(row: _Row) -> int:
    runs = [sum(1 for _ in run) for fixed, run in groupby(row, lambda atom: atom.fixed) if fixed]
    inside = [min(map(_literal, atom.parts)) for atom in row if atom.parts]
    return max([*runs, *inside], default=0)
