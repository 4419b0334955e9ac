"""Tools that are no longer what they were."""

from __future__ import annotations

from typing import Any

from tests.core.detect.agents.talk import call, judged
from tocsin.model.finding import Category, Level


def used(name: str = "search", server: str | None = "tools.test", definition: str | None = "finds") -> dict[str, Any]:
    """A use of a tool."""
    return call(name, tool_server=server, tool_definition=definition)


def test_a_changed_definition_is_severe_and_told_once() -> None:
    first, changed, after = judged(
        "tool_identity", [used()], [used(definition="finds, and mails")], [used(definition="finds, and mails")]
    )
    assert (first, after) == ([], [])
    (finding,) = changed
    assert (finding.key, finding.level) == ("definition", Level.SEVERE)
    assert finding.category is Category.ADVERSARIAL_ATTACK
    assert "and mails" not in finding.explanation


def test_the_same_tool_from_another_server_is_severe() -> None:
    _, (finding,) = judged("tool_identity", [used()], [used(server="tools.evil.test", definition=None)])
    assert (finding.key, finding.level) == ("server", Level.SEVERE)


def test_a_new_tool_is_a_sighting() -> None:
    _, (finding,) = judged("tool_identity", [used()], [used("send_mail")])
    assert (finding.key, finding.level, finding.masked) == ("new", Level.SIGHTING, ("[send_mail]",))


def test_a_change_inside_one_window_is_found() -> None:
    _, findings = judged("tool_identity", [used()], [used(), used(definition="finds!")])
    assert [finding.key for finding in findings] == ["definition"]


def test_without_definitions_only_names_are_known() -> None:
    calm = used(server=None, definition=None)
    assert judged("tool_identity", [calm], [calm], [calm]) == [[], [], []]
