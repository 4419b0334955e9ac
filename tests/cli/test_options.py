"""What every command takes: where the workspace is, who acts, and times as people write them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tocsin.cli import options
from tocsin.cli.commands.times import instant
from tocsin.cli.options import Shared
from tocsin.model.errors import UsageFault


def _workspace(folder: Path) -> Path:
    (folder / ".tocsin").mkdir(parents=True)
    (folder / "policy.yaml").touch()
    return folder


def test_the_nearest_workspace_above_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    outer = _workspace(tmp_path / "outer")
    inner = _workspace(outer / "inner")
    (inner / "deep" / "deeper").mkdir(parents=True)
    monkeypatch.chdir(inner / "deep" / "deeper")
    assert Shared().root() == inner
    monkeypatch.chdir(outer)
    assert Shared().root() == outer


@pytest.mark.parametrize("half", ["policy.yaml", ".tocsin"])
def test_half_a_workspace_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, half: str) -> None:
    (tmp_path / half).mkdir() if half == ".tocsin" else (tmp_path / half).touch()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageFault, match="not in a workspace") as told:
        Shared().root()
    assert "tocsin init DIR" in str(told.value)
    assert "--workspace DIR" in str(told.value)


def test_a_workspace_that_is_named_is_taken_as_it_is(tmp_path: Path) -> None:
    assert Shared(workspace=tmp_path / "elsewhere").root() == tmp_path / "elsewhere"


def test_who_acts_is_named_or_logged_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(options.getpass, "getuser", lambda: "roux")
    assert Shared().author() == "roux"
    assert Shared(as_="okafor").author() == "okafor"


@pytest.mark.parametrize("error", [KeyError("uid"), OSError("no such user")])
def test_a_machine_without_a_login_name_has_an_unknown_author(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def getuser() -> str:
        raise error

    monkeypatch.setattr(options.getpass, "getuser", getuser)
    monkeypatch.delenv("USER", raising=False)
    assert Shared().author() == "unknown"
    monkeypatch.setenv("USER", "novak")
    assert Shared().author() == "novak"


def test_a_time_with_an_offset_is_the_instant() -> None:
    assert instant("2026-11-24T09:30+01:00") == datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
    assert instant("2026-11-24T09:30Z") == datetime(2026, 11, 24, 9, 30, tzinfo=UTC)


def test_a_time_without_an_offset_is_refused_with_both_ways_out() -> None:
    with pytest.raises(UsageFault, match="has no zone") as told:
        instant("2026-11-24T09:30")
    assert "2026-11-24T09:30+01:00" in str(told.value)
    assert "Z for UTC" in str(told.value)


@pytest.mark.parametrize("text", ["", "yesterday", "24.11.2026 09:30", "2026-13-01T00:00Z", "2026-02-30T00:00Z"])
def test_what_is_no_time_is_told_with_an_example(text: str) -> None:
    with pytest.raises(UsageFault, match="is not a time") as told:
        instant(text)
    assert "2026-11-24T09:30+01:00" in str(told.value)
