"""Instants as an iCalendar file (RFC 5545) that calendar programs subscribe to or import.

Each entry keeps its UID from one export to the next and raises its SEQUENCE, so that a later file moves or cancels what an earlier one
had put into somebody's calendar. Instants are in UTC; an entry takes no time and does not make anybody busy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from icalendar import Component

State = Literal["CONFIRMED", "TENTATIVE", "CANCELLED"]
PRODUCT = "-//Tocsin//Reporting duties//EN"
REFRESH = timedelta(hours=1)
"""How often a subscribed program should look again."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One instant. `alarms` are lengths of time before it; those that have passed at the time of writing are left out."""

    uid: str
    sequence: int
    at: datetime
    summary: str
    description: str
    categories: tuple[str, ...]
    state: State = "CONFIRMED"
    alarms: tuple[timedelta, ...] = ()


def calendar(name: str, entries: Sequence[Entry], now: datetime) -> bytes:
    """The file's bytes, with lines folded and ended as RFC 5545 asks."""
    from icalendar import Calendar  # noqa: PLC0415 - 0.13 s that other commands need not pay

    made = Calendar()
    made.add("prodid", PRODUCT)
    made.add("version", "2.0")
    made.add("method", "PUBLISH")
    made.add("name", name)
    made.add("x-wr-calname", name)
    made.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    for entry in entries:
        made.add_component(_event(entry, now))
    return bytes(made.to_ical())


def _event(entry: Entry, now: datetime) -> Component:
    from icalendar import Event  # noqa: PLC0415 - as above

    made = Event()
    made.add("uid", entry.uid)
    made.add("sequence", entry.sequence)
    made.add("dtstamp", now.astimezone(UTC))
    made.add("dtstart", entry.at.astimezone(UTC))
    made.add("summary", entry.summary)
    made.add("description", entry.description)
    made.add("categories", list(entry.categories))
    made.add("status", entry.state)
    made.add("transp", "TRANSPARENT")
    made.add("class", "CONFIDENTIAL")
    for before in entry.alarms:
        if entry.at - before > now and entry.state != "CANCELLED":
            made.add_component(_alarm(before, entry.summary))
    return made


def _alarm(before: timedelta, summary: str) -> Component:
    from icalendar import Alarm  # noqa: PLC0415 - as above

    made = Alarm()
    made.add("action", "DISPLAY")
    made.add("description", summary)
    made.add("trigger", -before)
    return made
