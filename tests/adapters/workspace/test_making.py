"""A folder that is there whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tocsin.adapters.workspace.making import MAKING, awaits_workspace, made_whole
from tocsin.model.errors import EnvironmentFault, UsageFault


class Broken(Exception):
    """Something goes wrong while the folder is filled."""


def fail() -> None:
    raise Broken


def write(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text("")


def fill(folder: Path) -> None:
    (folder / "policy.yaml").write_text("title: x\n")
    (folder / "systems").mkdir()
    (folder / ".tocsin").mkdir()


def make(target: Path, meanwhile: Callable[[], None] = lambda: None) -> None:
    """Make the folder at `target`; `meanwhile` happens after it was filled and before it is moved."""
    with made_whole(target) as folder:
        fill(folder)
        meanwhile()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_new_folder_appears_with_all_that_was_put_in(tmp_path: Path) -> None:
    with made_whole(tmp_path / "house") as folder:
        fill(folder)
        assert not (tmp_path / "house").exists()
    assert names(tmp_path / "house") == [".tocsin", "policy.yaml", "systems"]
    assert names(tmp_path) == ["house"]


def test_folders_above_are_made(tmp_path: Path) -> None:
    with made_whole(tmp_path / "a" / "b" / "house") as folder:
        fill(folder)
    assert (tmp_path / "a" / "b" / "house" / "policy.yaml").exists()


def test_an_empty_folder_is_filled_and_stays_the_same_folder(tmp_path: Path) -> None:
    target = tmp_path / "house"
    target.mkdir()
    inode = target.stat().st_ino
    with made_whole(target) as folder:
        fill(folder)
    assert target.stat().st_ino == inode
    assert names(target) == [".tocsin", "policy.yaml", "systems"]


def test_a_repository_without_files_counts_as_empty(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    with made_whole(tmp_path) as folder:
        fill(folder)
    assert names(tmp_path) == [".git", ".tocsin", "policy.yaml", "systems"]


@pytest.mark.parametrize("existed", [True, False])
def test_nothing_stays_when_filling_fails(tmp_path: Path, existed: bool) -> None:
    target = tmp_path / "house"
    if existed:
        target.mkdir()
    with pytest.raises(Broken):
        make(target, fail)
    assert target.exists() == existed
    assert [path for path in tmp_path.rglob("*") if path != target] == []


def test_nothing_stays_when_the_move_fails_half_way(tmp_path: Path) -> None:
    target = tmp_path / "house"
    target.mkdir()
    with pytest.raises(EnvironmentFault):
        make(target, lambda: write(target / "systems" / "somebody-else.yaml"))
    assert names(target) == ["systems"]
    assert names(target / "systems") == ["somebody-else.yaml"]


def test_somebody_who_makes_the_folder_meanwhile_keeps_it(tmp_path: Path) -> None:
    target = tmp_path / "house"
    with pytest.raises(EnvironmentFault):
        make(target, lambda: write(target / "theirs"))
    assert names(target) == ["theirs"]
    assert names(tmp_path) == ["house"]


def test_a_folder_with_something_in_it_is_refused_and_untouched(tmp_path: Path) -> None:
    (tmp_path / "thesis.docx").write_text("years of work")
    with pytest.raises(UsageFault, match=r"not empty: it holds thesis\.docx"), made_whole(tmp_path):
        pass
    assert names(tmp_path) == ["thesis.docx"]


def test_a_workspace_is_refused_as_such(tmp_path: Path) -> None:
    fill(tmp_path)
    with pytest.raises(UsageFault, match="is a workspace already"), made_whole(tmp_path):
        pass


def test_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "house").write_text("")
    with pytest.raises(UsageFault, match="is not a folder"), made_whole(tmp_path / "house"):
        pass


def test_a_link_to_nothing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "house").symlink_to(tmp_path / "gone")
    with pytest.raises(UsageFault, match="is not a folder"), made_whole(tmp_path / "house"):
        pass


def test_a_folder_below_a_file_is_an_environment_fault(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentFault), made_whole(tmp_path / "file" / "house"):
        pass


def test_what_an_interrupted_init_left_is_named(tmp_path: Path) -> None:
    (tmp_path / f"{MAKING}1-ab").mkdir()
    (tmp_path / "policy.yaml").write_text("")
    with pytest.raises(UsageFault, match="interrupted init") as caught, made_whole(tmp_path):
        pass
    assert f"{MAKING}1-ab, policy.yaml" in caught.value.remedy


def test_a_policy_without_a_ledger_awaits_its_workspace(tmp_path: Path) -> None:
    assert not awaits_workspace(tmp_path)
    (tmp_path / "policy.yaml").write_text("title: x\n")
    assert awaits_workspace(tmp_path)
    (tmp_path / ".tocsin").mkdir()
    assert not awaits_workspace(tmp_path)
