"""What one person may use: judged by person, over all sessions, exactly at the limit and beyond it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.core.detect.agents.talk import found, judged, message, talk
from tests.core.detect.samples import detector
from tocsin.content.discovery import detector_kinds
from tocsin.detect.parameters import misfits
from tocsin.model.finding import Category, Level


def asked(person: str | None, session: str = "s1", **more: Any) -> dict[str, Any]:
    return message("user", "How high is the tide?", session, unit=person, **more)


def test_costs_of_all_sessions_of_a_person_are_added_up() -> None:
    rows = [asked("ann", f"s{n}", cost=0.3) for n in range(4)]
    (finding,) = found("budget", *rows, cost_max=1.0)
    assert (finding.key, finding.level, finding.category) == ("cost", Level.SEVERE, Category.MISUSE)
    assert finding.explanation.startswith("One person used 1.2 of cost; 1 are allowed")
    assert len(finding.rows) == 4
    assert "ann" not in repr(finding)


@pytest.mark.parametrize("cost_max", [1.2, 1.3])
def test_a_budget_that_is_used_up_is_not_exceeded(cost_max: float) -> None:
    assert found("budget", *[asked("ann", cost=0.3)] * 4, cost_max=cost_max) == []


def test_what_others_use_is_theirs() -> None:
    rows = [asked(person, cost=0.3) for person in ("ann", "ben", "eva", "tom")]
    assert found("budget", *rows, cost_max=1.0) == []


def test_answers_count_for_the_person_they_were_given_to() -> None:
    rows = [asked("ann", tokens_in=60), message("assistant", "High.", unit="ann", tokens_in=1, tokens_out=40)]
    (finding,) = found("budget", *rows, tokens_max=100)
    assert finding.explanation.startswith("One person used 101 tokens; 100 are allowed")
    assert found("budget", *rows, tokens_max=101) == []


def test_questions_are_counted_and_answers_are_not() -> None:
    rows = [asked("ann"), asked("ann"), asked("ann"), message("assistant", "High.", unit="ann")]
    (finding,) = found("budget", *rows, questions_max=2)
    assert finding.explanation.startswith("One person used 3 questions; 2 are allowed")
    assert found("budget", *rows, questions_max=3) == []


def test_without_a_person_the_session_has_the_budget() -> None:
    rows = [asked(None, "s1"), asked(None, "s1"), asked(None, "s2")]
    (finding,) = found("budget", *rows, questions_max=1)
    assert finding.count == 1


def test_every_window_has_its_own_budget() -> None:
    day = [asked("ann", cost=0.6)]
    assert judged("budget", day, day, day, cost_max=1.0) == [[], [], []]


@pytest.mark.parametrize("cost", [float("nan"), float("inf"), -5.0, 0.0, None])
def test_what_is_no_cost_costs_nothing(cost: float | None) -> None:
    assert found("budget", asked("ann", cost=cost), asked("ann", cost=0.5), cost_max=0.5) == []


def test_a_budget_without_any_limit_is_refused() -> None:
    (problem,) = misfits(detector_kinds()["budget"], {})
    assert (problem.parameter, problem.remedy) == (
        "cost_max",
        "set at least one of questions_max, tokens_max, cost_max",
    )
    assert misfits(detector_kinds()["budget"], {"tokens_max": 5}) == []


def test_sums_do_not_depend_on_who_counted_them() -> None:
    watcher = detector("budget", cost_max=1.0)
    rows = [asked("ann", cost=0.1) for _ in range(11)]
    whole = watcher.observe(watcher.zero(), talk(*rows))
    parts = [watcher.observe(watcher.zero(), talk(row, first=place)) for place, row in enumerate(rows)]
    merged = watcher.zero()
    for part in reversed(parts):
        merged = watcher.merge(part, merged)
    assert watcher.to_bytes(merged) == watcher.to_bytes(whole)
