"""Words near a match that say what it is: `Steuer-ID 86 095 742 719`. In every language at once, whole words, without regard to case.

Phrases of scripts that part words by spaces are compared word by word, so that `steuer-id`, `Steuer ID` and `STEUER_ID:` are one;
others (Chinese, Japanese, Thai) are looked for as they are.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

BEFORE, AFTER = 80, 40
"""Bytes before the match and behind it in which a word counts."""
_WORD = re.compile(r"[^\W_]+")
_UNPARTED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")

_NONE: frozenset[int] = frozenset()


class Index:
    """The context words of many patterns, by number of the pattern."""

    __slots__ = ("_pieces", "_words", "longest")

    def __init__(self, wanted: Iterable[tuple[int, tuple[str, ...]]]) -> None:
        words: dict[tuple[str, ...], set[int]] = defaultdict(set)
        pieces: dict[str, set[int]] = defaultdict(set)
        for number, phrases in wanted:
            for phrase in phrases:
                folded = phrase.casefold()
                if _UNPARTED.search(folded):
                    pieces[folded].add(number)
                else:
                    words[tuple(_WORD.findall(folded))].add(number)
        self._words = {phrase: frozenset(numbers) for phrase, numbers in words.items()}
        self._pieces = {piece: frozenset(numbers) for piece, numbers in pieces.items()}
        self.longest = max(map(len, self._words), default=0)

    def near(self, text: bytes, start: int, end: int) -> frozenset[int]:
        """The patterns of which a word stands near these offsets."""
        found: set[int] = set()
        before = text[max(0, start - BEFORE) : start].decode("utf-8", "ignore").casefold()
        after = text[end : end + AFTER].decode("utf-8", "ignore").casefold()
        spoken, follows = _WORD.findall(before), _WORD.findall(after)
        if start > BEFORE:
            del spoken[:1]  # it may be cut off
        if end + AFTER < len(text):
            del follows[-1:]
        for words in (spoken, follows):
            for at in range(len(words)):
                for length in range(1, min(self.longest, len(words) - at) + 1):
                    found |= self._words.get(tuple(words[at : at + length]), _NONE)
        if self._pieces and not (before.isascii() and after.isascii()):
            for piece, numbers in self._pieces.items():
                if piece in before or piece in after:
                    found |= numbers
        return frozenset(found)
