"""A workspace on disk: every mistake of every file at once, and what is wrong with the folder itself."""

from __future__ import annotations

import os
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.adapters.workspace.broken_workspaces import DEFECTS, EXPECTED, HERE, KNOWN, SOUND, broken, sound
from tocsin.adapters.workspace.reading import FORMAT, fill_inner, read_files, read_salt, read_workspace
from tocsin.adapters.workspace.system_references import Known
from tocsin.model.errors import BadInput, EnvironmentFault, UsageFault
from tocsin.model.finding import Category
from tocsin.model.policy import ColumnMapping, DetectorChoice, FalseAlarms, Release, Severity, Workspace
from tocsin.model.telemetry import Windowing


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return sound(tmp_path / "house")


def problems(root: Path, known: Known = KNOWN) -> list[str]:
    with pytest.raises(BadInput) as caught:
        read_workspace(root, known)
    return [str(problem) for problem in caught.value.problems()]


@pytest.mark.parametrize("defect", DEFECTS)
def test_every_mistake_is_told_at_once_with_its_place(defect: str, tmp_path: Path) -> None:
    expected = (HERE / "broken" / defect / EXPECTED).read_text(encoding="utf-8").splitlines()
    assert problems(broken(tmp_path / "house", defect)) == expected


def test_every_broken_workspace_differs_from_the_sound_one() -> None:
    for defect in DEFECTS:
        folder = HERE / "broken" / defect
        changed = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file() and path.name != EXPECTED]
        assert changed
        for path in changed:
            assert not (SOUND / path).exists() or (SOUND / path).read_bytes() != (folder / path).read_bytes()


def test_a_sound_workspace_has_no_problem(root: Path) -> None:
    workspace = read_workspace(root, KNOWN)
    assert list(workspace.systems) == ["chat", "model"]
    assert workspace.root == str(root)


def test_a_budget_of_false_alarms_is_read_with_its_defaults(root: Path) -> None:
    assert read_workspace(root, KNOWN).policy.false_alarms is None
    path = root / "policy.yaml"
    path.write_text(path.read_text(encoding="utf-8") + "\nfalse_alarms: {one_in: 90d}\n", encoding="utf-8")
    assert read_workspace(root, KNOWN).policy.false_alarms == FalseAlarms(timedelta(days=90), 2_000, "workspace")


@pytest.mark.parametrize(
    ("written", "field"),
    [
        ("{one_in: 0d}", "false_alarms.one_in"),
        ("{windows: 100}", "false_alarms.one_in"),
        ("{one_in: 90d, windows: 9}", "false_alarms.windows"),
        ("{one_in: 90d, per: team}", "false_alarms.per"),
        ("{one_in: 90d, guarantee: sr}", "false_alarms.guarantee"),
        ("90d", "false_alarms"),
    ],
)
def test_a_budget_that_is_none_is_told_with_its_place(root: Path, written: str, field: str) -> None:
    path = root / "policy.yaml"
    path.write_text(path.read_text(encoding="utf-8") + f"\nfalse_alarms: {written}\n", encoding="utf-8")
    (told,) = problems(root)
    assert told.startswith("policy.yaml:")
    assert f"({field})" in told


def test_the_policy_becomes_values(root: Path) -> None:
    policy = read_workspace(root, KNOWN).policy
    assert (policy.version, policy.owner, policy.approved_on) == ("1.0", "ada", date(2026, 1, 15))
    assert [person.id for person in policy.people] == ["ada", "ben"]
    assert policy.roles[1].duties == {
        "detect": "responsible",
        "report": "accountable",
        "remediate": "accountable",
        "review": "accountable",
    }
    assert policy.severity[1].when == {"category": ["bias", "data_leakage"], "people_affected": {"at_least": 100}}
    assert policy.targets[Severity.SEV4].contain == timedelta(weeks=4)
    assert policy.playbooks == dict.fromkeys(Category, "any")
    assert policy.join_within == timedelta(days=2)


