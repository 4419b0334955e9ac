"""The shipped playbooks: valid, complete, known to every shipped policy, and readable by who is on call at night."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tocsin.adapters.workspace.reading import read_files
from tocsin.content.loaders import law, playbooks, workspaces
from tocsin.model.errors import BadInput, UsageFault
from tocsin.model.finding import Category
from tocsin.respond.cacao import RUNS, Playbook
from tocsin.service.workspaces import known

NAMES = sorted(str(category) for category in Category)
LAST_NAMES = ("cause", "fix", "prove", "learn")


def _data(name: str) -> dict[str, Any]:
    return json.loads(files("tocsin.content").joinpath("playbooks", f"{name}.json").read_bytes())  # type: ignore[no-any-return]


def _book(name: str) -> Playbook:
    return playbooks.named(name)


def test_there_is_one_playbook_per_category() -> None:
    assert sorted(playbooks.load()) == NAMES


def test_an_unknown_name_is_told_what_there_is() -> None:
    with pytest.raises(UsageFault, match="no playbook 'fire'") as told:
        playbooks.named("fire")
    assert "adversarial_attack, agent_misuse, bias" in told.value.remedy


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff", b'"text"'])
def test_bytes_that_are_no_json_object_are_refused_with_the_file(data: bytes) -> None:
    with pytest.raises(BadInput, match="not a JSON object") as told:
        playbooks.read(data, "mine")
    assert told.value.problems()[0].place.file == "playbooks/mine.json"


@pytest.mark.parametrize("name", NAMES)
class TestFile:
    def test_its_source_is_what_its_digest_is_of(self, name: str) -> None:
        assert playbooks.read(playbooks.source(name), name) == _book(name)

    def test_every_id_is_a_uuid_of_its_type(self, name: str) -> None:
        data = _data(name)
        ids = [data["id"], data["created_by"], *data["workflow"], *data["agent_definitions"]]
        for text in [*ids, *data["extension_definitions"]]:
            kind, _, number = text.partition("--")
            assert str(UUID(number)) == number
            assert kind in ("playbook", "identity", "start", "end", "action", "if-condition", "organization",
                            "extension-definition")  # fmt: skip
        for step, body in data["workflow"].items():
            assert step.startswith(f"{body['type']}--")

    def test_times_are_in_utc_with_milliseconds(self, name: str) -> None:
        data = _data(name)
        for field in ("created", "modified"):
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", data[field])
        assert data["modified"] >= data["created"]

    def test_every_agent_and_extension_is_defined_and_used(self, name: str) -> None:
        data = _data(name)
        actions = [body for body in data["workflow"].values() if body["type"] == "action"]
        assert {body["agent"] for body in actions} <= set(data["agent_definitions"])
        extensions = {key for body in actions for key in body["step_extensions"]}
        assert extensions == set(data["extension_definitions"])
        for agent in data["agent_definitions"].values():
            assert agent["type"] == "organization"
            assert agent["name"]

    def test_every_command_is_for_a_person_and_says_what_the_step_says(self, name: str) -> None:
        for body in _data(name)["workflow"].values():
            for command in body.get("commands", ()):
                assert command == {"type": "manual", "command": body["name"]}

    def test_one_start_and_one_end(self, name: str) -> None:
        kinds = [step.type for step in _book(name).steps.values()]
        assert (kinds.count("start"), kinds.count("end")) == (1, 1)

    def test_every_condition_asks_for_a_fact_that_the_law_knows(self, name: str) -> None:
        facts = law.load().facts
        asked = [step.condition for step in _book(name).steps.values() if step.condition]
        assert asked
        assert all(fact in facts for fact, _ in asked)

    def test_its_label_is_its_category(self, name: str) -> None:
        assert _data(name)["labels"] == [name.replace("_", "-")] or _data(name)["labels"] == [name]


@pytest.mark.parametrize("name", NAMES)
class TestText:
    def test_every_step_says_who_why_and_what_to_record(self, name: str) -> None:
        for step in _book(name).actions():
            assert re.fullmatch(r"[a-z_]+", step.slug)
            assert step.role
            assert step.evidence
            assert step.why.endswith(".")

    def test_names_are_short_and_say_what_to_do(self, name: str) -> None:
        for step in _book(name).actions():
            assert len(step.name) <= 90
            assert step.name[0].isupper()
            assert not step.name.endswith(".")

    def test_first_a_person_takes_over_then_evidence_is_kept_then_harm_is_stopped(self, name: str) -> None:
        runs = [step.run for step in _book(name).actions() if step.run]
        assert runs[:3] == ["acknowledge", "seal_evidence", "contain"]

    def test_it_ends_with_cause_fix_proof_and_review(self, name: str) -> None:
        steps = _book(name).actions()
        assert tuple(step.slug for step in steps[-4:]) == LAST_NAMES
        assert [step.mandatory for step in steps[-4:]] == [True, True, True, False]

    def test_it_uses_every_built_in_action_once(self, name: str) -> None:
        runs = [step.run for step in _book(name).actions() if step.run]
        assert sorted(runs) == sorted(RUNS)


@pytest.mark.parametrize("template", workspaces.templates())
def test_every_role_is_known_to_every_shipped_policy(template: str, tmp_path: Path) -> None:
    for path, data in workspaces.template(template).items():
        (tmp_path / path).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / path).write_bytes(data)
    policy = read_files(tmp_path, known()).policy
    roles = {role.id for role in policy.roles}
    assert sorted(str(category) for category in policy.playbooks) == NAMES
    for key in policy.playbooks.values():
        assert {step.role for step in playbooks.named(key).actions()} <= roles
