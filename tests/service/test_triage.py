"""Triage: findings become incidents, each once, whatever happens in between."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.core.incident.made import at, since
from tests.service.banks import ASSISTANT, CREDIT, bank, found, later, leaked, record
from tocsin.incident.folding import stream
from tocsin.model.event import Append
from tocsin.model.finding import Category, Level
from tocsin.model.incident import Phase
from tocsin.service import incidents
from tocsin.service.desk import Desk
from tocsin.service.triage import STREAM, triage


def _kinds(desk: Desk, name: str) -> list[str]:
    return [event.kind for event in desk.ledger.read(stream(name))]


class TestOpening:
    def test_an_alarm_opens_an_incident_with_dates_evidence_and_a_verdict(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, clock):
            record(desk, found(since=since(0, -2)))
            told = triage(desk)
            assert (told.opened, told.joined, told.noted) == (("INC-2026-0001",), (), 0)
            state = incidents.find(desk, "INC-2026-0001")
            assert (state.system, state.key, state.source, state.opened_by) == (
                CREDIT,
                "bias:sex",
                "detector",
                "tocsin",
            )
            assert state.dates == {"occurred": at(0), "started": at(0), "detected": clock.now}
            assert state.classification is not None
            assert state.classification.category is Category.BIAS
            assert _kinds(desk, state.id) == ["incident_opened", "evidence_sealed", "incident_classified"]
            pointer = desk.ledger.read(stream(state.id))[1].data["pointer"]
            (sealed,) = msgspec.json.decode(desk.evidence.unseal(pointer))
            assert sealed["id"] == "f1"

    def test_running_it_again_changes_nothing(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            record(desk, found(), leaked())
            triage(desk)
            before = desk.ledger.size()
            told = triage(desk)
            assert (told.opened, told.joined, told.noted) == ((), (), 0)
            assert desk.ledger.size() == before

    def test_a_sighting_is_noted_and_opens_nothing(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            record(desk, leaked(level=Level.SIGHTING))
            assert triage(desk).noted == 1
            assert incidents.every(desk) == []

    def test_sightings_that_led_up_to_an_alarm_are_counted_in_its_incident(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            first = leaked("s0", Level.SIGHTING, key="email:assistant", count=3)
            record(desk, first, later(first, "s1", 1, count=4), later(first, "s2", 2, count=5))
            assert triage(desk).noted == 3
            alarm = later(leaked("alarm", Level.ALARM, key="rate", since=since(1, 1)), "alarm", 2)
            record(desk, alarm)
            (opened,) = triage(desk).opened
            held = incidents.find(desk, opened).findings
            assert {f.key: f.count for f in held.values()} == {"email:assistant": 9, "rate": 10}

    def test_two_matters_are_two_incidents(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            record(desk, found(), found("f2", key="age:a<b"), leaked())
            assert len(triage(desk).opened) == 3
            assert {i.key for i in incidents.every(desk)} == {"bias:sex", "bias:age", "attack"}

    def test_a_leak_under_an_injected_document_is_one_incident_of_the_gravest_category(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            attack = leaked(
                "a", category=Category.ADVERSARIAL_ATTACK, detector="prompt_injection", key="hide:retrieved"
            )
            record(desk, attack)
            triage(desk)
            record(desk, leaked())
            assert triage(desk).joined == ("INC-2026-0001",)
            assert incidents.find(desk, "INC-2026-0001").category is Category.DATA_LEAKAGE


class TestJoining:
    def test_later_findings_of_the_matter_join_and_count(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, clock):
            record(desk, leaked(count=2))
            triage(desk)
            clock.move(hours=1)
            record(desk, later(leaked(), "l2", 1, count=3))
            assert triage(desk).joined == ("INC-2026-0001",)
            (held,) = incidents.find(desk, "INC-2026-0001").findings.values()
            assert (held.id, held.count, held.last_at) == ("l1", 5, at(2))

    def test_an_alarm_that_is_told_again_replaces_its_count(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            record(desk, found(count=40), later(found(), "f2", 3, count=90))
            triage(desk)
            (held,) = incidents.find(desk, "INC-2026-0001").findings.values()
            assert held.count == 90

    def test_what_a_person_declared_takes_in_what_detectors_then_find(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            declared = incidents.declare(desk, ASSISTANT, "A customer saw a stranger's IBAN", Category.DATA_LEAKAGE)
            record(desk, leaked())
            told = triage(desk)
            assert (told.opened, told.joined) == ((), (declared.id,))

    def test_long_after_containment_it_is_a_new_incident(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, clock):
            record(desk, found())
            triage(desk)
            clock.move(hours=1)
            incidents.set_phase(desk, "INC-2026-0001", Phase.CONTAINED, "switched off")
            clock.move(days=9)
            record(desk, later(found(), "f2", 24 * 9))
            assert triage(desk).opened == ("INC-2026-0002",)

    def test_after_closing_it_is_a_recurrence(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            record(desk, found())
            triage(desk)
            version = desk.ledger.version(stream("INC-2026-0001"))
            desk.ledger.append(
                Append(stream("INC-2026-0001"), version, [desk.event("incident_closed", reason="proven")])
            )
            record(desk, later(found(), "f2", 1))
            assert triage(desk).opened == ("INC-2026-0002",)
            assert incidents.find(desk, "INC-2026-0002").links == (("recurrence_of", "INC-2026-0001"),)


class TestHealing:
    def test_an_incident_left_without_a_verdict_gets_one(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            record(desk, found())
            triage(desk)
            opening = desk.ledger.read(stream("INC-2026-0001"))[0].event
            desk.ledger.append(Append(stream("INC-2026-0009"), 0, [opening]))
            assert incidents.find(desk, "INC-2026-0009").classification is None
            assert triage(desk).opened == ()
            assert incidents.find(desk, "INC-2026-0009").classification is not None

    def test_a_system_that_left_the_inventory_does_not_stop_the_others(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            record(desk, found(), found("gone", system="retired"))
            triage(desk)
            assert {i.system for i in incidents.every(desk)} == {CREDIT, "retired"}

    def test_findings_and_their_marks_are_one_transaction(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            record(desk, found(), leaked(level=Level.SIGHTING), leaked("l2"))
            triage(desk)
            marks = [event.data["finding"] for event in desk.ledger.read(STREAM)]
            assert marks == ["f1", "l1", "l2"]


def _work(folder: Path) -> None:
    with bank(folder) as (desk, _):
        triage(desk)


def _state(desk: Desk) -> list[tuple[Any, ...]]:
    return [
        (
            i.system,
            i.key,
            i.category,
            sorted((f.key, f.count) for f in i.findings.values()),
            i.classification is not None,
        )
        for i in incidents.every(desk)
    ]


def _many(desk: Desk) -> None:
    """Forty findings of five matters on two systems."""
    for number in range(8):
        record(desk, later(found(count=number), f"f{number}", number))
        record(desk, later(found(key="age:a<b"), f"g{number}", number))
        record(desk, later(leaked(count=1), f"l{number}", number))
        record(desk, later(leaked("x", Level.SIGHTING, key="email:assistant", count=2), f"s{number}", number))
        record(desk, later(leaked("y", Level.ALARM, key="rate", count=number), f"r{number}", number))


def _expected(folder: Path) -> list[tuple[Any, ...]]:
    with bank(folder) as (desk, _):
        _many(desk)
        triage(desk)
        return _state(desk)


@pytest.mark.slow
def test_two_processes_at_once_open_nothing_twice(tmp_path: Path) -> None:
    expected = _expected(tmp_path / "calm")
    with bank(tmp_path / "busy") as (desk, _):
        _many(desk)
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_work, args=(tmp_path / "busy",)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    with bank(tmp_path / "busy") as (desk, _):
        triage(desk)
        assert _state(desk) == expected


@pytest.mark.slow
def test_killed_at_any_instant_it_goes_on_where_it_was(tmp_path: Path) -> None:
    expected = _expected(tmp_path / "calm")
    chance = random.Random(7)
    kills = 0
    for round_ in range(8):
        folder = tmp_path / f"round-{round_}"
        with bank(folder) as (desk, _):
            _many(desk)
        while True:
            child = os.fork()
            if not child:
                _work(folder)
                os._exit(0)
            time.sleep(chance.uniform(0, 0.2))
            os.kill(child, signal.SIGKILL)
            if not os.WIFSIGNALED(os.waitpid(child, 0)[1]):
                break
            kills += 1
        with bank(folder) as (desk, _):
            triage(desk)
            assert _state(desk) == expected, f"round {round_}"
    assert kills >= 6
