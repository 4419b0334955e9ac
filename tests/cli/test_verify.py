"""`tocsin verify`, `checkpoint` and `export`, as an auditor uses them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.service.banks import bank, leaked, record
from tocsin.cli import app
from tocsin.model.errors import EXIT_BAD_INPUT, EXIT_OK, EXIT_REFUSED, EXIT_USAGE
from tocsin.service.triage import triage

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    with bank(tmp_path) as (desk, _):
        record(desk, leaked())
        triage(desk)
    return tmp_path / "bank"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def go(*argv: str | Path) -> tuple[int, str, str]:
        capsys.readouterr()
        code = app.run([str(part) for part in argv])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return go


def cut(root: Path) -> None:
    connection = sqlite3.connect(root / ".tocsin" / "ledger.db")
    with connection:
        connection.execute("DELETE FROM events WHERE sequence = (SELECT max(sequence) FROM events)")
    connection.close()


def test_a_sound_ledger_says_so_with_its_root(root: Path, run: Run) -> None:
    code, out, err = run("verify", root)
    assert (code, err) == (EXIT_OK, "")
    first, second = out.splitlines()
    assert first.startswith("Verified: ")
    assert len(second.removeprefix("root ")) == 64
    deep = run("verify", root, "--deep")[1]
    assert "no segments, 1 piece of evidence" in deep


def test_the_workspace_may_be_named_in_either_way_or_stood_in(
    root: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_place, by_option = run("verify", root)[1], run("verify", "-C", root)[1]
    monkeypatch.chdir(root / "systems")
    assert by_place == by_option == run("verify")[1]


def test_a_checkpoint_from_elsewhere_finds_what_was_cut_off(root: Path, run: Run, tmp_path: Path) -> None:
    outside = tmp_path / "kept.txt"
    code, out, _ = run("checkpoint", "-C", root, "--out", outside)
    assert code == EXIT_OK
    assert outside.read_text(encoding="utf-8") in out
    assert "key tocsin.ledger/" in out
    for kept in (root / ".tocsin" / "checkpoints").glob("*.txt"):
        kept.unlink()
    cut(root)
    assert run("verify", root)[0] == EXIT_OK, "alone it cannot know"
    code, out, _ = run("verify", root, "--checkpoint", outside)
    assert code == EXIT_REFUSED
    assert "WRONG: " in out
    assert "truncated" in out
    assert "NOT VERIFIED" in out


def test_json_lists_every_fault(root: Path, run: Run) -> None:
    run("checkpoint", "-C", root)
    cut(root)
    code, out, _ = run("verify", root, "--json")
    told = json.loads(out)
    assert code == EXIT_REFUSED
    assert told["faults"]
    assert told["checkpoints"] == 1


def test_an_events_proof_can_be_followed_by_hand(root: Path, run: Run) -> None:
    code, out, _ = run("verify", root, "--proof", "1")
    assert code == EXIT_OK
    assert json.loads(out.splitlines()[0])["kind"] == "workspace_created"
    assert "stands at 1 of" in out
    told = json.loads(run("verify", root, "--proof", "1", "--json")[1])
    assert told["root"] == json.loads(run("verify", root, "--json")[1])["root"]


def test_a_bundle_is_written_and_verified(root: Path, run: Run, tmp_path: Path) -> None:
    code, out, _ = run("export", tmp_path / "bundle", "-C", root)
    assert code == EXIT_OK
    assert f"verify with: python {tmp_path / 'bundle'}/verify.py" in out
    assert run("verify", tmp_path / "bundle")[0] == EXIT_OK
    code, out, err = run("export", tmp_path / "bundle", "-C", root)
    assert (code, out) == (EXIT_USAGE, "")
    assert "exists already" in err


@pytest.mark.parametrize(
    ("argv", "code", "says"),
    [
        (["verify", "{tmp}"], EXIT_USAGE, "no ledger in"),
        (["verify", "{root}", "--proof", "100000"], EXIT_USAGE, "the ledger holds events 1 to"),
        (["verify", "{root}", "--proof", "one"], EXIT_USAGE, "one"),
        (["verify", "{root}", "--checkpoint", "{tmp}/none.txt"], EXIT_BAD_INPUT, "no such checkpoint"),
        (["checkpoint", "-C", "{tmp}"], EXIT_USAGE, "no ledger"),
    ],
)
def test_mistakes_are_told(root: Path, run: Run, tmp_path: Path, argv: list[str], code: int, says: str) -> None:
    found, out, err = run(*(part.format(root=root, tmp=tmp_path) for part in argv))
    assert (found, out) == (code, "")
    assert says in err


def test_a_ledger_with_a_fault_is_not_signed_and_the_fault_is_named(root: Path, run: Run) -> None:
    connection = sqlite3.connect(root / ".tocsin" / "ledger.db")
    with connection:
        connection.execute("DELETE FROM events WHERE sequence = 2")
    connection.close()
    code, out, err = run("checkpoint", "-C", root)
    assert (code, out) == (EXIT_REFUSED, "")
    assert "event 2 is missing" in err
