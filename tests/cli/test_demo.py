"""`tocsin demo` where it cannot be played, or not to its end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tocsin.cli import app
from tocsin.model.errors import EXIT_ENVIRONMENT, EXIT_INTERRUPTED, EXIT_USAGE
from tocsin.service import demonstrating


def test_a_folder_that_holds_something_is_left_as_it_was(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "thesis.txt").write_text("years of work", encoding="utf-8")
    assert app.run(["demo", str(tmp_path)]) == EXIT_USAGE
    assert "is not empty: it holds thesis.txt" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
    assert (tmp_path / "thesis.txt").read_text(encoding="utf-8") == "years of work"


def test_a_file_in_its_place_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bank").write_text("", encoding="utf-8")
    assert app.run(["demo", str(tmp_path / "bank"), "--json"]) == EXIT_USAGE
    out, err = capsys.readouterr()
    assert out == ""
    assert "is not a folder" in json.loads(err)["problems"][0]["what"]


def test_a_place_that_cannot_be_written_is_the_environments_fault(capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(["demo", "/proc/tocsin-demo"]) == EXIT_ENVIRONMENT
    assert "permissions" in capsys.readouterr().err


def test_an_interrupted_month_says_where_to_play_it_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(demonstrating, "detect", stop)
    assert app.run(["demo", str(tmp_path / "bank")]) == EXIT_INTERRUPTED
    said = capsys.readouterr().err.splitlines()
    assert said == [
        "the month was not played to its end; play it again in a new folder",
        "interrupted; what was acknowledged is kept",
    ]
    assert app.run(["demo", str(tmp_path / "bank")]) == EXIT_USAGE
    assert "name another folder" in capsys.readouterr().err
    assert app.run(["verify", str(tmp_path / "bank")]) == 0, "what was acknowledged is whole"
