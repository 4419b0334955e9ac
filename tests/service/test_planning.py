"""Planning as a use case: every kind that can be planned is, nonsense is told before anything runs, and nothing is recorded."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.service.banks import CREDIT, bank
from tests.service.mended import FAIR, decided
from tocsin.content.discovery import detector_kinds
from tocsin.detect.planning import power
from tocsin.detect.planning.power import Planned
from tocsin.detect.planning.scenarios import Assumed
from tocsin.model.errors import UsageFault
from tocsin.service.planning import Asked, plan, plan_kind

TRAFFIC = Assumed(rows=400, rate=0.2, shares=(0.6, 0.4))
GROUPED = {"group": "g", "groups": ["a", "b"]}
KINDS: tuple[tuple[str, dict[str, Any], float, float, int], ...] = (
    ("error_rate", {"limit": 0.25}, 0.2, 0.25, 1),
    ("error_rate", {"limit": 0.25, "tolerance": 0.05}, 0.2, 0.3, 1),
    ("recall", {"limit": 0.15}, 0.2, 0.15, -1),
    ("false_discovery", {"limit": 0.3}, 0.2, 0.3, 1),
    ("regression_error", {"actual": "feature.y", "limit": 30.0, "ceiling": 100.0}, 20.0, 30.0, 1),
    ("estimated_error", {"limit": 0.25}, 0.2, 0.25, 1),
    ("calibration", {"tolerance": 0.05}, -0.6, 0.05, 1),
    ("label_flips", {"group": "source", "limit": 0.25}, 0.2, 0.25, 1),
    ("missing_values", {"column": "feature.x", "limit": 0.25}, 0.2, 0.25, 1),
    ("out_of_range", {"column": "feature.x", "lowest": 0.0, "highest": 1.0, "limit": 0.25}, 0.2, 0.25, 1),
    ("new_categories", {"column": "feature.x", "known": ["a"], "limit": 0.25}, 0.2, 0.25, 1),
    ("duplicates", {"columns": ["feature.x"], "limit": 0.25}, 0.2, 0.25, 1),
    ("slow_answers", {"limit": 0.25, "promised_ms": 900.0}, 0.2, 0.25, 1),
    ("failed_calls", {"limit": 0.25}, 0.2, 0.25, 1),
    ("refusals", {"limit": 0.25}, 0.2, 0.25, 1),
    ("rate", {"column": "decision", "limit": 0.25}, 0.2, 0.25, 1),
    ("mean", {"column": "score", "ceiling": 10.0, "limit": 3.0}, 2.0, 3.0, 1),
    ("group_parity", {**GROUPED, "tolerance": 0.05}, 0.0, 0.05, 1),
    ("equal_opportunity", GROUPED, 0.0, 0.0, 1),
    ("predictive_equality", GROUPED, 0.0, 0.0, 1),
    ("equalized_odds", GROUPED, 0.0, 0.0, 1),
    ("four_fifths", GROUPED, 1.0, 0.8, -1),
)


@pytest.fixture(autouse=True)
def _few_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(power, "STREAMS", 3)
    monkeypatch.setattr(power, "STREAMS_FEW", 2)
    monkeypatch.setattr(power, "BEFORE", 2)


@pytest.mark.parametrize(("kind", "given", "normal", "accepted", "sign"), KINDS)
def test_every_kind_of_rate_mean_and_group_is_planned(
    kind: str, given: dict[str, Any], normal: float, accepted: float, sign: int
) -> None:
    (one,) = plan_kind(kind, given, Asked(TRAFFIC, within=3)).detectors
    found = one.power
    assert found is not None
    assert (found.accepted, found.sign) == (pytest.approx(accepted), sign)
    assert found.normal == pytest.approx(normal)
    assert all(sign * (delay.level - found.accepted) == pytest.approx(delay.beyond) for delay in found.delays)
    assert found.delays
    assert one.advice is not None
    assert "statement about the traffic served" in one.guarantee


def test_kinds_that_were_not_thought_of_here_are_planned_by_themselves() -> None:
    """Whatever watches a rate against a limit and needs nothing else to be said."""
    kinds = detector_kinds()
    assert {kind for kind, *_ in KINDS} <= set(kinds)
    limited = [
        name for name, kind in kinds.items() if any(p.name == "limit" and p.high == 0.999999 for p in kind.parameters)
    ]
    simple = [name for name in limited if not any(p.required for p in kinds[name].parameters)]
    assert len(simple) >= 5
    for name in simple:
        (one,) = plan_kind(name, {"limit": 0.25}, Asked(TRAFFIC, within=2, sizes=(0.2,))).detectors
        assert one.power is not None, name


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"within": 0}, "the number of windows within which a change is to be found is 0"),
        ({"within": 401}, "it must lie between 1 and 400"),
        ({"windows_a_day": 0.0}, "windows a day is 0"),
        ({"sizes": (0.1, 0.0)}, "the size of a change is 0"),
        ({"assumed": Assumed(rows=0.5)}, "rows in a window is 0.5"),
        ({"assumed": Assumed(rate=1.0)}, "the rate is 1"),
        ({"assumed": Assumed(units=0)}, "units is 0"),
        ({"assumed": Assumed(correlation=-0.1)}, "the correlation of the rows of a unit is -0.1"),
        ({"assumed": Assumed(shock=3.0)}, "the shock of a window is 3"),
        ({"assumed": Assumed(shares=(0.5, 0.0))}, "a group's share of the rows is 0"),
        ({"assumed": Assumed(shares=(1.0,))}, "a group's share of the rows is 1"),
        ({"assumed": Assumed(shares=(0.9, 0.2))}, "the groups' shares of the rows are 0.9, 0.2"),
    ],
)
def test_nonsense_is_told_before_anything_runs(changes: dict[str, Any], what: str) -> None:
    with pytest.raises(UsageFault, match=what):
        Asked(**changes)


@pytest.mark.parametrize(
    ("kind", "given", "asked", "what"),
    [
        ("error", {}, Asked(TRAFFIC), "'error' is no kind of detector that can be planned"),
        ("personal_data", {}, Asked(TRAFFIC), "'personal_data' is no kind"),
        ("mean", {"column": "score"}, Asked(TRAFFIC), "mean needs 'ceiling'"),
        ("error_rate", {"limit": 0.2, "colour": 1}, Asked(TRAFFIC), "error_rate has no parameter 'colour'"),
        ("error_rate", {"limit": 0.2}, Asked(), "rows in a window and their rate are needed"),
        ("group_parity", {"group": "g"}, Asked(Assumed(rows=100, rate=0.2)), "rows of two groups at least are needed"),
        ("error_rate", {"limit": 0.9, "tolerance": 0.2}, Asked(TRAFFIC), "leaves no room for a change"),
        ("error_rate", {"limit": 0.2}, Asked(TRAFFIC, sizes=(0.9,)), "take one below 0.8"),
    ],
)
def test_what_cannot_be_planned_is_told(kind: str, given: dict[str, Any], asked: Asked, what: str) -> None:
    with pytest.raises(UsageFault, match=what):
        plan_kind(kind, given, asked)


def test_windows_of_time_know_how_long_a_delay_is() -> None:
    (one,) = plan_kind("error_rate", {"limit": 0.2}, Asked(TRAFFIC, windows_a_day=4, within=2)).detectors
    assert (one.window_hours, one.window_rows) == (6.0, None)
    assert one.advice is not None
    assert one.advice.every_hours is not None


class TestOfTheBank:
    @pytest.fixture
    def planned(self, tmp_path: Path) -> dict[str, Planned]:
        with bank(tmp_path) as (desk, clock):
            decided(desk, clock.now - timedelta(hours=30), 30, FAIR)
            before = desk.ledger.read("detect/" + CREDIT)
            found = plan(desk, CREDIT, Asked(within=3))
            assert desk.ledger.read("detect/" + CREDIT) == before, "nothing is recorded"
            return {one.detector: one for one in found.detectors}

    def test_volumes_are_those_of_the_telemetry(self, planned: dict[str, Planned]) -> None:
        sex = planned["group_parity:sex"]
        assert (sex.window_hours, sex.windows_seen) == (1.0, 29)
        assert sex.power is not None
        assert sex.power.rows == pytest.approx(400)
        assert sex.power.accepted == 0.05
        assert "female" in sex.power.about
        assert "male" in sex.power.about

    def test_what_was_not_seen_is_said(self, planned: dict[str, Planned]) -> None:
        assert planned["equal_opportunity:sex"].power is None, "nobody took a second look"
        assert "two groups" in planned["equal_opportunity:sex"].reason
        assert planned["group_parity:age_band"].power is None, "there is one band"

    def test_a_budget_of_the_policy_is_the_guarantee(self, planned: dict[str, Planned]) -> None:
        assert "at most one false alarm in" in planned["group_parity:sex"].guarantee


def test_a_system_without_rows_or_detectors_is_told(tmp_path: Path) -> None:
    with bank(tmp_path) as (desk, _):
        with pytest.raises(UsageFault, match="nothing is known of how many rows credit-model has"):
            plan(desk, CREDIT, Asked())
        bare = replace(desk.workspace.systems[CREDIT], detectors=())
        empty = replace(desk, workspace=replace(desk.workspace, systems={CREDIT: bare}))
        with pytest.raises(UsageFault, match="credit-model has no detectors"):
            plan(empty, CREDIT, Asked())
        assumed = plan(desk, CREDIT, Asked(Assumed(rows=300, rate=0.5, shares=(0.5, 0.5)), within=2))
        assert all(one.power or one.reason for one in assumed.detectors)
