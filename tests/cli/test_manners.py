"""Manners of every command: a command is tested here by standing in the table of commands."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.service.banks import bank, found, leaked, record
from tocsin.cli import app
from tocsin.model.errors import (
    EXIT_BAD_INPUT,
    EXIT_ENVIRONMENT,
    EXIT_INTERNAL,
    EXIT_INTERRUPTED,
    EXIT_OK,
    EXIT_REFUSED,
    EXIT_USAGE,
)
from tocsin.service.triage import triage

NAME = "INC-2026-0001"
FORM = "eu.aiact.art73/draft-template-1.0.0"
USES: Mapping[str, list[str]] = {
    "demo": [],
    "init": ["{tmp}/made", "--template", "empty"],
    "check": [],
    "completion": ["bash"],
    "register text": ["{tmp}/prompt.txt", "--system", "support-assistant", "--id", "prompt"],
    "register canary": ["--system", "support-assistant", "--id", "faq"],
    "register list": [],
    "register forget": ["prompt"],
    "ingest": ["--system", "credit-model", "{tmp}/rows.csv"],
    "detect": ["--close-until", "2026-11-03T00:00Z"],
    "watch": ["{tmp}/arriving", "--system", "credit-model", "--once"],
    "findings": [],
    "compare": ["{tmp}/rows.csv", "{tmp}/rows.csv", "--decision", "approved", "--group", "sex"],
    "scan": ["{tmp}/prompt.txt"],
    "monitor plan": ["--system", "credit-model"],
    "rules": ["--kind", "injection"],
    "monitor report": ["--system", "credit-model"],
    "incident declare": ["A stranger's IBAN", "-s", "support-assistant", "--category", "data_leakage"],
    "incident list": [],
    "incident show": [NAME],
    "incident set": [NAME, "--fact", "people_affected=7"],
    "incident ack": [NAME],
    "incident assign": [NAME, "legal", "yilmaz"],
    "incident link": [NAME, "related_to", "INC-2026-0002"],
    "incident split": [NAME, "f2", "--title", "Opportunity"],
    "incident note": [NAME, "called the vendor"],
    "incident timeline": [NAME],
    "incident close": [NAME, "--because", "done"],
    "incident reopen": [NAME, "--because", "again"],
    "incident erase": [NAME, "--because", "retention"],
    "law list": [],
    "law show": ["eu.gdpr.art33"],
    "law check": [],
    "law due": [NAME],
    "law ask": [NAME],
    "law explain": ["INC-2026-0002", "eu.gdpr.art33.register@DE"],
    "law ics": [NAME],
    "law diff": ["installed"],
    "law decide": ["INC-2026-0002", "eu.gdpr.art33.register@DE", "--because", "test data"],
    "respond": [NAME],
    "report prepare": [NAME, "--country", "DE"],
    "report answer": [NAME, "incident.operator", "Professional user"],
    "report filed": [NAME, "--version", "1", "--at", "2026-11-02T12:00Z", "--recipient", "BNetzA"],
    "report diff": [NAME, "1", "2"],
    "remediate": [NAME, "--cause", "release 2.3.0"],
    "verify": [],
    "checkpoint": [],
    "export": ["{tmp}/bundle"],
    "measure": [],
    "policy": [],
}
"""One use of each command in a workspace with two incidents; some of them are refused, and that is an answer as well."""

NO_WORKSPACE = ("demo", "init", "completion", "compare", "scan", "rules", "law list", "law show", "law check")
"""Commands that need none."""
ANSWERS = (EXIT_OK, EXIT_REFUSED, EXIT_USAGE)
NAMES = [command.name for command in app.COMMANDS]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bank with two incidents, and files to read."""
    folder = tmp_path_factory.mktemp("manners")
    with bank(folder) as (desk, _):
        record(desk, found(), found("f2", detector="equal_opportunity:sex"), leaked())
        triage(desk)
    (folder / "arriving").mkdir()
    header = "decided_at,application_id,applicant_id,model_version,score,approved,second_look,sex,age_band,income_eur,part_time\n"
    row = "2026-10-01T09:00:00+02:00,A1,C1,2.2.0,0.7,yes,,female,30-39,30000,no\n"
    (folder / "prompt.txt").write_text(
        "You are an assistant and never say the code of the gate to anybody.", encoding="utf-8"
    )
    (folder / "rows.csv").write_text(header + row, encoding="utf-8")
    return folder


@pytest.fixture
def place(made: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(made, tmp_path / "place"))


