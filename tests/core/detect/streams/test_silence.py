"""Silence: slots merge exactly, a gap is found between windows and inside one, and late rows end none."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

import msgspec
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.detect.samples import BEGIN, detector, placed, window
from tocsin.content.discovery import detector_kinds
from tocsin.detect.parameters import misfits
from tocsin.detect.streams import slots
from tocsin.detect.streams.silence import Last, SilenceWatch
from tocsin.detect.streams.slots import SLOTS, Heard
from tocsin.model.errors import BadInput
from tocsin.model.finding import Finding

HOUR = 3_600_000_000
calm = settings(max_examples=80, deadline=None)
minutes_ = st.lists(st.floats(0, 59.999), max_size=30)


def rows(minutes: list[float], hour: int = 0) -> pa.RecordBatch:
    times = [BEGIN + timedelta(hours=hour, minutes=minute) for minute in minutes]
    return placed({"time": pa.array(times, pa.timestamp("us", "UTC"))})


def heard(minutes: list[float], hour: int = 0) -> Heard:
    return slots.counted(rows(minutes, hour), HOUR)


def watcher(minutes: float = 30.0) -> SilenceWatch:
    found = detector("freshness", minutes=minutes)
    assert isinstance(found, SilenceWatch)
    return found


def played(watch: SilenceWatch, hours: dict[int, list[float]]) -> list[Finding]:
    sequence, findings = watch.begin(), []
    for hour, minutes in hours.items():
        state = watch.observe(watch.zero(), rows(minutes, hour))
        found = watch.evaluate(sequence, state, window(hour, len(minutes)))
        sequence = watch.sequence_from_bytes(watch.sequence_to_bytes(found.sequence))
        findings += found.findings
    return findings


EVERY_TEN = [0.0, 10, 20, 30, 40, 50]


@pytest.mark.parametrize(
    ("minutes", "slots_silent"),
    [([], 0), ([5.0], 0), ([0.0, 59.0], 61), ([0.0, 30.0], 31), ([0.0, 0.1, 0.2], 0), ([10.0, 20.0, 50.0], 31)],
)
def test_the_longest_run_of_empty_slots_between_rows(minutes: list[float], slots_silent: int) -> None:
    assert slots.longest_silence(heard(minutes)) == slots_silent


@calm
@given(left=minutes_, right=minutes_)
def test_states_merge_exactly(left: list[float], right: list[float]) -> None:
    both = heard(left + right)
    assert slots.merged(heard(left), heard(right)) == slots.merged(heard(right), heard(left)) == both
    assert slots.from_bytes(slots.to_bytes(both)) == both
    assert slots.merged(both, Heard()) == both
    assert both.slots < 1 << SLOTS


@calm
@given(minutes=st.lists(st.floats(0, 59.999), min_size=2, max_size=30))
def test_silence_is_measured_to_a_slot(minutes: list[float]) -> None:
    times = sorted(minutes)
    longest = max(later - earlier for earlier, later in pairwise(times))
    measured = slots.longest_silence(heard(minutes)) * 60 / SLOTS
    assert longest - 2 * 60 / SLOTS - 1e-6 <= measured <= longest + 1e-6


def test_windows_of_rows_have_no_slots_but_ends() -> None:
    found = slots.counted(rows([5.0, 50.0]), 0)
    assert (found.slots, found.rows, found.last - found.first) == (0, 2, 45 * 60_000_000)
    nothing = slots.counted(placed({"time": pa.nulls(3, pa.timestamp("us", "UTC"))}), HOUR)
    assert nothing == Heard()


@pytest.mark.parametrize("data", [b"", b"\x95\x02\x00\x00\x00\x00", b"\x91\x01", b"\xc1"])
def test_damaged_states_are_bad_input(data: bytes) -> None:
    with pytest.raises(BadInput, match="no silence"):
        slots.from_bytes(data)


@pytest.mark.parametrize("data", [Last(2), ("x",)])
def test_damaged_sequences_are_bad_input(data: Any) -> None:
    with pytest.raises(BadInput, match="no last instant"):
        watcher().sequence_from_bytes(msgspec.msgpack.encode(data))


def test_a_steady_stream_is_quiet() -> None:
    assert played(watcher(), dict.fromkeys(range(24), EVERY_TEN)) == []


def test_a_gap_between_windows_is_found_and_told_exactly() -> None:
    hours = dict.fromkeys((0, 1, 2, 8, 9), EVERY_TEN)
    (finding,) = played(watcher(), hours)
    assert finding.window.index == 8
    assert finding.title == "No row came for 310 minutes; 30 are allowed"
    assert "Between 2026-10-01 02:50 and 2026-10-01 08:00 UTC" in finding.explanation
    assert finding.since is not None
    assert finding.since.start == BEGIN + timedelta(hours=2, minutes=50)
    assert finding.effect is not None
    assert finding.effect.value == 310
    assert msgspec.json.decode(msgspec.json.encode(finding), type=Finding) == finding


def test_a_gap_inside_a_window_is_found() -> None:
    (finding,) = played(watcher(), {0: EVERY_TEN, 1: [0.0, 5.0, 50.0], 2: EVERY_TEN})
    assert finding.window.index == 1
    assert 43 <= finding.details["minutes"] <= 45


def test_the_first_window_has_no_silence_before_it() -> None:
    assert played(watcher(), {5: [59.0]}) == []


def test_late_rows_neither_end_nor_begin_a_silence() -> None:
    watch = watcher()
    late = slots.merged(heard(EVERY_TEN, 3), heard([0.0], 0))
    before = Last(1, heard(EVERY_TEN, 2).last)
    found = watch.evaluate(before, late, window(3, 7))
    assert found.findings == ()
    assert found.sequence.at == late.last
    only_late = watch.evaluate(before, heard([0.0], 0), window(3, 1))
    assert only_late.sequence == before


def test_an_empty_window_changes_nothing() -> None:
    found = watcher().evaluate(Last(1, 5), Heard(), window(3))
    assert (found.sequence, found.findings, found.statistics) == (Last(1, 5), (), {"silent_minutes": None})


def test_a_fix_is_proven_by_windows_without_silence() -> None:
    watch = watcher()
    (finding,) = played(watch, {0: EVERY_TEN, 9: EVERY_TEN})
    steady = [heard(EVERY_TEN, hour) for hour in range(10, 60)]
    assert watch.clearance(finding, steady, 0.05).passed
    assert not watch.clearance(finding, steady[:3], 0.05).passed
    assert not watch.clearance(finding, [heard(EVERY_TEN, hour) for hour in range(10, 200, 3)], 0.05).passed


def test_the_minutes_must_be_told() -> None:
    kind = detector_kinds()["freshness"]
    assert [wrong.parameter for wrong in misfits(kind, {})] == ["minutes"]
    assert [wrong.parameter for wrong in misfits(kind, {"minutes": 0.0})] == ["minutes"]
    assert misfits(kind, {"minutes": 15}) == []
    assert watcher().specification["minutes"] == 30.0
