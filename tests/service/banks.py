"""The bank of the shipped example, with a clock that a test moves and findings that it makes up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from tests.core.incident.made import finding as made
from tocsin.model.event import ANY_VERSION, Append
from tocsin.model.finding import Category, Finding, Level
from tocsin.service import detecting
from tocsin.service.desk import Desk, open_desk
from tocsin.service.workspaces import init

CREDIT, ASSISTANT = "credit-model", "support-assistant"
START = datetime(2026, 11, 2, 12, tzinfo=UTC)


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def move(self, **length: float) -> datetime:
        """Go on by so much, and say what time it is."""
        self.now += timedelta(**length)
        return self.now


@contextmanager
def bank(folder: Path, person: str = "okafor") -> Iterator[tuple[Desk, Clock]]:
    """The bank below the folder, made when it is not there."""
    clock = Clock()
    root = folder / "bank"
    if not root.exists():
        init(root, "bank", person, clock)
    with open_desk(root, person, clock) as desk:
        yield desk, clock


def found(name: str = "f1", level: Level = Level.ALARM, **changes: Any) -> Finding:
    """A finding about the credit model, without rows of telemetry."""
    return made(name, level, **{"system": CREDIT, "rows": ()} | changes)


def leaked(name: str = "l1", level: Level = Level.SEVERE, **changes: Any) -> Finding:
    """A leak by the assistant."""
    fields = {
        "system": ASSISTANT,
        "category": Category.DATA_LEAKAGE,
        "detector": "personal_data",
        "key": "iban:assistant",
    }
    return made(name, level, **fields | {"rows": ()} | changes)


def record(desk: Desk, *findings: Finding) -> None:
    """As if detectors had just found these."""
    for finding in findings:
        event = desk.event("finding_recorded", "tocsin", finding=msgspec.to_builtins(finding))
        desk.ledger.append(Append(detecting.stream(finding.system), ANY_VERSION, [event]))


def later(finding: Finding, name: str, hours: int, **changes: Any) -> Finding:
    """The same finding of a later window."""
    window, gap = finding.window, timedelta(hours=hours)
    moved = replace(window, index=window.index + hours, start=window.start + gap, end=window.end + gap)
    return replace(finding, id=name, window=moved, **changes)