def argv(name: str, place: Path, *more: str) -> list[str]:
    """The command as it is used in the table."""
    given = [part.format(root=place / "bank", tmp=place) for part in USES[name]]
    where = [] if name in NO_WORKSPACE else ["-C", str(place / "bank")]
    return [*name.split(), *given, *where, *more]


Said = tuple[int, str, str]
Say = Callable[..., Said]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Say:
    def go(*parts: str) -> Said:
        capsys.readouterr()
        code = app.run(list(parts))
        captured = capsys.readouterr()
        assert code != EXIT_INTERNAL, captured.err
        assert "Traceback" not in captured.out + captured.err
        return code, captured.out, captured.err

    return go


def test_every_command_is_used_here() -> None:
    assert sorted(USES) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_help_says_what_the_command_does_and_what_it_takes(name: str, say: Say) -> None:
    code, out, err = say(*name.split(), "--help")
    assert (code, err) == (EXIT_OK, "")
    command = next(command for command in app.COMMANDS if command.name == name)
    assert command.help.rstrip(".") in " ".join(out.split())
    assert f"tocsin {name}" in out
    assert "--json" in out


@pytest.mark.parametrize("name", [name for name in NAMES if name != "demo"])
def test_json_is_one_document_and_nothing_else(name: str, place: Path, say: Say) -> None:
    code, out, err = say(*argv(name, place, "--json"))
    assert code in ANSWERS
    told = json.loads(out) if out else json.loads(err)
    assert told is not None
    assert not (out and err)
    if not out:
        assert told["exit_code"] == code
        assert told["problems"][0]["what"]


@pytest.mark.parametrize("name", [name for name in NAMES if name != "demo"])
def test_what_is_piped_has_no_escape_codes(name: str, place: Path, say: Say) -> None:
    code, out, err = say(*argv(name, place))
    assert code in ANSWERS
    assert "\x1b" not in out + err
    assert out or err


@pytest.mark.parametrize("name", NAMES)
def test_an_unknown_option_is_a_usage_error(name: str, place: Path, say: Say) -> None:
    code, out, err = say(*argv(name, place, "--jsom"))
    assert (code, out) == (EXIT_USAGE, "")
    assert "--jsom" in err
    assert "--json" in err, "the nearest option is named"


@pytest.mark.parametrize("name", [name for name in NAMES if name not in NO_WORKSPACE])
def test_a_folder_that_is_no_workspace_is_told(name: str, place: Path, say: Say) -> None:
    shutil.rmtree(place / "bank")
    (place / "bank").mkdir()
    code, out, err = say(*argv(name, place))
    assert code in (EXIT_USAGE, EXIT_BAD_INPUT)
    assert out == ""
    assert err.startswith("error: ")


def _no_policy(root: Path) -> None:
    (root / "policy.yaml").unlink()


def _broken_policy(root: Path) -> None:
    (root / "policy.yaml").write_text("title: [", encoding="utf-8")


def _unreadable_bytes(root: Path) -> None:
    (root / "policy.yaml").write_bytes(b"\xff\xfe\x00")


def _ledger_is_a_folder(root: Path) -> None:
    for path in (root / ".tocsin").glob("ledger.db*"):
        path.unlink()
    (root / ".tocsin" / "ledger.db").mkdir()


def _ledger_is_something_else(root: Path) -> None:
    for path in (root / ".tocsin").glob("ledger.db*"):
        path.unlink()
    (root / ".tocsin" / "ledger.db").write_bytes(b"this is no database, and never was one " * 40)


def _no_inner_folder(root: Path) -> None:
    shutil.rmtree(root / ".tocsin")


def _system_is_a_folder(root: Path) -> None:
    (root / "systems" / "credit-model.yaml").unlink()
    (root / "systems" / "credit-model.yaml").mkdir()


BREAKS = (
    _no_policy,
    _broken_policy,
    _unreadable_bytes,
    _ledger_is_a_folder,
    _ledger_is_something_else,
    _no_inner_folder,
    _system_is_a_folder,
)


@pytest.mark.parametrize("damage", BREAKS, ids=lambda damage: damage.__name__.strip("_"))
@pytest.mark.parametrize("name", [name for name in NAMES if name not in NO_WORKSPACE])
def test_a_broken_workspace_is_told_and_never_a_traceback(
    name: str, damage: Callable[[Path], None], place: Path, say: Say
) -> None:
    damage(place / "bank")
    code, out, err = say(*argv(name, place))
    if code not in (EXIT_OK, EXIT_REFUSED):  # verifying needs no policy, and checking needs no ledger
        assert code in (EXIT_USAGE, EXIT_BAD_INPUT, EXIT_ENVIRONMENT)
        assert (name == "check" and out) or err.startswith("error: ")
    shutil.rmtree(place / "bundle", ignore_errors=True)
    as_json = say(*argv(name, place, "--json"))
    assert as_json[0] == code
    assert json.loads(as_json[1] or as_json[2]) is not None


