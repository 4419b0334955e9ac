"""The words of a plan, checked by hand for each kind of detector, and its page."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.cli.test_compare import Page
from tocsin.adapters.documents.planning import advised, introduced, page, smallest
from tocsin.detect.planning.power import Advice, Delay, Plan, Planned, Power

SOON = Delay(0.07, 0.02, 1.0, 9, 14, 8.6, 8.1, 9.3)
LATE = Delay(0.06, 0.01, 0.7, 25, None, 24.9, 22.8, None)
NEVER = Delay(0.051, 0.001, 0.0, None, None, None, None, None)
POWER = Power(
    about="error rate",
    unit="share",
    normal=0.05,
    accepted=0.05,
    sign=1,
    rows=500.0,
    lead=0,
    within=30,
    streams=180,
    delays=(NEVER, LATE, SOON),
    smallest=0.063,
    error=0.08,
    notes=(),
)
ADVICE = Advice(target=0.075, cost_rows=2262, rows=333, every_hours=4)
PLANNED = Planned("error_rate", "error_rate", 6.0, None, "a promise", POWER, ADVICE)


def changed(**power: Any) -> Planned:
    return replace(PLANNED, power=replace(POWER, **power))


@pytest.mark.parametrize(
    ("one", "wanted"),
    [
        (PLANNED, "Error rate. Windows of 6 hours; 500 rows that count in each, as assumed."),
        (replace(PLANNED, windows_seen=60), "500 rows that count in each, as in the newest 60 windows."),
        (replace(PLANNED, window_rows=2000), "Windows of 2,000 rows;"),
        (PLANNED, "Normal is 5.00%; accepted is up to 5.00%."),
        (changed(sign=-1, normal=0.85, accepted=0.8), "Normal is 85.00%; accepted is down to 80.00%."),
        (changed(unit="ms", normal=812.0, accepted=1000.0), "Normal is 812 ms; accepted is up to 1000 ms."),
        (PLANNED, "Guarantee: a promise."),
        (changed(notes=("rows count as independent",)), "Note: rows count as independent."),
    ],
)
def test_what_the_figures_rest_on(one: Planned, wanted: str) -> None:
    assert wanted in " ".join(introduced(one))


@pytest.mark.parametrize(
    ("one", "wanted"),
    [
        (
            PLANNED,
            "Smallest change that can be found: error rate at 6.30%; 90% of such changes are found within 30 windows (7.5 days).",
        ),
        (replace(PLANNED, window_hours=0.5), "within 30 windows (15 hours)."),
        (replace(PLANNED, window_hours=None), "within 30 windows."),
        (changed(smallest=None), "No change is so large that 90% of such changes are found within 30 windows"),
        (PLANNED, "From 180 simulated streams for each level"),
        (PLANNED, "the medians are known to about 8%."),
    ],
)
def test_the_smallest_change(one: Planned, wanted: str) -> None:
    assert wanted in " ".join(smallest(one))


@pytest.mark.parametrize(
    ("advice", "wanted"),
    [
        (ADVICE, "To find 7.50%, about 2,262 rows are needed; windows of 4 hours, about 333 rows suit that"),
        (replace(ADVICE, every_hours=24), "windows of a day, about 333 rows suit that"),
        (replace(ADVICE, every_hours=168), "windows of 7 days, about 333 rows suit that"),
        (replace(ADVICE, every_hours=None, rows=500), "windows of 500 rows suit that"),
        (None, ""),
    ],
)
def test_how_large_windows_should_be(advice: Advice | None, wanted: str) -> None:
    assert wanted in " ".join(advised(replace(PLANNED, advice=advice)))


class TestPage:
    PLAN = Plan(
        "credit-model", 30, (PLANNED, Planned("secrets", "personal_data", None, 500, reason="it tells what it sees"))
    )

    def test_each_detector_has_a_heading_and_what_has_no_plan_says_why(self) -> None:
        found = Page(page(self.PLAN))
        assert found.tags.count("h2") == 2
        assert "What the detectors of credit-model can find" in found.words
        assert "No plan: it tells what it sees." in found.words

    def test_the_table_says_what_the_plot_shows(self) -> None:
        found = Page(page(self.PLAN))
        rows = [word for word in found.words if word.strip()]
        at = rows.index("7.00%", rows.index("half of them, 95 % interval"))
        assert rows[at : at + 6] == ["7.00%", "2.00%", "100%", "9", "14", "8.1 to 9.3"]
        late = rows.index("6.00%", rows.index("half of them, 95 % interval"))
        assert rows[late : late + 6] == ["6.00%", "1.00%", "70%", "25", "> 30", "-"]
        assert "at 5.10% half by window none; at 6.00% half by window 25; at 7.00% half by window 9" in rows

    def test_one_detector_without_a_system(self) -> None:
        assert "What the detector can find" in Page(page(replace(self.PLAN, system=""))).words

    def test_it_is_the_same_every_time(self) -> None:
        assert page(self.PLAN) == page(self.PLAN)
