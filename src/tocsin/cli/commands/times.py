"""Times as people write them on the command line."""

from __future__ import annotations

from datetime import date, datetime

from tocsin.model.errors import UsageFault


def instant(text: str) -> datetime:
    """The instant in ISO 8601 text with an offset. Raises UsageFault when it is none or has no offset."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise UsageFault(f"{text!r} is not a time", "write it as 2026-11-24T09:30+01:00") from None
    if at.tzinfo is None:
        raise UsageFault(f"{text!r} has no zone", f"add an offset, for instance {text}+01:00, or Z for UTC")
    return at


def day(text: str) -> date:
    """The day in ISO 8601 text. Raises UsageFault when it is none."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageFault(f"{text!r} is not a day", "write it as 2027-12-02") from None
