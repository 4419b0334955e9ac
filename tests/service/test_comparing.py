"""Versions of a report are compared as they were sealed, with each other and with what the record says now."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.service.banks import START, bank, found, record
from tocsin.model.errors import UsageFault
from tocsin.service import incidents
from tocsin.service.comparing import Comparison, Side, diff
from tocsin.service.desk import Desk
from tocsin.service.reporting import answer, filed, prepare
from tocsin.service.triage import triage

NAME, FORM = "INC-2026-0001", "eu.aiact.art73/draft-template-1.0.0"
OPERATOR = "3.2 Operator"


def _opened(desk: Desk) -> None:
    record(desk, found())
    triage(desk)


def _filed(desk: Desk, version: int) -> None:
    filed(desk, NAME, FORM, version, desk.clock(), "Bundesnetzagentur", "incomplete at first")


def _rows(made: Comparison) -> dict[str, tuple[str, str]]:
    return {row.field: (row.before, row.after) for row in made.changed}


class TestTwoVersions:
    def test_what_changed_is_read_from_the_sealed_bytes(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, clock):
            _opened(desk)
            made = prepare(desk, NAME, FORM)
            for path in made.files:
                Path(path).unlink()
            answer(desk, NAME, FORM, "incident.operator", "Other")
            clock.move(days=1)
            prepare(desk, NAME, FORM, "follow_up")
            changed = _rows(diff(desk, NAME, FORM, "1", "2"))
            assert changed[OPERATOR] == ("[gap: not known yet]", "Other")
            assert changed["1.2a Date of report submission"] == ("2026-11-02", "2026-11-03")
            assert changed["1.2e Report type"] == ("Initial", "Follow up")
            assert "2.2 Name (brand, trade or common name)" not in changed

    def test_each_side_names_its_version_stage_and_evidence(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            _opened(desk)
            first, second = prepare(desk, NAME, FORM), prepare(desk, NAME, FORM, "final")
            _filed(desk, 1)
            made = diff(desk, NAME, FORM, "1", "2")
            assert made.old == Side(1, "initial", START, first.evidence[1])
            assert made.new == Side(2, "final", None, second.evidence[1])

    def test_the_same_version_differs_in_nothing(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            _opened(desk)
            prepare(desk, NAME, FORM)
            assert diff(desk, NAME, FORM, "1", "1").changed == ()


class TestNow:
    def test_without_versions_the_filed_one_is_compared_with_the_record(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, clock):
            _opened(desk)
            prepare(desk, NAME, FORM)
            _filed(desk, 1)
            clock.move(hours=1)
            prepare(desk, NAME, FORM, "follow_up")
            answer(desk, NAME, FORM, "incident.operator", "Other")
            made = diff(desk, NAME, FORM)
            assert (made.old.version, made.old.filed_at) == (1, START)
            assert made.new == Side(None, "follow_up")
            assert _rows(made)[OPERATOR] == ("[gap: not known yet]", "Other")

    def test_where_nothing_was_filed_the_newest_is_compared(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            _opened(desk)
            prepare(desk, NAME, FORM)
            prepare(desk, NAME, FORM)
            made = diff(desk, NAME, FORM)
            assert (made.old.version, made.changed) == (2, ())

    def test_the_version_that_was_filed_last_is_meant(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, clock):
            _opened(desk)
            for number in (1, 2, 3):
                prepare(desk, NAME, FORM)
                clock.move(hours=1)
                if number < 3:
                    _filed(desk, number)
            assert diff(desk, NAME, FORM, "filed", "3").old.version == 2
            assert diff(desk, NAME, FORM, "1", "filed").new.version == 2

    def test_nothing_is_recorded(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            _opened(desk)
            prepare(desk, NAME, FORM)
            before = desk.ledger.size()
            diff(desk, NAME, FORM)
            assert (desk.ledger.size(), len(incidents.find(desk, NAME).reports)) == (before, 1)


class TestMistakes:
    @pytest.mark.parametrize(
        ("old", "new", "what", "remedy"),
        [
            ("1", "2", "has no version 2", f"prepared were: {FORM} 1"),
            ("filed", "1", "no version of .* was filed", "name a version by its number"),
            ("first", "1", "'first' is no version", "write a number, 'filed' or 'now'"),
            ("-1", "1", "'-1' is no version", "write a number, 'filed' or 'now'"),
        ],
    )
    def test_they_are_told(self, tmp_path: Path, old: str, new: str, what: str, remedy: str) -> None:
        with bank(tmp_path) as (desk, _):
            _opened(desk)
            prepare(desk, NAME, FORM)
            with pytest.raises(UsageFault, match=what) as told:
                diff(desk, NAME, FORM, old, new)
            assert told.value.remedy == remedy

    def test_without_any_version_there_is_nothing_to_compare(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            _opened(desk)
            with pytest.raises(UsageFault, match=f"no version of {FORM} was prepared for {NAME}"):
                diff(desk, NAME, FORM)
            with pytest.raises(UsageFault, match="there is no form 'tax'"):
                diff(desk, NAME, "tax")
