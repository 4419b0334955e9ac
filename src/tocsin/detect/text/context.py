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
_FOLDED = bytes(ord(chr(b).lower()) if chr(b).isalnum() else ord(" ") for b in range(128)).ljust(256)
"""ASCII in small letters, and a blank for everything that parts words."""
_MATCH = b" 0 "
"""Stands for the match, so that no phrase reaches over it."""
_NONE: frozenset[int] = frozenset()


class Index:
    """The context words of many patterns, by number of the pattern."""

    __slots__ = ("_firsts", "_phrases", "_pieces", "_words")

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
        self._words = {spoken[0]: numbers for spoken, numbers in words.items() if len(spoken) == 1}
        self._phrases: dict[str, list[tuple[list[str], set[int]]]] = defaultdict(list)
        """Those of several words, by their first one."""
        for spoken, numbers in words.items():
            if len(spoken) > 1:
                self._phrases[spoken[0]].append((list(spoken), numbers))
        self._firsts = self._words.keys() | self._phrases.keys()
        self._pieces = dict(pieces)

    def near(self, text: bytes, start: int, end: int) -> set[int]:
        """The patterns of which a word stands near these offsets."""
        part = text[max(0, start - BEFORE) : start] + _MATCH + text[end : end + AFTER]
        found: set[int] = set()
        if part.isascii():
            words = part.translate(_FOLDED).decode().split()
        else:
            folded = part.decode("utf-8", "ignore").casefold()
            words = _WORD.findall(folded)
            found.update(*(own for piece, own in self._pieces.items() if piece in folded))
        if start > BEFORE:
            del words[:1]  # it may be cut off
        if end + AFTER < len(text):
            del words[-1:]
        for first in self._firsts.intersection(words):
            found |= self._words.get(first, _NONE)
            for phrase, numbers in self._phrases.get(first, ()):
                if phrase[1] in words and _stands(phrase, words):
                    found |= numbers
        return found


def _stands(phrase: list[str], words: list[str]) -> bool:
    return any(words[at : at + len(phrase)] == phrase for at, word in enumerate(words) if word == phrase[0])
