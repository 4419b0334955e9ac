"""Expressions in the syntax of RE2 and Go, as gitleaks writes them, said in that of Python's `re`.

Source: the syntax page of google/re2 and Go's package regexp/syntax. What differs: a flag holds from where it stands to the end of its
group, also over `|`; `$` is the end of the text and no line feed before it; `\\z`; classes of POSIX; `\\Q...\\E`; a bracket in a class.
"""

from __future__ import annotations

import re

POSIX = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "ascii": "\\x00-\\x7f",
    "blank": " \\t",
    "cntrl": "\\x00-\\x1f\\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": "!-/:-@\\[-`{-~",
    "space": "\\s",
    "upper": "A-Z",
    "word": "\\w",
    "xdigit": "0-9A-Fa-f",
}
_FLAGS = re.compile(r"\(\?([imsU]*)(-[imsU]+)?\)")
_CLASS = re.compile(r"\[:(\^?)([a-z]+):\]")
_UNKNOWN = re.compile(r"\\[pPC]|\\x\{")


def translated(expression: str) -> str:
    """The expression for `re`. Raises ValueError with what has no equal."""
    return _Translation(expression).whole()


class _Translation:
    """One pass over an expression; `open` holds, for each group around, the flags that are to be closed at its end."""

    def __init__(self, expression: str) -> None:
        self.rest = expression
        self.at = 0
        self.out: list[str] = []
        self.open: list[list[str]] = [[]]

    def whole(self) -> str:
        while self.at < len(self.rest):
            self._one()
        self.out.append(")" * len(self.open[0]))
        return "".join(self.out)

    def _one(self) -> None:
        character = self.rest[self.at]
        if character == "\\":
            self._escape()
        elif character == "[":
            self._set()
        elif character == "(":
            self._group()
        elif character == ")":
            flags = self.open.pop() if len(self.open) > 1 else []
            self._take(")" * len(flags) + ")", 1)
        elif character == "|":
            flags = self.open[-1]
            self._take(")" * len(flags) + "|" + "".join(flags), 1)
        else:
            self._take("\\Z" if character == "$" else character, 1)

    def _take(self, written: str, count: int) -> None:
        self.out.append(written)
        self.at += count

    def _escape(self) -> None:
        if unknown := _UNKNOWN.match(self.rest, self.at):
            raise ValueError(f"{unknown.group()} has no equal for bytes")
        pair = self.rest[self.at : self.at + 2]
        if pair == "\\Q":
            end = self.rest.find("\\E", self.at)
            end = len(self.rest) if end < 0 else end
            self._take(re.escape(self.rest[self.at + 2 : end]), end + 2 - self.at)
        else:
            self._take("\\Z" if pair == "\\z" else pair, 2)

    def _set(self) -> None:
        """A class; its first bracket may be a member."""
        end = self.at + 1 + (self.rest[self.at + 1 : self.at + 2] == "^")
        body = ["[", self.rest[self.at + 1 : end]]
        first = end
        while end < len(self.rest) and (self.rest[end] != "]" or end == first):
            if named := _CLASS.match(self.rest, end):
                if named[1] or named[2] not in POSIX:
                    raise ValueError(f"{named.group()} is no class of bytes")
                body.append(POSIX[named[2]])
                end = named.end()
            elif self.rest[end] == "\\":
                body.append(self.rest[end : end + 2])
                end += 2
            else:
                body.append("\\" + self.rest[end] if self.rest[end] in "[]&~|" else self.rest[end])
                end += 1
        self._take("".join(body) + "]", end + 1 - self.at)

    def _group(self) -> None:
        if flags := _FLAGS.match(self.rest, self.at):
            if "U" in flags.group():
                raise ValueError("the flag U has no equal")
            opened = f"(?{flags[1]}{(flags[2] or '')}:"
            self.open[-1].append(opened)
            self._take(opened, len(flags.group()))
            return
        self.open.append([])
        named = self.rest.startswith("(?<", self.at) and self.rest[self.at + 3 : self.at + 4] not in ("=", "!")
        self._take("(?P<" if named else "(", 3 if named else 1)
