"""The wall clock. It stands alone so that a command that needs nothing else starts at once."""

from __future__ import annotations

from datetime import UTC, datetime


def wall_clock() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)
