"""Make, check and adopt a workspace: what stands on the disk and in the ledger afterwards."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from tests.adapters.workspace.broken_workspaces import SOUND
from tocsin.adapters.stores.sqlite import SqliteLedger
from tocsin.content.loaders.workspaces import template, templates
from tocsin.govern.policy_document import markdown
from tocsin.model.errors import BadInput, Conflict, EnvironmentFault, UsageFault
from tocsin.model.event import Append, Event
from tocsin.service.desk import Desk, open_desk
from tocsin.service.verifying import verify
from tocsin.service.workspaces import STREAM, Adopted, adopt, check, document, init

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
TODAY = date(2026, 11, 24)


def clock() -> datetime:
    return NOW


def make(root: Path, name: str | None = "bank") -> Path:
    init(root, name, "ada", clock)
    return root


def desk(root: Path) -> Desk:
    return open_desk(root, "ben", clock)


def kinds(root: Path) -> list[str]:
    with desk(root) as opened:
        return [event.kind for event in opened.ledger.read(STREAM)]


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.parametrize("name", templates())
def test_every_template_makes_a_workspace_without_mistakes(name: str, tmp_path: Path) -> None:
    made = init(tmp_path / "house", name, "ada", clock)
    assert made.template == name
    assert set(made.files) == set(template(name))
    assert all((tmp_path / "house" / file).is_file() for file in made.files)
    with desk(tmp_path / "house") as opened:
        assert tuple(opened.workspace.systems) == made.systems


def test_the_ledger_begins_with_the_workspace_and_what_is_in_force(tmp_path: Path) -> None:
    make(tmp_path / "house")
    with desk(tmp_path / "house") as opened:
        events = opened.ledger.read(STREAM)
        workspace = opened.workspace
    assert [(event.kind, dict(event.data)) for event in events] == [
        ("workspace_created", {"template": "bank", "format": 1}),
        ("policy_adopted", {"version": workspace.policy.version, "digest": workspace.policy.digest}),
        ("system_registered", {"system": "credit-model", "digest": workspace.systems["credit-model"].digest}),
        ("system_registered", {"system": "support-assistant", "digest": workspace.systems["support-assistant"].digest}),
    ]
    assert {(event.event.author, event.event.at) for event in events} == {("ada", NOW)}


def test_a_fresh_workspace_verifies_and_has_nothing_to_adopt(tmp_path: Path) -> None:
    make(tmp_path / "house")
    assert verify(tmp_path / "house").ok
    with desk(tmp_path / "house") as opened:
        assert adopt(opened) == Adopted()


def test_without_a_template_the_empty_one_is_taken(tmp_path: Path) -> None:
    assert init(tmp_path / "house", None, "ada", clock).template == "empty"


def test_an_unknown_template_names_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(UsageFault) as caught:
        init(tmp_path / "house", "bnak", "ada", clock)
    assert caught.value.remedy == "the templates are: assistant, bank, empty, hospital"
    assert not (tmp_path / "house").exists()


def test_a_workspace_is_not_made_twice(tmp_path: Path) -> None:
    make(tmp_path / "house")
    before = sorted(path.name for path in (tmp_path / "house").rglob("*"))
    with pytest.raises(UsageFault, match="is a workspace already"):
        make(tmp_path / "house")
    assert sorted(path.name for path in (tmp_path / "house").rglob("*")) == before


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UsageFault, match="not empty"):
        make(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.own_salt
def test_two_workspaces_have_different_salts(tmp_path: Path) -> None:
    salts = {(make(tmp_path / name) / ".tocsin" / "salt").read_bytes() for name in ("one", "two")}
    assert len(salts) == 2


def test_a_copy_from_version_control_gets_a_ledger_of_its_own(tmp_path: Path) -> None:
    shutil.copytree(SOUND, tmp_path / "copy")
    path = tmp_path / "copy" / "policy.yaml"
    path.write_text(re.sub(r"(\w+): any", r"\1: \1", path.read_text()))
    made = init(tmp_path / "copy", None, "ada", clock)
    assert (made.template, made.files, made.systems) == ("", (), ("chat", "model"))
    assert kinds(tmp_path / "copy") == ["workspace_created", "policy_adopted", "system_registered", "system_registered"]
    assert (tmp_path / "copy" / ".tocsin").stat().st_mode & 0o777 == 0o700


def test_a_template_is_not_laid_over_a_policy_that_stands_there(tmp_path: Path) -> None:
    shutil.copytree(SOUND, tmp_path / "copy")
    with pytest.raises(UsageFault, match="holds a policy already"):
        init(tmp_path / "copy", "bank", "ada", clock)
    assert not (tmp_path / "copy" / ".tocsin").exists()


def test_a_policy_with_mistakes_becomes_no_workspace(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text("title: x\n")
    with pytest.raises(BadInput):
        init(tmp_path, None, "ada", clock)
    assert [path.name for path in tmp_path.iterdir()] == ["policy.yaml"]


def test_a_changed_policy_is_adopted_once_with_its_version(tmp_path: Path) -> None:
    root = make(tmp_path / "house")
    edit(root / "policy.yaml", 'version: "2.1"', 'version: "2.2"')
    with desk(root) as opened:
        assert adopt(opened) == Adopted(policy="2.2")
        assert adopt(opened) == Adopted()
        last = opened.ledger.read(STREAM)[-1]
        assert (last.kind, last.event.author) == ("policy_adopted", "ben")
        assert last.data == {"version": "2.2", "digest": opened.workspace.policy.digest}


def test_a_change_that_refers_to_nothing_is_not_adopted(tmp_path: Path) -> None:
    root = make(tmp_path / "house")
    edit(root / "systems" / "credit-model.yaml", "kind: group_parity", "kind: group_parody")
    edit(root / "systems" / "support-assistant.yaml", "personal_data: true", "personnel_data: true")
    with desk(root) as opened, pytest.raises(BadInput) as caught:
        adopt(opened)
    assert [problem.remedy for problem in caught.value.problems()] == [
        "did you mean 'group_parity'?",
        "did you mean 'personal_data'?",
    ]
    assert len(kinds(root)) == 4


def test_changed_new_and_removed_systems_are_recorded(tmp_path: Path) -> None:
    root = make(tmp_path / "house")
    edit(root / "systems" / "credit-model.yaml", "criticality: high", "criticality: medium")
    (root / "systems" / "support-assistant.yaml").rename(root / "systems" / "helper.yaml")
    edit(root / "systems" / "helper.yaml", "id: support-assistant", "id: helper")
    with desk(root) as opened:
        assert adopt(opened) == Adopted(systems=("credit-model", "helper"), retired=("support-assistant",))
        assert adopt(opened) == Adopted()


def test_a_system_that_comes_back_is_registered_again(tmp_path: Path) -> None:
    root = make(tmp_path / "house")
    path, kept = root / "systems" / "support-assistant.yaml", tmp_path / "kept.yaml"
    path.rename(kept)
    with desk(root) as opened:
        assert adopt(opened).retired == ("support-assistant",)
    kept.rename(path)
    with desk(root) as opened:
        assert adopt(opened).systems == ("support-assistant",)


def test_a_policy_that_goes_back_to_an_earlier_text_is_adopted_again(tmp_path: Path) -> None:
    root = make(tmp_path / "house")
    original = (root / "policy.yaml").read_bytes()
    for data in (original + b"# changed\n", original):
        (root / "policy.yaml").write_bytes(data)
        with desk(root) as opened:
            assert adopt(opened).policy == "2.1"
    assert kinds(root).count("policy_adopted") == 3


def test_no_name_of_a_person_in_the_policy_reaches_the_ledger(tmp_path: Path) -> None:
    root = make(tmp_path / "house")
    with desk(root) as opened:
        people = opened.workspace.policy.people
        told = " ".join(str(dict(event.data)) for event in opened.ledger.scan())
    assert not [person.name for person in people if person.name in told or (person.email and person.email in told)]


def test_a_ledger_that_was_removed_is_noticed(tmp_path: Path) -> None:
    root = make(tmp_path / "house")
    (root / ".tocsin" / "ledger.db").unlink()
    with desk(root) as opened, pytest.raises(EnvironmentFault, match="does not know this workspace"):
        adopt(opened)


def test_events_of_a_later_tocsin_are_passed_over(tmp_path: Path) -> None:
    root = make(tmp_path / "house")
    with desk(root) as opened:
        version = opened.ledger.version(STREAM)
        opened.ledger.append(Append(STREAM, version, [Event("workspace_blessed", NOW, "ada", {"by": "nobody"})]))
        assert adopt(opened) == Adopted()


def test_ten_that_adopt_at_once_record_the_change_once(tmp_path: Path) -> None:
    root = make(tmp_path / "house")
    edit(root / "policy.yaml", 'version: "2.1"', 'version: "3.0"')
    results: list[Adopted] = []

    def run() -> None:
        with desk(root) as opened:
            results.append(adopt(opened))

    threads = [threading.Thread(target=run) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(result.policy for result in results) == [""] * 9 + ["3.0"]
    assert kinds(root).count("policy_adopted") == 2
    assert verify(root).ok


class Restless(SqliteLedger):
    """A ledger into which somebody else writes before every append."""

    def append(self, *appends: Append) -> list[object]:  # type: ignore[override]
        raise Conflict("the stream moved on", "read again")


def test_a_stream_that_never_stands_still_ends_in_a_conflict(tmp_path: Path) -> None:
    root = make(tmp_path / "house")
    edit(root / "policy.yaml", 'version: "2.1"', 'version: "3.0"')
    with desk(root) as opened:
        restless = Restless(root / ".tocsin" / "ledger.db")
        with pytest.raises(Conflict):
            adopt(replace(opened, ledger=restless))
        restless.close()
    assert kinds(root).count("policy_adopted") == 1


def test_check_tells_mistakes_first(tmp_path: Path) -> None:
    root = make(tmp_path / "house")
    edit(root / "policy.yaml", "owner: meyer", "owner: mayer")
    found = check(root, TODAY)
    assert (found.ok, found.workspace, found.gaps) == (False, None, ())
    assert [str(problem) for problem in found.problems] == [
        "policy.yaml:7:8 (owner): there is no person 'mayer' — did you mean 'meyer'?"
    ]


def test_check_tells_gaps_when_there_are_no_mistakes(tmp_path: Path) -> None:
    root = make(tmp_path / "house", "empty")
    found = check(root, TODAY)
    assert found.ok
    assert found.workspace is not None
    assert {"approval.missing", "inventory.empty", "policy.placeholder"} <= {gap.id for gap in found.gaps}


def test_check_tells_when_a_text_changed_under_its_version(tmp_path: Path) -> None:
    root = make(tmp_path / "house")
    assert check(root, TODAY).gaps == ()
    edit(root / "policy.yaml", "join_within: 2d", "join_within: 3d")
    assert [gap.id for gap in check(root, TODAY).gaps] == ["version.reused"]
    with desk(root) as opened:
        adopt(opened)
    assert [gap.id for gap in check(root, TODAY).gaps] == ["version.reused"]
    edit(root / "policy.yaml", 'version: "2.1"', 'version: "2.2"')
    assert check(root, TODAY).gaps == ()


def test_check_knows_every_kind_of_detector(tmp_path: Path) -> None:
    root = make(tmp_path / "house")
    edit(root / "systems" / "credit-model.yaml", "kind: group_parity", "kind: group_parody")
    (problem,) = check(root, TODAY).problems
    assert problem.remedy == "did you mean 'group_parity'?"


def test_check_works_on_a_copy_that_has_no_ledger(tmp_path: Path) -> None:
    root = make(tmp_path / "house")
    shutil.rmtree(root / ".tocsin")
    assert check(root, TODAY).ok
    assert not (root / ".tocsin").exists()


def test_check_outside_of_a_workspace(tmp_path: Path) -> None:
    with pytest.raises(UsageFault):
        check(tmp_path, TODAY)


@pytest.mark.parametrize("name", templates())
def test_the_policy_of_every_template_prints_as_a_document(name: str, tmp_path: Path) -> None:
    text = markdown(document(make(tmp_path / "house", name)))
    assert text.count("\n## ") == 13
    assert "## 6 Severity and response times" in text


SCRIPT = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from tocsin.service.workspaces import init
print("ready", flush=True)
init(Path(sys.argv[1]), "bank", "ada", lambda: datetime.now(UTC))
"""


