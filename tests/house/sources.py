"""The source tree as syntax, read once for all the tests of the house."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "tocsin"

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Source:
    """One module: its path below the package, its text and its syntax tree."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def name(self) -> str:
        return self.path.relative_to(ROOT / "src").as_posix()

    @property
    def room(self) -> str:
        return self.path.relative_to(PACKAGE).parts[0].removesuffix(".py")

    def functions(self) -> list[Function]:
        return [node for node in ast.walk(self.tree) if isinstance(node, Function)]

    def lines(self) -> int:
        return self.text.count("\n")


@lru_cache
def sources(folder: Path = PACKAGE) -> tuple[Source, ...]:
    """Every Python module below `folder`."""
    return tuple(
        Source(path, text := path.read_text(encoding="utf-8"), ast.parse(text, str(path)))
        for path in sorted(folder.rglob("*.py"))
    )


def length(function: Function) -> int:
    """Lines of a function without its decorators and docstring."""
    body = function.body
    start = function.lineno
    documented = ast.get_docstring(function) is not None
    skipped = (body[0].end_lineno or 0) - body[0].lineno + 1 if documented else 0
    return (function.end_lineno or start) - start + 1 - skipped