def test_a_system_becomes_values(root: Path) -> None:
    system = read_workspace(root, KNOWN).systems["model"]
    assert system.telemetry is not None
    assert system.telemetry.columns["unit"] == ColumnMapping(column="person")
    assert system.telemetry.columns["time"] == ColumnMapping(column="at", zone="Europe/Berlin", format="%d.%m.%Y %H:%M")
    assert system.telemetry.columns["decision"] == ColumnMapping(column="score", at_least=0.5)
    assert system.models[0] == Release("1.0", date(2026, 1, 2))
    assert system.facts == {"personal_data": True}
    assert system.detectors == (
        DetectorChoice("group_parity", "group_parity:sex", {"group": "sex", "tolerance": 0.05}, Windowing(rows=100)),
        DetectorChoice("equal_opportunity", "chances", {"group": "sex"}, Windowing(every=timedelta(days=1))),
    )


def test_the_digest_is_that_of_the_bytes(root: Path) -> None:
    before = read_workspace(root)
    path = root / "systems" / "chat.yaml"
    path.write_bytes(path.read_bytes() + b"# a comment\n")
    after = read_workspace(root)
    assert after.systems["chat"].digest != before.systems["chat"].digest
    assert after.systems["model"].digest == before.systems["model"].digest
    assert after.policy.digest == before.policy.digest
    assert len(after.policy.digest) == 64


def test_standing_facts_are_values_of_json(root: Path) -> None:
    path = root / "systems" / "model.yaml"
    facts = "facts: {placed_on_market_on: 2026-03-02, people_affected: 9, breach_risk: ~, personal_data: false}"
    path.write_text(path.read_text().replace("facts: {personal_data: true}", facts))
    assert read_workspace(root, KNOWN).systems["model"].facts == {
        "placed_on_market_on": "2026-03-02",
        "people_affected": 9,
        "breach_risk": None,
        "personal_data": False,
    }


def test_references_to_content_are_checked_only_when_the_content_is_known(tmp_path: Path) -> None:
    root = broken(tmp_path / "house", "a_detector_that_does_not_exist")
    assert isinstance(read_workspace(root), Workspace)
    assert len(problems(root)) == 2


def test_a_system_is_checked_even_while_the_policy_cannot_be_read(root: Path) -> None:
    (root / "policy.yaml").write_text("title: [")
    path = root / "systems" / "model.yaml"
    path.write_text(path.read_text().replace("annex_iii.5", "annex_nine"))
    files = [problem.split(":")[0] for problem in problems(root)]
    assert files == ["policy.yaml", "systems/model.yaml"]


def test_a_folder_without_systems_is_an_empty_inventory(root: Path) -> None:
    for path in (root / "systems").iterdir():
        path.unlink()
    (root / "systems").rmdir()
    assert read_workspace(root).systems == {}


def test_systems_must_be_a_folder(root: Path) -> None:
    for path in (root / "systems").iterdir():
        path.unlink()
    (root / "systems").rmdir()
    (root / "systems").write_text("")
    assert problems(root) == ["systems: is not a folder — put each system's file into a folder"]


@pytest.mark.parametrize("name", [".model.yaml.swp", ".#model.yaml", "README.md", "model.yaml~", "notes.txt"])
def test_notes_and_what_editors_leave_behind_are_no_systems(root: Path, name: str) -> None:
    (root / "systems" / name).write_text("not: a system")
    assert len(read_workspace(root).systems) == 2


def test_a_folder_that_is_called_like_a_system(root: Path) -> None:
    (root / "systems" / "folder.yaml").mkdir()
    assert problems(root) == ["systems/folder.yaml: is not a file — put a YAML file here"]


def test_a_pipe_is_not_waited_for(root: Path) -> None:
    os.mkfifo(root / "systems" / "pipe.yaml")
    assert problems(root) == ["systems/pipe.yaml: is not a file — put a YAML file here"]


