"""The shipped workspaces and standing texts: without mistakes, without needless gaps, and worth learning from."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow.csv
import pyarrow.parquet
import pytest

from tocsin.adapters.workspace.policy_references import INPUTS
from tocsin.adapters.workspace.reading import read_files
from tocsin.content.loaders.policies import standing_text
from tocsin.content.loaders.workspaces import template, templates
from tocsin.content.scenarios import assistant, bank
from tocsin.govern.policy_document import PLACEHOLDERS
from tocsin.govern.policy_tables import TABLES
from tocsin.govern.readiness import gaps
from tocsin.model.errors import UsageFault
from tocsin.model.policy import Workspace
from tocsin.service.desk import open_desk
from tocsin.service.ingesting import Ingested, ingest
from tocsin.service.workspaces import check, init, known

TODAY = date(2026, 11, 24)
NOON = datetime(2026, 10, 10, 12, tzinfo=UTC)
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
    init(tmp_path / "house", name, "ada", lambda: NOON)
    found = check(tmp_path / "house", TODAY)
    assert found.ok
    assert [gap.what for gap in found.gaps if gap.weight != "low"] == []


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


HOSPITAL_LOG = """\
visit,arrival,model,patient,p_urgent,level,outcome,sex,age_band,language
V1,2026-10-10 09:15:00,5.2,P1,0.91,5,urgent,female,60+,de
V2,2026-10-10 09:20:00,5.2,P2,0.12,2,not urgent,male,18-29,tr
V3,2026-10-10 09:31:00,5.2,P1,0.55,4,,female,60+,de
"""


def ingested(name: str, system: str, log: Path, root: Path) -> Ingested:
    """What became of the log of a system of a freshly made example."""
    init(root, name, "ada", lambda: NOON)
    with open_desk(root, "ada", lambda: NOON) as desk:
        return ingest(desk, system, [log])


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_the_bank_reads_the_log_of_its_credit_model(ending: str, tmp_path: Path) -> None:
    releases = [bank.Release("2.2.0", NOON - timedelta(days=30))]
    log = tmp_path / f"log.{ending}"
    table = bank.applications(7, NOON, releases)
    pyarrow.csv.write_csv(table, log) if ending == "csv" else pyarrow.parquet.write_table(table, log)
    result = ingested("bank", "credit-model", log, tmp_path / "house")
    assert (result.rows, result.quarantined) == (table.num_rows, 0)


def test_the_bank_reads_the_log_of_its_support_assistant(tmp_path: Path) -> None:
    messages = list(assistant.messages(7, NOON, assistant.Poisoning(NOON, NOON + timedelta(hours=1))))
    log = tmp_path / "log.jsonl"
    log.write_text("".join(json.dumps(message) + "\n" for message in messages))
    result = ingested("bank", "support-assistant", log, tmp_path / "house")
    assert (result.rows, result.quarantined) == (len(messages), 0)


def test_the_hospital_reads_times_without_an_offset(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text(HOSPITAL_LOG)
    result = ingested("hospital", "triage", log, tmp_path / "house")
    assert (result.rows, result.quarantined) == (3, 0)
