"""The detector of anomalies in a metric: what it finds and tells, what it leaves alone, and the proof of a fix."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from tests.core.detect.samples import detector, placed, window
from tocsin.content.discovery import detector_kinds
from tocsin.detect.parameters import complete, misfits
from tocsin.detect.streams.metric import MetricWatch, Past
from tocsin.model.detector import Setting
from tocsin.model.errors import BadInput
from tocsin.model.finding import Finding
from tocsin.model.telemetry import Windowing

KIND = detector_kinds()["metric_anomaly"]


def watcher(**parameters: Any) -> MetricWatch:
    found = detector(
        "metric_anomaly", **{"column": "latency_ms", "unit_name": "ms", "windows_of_reference": 48, **parameters}
    )
    assert isinstance(found, MetricWatch)
    return found


def rows(values: list[float | None], index: int = 0) -> pa.RecordBatch:
    return placed({"latency_ms": pa.array(values, pa.float64())}, first=1_000 * index)


def hours(count: int, seed: int = 3) -> list[list[float | None]]:
    """Latencies of so many hours: by day slower than by night."""
    rng = np.random.default_rng(seed)
    level = 300 + 60 * np.sin(np.arange(count) * 2 * np.pi / 24)
    return [list(rng.normal(mean, 20, 30)) for mean in level]


def played(
    watch: MetricWatch, stream: list[list[float | None]], skip: tuple[int, ...] = ()
) -> tuple[list[Finding], Any, list[Any]]:
    sequence, findings, told = watch.begin(), [], []
    for index, values in enumerate(stream):
        if index in skip:
            continue
        state = watch.observe(watch.zero(), rows(values, index))
        found = watch.evaluate(sequence, state, window(index, len(values)))
        sequence = watch.sequence_from_bytes(watch.sequence_to_bytes(found.sequence))
        findings += found.findings
        told.append(found.statistics)
    return findings, sequence, told


def test_a_day_like_any_other_raises_nothing() -> None:
    findings, _, told = played(watcher(), hours(24 * 21))
    assert findings == []
    assert told[47]["bar"] is None
    assert told[48]["bar"] > 5
    assert told[0]["value"] == pytest.approx(300, abs=15)


def test_an_outage_is_found_at_once_and_told_once() -> None:
    stream = hours(24 * 21)
    for hour in range(24 * 20, 24 * 20 + 6):
        stream[hour] = [value and value * 4 for value in stream[hour]]
    findings, _, _ = played(watcher(), stream)
    first = findings[0]
    assert len(findings) <= 2
    assert first.window.index == 24 * 20
    assert first.key == "mean of latency_ms"
    assert first.title.startswith("The mean of latency_ms is unusual: 1,")
    assert " ms; 98 % of the past lies within 2" in first.title
    assert "from the window before. At the same time of the day before, it was 3" in first.explanation
    assert first.count == 30
    assert len(first.rows) == 5
    assert first.strength.value > first.strength.threshold > 0.99
    assert "no guarantee" in first.strength.guarantee
    assert first.effect is not None
    assert first.effect.unit == "ms"
    assert msgspec.json.decode(msgspec.json.encode(first), type=Finding) == first
    assert first.since is not None
    assert first.since.start == first.window.start


def test_a_fall_names_the_rows_with_the_smallest_values() -> None:
    stream = hours(24 * 21)
    stream[-1] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]
    findings, _, _ = played(watcher(), stream)
    assert [row.row % 1_000 for row in findings[-1].rows] == [0, 1, 2, 3, 4]


def test_an_alarm_hides_smaller_ones_until_it_fades() -> None:
    stream = hours(24 * 28)
    for hour, value in ((24 * 20, 900.0), (24 * 20 + 3, 900.0), (24 * 27, 2_500.0)):
        stream[hour] = [value] * 5
    findings, _, _ = played(watcher(), stream)
    assert [finding.window.index for finding in findings] == [24 * 20, 24 * 27]


def test_windows_without_rows_are_passed_over_and_keep_the_rhythm() -> None:
    stream = hours(24 * 21)
    missing = tuple(range(24 * 15 + 5, 24 * 15 + 14))
    findings, _, told = played(watcher(), stream, skip=missing)
    assert findings == []
    assert told[-1]["remembered"] == len(stream)
    watch = watcher()
    empty = watch.evaluate(Past(), watch.zero(), window(0))
    assert (empty.sequence, empty.findings, empty.statistics["value"]) == (Past(), (), None)


def test_rows_and_sums_can_be_watched() -> None:
    stream = hours(24 * 21)
    stream[-1] = stream[-1] * 5
    by_rows, _, told = played(watcher(statistic="rows", column=None, unit_name="calls"), stream)
    assert told[-1]["value"] == 150
    assert by_rows[-1].title.startswith(
        "The number of rows is unusual: 150 calls; 98 % of the past lies within 30 to 30"
    )
    by_sum, _, _ = played(watcher(statistic="sum"), stream)
    assert by_sum[-1].key == "sum of latency_ms"
    by_mean, _, _ = played(watcher(), stream)
    assert by_mean == []


@pytest.mark.parametrize(
    ("every", "season", "period"),
    [
        (timedelta(minutes=5), "auto", 288),
        (timedelta(hours=1), "auto", 24),
        (timedelta(days=1), "auto", 7),
        (timedelta(days=7), "auto", 1),
        (timedelta(days=30), "auto", 0),
        (timedelta(minutes=7), "auto", 0),
        (timedelta(hours=1), "none", 0),
    ],
)
def test_the_period_follows_the_windows(every: timedelta, season: str, period: int) -> None:
    parameters = complete(KIND, {"column": "latency_ms", "season": season})
    assert MetricWatch(Setting("m", "bank", parameters, Windowing(every=every), b"", {})).period == period


def test_windows_of_rows_have_no_period() -> None:
    setting = Setting("m", "bank", complete(KIND, {"column": "cost"}), Windowing(rows=100), b"", {})
    watch = MetricWatch(setting)
    assert watch.period == 0
    stream: list[list[float | None]] = [[float(value)] for value in np.random.default_rng(1).normal(5, 1, 300)]
    stream[-1] = [80.0]
    sequence, last = watch.begin(), None
    for index, values in enumerate(stream):
        batch = placed({"cost": pa.array(values, pa.float64())}, index)
        last = watch.evaluate(sequence, watch.observe(watch.zero(), batch), window(index, 1))
        sequence = last.sequence
    assert last is not None
    assert "the window before." in last.findings[0].explanation
    assert "At the same time" not in last.findings[0].explanation


@pytest.mark.parametrize("values", [[5.0] * 10, [None] * 10, [float("nan")] * 3, [float("inf")]])
def test_constant_missing_and_infinite_columns_raise_nothing(values: list[float | None]) -> None:
    findings, sequence, _ = played(watcher(), [values] * 100)
    assert findings == []
    assert np.isfinite(np.frombuffer(sequence.values, "<f4")).all()


def test_the_past_is_bounded() -> None:
    watch = watcher(season="none")
    full = Past(1, np.arange(4_032, dtype="<f4").tobytes(), 0.0, 4_031)
    after = watch.evaluate(full, watch.observe(watch.zero(), rows([5.0])), window(4_032, 1)).sequence
    assert len(after.values) == len(full.values)
    assert np.frombuffer(after.values, "<f4")[-1] == 5
    jumped = watch.evaluate(full, watch.observe(watch.zero(), rows([5.0])), window(900_000, 1)).sequence
    assert len(jumped.values) == len(full.values)


@pytest.mark.parametrize(
    "past", [Past(2), Past(1, b"123"), Past(1, b"", float("inf")), ("x",)], ids=["version", "cut", "infinite", "shape"]
)
def test_damaged_pasts_are_bad_input(past: Any) -> None:
    with pytest.raises(BadInput, match="no past of a metric"):
        watcher().sequence_from_bytes(msgspec.msgpack.encode(past))


# --- the proof of a fix ---------------------------------------------------------------------------------------------


def _outage() -> tuple[MetricWatch, Finding]:
    stream = hours(24 * 21)
    stream[-1] = [1_500.0] * 8
    watch = watcher()
    return watch, played(watch, stream)[0][-1]


def test_usual_windows_after_a_fix_prove_it() -> None:
    watch, finding = _outage()
    after = [watch.observe(watch.zero(), rows(values)) for values in hours(60, seed=8)]
    verdict = watch.clearance(finding, after, 0.05)
    assert verdict.passed
    assert verdict.rows == 60
    assert "the share of windows in which the mean of latency_ms is unusual is 20.00% or more" in verdict.statement


def test_few_or_unusual_windows_prove_nothing() -> None:
    watch, finding = _outage()
    calm = [watch.observe(watch.zero(), rows(values)) for values in hours(4, seed=8)]
    assert not watch.clearance(finding, calm, 0.05).passed
    bad = [watch.observe(watch.zero(), rows([1_400.0])) for _ in range(200)]
    assert not watch.clearance(finding, bad, 0.05).passed
    assert not watch.clearance(finding, [watch.zero()] * 50, 0.05).passed


# --- settings -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "parameter"),
    [
        ({}, "column"),
        ({"statistic": "sum"}, "column"),
        ({"statistic": "rows", "column": "cost"}, "column"),
        ({"column": "cost", "statistic": "median"}, "statistic"),
        ({"column": "cost", "windows_of_reference": 3}, "windows_of_reference"),
        ({"column": "cost", "windows_per_false_alarm": 1}, "windows_per_false_alarm"),
    ],
)
def test_settings_that_make_no_sense_are_named(given: dict[str, Any], parameter: str) -> None:
    assert [wrong.parameter for wrong in misfits(KIND, given)] == [parameter]


def test_settings_that_do() -> None:
    assert misfits(KIND, {"column": "cost"}) == misfits(KIND, {"statistic": "rows"}) == []
    assert watcher(statistic="rows", column=None).columns == ("time",)
    assert watcher().columns == ("latency_ms",)
