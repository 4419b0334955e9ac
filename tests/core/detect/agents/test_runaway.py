"""Sessions beyond a limit, and sessions just at it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.core.detect.agents.talk import call, found, message, talk
from tests.core.detect.samples import detector, window
from tocsin.model.finding import Category, Level

SEARCH = ("search", '{"q": "loan"}')


def test_the_same_call_again_and_again_is_a_loop() -> None:
    (finding,) = found("runaway", *[call(*SEARCH)] * 21)
    assert (finding.key, finding.level, finding.category) == ("call", Level.SEVERE, Category.AGENT_MISUSE)
    assert finding.explanation.startswith("A session used 21 identical calls; 20 are allowed")
    assert finding.masked == ("[search]",)
    assert len(finding.rows) == 5


def test_at_the_limit_nothing_is_said() -> None:
    assert found("runaway", *[call(*SEARCH)] * 20) == []


def test_calls_that_differ_count_as_calls_only() -> None:
    calls = [call("search", f'{{"page": {page}}}') for page in range(31)]
    assert found("runaway", *calls, identical_max=5) == []
    (finding,) = found("runaway", *calls, identical_max=5, calls_max=30)
    assert finding.key == "calls"


def test_sessions_are_judged_each_by_itself() -> None:
    calls = [call(*SEARCH, session=f"s{place % 3}") for place in range(45)]
    assert found("runaway", *calls) == []
    (finding,) = (one for one in found("runaway", *calls, identical_max=14) if one.key == "call")
    assert finding.count == 3
    assert "and 2 more of the kind" in finding.explanation


@pytest.mark.parametrize(
    ("parameter", "most", "key", "rows"),
    [
        ("failures_max", 2, "failures", [call("pay", f"{{{n}}}", error="timeout") for n in range(3)]),
        ("delegations_max", 2, "delegations", [call("delegate_to_agent", f"{{{n}}}") for n in range(3)]),
        ("tokens_max", 100, "tokens", [message("assistant", "hm", tokens_in=40, tokens_out=11)] * 2),
        ("cost_max", 0.5, "cost", [message("assistant", "hm", cost=0.26)] * 2),
    ],
)
def test_each_limit_is_found_beyond_it_and_not_at_it(
    parameter: str, most: float, key: str, rows: list[dict[str, Any]]
) -> None:
    (finding,) = found("runaway", *rows, **{parameter: most})
    assert finding.key == key
    assert found("runaway", *rows[:-1], **{parameter: most}) == []


@pytest.mark.parametrize("cost", [float("nan"), float("inf"), -5.0, 0.0, None])
def test_costs_that_are_none_do_not_count(cost: float | None) -> None:
    assert (
        found("runaway", message("assistant", "hm", cost=cost), message("assistant", "hm", cost=0.2), cost_max=0.3)
        == []
    )


def test_negative_tokens_do_not_pay_for_others() -> None:
    rows = [message("assistant", "a", tokens_in=-1000), message("assistant", "b", tokens_out=60)]
    (finding,) = found("runaway", *rows, tokens_max=50)
    assert "60 tokens" in finding.explanation


def test_a_fix_is_proven_by_calm_sessions_and_refuted_by_the_same_loop() -> None:
    watcher = detector("runaway", cleared_below=0.2)
    (finding,) = found("runaway", *[call(*SEARCH)] * 21)
    calm = [watcher.observe(watcher.zero(), talk(*[call(*SEARCH, session=f"c{n}") for n in range(300)]))]
    assert watcher.clearance(finding, calm * 3, 0.05).passed
    loop = watcher.observe(watcher.zero(), talk(*[call(*SEARCH)] * 30))
    refuted = watcher.clearance(finding, [*calm * 3, loop], 0.05)
    assert (refuted.passed, refuted.recurrences) == (False, 1)


def test_many_small_breaches_become_one_alarm() -> None:
    watcher = detector("runaway", identical_max=1)
    sequence, alarms = watcher.begin(), []
    for index in range(6):
        rows = [call(*SEARCH, session=f"{index}/{n // 2}") for n in range(200)]
        state = watcher.observe(watcher.zero(), talk(*rows, first=index * 1000))
        evaluated = watcher.evaluate(sequence, state, window(index, 200))
        sequence = evaluated.sequence
        alarms += [finding for finding in evaluated.findings if finding.level is Level.ALARM]
    assert alarms
    assert alarms[0].key == "rate"
    assert alarms[0].effect is not None
    assert alarms[0].strength.value >= alarms[0].strength.threshold
    assert "of messages, 0.20% is tolerated" in alarms[0].title
