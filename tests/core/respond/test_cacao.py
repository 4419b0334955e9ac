"""A playbook file is read whole, or refused with every mistake and its place at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.core.respond.made import END, EXTENSION, START, action, condition, file, line, name, playbook
from tocsin.model.errors import BadInput
from tocsin.respond.cacao import RUNS, parsed

A1, A2, A3 = (name("action", number) for number in (1, 2, 3))
IF, BOTH = name("if-condition", 1), name("parallel", 1)


def _mistakes(data: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(BadInput) as told:
        parsed(data, "made", "")
    problems = told.value.problems()
    assert {problem.place.file for problem in problems} == {"playbooks/made.json"}
    assert all("docs/playbooks.md" in problem.remedy for problem in problems)
    return {problem.place.field: problem.what for problem in problems}


class TestReading:
    def test_a_step_keeps_what_a_responder_needs(self) -> None:
        step = playbook(line(True)).steps[A1]
        assert (step.name, step.why, step.slug, step.role) == ("Step 1", "why 1", "s1", "legal")
        assert (step.evidence, step.mandatory, step.run, step.next) == ("proof 1", True, "", END)

    def test_the_playbook_keeps_its_key_id_and_digest(self) -> None:
        made = playbook(line(True))
        assert (made.key, made.id, made.digest) == ("made", name("playbook", 0), "d" * 64)
        assert (made.name, made.description, made.start) == ("A playbook", "for tests", START)

    @pytest.mark.parametrize(
        ("text", "read"),
        [
            ("death = true", ("death", True)),
            ("death=false", ("death", False)),
            ("people_affected = 12", ("people_affected", 12)),
            ("role = provider", ("role", "provider")),
        ],
    )
    def test_a_condition_compares_a_fact_with_a_value(self, text: str, read: tuple[str, Any]) -> None:
        steps = {IF: condition(text, on_true=A1), A1: action(1)}
        assert playbook(file(steps, IF)).steps[IF].condition == read

    def test_the_walk_meets_every_step_once_in_reading_order(self) -> None:
        steps = {
            A1: action(1, IF),
            IF: condition("death = true", A3, on_true=A2),
            A2: action(2, A3),
            A3: action(3),
        }
        made = playbook(file(steps, A1))
        assert [step.id for step in made.walk()] == [START, A1, IF, A2, A3, END]
        assert [step.slug for step in made.actions()] == ["s1", "s2", "s3"]

    def test_on_success_leads_on_as_on_completion_does(self) -> None:
        step = action(1)
        step["on_success"] = step.pop("on_completion")
        assert playbook(file({A1: step}, A1)).steps[A1].next == END

    def test_an_action_without_our_extension_is_an_optional_step(self) -> None:
        step = action(1)
        step["step_extensions"] = {EXTENSION: {"other": 1}}
        read = playbook(file({A1: step}, A1)).steps[A1]
        assert (read.slug, read.mandatory, read.run) == ("", False, "")


def _without(field: str) -> Callable[[dict[str, Any]], None]:
    return lambda data: data.pop(field) and None


def _with(field: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda data: data.update({field: value})


def _step(field: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda data: data["workflow"][A1].update({field: value})


REQUIRED = ("spec_version", "id", "name", "created_by", "created", "modified", "type")


class TestMistakes:
    @pytest.mark.parametrize("field", REQUIRED)
    def test_every_required_property_is_asked_for(self, field: str) -> None:
        data = line(True)
        del data[field]
        assert _mistakes(data) == {field: "is missing"}

    @pytest.mark.parametrize(
        ("change", "field", "what"),
        [
            (_with("type", "playbook-template"), "type", "must be 'playbook', not 'playbook-template'"),
            (_with("spec_version", "cacao-1.1"), "spec_version", "must be 'cacao-2.0', not 'cacao-1.1'"),
            (_with("id", "playbook--1"), "id", "must be playbook--<UUID>, not 'playbook--1'"),
            (_with("id", name("identity", 1)), "id", "must be playbook--<UUID>"),
            (_with("created_by", "me"), "created_by", "must be identity--<UUID>, not 'me'"),
            (_with("workflow_start", name("start", 7)), "workflow_start", "there is no step"),
            (_with("workflow_start", A1), "workflow_start", "must name the step of type 'start', not one of type 'action'"),
            (_with("workflow", []), "workflow", "must be an object of steps"),
            (_without("workflow"), "workflow", "is missing"),
            (_with("agent_definitions", {}), f"workflow.{A1}.agent", "in agent_definitions"),
            (_step("type", "while-condition"), f"workflow.{A1}.type", "'while-condition' is not supported; there are start"),
            (_step("on_completion", A3), f"workflow.{A1}.on_completion", f"there is no step '{A3}'"),
            (_step("on_failure", END), f"workflow.{A1}.on_failure", "is not supported; use an if-condition"),
            (_step("timeout", 1000), f"workflow.{A1}.timeout", "is not supported"),
            (_step("delay", 1000), f"workflow.{A1}.delay", "is not supported"),
            (_step("next_steps", "x"), f"workflow.{A1}.next_steps", "must be a list of steps"),
            (_step("next_steps", [A3]), f"workflow.{A1}.next_steps", f"there is no step '{A3}'"),
            (_step("name", ""), f"workflow.{A1}.name", "is missing"),
            (_step("agent", None), f"workflow.{A1}.agent", "is missing"),
            (_step("commands", []), f"workflow.{A1}.commands", "is missing: an action needs name, agent, commands"),
            (_step("step_extensions", []), f"workflow.{A1}.step_extensions", "must be an object"),
            (_step("step_extensions", {EXTENSION: {"slug": "s", "run": "reboot"}}),
             f"workflow.{A1}.step_extensions", "there is no built-in action 'reboot'; there are acknowledge"),
            (_step("on_completion", None), f"workflow.{A1}.on_completion", "there is no step None"),
        ],
    )  # fmt: skip
    def test_a_mistake_is_told_with_its_place(
        self, change: Callable[[dict[str, Any]], None], field: str, what: str
    ) -> None:
        data = line(True)
        change(data)
        mistakes = _mistakes(data)
        assert what in mistakes[field]

    def test_a_step_that_is_no_object_and_an_id_that_is_no_uuid(self) -> None:
        data = line(True)
        data["workflow"][A2] = "text"
        data["workflow"]["action--2"] = action(2)
        mistakes = _mistakes(data)
        assert mistakes[f"workflow.{A2}"] == "must be an object"
        assert mistakes["workflow.action--2"] == "the step's id must be <type>--<UUID>"

    @pytest.mark.parametrize("text", ["", "death", "death == true", "death = true AND x = 1", "Death = true"])
    def test_a_condition_that_cannot_be_read_is_refused(self, text: str) -> None:
        mistakes = _mistakes(file({IF: condition(text, on_true=A1), A1: action(1)}, IF))
        assert "must be of the form `fact = value`" in mistakes[f"workflow.{IF}.condition"]

    def test_a_condition_says_where_the_way_leads_when_it_holds(self) -> None:
        mistakes = _mistakes(file({IF: condition("death = true", on_false=A1), A1: action(1)}, IF))
        assert "where does the way lead" in mistakes[f"workflow.{IF}.on_true"]

    def test_parallel_needs_branches(self) -> None:
        mistakes = _mistakes(file({BOTH: {"type": "parallel", "on_completion": END}}, BOTH))
        assert mistakes == {f"workflow.{BOTH}.next_steps": "must be a list of steps"}

    def test_every_mistake_is_told_at_once(self) -> None:
        data = line(True, True)
        del data["name"]
        data["spec_version"] = "1"
        data["workflow"][A1]["commands"] = []
        data["workflow"][A2]["delay"] = 5
        assert set(_mistakes(data)) == {
            "name",
            "spec_version",
            f"workflow.{A1}.commands",
            f"workflow.{A2}.delay",
        }


class TestWays:
    def test_a_step_that_no_way_leads_to_is_refused(self) -> None:
        mistakes = _mistakes(file({A1: action(1), A2: action(2)}, A1))
        assert mistakes == {f"workflow.{A2}": "no way leads to this step"}

    def test_a_way_that_does_not_end_is_refused(self) -> None:
        step = action(1)
        del step["on_completion"]
        mistakes = _mistakes(file({A1: step}, A1))
        assert mistakes[f"workflow.{A1}"] == "leads nowhere: it needs on_completion"

    def test_a_circle_is_refused_at_each_of_its_steps(self) -> None:
        steps = {IF: condition("death = true", END, on_true=A1), A1: action(1, A2), A2: action(2, IF)}
        mistakes = _mistakes(file(steps, IF))
        assert mistakes == {f"workflow.{step}": "leads back to itself" for step in (IF, A1, A2)}

    def test_a_short_name_that_stands_twice_is_refused(self) -> None:
        steps = {A1: action(1, A2), A2: action(2, slug="s1")}
        assert _mistakes(file(steps, A1)) == {"workflow": "the short name 's1' stands twice"}


def test_every_built_in_action_may_be_named() -> None:
    for run in RUNS:
        assert playbook(file({A1: action(1, run=run)}, A1)).steps[A1].run == run
