"""Settings of detectors: defaults where nothing is said, and a clear word for every mistake, all at once."""

from __future__ import annotations

from typing import Any

import pytest

from tests.core.detect.samples import NEEDED
from tocsin.content.discovery import detector_kinds
from tocsin.detect.parameters import Misfit, complete, misfits

PARITY = detector_kinds()["group_parity"]


def wrong(**given: Any) -> list[Misfit]:
    return misfits(PARITY, {"group": "sex"} | given)


def test_good_settings_have_no_mistake() -> None:
    assert wrong(groups=["f", "m"], tolerance=0.05, alpha=0.01, unit="window", buckets=64, guarantee="sr") == []


def test_what_is_not_said_has_its_default() -> None:
    assert complete(PARITY, {"group": "sex", "alpha": 0.01}) == {
        "group": "sex",
        "crossed_with": [],
        "groups": None,
        "tolerance": 0.0,
        "cleared_below": 0.05,
        "rows_min": 5,
        "unit": "auto",
        "buckets": 256,
        "guarantee": "pfa",
        "alpha": 0.01,
        "windows_per_false_alarm": 2_000,
    }


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"tolerance": "5%"}, "tolerance must be a number (it says '5%')"),
        ({"tolerance": 5}, "tolerance must lie between 0 and 0.5 (it says 5)"),
        ({"tolerance": -0.1}, "tolerance must lie between 0 and 0.5 (it says -0.1)"),
        ({"tolerance": float("nan")}, "tolerance must lie between 0 and 0.5 (it says nan)"),
        ({"alpha": float("inf")}, "alpha must lie between 0.0001 and 0.5 (it says inf)"),
        ({"alpha": True}, "alpha must be a number (it says True)"),
        ({"alpha": None}, "alpha must be a number (it says None)"),
        ({"buckets": 64.0}, "buckets must be a whole number (it says 64.0)"),
        ({"buckets": True}, "buckets must be a whole number (it says True)"),
        ({"buckets": 8}, "buckets must lie between 16 and 4096 (it says 8)"),
        ({"windows_per_false_alarm": 9}, "windows_per_false_alarm must be at least 10 (it says 9)"),
        ({"unit": "person"}, "unit must be one of auto, rows, window (it says 'person')"),
        ({"guarantee": 5}, "guarantee must be text (it says 5)"),
        ({"group": ["sex"]}, "group must be text (it says ['sex'])"),
        ({"groups": "f, m"}, "groups must be a list (it says 'f, m')"),
        ({"groups": ["f"]}, "groups needs at least 2 entries (it has 1)"),
        ({"groups": []}, "groups needs at least 2 entries (it has 0)"),
        ({"groups": ["f", "m", "f"]}, "groups names 'f' twice"),
        ({"groups": [1, 2]}, 'groups must be a list of text: write "1" in quotes (it says 1)'),
        ({"groups": ["yes", False]}, 'groups must be a list of text: write "False" in quotes (it says False)'),
    ],
)
def test_a_bad_value_is_told_with_what_it_says(given: dict[str, Any], what: str) -> None:
    (misfit,) = wrong(**given)
    assert misfit.what == what
    assert misfit.known
    assert misfit.remedy


def test_an_unknown_name_is_told_with_those_that_there_are() -> None:
    (misfit,) = wrong(tolerence=0.1)
    assert misfit.what == "group_parity has no parameter 'tolerence'"
    assert "tolerance" in misfit.remedy
    assert not misfit.known


def test_what_is_required_must_be_given() -> None:
    (misfit,) = misfits(PARITY, {})
    assert misfit.what == "group_parity needs 'group'"
    assert "group.<name>" in misfit.remedy


def test_all_mistakes_are_told_at_once() -> None:
    found = misfits(PARITY, {"alpha": 2, "unit": "x", "colour": "red"})
    assert [misfit.parameter for misfit in found] == ["alpha", "unit", "colour", "group"]


@pytest.mark.parametrize("kind", sorted(detector_kinds()))
def test_every_default_would_pass_its_own_check(kind: str) -> None:
    chosen = detector_kinds()[kind]
    said = {p.name: p.default for p in chosen.parameters if p.default is not None}
    needed = {p.name: "x" for p in chosen.parameters if p.required}
    assert misfits(chosen, said | needed | NEEDED.get(kind, {})) == []


@pytest.mark.parametrize(
    ("kind", "given", "parameter", "remedy"),
    [
        ("rate", {"column": "feature.age"}, "column", "say what counts"),
        ("rate", {"column": "feature.age", "above": 1, "missing": True}, "column", "not several of them"),
        ("rate", {"column": "feature.age", "values": ["a"], "below": 1}, "column", "not several of them"),
        ("mean", {"column": "cost", "ceiling": 1, "floor": 1}, "ceiling", "above the floor (1)"),
        ("mean", {"column": "cost", "ceiling": 1, "limit": 2}, "limit", "between the floor and the ceiling (0 to 1)"),
        ("out_of_range", {"column": "cost", "lowest": 1, "highest": 0}, "highest", "above the lowest (1)"),
    ],
)
def test_settings_that_do_not_go_together_are_told(
    kind: str, given: dict[str, Any], parameter: str, remedy: str
) -> None:
    (misfit,) = misfits(detector_kinds()[kind], given)
    assert misfit.what == f"the settings of {kind} do not go together"
    assert misfit.parameter == parameter
    assert remedy in misfit.remedy
    assert misfit.known


def test_a_flag_needs_no_condition() -> None:
    assert misfits(detector_kinds()["rate"], {"column": "decision"}) == []