def test_a_link_to_nothing(root: Path) -> None:
    (root / "systems" / "link.yaml").symlink_to(root / "gone.yaml")
    assert problems(root) == ["systems/link.yaml: links to a file that is not there — restore it"]


def test_a_link_to_itself(root: Path) -> None:
    (root / "systems" / "loop.yaml").symlink_to(root / "systems" / "loop.yaml")
    (problem,) = problems(root)
    assert problem.startswith("systems/loop.yaml: ")


def test_a_link_to_a_system_elsewhere_is_followed(root: Path, tmp_path: Path) -> None:
    (root / "systems" / "chat.yaml").rename(tmp_path / "chat.yaml")
    (root / "systems" / "chat.yaml").symlink_to(tmp_path / "chat.yaml")
    assert "chat" in read_workspace(root).systems


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_a_file_that_may_not_be_read(root: Path) -> None:
    (root / "policy.yaml").chmod(0)
    assert problems(root) == ["policy.yaml: cannot be read: Permission denied — mend its permissions"]


def test_a_huge_file_is_refused_without_being_read_whole(root: Path) -> None:
    with (root / "systems" / "huge.yaml").open("wb") as file:
        file.truncate(1 << 40)
    assert problems(root) == ["systems/huge.yaml: the file has more than 1 MiB — split it"]


def test_a_missing_policy_is_told_as_such(root: Path) -> None:
    (root / "policy.yaml").unlink()
    assert problems(root) == ["policy.yaml: the file is missing — restore it"]


def test_a_folder_that_is_no_workspace_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(UsageFault) as caught:
        read_workspace(tmp_path)
    assert caught.value.remedy == f"make one with: tocsin init {tmp_path}"


def test_a_place_that_does_not_exist_is_no_workspace(tmp_path: Path) -> None:
    with pytest.raises(UsageFault, match="is not a workspace"):
        read_workspace(tmp_path / "nowhere")


def test_a_workspace_of_a_newer_tocsin_is_left_alone(root: Path) -> None:
    (root / ".tocsin" / "format").write_text(f"{FORMAT + 1}\n")
    with pytest.raises(EnvironmentFault, match="made by a newer Tocsin") as caught:
        read_workspace(root)
    assert caught.value.exit_code == 4
    assert caught.value.remedy == "upgrade Tocsin; nothing was changed"


@pytest.mark.parametrize("text", [b"", b"one", b"0", b"-1", b"1.0", b"\xb2", b"\xff\xfe", "²".encode(), b"1" * 50])
def test_a_damaged_format_is_told_as_such(root: Path, text: bytes) -> None:
    (root / ".tocsin" / "format").write_bytes(text)
    with pytest.raises(EnvironmentFault, match="is damaged"):
        read_workspace(root)


def test_files_can_be_read_before_there_is_a_workspace() -> None:
    assert list(read_files(SOUND, KNOWN).systems) == ["chat", "model"]


@pytest.mark.own_salt
def test_the_salt_is_secret_random_and_stays(tmp_path: Path) -> None:
    salts = set()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        fill_inner(tmp_path / name / ".tocsin")
        path = tmp_path / name / ".tocsin" / "salt"
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700
        assert read_salt(tmp_path / name) == path.read_bytes()
        salts.add(path.read_bytes())
    assert len(salts) == 2
    assert all(len(salt) == 32 for salt in salts)


def test_version_control_leaves_salt_and_ledger_alone(tmp_path: Path) -> None:
    fill_inner(tmp_path / ".tocsin")
    assert (tmp_path / ".tocsin" / ".gitignore").read_text() == "*\n"


def test_a_salt_of_another_length_is_damaged(root: Path) -> None:
    (root / ".tocsin" / "salt").write_bytes(b"short")
    with pytest.raises(EnvironmentFault, match="is damaged"):
        read_salt(root)


def test_a_missing_salt_is_an_environment_fault(root: Path) -> None:
    with pytest.raises(EnvironmentFault, match="salt"):
        read_salt(root)
