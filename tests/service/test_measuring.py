"""Measuring reads the incidents of the ledger, each once."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from tests.service.banks import bank, found, record
from tocsin.service import incidents, measuring
from tocsin.service.triage import triage


def test_a_workspace_without_incidents_has_nothing_to_count(tmp_path: Path) -> None:
    with bank(tmp_path) as (desk, _):
        got = measuring.measure(desk)
    assert (got.incidents, got.open) == (0, 0)
    assert got.punctuality.rate is None


def test_time_to_acknowledge_runs_from_detection(tmp_path: Path) -> None:
    with bank(tmp_path) as (desk, clock):
        record(desk, found())
        (name,) = triage(desk).opened
        clock.move(minutes=25)
        took = measuring.of(incidents.acknowledge(desk, name))
        got = measuring.measure(desk)
    assert took.acknowledge == timedelta(minutes=25)
    assert took.contain is None
    assert (got.incidents, got.open) == (1, 1)
