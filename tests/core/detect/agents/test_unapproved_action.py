"""Calls that need approval, with and without one before them."""

from __future__ import annotations

from tests.core.detect.agents.talk import call, found, judged
from tocsin.model.finding import Level

ACTIONS = ["transfer*", "delete_*"]
PAY, ASK = call("transfer_money", '{"to": "x"}'), call("request_approval", '{"for": "x"}')


def test_an_action_without_approval_is_severe() -> None:
    (finding,) = found("unapproved_action", call("search"), PAY, actions=ACTIONS)
    assert (finding.key, finding.level, finding.masked) == ("action", Level.SEVERE, ("[transfer_money]",))
    assert "transfer_money was called without an approval" in finding.explanation


def test_an_approval_before_it_in_the_session_is_enough() -> None:
    assert found("unapproved_action", ASK, PAY, actions=ACTIONS) == []


def test_an_approval_after_it_or_elsewhere_is_none() -> None:
    assert len(found("unapproved_action", PAY, ASK, actions=ACTIONS)) == 1
    assert len(found("unapproved_action", call("request_approval", session="s2"), PAY, actions=ACTIONS)) == 1


def test_an_approval_of_an_earlier_window_still_counts() -> None:
    calm, later, other = judged("unapproved_action", [ASK], [PAY], [call("delete_file", session="s9")], actions=ACTIONS)
    assert (calm, later) == ([], [])
    assert len(other) == 1


def test_names_are_compared_in_any_case_and_nothing_listed_means_nothing_watched() -> None:
    assert len(found("unapproved_action", call("Transfer_Money"), actions=ACTIONS)) == 1
    assert found("unapproved_action", PAY) == []
    assert found("unapproved_action", call("retransfer"), actions=ACTIONS) == []
