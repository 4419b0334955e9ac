"""How long work says how far it is, without knowing who listens."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Called now and then with the work's name, the units done, and the total (None: not known)."""

    def __call__(self, what: str, done: int, total: int | None = None) -> None:
        """Say how far `what` is."""
        ...


def silent(what: str, done: int, total: int | None = None) -> None:
    """Say nothing."""
