"""The shipped workspaces and standing texts: without mistakes, without needless gaps, and worth learning from."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from tocsin.adapters.workspace.policy_references import INPUTS
from tocsin.adapters.workspace.reading import read_files
from tocsin.content.loaders.policies import standing_text
from tocsin.content.loaders.workspaces import template, templates
from tocsin.govern.policy_document import PLACEHOLDERS
from tocsin.govern.policy_tables import TABLES
from tocsin.govern.readiness import gaps
from tocsin.model.errors import UsageFault
from tocsin.model.policy import Workspace
from tocsin.service.workspaces import known

TODAY = date(2026, 11, 24)
EXAMPLES = [name for name in templates() if name != "empty"]


def workspace(name: str, root: Path) -> Workspace:
    for path, data in template(name).items():
        (root / path).parent.mkdir(exist_ok=True, parents=True)
        (root / path).write_bytes(data)
    return read_files(root, known())


def test_the_templates_are_the_folders() -> None:
    assert templates() == ("assistant", "bank", "empty", "hospital")


def test_an_unknown_template_is_refused() -> None:
    with pytest.raises(UsageFault, match="no template 'nothing'"):
        template("nothing")


@pytest.mark.parametrize("name", templates())
def test_no_template_has_a_mistake(name: str, tmp_path: Path) -> None:
    assert workspace(name, tmp_path).policy.version


@pytest.mark.parametrize("name", EXAMPLES)
def test_no_example_has_a_heavy_gap(name: str, tmp_path: Path) -> None:
    found = gaps(workspace(name, tmp_path), TODAY)
    assert [gap.what for gap in found if gap.weight != "low"] == []


def test_the_empty_template_says_what_to_fill_in_first(tmp_path: Path) -> None:
    found = gaps(workspace("empty", tmp_path), TODAY)
    assert {gap.field for gap in found if gap.id == "policy.placeholder"} == {"organization", "people.0.name"}


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_explains_itself_in_comments(name: str) -> None:
    for path, data in template(name).items():
        lines = data.decode().splitlines()
        assert lines[0].startswith("#"), path


@pytest.mark.parametrize("name", EXAMPLES)
def test_nobody_in_an_example_can_be_reached(name: str, tmp_path: Path) -> None:
    for person in workspace(name, tmp_path).policy.people:
        assert person.email.endswith(".example")
        assert "555" in person.phone or not person.phone


def test_the_examples_together_show_both_tables_both_roles_and_both_kinds_of_window(tmp_path: Path) -> None:
    examples = [workspace(name, tmp_path / name) for name in EXAMPLES]
    systems = [system for example in examples for system in example.systems.values()]
    assert {system.telemetry.table for system in systems if system.telemetry} == {"predictions", "interactions"}
    assert {system.organization_role for system in systems} == {"provider", "deployer"}
    windows = [choice.windowing for system in systems for choice in system.detectors]
    assert any(window.rows for window in windows)
    assert any(window.every for window in windows)


def test_the_standing_text_names_only_tables_and_values_that_exist() -> None:
    text = standing_text()
    assert {name for section in text for name in section.tables} == set(TABLES)
    assert [section.id for section in text][:2] == ["purpose", "scope"]
    assert all(section.answers for section in text)
    assert {"organization", "owner"} <= PLACEHOLDERS


def test_every_element_of_a_policy_is_in_the_standing_text() -> None:
    answers = {answer for section in standing_text() for answer in section.answers}
    assert {"EU AI Act Art. 2", "ISO/IEC 42001 5.3", "ISO/IEC 42001 10.2", "NIST AI RMF GOVERN 1.5"} <= answers


def test_conditions_of_the_matrix_are_inputs_that_classification_gives() -> None:
    assert {"category", "gravity", "criticality"} <= set(INPUTS)