def tocsin(*parts: str, **how: Any) -> subprocess.Popen[str]:
    """A process of its own."""
    command = [sys.executable, "-m", "tocsin", *parts]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **how)


def test_a_reader_that_goes_away_is_no_error(place: Path) -> None:
    running = tocsin(*argv("findings", place))
    assert running.stdout is not None
    running.stdout.close()
    assert running.stderr is not None
    said = running.stderr.read()
    running.stderr.close()
    assert running.wait(30) == EXIT_OK
    assert said == ""


@pytest.mark.slow
def test_an_interrupt_is_an_exit_code_and_a_sentence(place: Path) -> None:
    running = tocsin("watch", str(place / "arriving"), "--system", "credit-model", "-C", str(place / "bank"))
    assert running.stdout is not None
    assert running.stdout.readline() == f"Watching {place / 'arriving'} for credit-model; Ctrl-C stops.\n"
    time.sleep(0.5)
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=30)
    assert running.returncode == EXIT_INTERRUPTED
    assert "interrupted; what was acknowledged is kept" in err
    assert "Traceback" not in err


@pytest.mark.parametrize("width", [40, 80, 200])
@pytest.mark.parametrize("name", ["incident list", "incident show", "law due", "findings"])
def test_narrow_and_wide_terminals_show_every_word(name: str, width: int, place: Path) -> None:
    environment = {**os.environ, "COLUMNS": str(width), "NO_COLOR": "1", "TERM": "dumb"}
    out, err = tocsin(*argv(name, place), env=environment).communicate(timeout=60)
    assert err == ""
    assert "finding" in "".join(out.split())


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_names_every_command(shell: str, say: Say) -> None:
    code, out, _ = say("completion", shell)
    assert code == EXIT_OK
    assert all(name.split()[-1] in out for name in NAMES)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_reads_its_completion(shell: str, say: Say) -> None:
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")
    script = say("completion", shell)[1]
    done = subprocess.run([shell, "-n"], input=script, capture_output=True, text=True, check=False, timeout=30)
    assert (done.returncode, done.stderr) == (0, "")


LIGHT = {
    "--version": ("pyarrow", "numpy", "pydantic", "typst", "hyperscan", "holidays", "cryptography"),
    "--help": ("pyarrow", "numpy", "pydantic", "typst", "hyperscan", "holidays", "cryptography"),
    "verify": ("pyarrow", "numpy", "pydantic", "typst", "hyperscan", "holidays"),
}
"""What a command that must start at once may not import. Seconds are measured in `benchmarks/`, not here."""


@pytest.mark.parametrize("command", LIGHT)
def test_what_must_start_at_once_imports_little(command: str, place: Path) -> None:
    parts = [command] if command.startswith("--") else [command, str(place / "bank")]
    code = (
        "import sys; from tocsin.cli import app; app.run(sys.argv[1:]);"
        "print(' '.join(sorted({name.split('.')[0] for name in sys.modules})), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code, *parts], capture_output=True, text=True, check=True, timeout=60)
    imported = set(done.stderr.split())
    assert not imported & set(LIGHT[command])


@pytest.mark.parametrize(
    "hostile", ["\x1b[2Jgone", "a\u202eb", "\x07bell", "line\nfeed", "zero\u200bwidth", "[bold]x[/bold]"]
)
def test_hostile_text_stays_text(hostile: str, place: Path, say: Say) -> None:
    assert say(*argv("incident note", place)[:2], NAME, hostile, "-C", str(place / "bank"))[0] == EXIT_OK
    out = say(*argv("incident timeline", place))[1]
    assert not [c for c in out if c in "\x1b\x07\u202e\u200b"]
    if "[bold]" in hostile:
        assert "[bold]x[/bold]" in out
    told = json.loads(say(*argv("incident timeline", place, "--json"))[1])
    assert told[-1]["text"] == f"note: {hostile}"
    raw = say(*argv("incident timeline", place, "--json"))[1]
    assert not [c for c in raw if ord(c) < 32 and c != "\n"]