FULL = """
import resource, sys
from datetime import UTC, datetime
from pathlib import Path
from tocsin.model.errors import EnvironmentFault
from tocsin.service.workspaces import init
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
try:
    init(Path(sys.argv[1]), "bank", "ada", lambda: datetime.now(UTC))
except EnvironmentFault as fault:
    print(fault)
"""


@pytest.mark.slow
@pytest.mark.parametrize("bytes_max", [1_000, 6_000, 12_000])
def test_a_full_disk_leaves_nothing_behind(bytes_max: int, tmp_path: Path) -> None:
    """A limit on the size of files stands for the full disk: first a template file, then the ledger does not fit."""
    command = [sys.executable, "-c", FULL, str(tmp_path / "house"), str(bytes_max)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("existed", [True, False])
def test_a_killed_init_leaves_a_whole_workspace_or_none(tmp_path: Path, existed: bool) -> None:
    whole = 0
    for attempt in range(6):
        root = tmp_path / f"house{attempt}"
        if existed:
            root.mkdir()
        process = subprocess.Popen([sys.executable, "-c", SCRIPT, str(root)], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.03 * attempt)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        if (root / ".tocsin").exists():
            whole += 1
            assert verify(root).ok
            assert kinds(root)[0] == "workspace_created"
    assert whole < 6
