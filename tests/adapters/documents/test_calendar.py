"""Calendars as other programs read them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar, Component

from tocsin.adapters.documents.calendar import Entry, calendar

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
ENTRY = Entry(
    "abc@tocsin",
    3,
    NOW + 72 * HOUR,
    "Due: notify, at once; \\ and \u00e4\u00f6\u00fc \u2603 " + "long " * 30,
    "first line\nsecond, with; signs",
    ("INC-2026-0001", "eu.gdpr.art33"),
    alarms=(24 * HOUR, 4 * HOUR),
)


def events(*entries: Entry) -> list[Component]:
    return list(Calendar.from_ical(calendar("Nordhafen", entries, NOW)).walk("VEVENT"))


def test_lines_are_folded_and_ended_as_the_standard_asks() -> None:
    data = calendar("Nordhafen", [ENTRY], NOW)
    lines = data.split(b"\r\n")
    assert lines[0] == b"BEGIN:VCALENDAR"
    assert lines[-2:] == [b"END:VCALENDAR", b""]
    assert all(len(line) <= 75 for line in lines)
    assert b"\n" not in data.replace(b"\r\n", b"")


def test_a_program_that_imports_it_knows_what_it_is() -> None:
    read = Calendar.from_ical(calendar("Nordhafen", [], NOW))
    assert (read["version"], read["method"], read["x-wr-calname"]) == ("2.0", "PUBLISH", "Nordhafen")
    assert read["prodid"].startswith("-//Tocsin//")
    assert b"REFRESH-INTERVAL;VALUE=DURATION:PT1H" in calendar("Nordhafen", [], NOW)


def test_every_word_comes_back_whatever_signs_are_in_it() -> None:
    (event,) = events(ENTRY)
    assert str(event["summary"]) == ENTRY.summary
    assert str(event["description"]) == ENTRY.description
    assert event["categories"].cats == list(ENTRY.categories)


def test_an_entry_has_what_every_client_needs() -> None:
    (event,) = events(ENTRY)
    assert (event["uid"], event["sequence"], event["status"]) == ("abc@tocsin", 3, "CONFIRMED")
    assert event["transp"] == "TRANSPARENT"
    assert event["class"] == "CONFIDENTIAL"
    assert event.decoded("dtstart") == ENTRY.at
    assert event.decoded("dtstamp") == NOW
    assert "dtend" not in event


def test_instants_are_written_in_utc_so_that_no_zone_must_be_known() -> None:
    there = replace(ENTRY, at=datetime(2027, 3, 28, 3, 30, tzinfo=ZoneInfo("Europe/Berlin")))
    data = calendar("Nordhafen", [there], NOW)
    assert b"DTSTART:20270328T013000Z" in data
    assert b"TZID" not in data
    assert b"VTIMEZONE" not in data


def test_alarms_ring_before_the_instant() -> None:
    (event,) = events(ENTRY)
    alarms = event.walk("VALARM")
    assert [alarm.decoded("trigger") for alarm in alarms] == [-24 * HOUR, -4 * HOUR]
    assert {str(alarm["action"]) for alarm in alarms} == {"DISPLAY"}
    assert {str(alarm["description"]) for alarm in alarms} == {ENTRY.summary}


@pytest.mark.parametrize(("hours", "kept"), [(25, 2), (24, 1), (5, 1), (4, 0), (1, 0), (-3, 0)])
def test_alarms_that_would_have_rung_already_are_left_out(hours: int, kept: int) -> None:
    (event,) = events(replace(ENTRY, at=NOW + hours * HOUR))
    assert len(event.walk("VALARM")) == kept


def test_what_is_cancelled_rings_no_more() -> None:
    (event,) = events(replace(ENTRY, state="CANCELLED"))
    assert event["status"] == "CANCELLED"
    assert not event.walk("VALARM")


def test_entries_stand_in_the_order_given() -> None:
    both = [ENTRY, replace(ENTRY, uid="def@tocsin", at=NOW)]
    assert [event["uid"] for event in events(*both)] == ["abc@tocsin", "def@tocsin"]
