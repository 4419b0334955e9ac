"""A small grammar of phrases: sections of lines in which {section} stands for one line of that section.

`{name?}` is one line or nothing; `{name P=other}` gives {P} inside `name` the value of one line of `other`, so that a document has the
same shapes with a payload and without. `\\n` is a line break. Braces around anything else, as in JSON, stay.
"""

from __future__ import annotations

import re
from pathlib import Path
from random import Random

SLOT = re.compile(r"\{(\w+)(\?)?(?: (\w)=(\w+))?\}")
DEPTH_MAX = 12


class Grammar:
    """The sections of one phrase file, with a seeded source of choices."""

    def __init__(self, path: Path, random: Random, more: dict[str, list[str]] | None = None) -> None:
        self.sections = read(path) | (more or {})
        self.random = random
        self.phrases: list[str] = []

    def line(self, name: str) -> str:
        """One line of a section, as it is written."""
        return self.random.choice(self.sections[name])

    def made(self, template: str, bound: dict[str, str] | None = None, depth: int = 0) -> str:
        """The template with everything filled in."""
        assert depth < DEPTH_MAX, template
        bound = bound or {}

        def fill(match: re.Match[str]) -> str:
            name, optional, key, value = match.groups()
            if optional and self.random.random() < 0.5:
                return ""
            if name in bound:
                return bound[name]
            if name not in self.sections:
                return match.group()
            inner = bound | {key: self.made(self.line(value), bound, depth + 1)} if key else bound
            return self.made(self.line(name), inner, depth + 1)

        return SLOT.sub(fill, template.replace("\\n", "\n"))


def read(path: Path) -> dict[str, list[str]]:
    """The sections of a phrase file; lines that begin with # directly behind a heading or before the first are comments."""
    sections: dict[str, list[str]] = {}
    lines: list[str] = []
    for raw in path.read_text(encoding="utf-8").split("\n"):
        if re.fullmatch(r"\[[a-z_]+\]", raw):
            lines = sections.setdefault(raw[1:-1], [])
        elif not raw.startswith("# "):
            lines.append(raw)
    return {name: _trimmed(found) for name, found in sections.items()}


def _trimmed(lines: list[str]) -> list[str]:
    """The lines without the empty ones at the end of the file; empty lines in between are choices of saying nothing."""
    return lines[:-1] if lines and not lines[-1] and len(lines) > 1 and lines[-2] else lines
