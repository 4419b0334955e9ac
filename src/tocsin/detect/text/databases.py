"""What Hyperscan makes of expressions, and where it is kept: compiling takes seconds, reading back a millisecond."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from importlib.metadata import version
from typing import Any, Protocol

try:
    import hyperscan
except ImportError:  # no wheel for this processor
    hyperscan = None  # type: ignore[assignment]


class Shelf(Protocol):
    """Where compiled databases are kept from one run to the next."""

    def read(self, name: str) -> bytes | None:
        """What was written under the name, whole; None where there is nothing."""
        ...

    def write(self, name: str, data: bytes) -> None:
        """Keep it if that is possible; that it is not is no error."""
        ...


_SHELVES: list[Shelf] = []


def keep_on(shelf: Shelf) -> None:
    """From now on compiled databases are looked for and kept there; only the shelf that was named last counts."""
    _SHELVES[:] = [shelf]


@dataclass(frozen=True)
class Expressions:
    """What a database is made of: for each expression its number and the digest that names it, and how the expressions are got."""

    names: tuple[tuple[int, str], ...]
    written: Callable[[], Iterable[str]] = field(compare=False)
    """They may be dear to derive, and are not needed where a database is read back."""


@lru_cache(maxsize=64)
def database(of: Expressions) -> Any:
    """The database for these expressions by number. What was kept by another version or for another processor is made anew."""
    name = sha256(repr((version("hyperscan"), of.names)).encode()).hexdigest()
    for shelf in _SHELVES:
        kept = shelf.read(name)
        with suppress(hyperscan.error):
            if kept is not None:
                return _ready(hyperscan.loadb(kept, mode=hyperscan.HS_MODE_BLOCK))
    made = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    texts = [expression.encode() for expression in of.written()]
    made.compile(expressions=texts, ids=[number for number, _ in of.names], flags=[0] * len(texts))
    for shelf in _SHELVES:
        shelf.write(name, hyperscan.dumpb(made))
    return made


def _ready(kept: Any) -> Any:
    """A database that was read back has no room to work in yet."""
    kept.scratch = hyperscan.Scratch(kept)
    return kept
