"""What Hyperscan looks for, derived from an expression: its piece that is rarest in ordinary text, and where the match begins from there.

An expression is a row of items. A stretch of them is chosen that begins with something rare and has no wide repeat inside; a
repeat at its end is cut to its least count, so that one occurrence is reported once. What stands before the stretch has a least and a most
length, so the match begins within known bounds before the reported end, and often at exactly one place. Look-around is left out:
the anchor then matches more often than the expression does, never less.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import takewhile
from re import _constants as words  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, NamedTuple

WIDE = 64
"""A repeat that may vary by more than this ends an anchor: Hyperscan pays for it."""
SLIGHT = 2
"""An item that varies by so little, such as a separator that may stand there, does not spoil where a match begins."""
RARE_BITS = 48.0
"""An anchor of so many bits, one chance hit in 16 million bytes, is as good as any."""
UNBOUNDED = 1 << 20
_LETTERS = "etaoinshrdlcumwfgypbvkjxqz"
_SHARE = {ord(" "): 0.16, ord("\n"): 0.01}
_SHARE |= {ord(c): 0.12 / (1 + 0.35 * n) ** 1.3 for n, c in enumerate(_LETTERS)}
_SHARE |= {ord(c.upper()): 0.003 for c in _LETTERS} | {ord(c): 0.004 for c in "0123456789"}
_WORD = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
_DIGIT = frozenset(b"0123456789")
_SPACE = frozenset(b" \t\n\r\f\v")
_ALL = frozenset(range(256))
_CLASSES = {
    words.CATEGORY_DIGIT: _DIGIT,
    words.CATEGORY_NOT_DIGIT: _ALL - _DIGIT,
    words.CATEGORY_SPACE: _SPACE,
    words.CATEGORY_NOT_SPACE: _ALL - _SPACE,
    words.CATEGORY_WORD: _WORD,
    words.CATEGORY_NOT_WORD: _ALL - _WORD,
}


class Anchor(NamedTuple):
    """An expression for Hyperscan; the match begins `nearest` to `farthest` bytes before the end of what it finds."""

    expression: str
    nearest: int
    farthest: int

    @property
    def exact(self) -> bool:
        """Whether the match begins at one place."""
        return self.nearest == self.farthest


class _Item(NamedTuple):
    """One item of an expression as Hyperscan reads it, its least and most width, and its rarity in bits."""

    written: str
    least: int
    most: int
    bits: float
    short: str | None = None
    """A repeat at its least count, and the most width of that; None where nothing is left out."""
    short_most: int = 0

    @property
    def varies(self) -> bool:
        """Whether its length is not fixed."""
        return self.most > self.least


@lru_cache(maxsize=4096)
def derived(expression: str, ignore_case: bool) -> Anchor:
    """The anchor of an expression for `re` on bytes."""
    items = _parsed(expression, ignore_case)
    begin = max(range(len(items)), key=lambda n: (min(_rarity(items, n), RARE_BITS), -n))
    end, bits = begin, 0.0
    while end < len(items):
        bits += items[end].bits
        end += 1
        if not _narrow(items[end - 1]) or (items[end - 1].varies and bits >= RARE_BITS):
            break
    while begin and items[begin - 1].most == 0:
        begin -= 1
    chosen = items[begin:end]
    last = chosen[-1]
    cut = (last.written, last.most) if last.short is None else (last.short, last.short_most)
    written = "".join(item.written for item in chosen[:-1]) + cut[0]
    before = items[:begin]
    nearest = sum(item.least for item in (*before, *chosen))
    farthest = sum(item.most for item in (*before, *chosen[:-1])) + cut[1]
    return Anchor(written, nearest, min(farthest, UNBOUNDED))


def given(expression: str, ignore_case: bool, width: int, of: str = "") -> Anchor:
    """An anchor that was written by hand for matches of at most this width: the match begins before its end.

    Where it begins with the same items as the expression that it stands for, the match begins where the anchor does.
    """
    items, whole = _parsed(expression, ignore_case), _parsed(of, ignore_case)
    shared = sum(
        item.least for item, other in takewhile(lambda pair: pair[0] == pair[1], zip(items, whole, strict=False))
    )
    row = _row(items)
    return Anchor(row.written, row.least, min(row.most, UNBOUNDED)) if shared else Anchor(row.written, 1, width)


def _parsed(expression: str, ignore_case: bool) -> list[_Item]:
    tree = parser.parse(expression.encode(), parser.SRE_FLAG_IGNORECASE if ignore_case else 0)
    return list(_items(tree, bool(tree.state.flags & parser.SRE_FLAG_IGNORECASE)))


@lru_cache(maxsize=4096)
def width(expression: str) -> int:
    """The most bytes that a match of the expression has; UNBOUNDED where it has no limit."""
    return min(int(parser.parse(expression.encode()).getwidth()[1]), UNBOUNDED)


def _narrow(item: _Item) -> bool:
    return item.most - item.least <= WIDE


def _rarity(items: Sequence[_Item], begin: int) -> float:
    """The bits of the stretch that begins here, up to the first item whose length really varies."""
    bits = 0.0
    for item in items[begin:] if items[begin].least else ():
        bits += item.bits
        if item.most - item.least > SLIGHT:
            break
    return bits


def _items(tree: Iterable[Any], folded: bool) -> Iterable[_Item]:
    """The items in order: groups opened, runs of one item after another."""
    for operator, value in tree:
        if operator is words.SUBPATTERN and not value[2]:
            yield from _items(value[3], (folded or bool(value[1] & parser.SRE_FLAG_IGNORECASE)))
        elif operator is words.ATOMIC_GROUP:
            yield from _items(value, folded)
        else:
            yield _item(operator, value, folded)


def _item(operator: Any, value: Any, folded: bool) -> _Item:
    if operator in (words.MAX_REPEAT, words.MIN_REPEAT, words.POSSESSIVE_REPEAT):
        least, most, inner = value
        return _repeat(least, most, inner, folded)
    if operator is words.BRANCH:
        return _branch([list(_items(part, folded)) for part in value[1]])
    if operator in (words.SUBPATTERN, words.ATOMIC_GROUP):
        return _row(list(_items(value[3] if operator is words.SUBPATTERN else value, folded)))
    if operator is words.AT:
        written = "\\b" if value is words.AT_BOUNDARY else ""
        return _Item(written, 0, 0, 1.0 if written else 0.0)
    if operator in (words.ASSERT, words.ASSERT_NOT):
        return _Item("", 0, 0, 0.0)
    if operator is words.GROUPREF:
        return _Item(f"{_class(_ALL)}{{0,{WIDE}}}", 0, WIDE, 0.0)
    found = taken(operator, value, folded)
    return _Item(_class(found), 1, 1, _bits(found))


def _row(items: Sequence[_Item]) -> _Item:
    """Items one after another as one item."""
    written = "".join(item.written for item in items)
    least, most = sum(item.least for item in items), sum(item.most for item in items)
    return _Item(f"(?:{written})", least, most, sum(item.bits for item in items))


def _branch(parts: Sequence[Sequence[_Item]]) -> _Item:
    rows = [_row(part) for part in parts]
    bits = -math.log2(min(1.0, sum(2**-row.bits for row in rows)))
    written = f"(?:{'|'.join(row.written for row in rows)})"
    return _Item(written, min(row.least for row in rows), max(row.most for row in rows), bits)


def _repeat(least: int, most: int, tree: Any, folded: bool) -> _Item:
    one = _row(list(_items(tree, folded)))
    most = min(int(most), UNBOUNDED)
    short = f"{one.written}{{{least}}}" if least else ""
    if least == most:
        return _Item(short, one.least * least, one.most * least, one.bits * least)
    upper = "" if most == UNBOUNDED else most
    written = f"{one.written}{{{least},{upper}}}"
    wide = min(one.most * most, UNBOUNDED)
    return _Item(written, one.least * least, wide, one.bits * least, short, one.most * least)


def taken(operator: Any, value: Any, folded: bool) -> frozenset[int]:
    """The bytes that a single item takes."""
    if operator is words.LITERAL:
        found = {value}
    elif operator is words.NOT_LITERAL:
        return _ALL - _cased({value}, folded)
    elif operator is words.ANY:
        return _ALL - {10}
    elif operator is words.CATEGORY:
        return _CLASSES[value]
    elif operator is words.RANGE:
        found = set(range(value[0], value[1] + 1))
    else:
        if operator is not words.IN:
            raise ValueError(f"an expression cannot hold {str(operator).lower()}")
        negated = value[0][0] is words.NEGATE
        found = set().union(*(taken(one, inner, folded) for one, inner in value[int(negated) :]))
        found = set(_cased(found, folded))
        return _ALL - found if negated else frozenset(found)
    return _cased(found, folded)


def _cased(found: set[int], folded: bool) -> frozenset[int]:
    if not folded:
        return frozenset(found)
    both = {ord(chr(b).swapcase()) for b in found if b < 128}
    return frozenset(found | {b for b in both if b < 256})


def _bits(taken: frozenset[int]) -> float:
    return -math.log2(min(1.0, sum(_SHARE.get(byte, 0.0012) for byte in taken) or 1e-6))


def _class(taken: frozenset[int]) -> str:
    """The bytes as a class: ranges of escaped numbers, which mean the same to everybody."""
    if taken == _ALL:
        return "[\\x00-\\xff]"
    order, ranges = sorted(taken), list[list[int]]()
    for byte in order:
        if ranges and ranges[-1][1] == byte - 1:
            ranges[-1][1] = byte
        else:
            ranges.append([byte, byte])
    body = "".join(f"\\x{low:02x}" + (f"-\\x{high:02x}" if high > low else "") for low, high in ranges)
    return body if len(order) == 1 else f"[{body}]"
