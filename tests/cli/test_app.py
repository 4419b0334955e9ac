"""The door: help, exit codes, errors as messages, what is printed."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tocsin import __version__
from tocsin.cli import app
from tocsin.cli.output import clean, moment, span
from tocsin.model.errors import (
    EXIT_BAD_INPUT,
    EXIT_INTERNAL,
    EXIT_INTERRUPTED,
    EXIT_OK,
    EXIT_REFUSED,
    EXIT_USAGE,
    BadInput,
    Place,
    Problem,
    Refused,
)


def _run(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    code = app.run(list(argv))
    out, err = capsys.readouterr()
    return code, out, err


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = _run(capsys, "--help")
    assert code == EXIT_OK
    assert all(command.name in out for command in app.COMMANDS)


@pytest.mark.parametrize("command", app.COMMANDS, ids=lambda command: command.name)
def test_every_command_exists_and_says_what_it_does(command: app.Command) -> None:
    module, function = command.function.split(":")
    found = getattr(importlib.import_module(f"tocsin.cli.commands.{module}"), function)
    assert found.__doc__


def test_unknown_command_is_a_usage_error_with_a_suggestion(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = _run(capsys, "verfy")
    assert code == EXIT_USAGE
    assert "verify" in err
    assert "Traceback" not in err


def test_a_folder_that_is_no_workspace_is_a_usage_error(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, _, err = _run(capsys, "incident", "list", "-C", str(tmp_path))
    assert code == EXIT_USAGE
    assert "tocsin init" in err


def _raising(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def build() -> object:
        raise error

    monkeypatch.setattr(app, "build", build)


def test_every_problem_of_bad_input_is_told_with_its_place(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    problems = [Problem(Place("policy.yaml", line, 3, "owner"), f"mistake {line}", "mend it") for line in (2, 9)]
    _raising(monkeypatch, BadInput(problems))
    code, _, err = _run(capsys, "check")
    assert code == EXIT_BAD_INPUT
    assert "policy.yaml:2:3 (owner): mistake 2 — mend it" in err
    assert "policy.yaml:9:3 (owner): mistake 9 — mend it" in err


def test_a_refusal_lists_what_is_missing(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    _raising(monkeypatch, Refused("INC-2026-0001 cannot be closed", ["no cause is recorded", "no proof of the fix"]))
    code, _, err = _run(capsys, "check")
    assert code == EXIT_REFUSED
    assert err.count("no cause is recorded") == 1
    assert "no proof of the fix" in err


def test_errors_are_json_when_json_was_asked_for(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _raising(monkeypatch, Refused("no", ["a", "b"]))
    code, out, err = _run(capsys, "check", "--json")
    assert out == ""
    told = json.loads(err)
    assert told["missing"] == ["a", "b"]
    assert told["exit_code"] == code == EXIT_REFUSED


def test_our_own_mistake_is_told_apart_and_its_trace_is_kept(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _raising(monkeypatch, ZeroDivisionError("oops"))
    code, _, err = _run(capsys, "check")
    assert code == EXIT_INTERNAL
    kept = Path(err.rsplit(" ", 1)[1].strip().rstrip("."))
    assert "ZeroDivisionError: oops" in kept.read_text(encoding="utf-8")
    kept.unlink()


def test_an_interrupt_promises_what_is_kept(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _raising(monkeypatch, KeyboardInterrupt())
    code, _, err = _run(capsys, "check")
    assert code == EXIT_INTERRUPTED
    assert "kept" in err


def test_version_is_told_without_loading_anything() -> None:
    script = "import sys; sys.argv=['tocsin','--version']; from tocsin.__main__ import main; main(); print(sorted(sys.modules))"
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    version, modules = out.splitlines()
    assert version == __version__
    assert "cyclopts" not in modules


def test_terminal_controls_in_evidence_are_made_visible() -> None:
    assert clean("a\x1b[2Jb\u202ec\u200bd\te\n") == "a\\x1b[2Jb\\u202ec\\u200bd\te\n"
    assert clean("Zürich 東京 🙂") == "Zürich 東京 🙂"


def test_times_show_the_authority_beside_the_reader() -> None:
    at = datetime(2026, 10, 1, 12, tzinfo=UTC)
    assert moment(at, "UTC", "Europe/Berlin") == "2026-10-01 12:00 UTC (2026-10-01 14:00 CEST)"
    assert moment(at, "Europe/Paris", "Europe/Berlin") == "2026-10-01 14:00 CEST"
    assert moment(None) == "-"


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(seconds=4), "4 s"),
        (timedelta(minutes=25), "25 min"),
        (timedelta(days=3, hours=4, minutes=5), "3 d 4 h"),
        (timedelta(hours=-2), "-2 h"),
        (timedelta(0), "0 s"),
        (None, "-"),
    ],
)
def test_spans_are_told_in_two_units(length: timedelta | None, text: str) -> None:
    assert span(length) == text


def test_hostile_text_in_our_own_mistake_stays_text(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _raising(monkeypatch, ZeroDivisionError("\x1b[2Jgone\u202e"))
    _, _, err = _run(capsys, "check")
    assert "\\x1b[2Jgone\\u202e" in err
    assert "\x1b" not in err
    Path(err.rsplit(" ", 1)[1].strip().rstrip(".")).unlink()
