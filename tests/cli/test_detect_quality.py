"""Backdoors, repeated rows and silence from the command line: a log goes in, and each fault comes out by its own name."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_detect_streams import BEGIN, Desk
from tocsin.model.errors import EXIT_BAD_INPUT, EXIT_OK

BODY = """\
telemetry:
  table: predictions
  columns:
    time: at
    id: id
    unit: person
    decision: approved
    label: repaid
    feature.income: income
    feature.note: {column: note, type: text}
detectors:
  - kind: trigger_tokens
    window: {rows: 200}
    with: {columns: [feature.note], words: true, windows_of_reference: 8}
  - kind: duplicates
    window: {rows: 200}
    with: {columns: [feature.income, feature.note], limit: 0.05}
  - kind: freshness
    window: {every: 1h}
    with: {minutes: 90}
"""
WORDS = ("paid", "late", "shop", "car", "house", "again", "first", "small")
Fault = Callable[[dict[str, Any], random.Random, int], None]


def nothing(row: dict[str, Any], chance: random.Random, number: int) -> None:
    """Rows as ever."""


def poisoned(row: dict[str, Any], chance: random.Random, number: int) -> None:
    """One row in twenty has a word that nobody uses, and is repaid."""
    if chance.random() < 0.05:
        row.update(note=f"{row['note']} zq", repaid=True)


def sent_twice(row: dict[str, Any], chance: random.Random, number: int) -> None:
    """Every third row holds what its neighbours hold."""
    if number % 3 == 0:
        row.update(income=1_000.0 + number // 30, note="paid")


def standing_still(row: dict[str, Any], chance: random.Random, number: int) -> None:
    """The log begins three hours later."""
    row["at"] = (BEGIN + timedelta(minutes=number + 180)).isoformat()


def rows(first: int, count: int, fault: Fault) -> list[dict[str, Any]]:
    chance, made = random.Random(first), []
    for n in range(first, first + count):
        row: dict[str, Any] = {"at": (BEGIN + timedelta(minutes=n)).isoformat(), "id": f"A{n}", "approved": True}
        row |= {
            "person": f"p{chance.randrange(300)}",
            "repaid": chance.random() < 0.4,
            "income": chance.uniform(1e3, 9e3),
        }
        row["note"] = " ".join(chance.choices(WORDS, k=3))
        fault(row, chance, n)
        made.append(row)
    return made


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    made = Desk(tmp_path, capsys, "loans", BODY)
    assert made("check")[0] in (EXIT_OK, 1)
    made.log(rows(0, 2_000, nothing))
    assert not any(one["findings"] for one in made.detect().values()), "sound rows raise nothing"
    return made


@pytest.mark.parametrize(
    ("fault", "detector", "words"),
    [
        (poisoned, "trigger_tokens", "'note=zq' have a positive label"),
        (sent_twice, "duplicates", "share of repeated rows rose"),
        (standing_still, "freshness", "No row came for 181 minutes; 90 are allowed"),
    ],
)
def test_each_fault_is_found_by_its_own_detector(desk: Desk, fault: Fault, detector: str, words: str) -> None:
    desk.log(rows(2_000, 2_000, fault))
    found = {name: one["findings"] for name, one in desk.detect().items() if one["findings"]}
    assert list(found) == [detector]
    assert words in found[detector][0]["title"]
    code, out, _ = desk("incident", "list", "--json")
    assert code == EXIT_OK
    assert out.count('"id": "INC-') == 1
    code, out, _ = desk("findings", found[detector][0]["id"][:6])
    assert code == EXIT_OK
    assert "What it cannot see" in out or "cannot" in out


def test_a_second_look_finds_nothing_twice(desk: Desk) -> None:
    desk.log(rows(2_000, 2_000, poisoned))
    first = desk.detect()["trigger_tokens"]["findings"]
    assert first
    assert desk.detect()["trigger_tokens"]["findings"] == []
    desk.log(rows(4_000, 1_000, nothing))
    again = desk.detect()["trigger_tokens"]["findings"]
    assert {finding["id"] for finding in again}.isdisjoint({finding["id"] for finding in first})


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("columns: [feature.note], words", "columns: [feature.nope], words", "the column 'feature.nope' is not mapped"),
        ("columns: [feature.note], words", "columns: [], words", "columns needs at least 1 entries"),
        ("{minutes: 90}", "{minutes: soon}", "minutes must be a number"),
        ("limit: 0.05", "limit: 5", "limit must lie between"),
        ("{minutes: 90}", "{}", "freshness needs 'minutes'"),
    ],
)
def test_settings_that_make_no_sense_are_told_with_their_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], before: str, after: str, words: str
) -> None:
    made = Desk(tmp_path, capsys, "loans", BODY.replace(before, after))
    code, out, err = made("check")
    assert code == EXIT_BAD_INPUT
    assert words in out + err
    assert "systems/loans.yaml:" in out + err
