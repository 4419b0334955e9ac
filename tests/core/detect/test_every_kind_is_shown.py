"""Every detector can be reported and asked for a plan: by being in the folder `detect/detectors/`, with whatever rows it meets."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.core.detect.samples import detector, hostile, window
from tocsin.adapters.documents import monitoring
from tocsin.content.discovery import detector_kinds
from tocsin.detect.overview import Overview, sheet
from tocsin.detect.planning.scenarios import Assumed, Scenario, scenario, seen, supposed
from tocsin.service.monitoring import design_of, scale_of

KINDS = sorted(detector_kinds())
WINDOWS = 8


def judged(kind: str) -> tuple[Any, list[Any], list[Any], Any, list[Any]]:
    """The detector after some windows of hostile rows: its history, findings, sequence and states."""
    watcher, rng = detector(kind), np.random.default_rng(7)
    sequence, history, findings, states = watcher.begin(), [], [], []
    for index in range(WINDOWS):
        state = watcher.observe(watcher.zero(), hostile(kind, rng, 60)) if index != 3 else watcher.zero()
        evaluated = watcher.evaluate(sequence, state, window(index, 60))
        sequence = evaluated.sequence
        history.append((window(index, 60), evaluated.statistics))
        findings += evaluated.findings
        states.append(state)
    return watcher, history, findings, sequence, states


@pytest.mark.parametrize("kind", KINDS)
def test_it_can_be_reported(kind: str) -> None:
    watcher, history, findings, sequence, _ = judged(kind)
    found = sheet(watcher, detector_kinds()[kind], history, findings, design_of(sequence), scale_of(watcher))
    assert (found.kind, found.windows) == (kind, WINDOWS)
    assert found.not_seen
    facts = dict(found.facts)
    assert facts["meaning"].startswith(("An alarm says", "A finding says", "A sighting")) or facts["meaning"]
    bounded = any(parameter.name == "guarantee" for parameter in detector_kinds()[kind].parameters)
    assert bounded == ("guarantee" in facts) or not bounded
    for chart in found.charts:
        assert chart.told
        assert all(len(line.values) == len(chart.places) for line in chart.lines)
    page = monitoring.page(Overview("s", "A system", None, (), (found,)))
    assert page.count("<svg") == len(found.charts)


@pytest.mark.parametrize("kind", KINDS)
def test_before_its_first_window_too(kind: str) -> None:
    watcher = detector(kind)
    found = sheet(watcher, detector_kinds()[kind], [], [], design_of(watcher.begin()), scale_of(watcher))
    assert (found.state, found.charts, found.rates, found.alarms) == ("no window yet", (), (), ())


@pytest.mark.parametrize("kind", KINDS)
def test_it_has_a_plan_or_a_reason(kind: str) -> None:
    watcher, *_, states = judged(kind)
    found = scenario(watcher, supposed(watcher, seen(watcher, states), Assumed()))
    if isinstance(found, str):
        assert len(found) > 20, "a reason is a sentence"
        return
    assert isinstance(found, Scenario)
    assert found.room > 0
    state = found.begin(np.random.default_rng(1))(np.random.default_rng(2), None)
    assert not found.detector.evaluate(found.detector.begin(), state, window(0)).findings
    assert found.cost(found.target) > 0
