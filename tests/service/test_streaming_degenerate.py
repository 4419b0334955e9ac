"""Frames with nothing to see in them: every one of them is taken, told or refused in words, by every kind that its columns allow."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tocsin
from tocsin.model.errors import BadInput
from tocsin.service.streaming import Watch

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
COUNT = 600
EVERY_MINUTE = [BEGIN + timedelta(minutes=10 * n) for n in range(COUNT)]
NAMED: list[dict[str, Any]] = [
    {"kind": "error_rate"},
    {"kind": "error_rate", "id": "slo", "with": {"limit": 0.1}},
    {"kind": "recall", "with": {"limit": 0.5}},
    {"kind": "calibration", "with": {"tolerance": 0.1}},
    {"kind": "estimated_error"},
    {"kind": "group_parity", "with": {"group": "sex"}},
    {"kind": "equalized_odds", "with": {"group": "sex"}},
    {"kind": "four_fifths", "with": {"group": "sex"}},
    {"kind": "missing_values", "with": {"column": "feature.income", "limit": 0.5}},
    {"kind": "mean", "with": {"column": "feature.income", "ceiling": 10.0}},
    {"kind": "rate", "with": {"column": "feature.income", "above": 3.0}},
    {"kind": "duplicates", "with": {"columns": ["feature.income", "unit"]}},
    {"kind": "freshness", "with": {"minutes": 600.0}},
    {"kind": "metric_anomaly", "with": {"column": "feature.income"}},
]
FEATURES = {"feature.income": "income"}


def watching(window: Any = "12h") -> Watch:
    return tocsin.watch(
        decision="d",
        label="y",
        score="p",
        group="sex",
        unit="who",
        columns=FEATURES,
        detectors=NAMED,
        window=window,
        salt=bytes(32),
    )


def rows(**changes: Any) -> dict[str, Any]:
    """Sound rows, but for what is changed."""
    g = np.random.default_rng(3)
    y = g.random(COUNT) < 0.4
    sound = {
        "time": EVERY_MINUTE,
        "d": y.tolist(),
        "y": y.tolist(),
        "p": np.where(y, 0.9, 0.1).tolist(),
        "sex": g.choice(["f", "m"], COUNT).tolist(),
        "who": [f"p{n}" for n in g.integers(0, 50, COUNT)],
        "income": g.uniform(0, 5, COUNT).tolist(),
    }
    return sound | changes


ODD = {
    "constant decisions": {"d": [True] * COUNT},
    "constant everything": {"d": [False] * COUNT, "y": [False] * COUNT, "p": [0.0] * COUNT, "income": [1.0] * COUNT},
    "one group": {"sex": ["f"] * COUNT},
    "no group": {"sex": [None] * COUNT},
    "ten thousand groups": {"sex": [f"g{n * 17}" for n in range(COUNT)]},
    "no labels": {"y": [None] * COUNT},
    "no scores": {"p": [None] * COUNT},
    "scores beyond one": {"p": [7.0] * COUNT},
    "no people": {"who": [None] * COUNT},
    "one person": {"who": ["me"] * COUNT},
    "not numbers": {"income": [float("nan")] * COUNT},
    "very large": {"income": [1e300, -1e300] * (COUNT // 2)},
    "all at once": {"time": [BEGIN] * COUNT},
    "backwards": {"time": EVERY_MINUTE[::-1]},
    "gaps of a year": {"time": [BEGIN - timedelta(days=365 * (COUNT - n) // 100) for n in range(COUNT)]},
    "everything empty but the time": {name: [None] * COUNT for name in ("d", "y", "p", "sex", "who", "income")},
}


@pytest.mark.parametrize("window", ["12h", 100], ids=str)
@pytest.mark.parametrize("changes", ODD.values(), ids=ODD.keys())
def test_odd_rows_are_taken_and_reported(changes: dict[str, Any], window: Any) -> None:
    watch = watching(window)
    found = watch.update(pa.table(rows(**changes)))
    assert watch.left_out == {}
    assert all(finding.title and finding.explanation for finding in found)
    report = watch.report()
    assert len(report.overview.sheets) == len(NAMED)
    assert report.html().count("<h2>") >= len(NAMED)
    assert tocsin.resume(watch.to_bytes()).report() == report


def test_infinite_numbers_are_refused_as_on_ingest() -> None:
    with pytest.raises(BadInput, match="not a finite number"):
        watching().update(rows(income=[float("inf")] * COUNT))
    watch = watching()
    watch.update(rows(income=[float("inf"), *([1.0] * (COUNT - 1))]))
    assert watch.left_out == {"feature.income: not a finite number": 1}


def test_nan_is_a_missing_value() -> None:
    watch = watching()
    watch.update(rows(income=[float("nan")] * COUNT))
    (missing,) = [sheet for sheet in watch.report().overview.sheets if sheet.kind == "missing_values"]
    assert missing.rates[0].value == 1.0
    assert missing.state == "alarm"


def test_sound_rows_raise_nothing() -> None:
    watch = watching()
    assert watch.update(rows()) == []
    states = {sheet.detector: sheet.state for sheet in watch.report().overview.sheets}
    assert states["error_rate"] == "gathering its reference"
    assert states["slo"] == "quiet"


def test_a_reference_that_is_never_complete_says_how_far_it_is() -> None:
    watch = watching()
    watch.update(rows())
    (sheet,) = [sheet for sheet in watch.report().overview.sheets if sheet.detector == "error_rate"]
    assert ("reference", "8 of 30 windows") in sheet.facts


@given(seed=st.integers(0, 1_000), pieces=st.integers(1, 5))
@settings(max_examples=6, deadline=None)
def test_shards_in_any_order_are_the_whole(seed: int, pieces: int) -> None:
    table = pa.table(rows())
    owner = np.random.default_rng(seed).integers(0, pieces, COUNT)
    whole, apart = watching(), watching()
    once = whole.shard()
    once.update(table)
    shards = [apart.shard() for _ in range(pieces)]
    for place in np.random.default_rng(seed + 1).permutation(pieces):
        shards[place].update(table.filter(pa.array(owner == place)))
    assert apart.merge(*shards[::-1]) == whole.merge(once)
    rates = [[sheet.rates for sheet in watch.report().overview.sheets] for watch in (whole, apart)]
    assert rates[0] == rates[1]
