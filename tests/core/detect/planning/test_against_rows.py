"""The plan against rows that go through the detector: people one by one, hashed and counted. A small run of the benchmark."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import inf
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tests.core.detect.planning.made import TWO, watcher
from tocsin.detect.planning.power import BEFORE, Trials, quantile
from tocsin.detect.planning.scenarios import Assumed, Scenario, scenario, supposed
from tocsin.model.telemetry import ROW, SEGMENT, Window

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
STREAMS, PEOPLE, ROWS, ICC, WITHIN = 40, 150, 300, 0.2, 40
ALLOWED = 0.25
"""Forty streams on each side know a median to about a tenth."""


def rows(
    rng: np.random.Generator, who: np.ndarray, names: np.ndarray, rates: np.ndarray, group: np.ndarray
) -> pa.RecordBatch:
    yes = rng.random(len(who)) < rates[who]
    columns = {
        "decision": pa.array(yes),
        "label": pa.array(np.zeros(len(who), bool)),
        "unit": pa.array(names[who]),
        "group.g": pa.array(np.where(group[who], "b", "a")).dictionary_encode(),
        SEGMENT: pa.array(["s"] * len(who)).dictionary_encode(),
        ROW: pa.array(np.arange(len(who))),
    }
    return pa.RecordBatch.from_pydict(columns)


def delay(detector: Any, rate: float, change: float, seed: int, *, grouped: bool) -> float:
    """Windows from the change to the alarm on one stream of rows."""
    rng = np.random.default_rng((seed, 99))
    weight = rng.lognormal(0, 1, PEOPLE)
    group = (rng.random(PEOPLE) < 0.3) & grouped
    own = rng.beta(rate * (1 / ICC - 1), (1 - rate) * (1 / ICC - 1), PEOPLE)
    for side in (False, True):
        mine = group == side
        if mine.any():
            own[mine] *= rate / (weight[mine] @ own[mine] / weight[mine].sum())
    own = np.minimum(own, 1)
    names = np.array([f"{seed}-{n}" for n in range(PEOPLE)])
    after = np.where(group, own * (1 - change / rate), own) if grouped else np.minimum(own * (1 + change / rate), 1)
    sequence = detector.begin()
    for index in range(BEFORE + WITHIN):
        who = rng.choice(PEOPLE, rng.poisson(ROWS), p=weight / weight.sum())
        batch = rows(rng, who, names, after if index >= BEFORE else own, group)
        at = BEGIN + timedelta(hours=index)
        evaluated = detector.evaluate(sequence, detector.observe(detector.zero(), batch), Window(index, at, at))
        sequence = evaluated.sequence
        if evaluated.findings:
            return index - BEFORE + 1
    return inf


@pytest.mark.parametrize(
    ("kind", "given", "rate", "change"),
    [("error_rate", {"limit": 0.1}, 0.1, 0.05), ("group_parity", TWO, 0.4, 0.2)],
)
def test_medians_agree_with_rows(kind: str, given: dict[str, Any], rate: float, change: float) -> None:
    detector, grouped = watcher(kind, **given), kind == "group_parity"
    assumed = Assumed(ROWS, rate, PEOPLE, ICC, (0.7, 0.3) if grouped else ())
    planned = scenario(detector, supposed(detector, {}, assumed))
    assert isinstance(planned, Scenario)
    predicted = Trials(planned, STREAMS).delay(change, WITHIN).typical
    found = [delay(detector, rate, change, seed, grouped=grouped) for seed in range(STREAMS)]
    assert predicted == pytest.approx(quantile([d for d in found if d > 0], 0.5), rel=ALLOWED)
