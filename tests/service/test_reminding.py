"""Deadlines of incidents as a calendar."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from icalendar import Calendar

from tests.service.banks import START, bank, found, record
from tests.service.test_duties import LEAK, leak
from tocsin.adapters.documents.calendar import Entry
from tocsin.model.errors import UsageFault
from tocsin.service import duties, incidents
from tocsin.service.desk import Desk
from tocsin.service.reminding import ALARMS, Reminders, remind
from tocsin.service.triage import triage

HOUR = timedelta(hours=1)
NOTICE = "eu.gdpr.art33.notification@DE"


def of(made: Reminders, regime: str = "eu.gdpr.art33") -> list[Entry]:
    return [entry for entry in made.entries if regime in entry.categories]


def test_due_and_the_last_lawful_instant_are_entries_of_their_own(tmp_path: Path) -> None:
    with bank(tmp_path) as (desk, _):
        leak(desk, LEAK | {"countries": "DE"})
        due, latest = of(remind(desk))
        assert (due.at, latest.at) == (START + 72 * HOUR, START + 73 * HOUR)
        assert due.summary == "Due: INC-2026-0001: Personal data breach notification: Notify the supervisory authority"
        assert latest.summary.startswith("Last lawful instant: INC-2026-0001: ")
        assert due.uid != latest.uid
        assert (due.alarms, latest.alarms) == (ALARMS, ())


def test_the_description_says_who_tells_whom_and_where_that_stands(tmp_path: Path) -> None:
    with bank(tmp_path) as (desk, _):
        leak(desk, LEAK | {"countries": "PT"})
        text = of(remind(desk))[0].description
        assert "72 hours after awareness, where feasible. Due: 2026-11-05 12:00 WET." in text
        assert "Who: the controller. To: Comiss\u00e3o Nacional de Prote\u00e7\u00e3o de Dados" in text
        assert "Regulation (EU) 2016/679, Art. 33(1) [P]" in text
        assert "tocsin law explain INC-2026-0001 eu.gdpr.art33.notification@PT" in text
        assert "This is not legal advice." in text


def test_each_authority_has_its_entry(tmp_path: Path) -> None:
    with bank(tmp_path) as (desk, _):
        leak(desk)
        entries = of(remind(desk))
        assert len(entries) == len({entry.uid for entry in entries}) == 6


def test_an_entry_keeps_its_name_and_moves_with_an_answer(tmp_path: Path) -> None:
    with bank(tmp_path) as (desk, _):
        name = leak(desk, LEAK | {"countries": "DE"})
        before = of(remind(desk))[0]
        incidents.set_date(desk, name, "aware.controller", START - 10 * HOUR, "the branch knew")
        after = of(remind(desk))[0]
        assert after.uid == before.uid
        assert after.sequence > before.sequence
        assert after.at == before.at - 10 * HOUR


def test_workspaces_do_not_share_names(tmp_path: Path) -> None:
    uids = []
    for folder in ("one", "two"):
        with bank(tmp_path / folder) as (desk, _):
            leak(desk, LEAK | {"countries": "DE"})
            salted = desk if folder == "one" else _salted(desk)
            uids.append(of(remind(salted))[0].uid)
    assert len(set(uids)) == 2


def _salted(desk: Desk) -> Desk:
    from dataclasses import replace

    return replace(desk, salt=bytes(reversed(desk.salt)))


@pytest.mark.parametrize("how", ["filed", "decided"])
def test_what_is_done_is_cancelled(tmp_path: Path, how: str) -> None:
    with bank(tmp_path) as (desk, clock):
        name = leak(desk, LEAK | {"countries": "DE"})
        before = of(remind(desk))
        clock.move(hours=2)
        if how == "filed":
            incidents.set_date(desk, name, f"submitted.{NOTICE}", clock.now, "portal")
        else:
            duties.decide_not_owed(desk, name, NOTICE, "test data")
        after = of(remind(desk))
        assert [entry.state for entry in before] == ["CONFIRMED", "CONFIRMED"]
        assert [entry.state for entry in after] == ["CANCELLED", "CANCELLED"]
        assert [entry.uid for entry in before] == [entry.uid for entry in after]


def test_what_is_only_possible_is_left_out_until_it_is_asked_for(tmp_path: Path) -> None:
    with bank(tmp_path) as (desk, _):
        leak(desk, {"countries": "DE"})
        made = remind(desk)
        assert (of(made), made.left_out) != ([], 0)
        assert of(made) == []
        due, _latest = of(remind(desk, possible=True))
        assert due.summary.startswith("Possible, due: ")
        assert due.state == "TENTATIVE"
        assert remind(desk, possible=True).left_out == 0


def test_a_rehearsal_rings_no_bell(tmp_path: Path) -> None:
    with bank(tmp_path) as (desk, _):
        record(desk, found())
        triage(desk)
        duties.answer(desk, "INC-2026-0001", "fundamental_rights_infringement", "yes")
        incidents.acknowledge(desk, "INC-2026-0001")
        entries = of(remind(desk), "eu.aiact.art73")
        assert entries
        for entry in entries:
            assert entry.summary.startswith("Rehearsal, ")
            assert (entry.state, entry.alarms) == ("TENTATIVE", ())


def test_closed_incidents_are_left_out_unless_they_are_named(tmp_path: Path) -> None:
    with bank(tmp_path) as (desk, _):
        assert remind(desk).entries == ()
        with pytest.raises(UsageFault, match="no incident"):
            remind(desk, ["INC-2026-0001"])


def test_it_is_written_whole_and_read_by_other_programs(tmp_path: Path) -> None:
    with bank(tmp_path) as (desk, _):
        leak(desk)
        out = tmp_path / "calendars" / "duties.ics"
        made = remind(desk, out=out)
        assert (made.path, made.text) == (str(out), "")
        read = Calendar.from_ical(out.read_bytes())
        assert [str(event["uid"]) for event in read.walk("VEVENT")] == [entry.uid for entry in made.entries]
        assert read["x-wr-calname"] == "Nordhafen Bank AG: reporting duties"


def test_the_same_record_at_the_same_time_gives_the_same_bytes(tmp_path: Path) -> None:
    with bank(tmp_path) as (desk, _):
        leak(desk)
        assert remind(desk).text == remind(desk).text
