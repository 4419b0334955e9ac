"""`tocsin remediate`: cause, actions, proof; exit code 1 while the fix is not proven."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.desks import INCIDENT, Typed, told, typing, with_traffic, workspace
from tocsin.model.errors import EXIT_OK, EXIT_REFUSED, EXIT_USAGE

EFFECTIVE = ("--action", "2.2.0 back", "--effective", "2026-11-02T13:00+01:00", "--release", "2.2.0")


@pytest.fixture
def type_(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Typed:
    return typing(workspace(tmp_path), capsys)


@pytest.fixture
def with_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Typed:
    return typing(with_traffic(tmp_path), capsys)


def test_cause_and_action_are_recorded_and_shown(type_: Typed) -> None:
    code, out, _ = type_("remediate", INCIDENT, "--cause", "part-time work as risk", *EFFECTIVE, "--zone", "UTC")
    assert code == EXIT_OK
    assert "cause: part-time work as risk" in out
    assert "action A1: 2.2.0 back (effective 2026-11-02 12:00 UTC)" in out


def test_a_proof_states_its_error_and_succeeds(with_rows: Typed) -> None:
    code, out, _ = with_rows("remediate", INCIDENT, *EFFECTIVE, "--verify", "--json")
    verdict = told(out)
    assert code == EXIT_OK
    assert [proof["clearance"]["passed"] for proof in verdict["proofs"]] == [True]
    assert "is rejected at error level 0.05 on 4,800 rows" in verdict["proofs"][0]["clearance"]["statement"]
    out = with_rows("remediate", INCIDENT, "--verify")[1]
    assert "proven" in out
    assert "NOT PROVEN" not in out


def test_what_is_not_proven_exits_with_1_and_says_what_is_missing(with_rows: Typed) -> None:
    later = ("--action", "2.2.0 back", "--effective", "2026-11-03T00:30+01:00")
    code, out, _ = with_rows("remediate", INCIDENT, *later, "--verify")
    assert code == EXIT_REFUSED
    assert "NOT PROVEN" in out
    assert "200 rows after the" in " ".join(out.split())
    code, _, err = with_rows("incident", "close", INCIDENT, "--because", "done")
    assert code == EXIT_REFUSED
    assert "more rows would do" in " ".join(err.split())


@pytest.mark.parametrize(
    ("argv", "code", "says"),
    [
        ((), EXIT_USAGE, "use --cause, --action, --verify or --attest"),
        (
            ("--effective", "2026-11-02T13:00+01:00"),
            EXIT_USAGE,
            "--effective, --release and --correct belong to an action",
        ),
        (("--cause", "c", "--release", "2"), EXIT_USAGE, "--effective, --release and --correct belong to an action"),
        (("--action", "a", "--correct", "A7"), EXIT_USAGE, "has no action 'A7' to correct"),
        (("--cause", " "), EXIT_USAGE, "the cause is empty"),
        (("--action", "a", "--effective", "tomorrow"), EXIT_USAGE, "tomorrow"),
        (("--verify",), EXIT_REFUSED, "no corrective action says from when it is effective"),
        (("--attest", "looks fine"), EXIT_REFUSED, "their end is proven, not attested"),
    ],
)
def test_mistakes_are_told_with_their_exit_code(type_: Typed, argv: tuple[str, ...], code: int, says: str) -> None:
    got, _, err = type_("remediate", INCIDENT, *argv)
    assert got == code
    assert says in " ".join(err.split())
    assert "Traceback" not in err


def test_a_time_that_cannot_be_read_leaves_the_cause_unrecorded(type_: Typed) -> None:
    type_("remediate", INCIDENT, "--cause", "c", "--action", "a", "--effective", "soon")
    assert told(type_("incident", "show", INCIDENT, "--json")[1])["incident"]["cause"] == ""


def test_a_declared_incident_is_attested(type_: Typed) -> None:
    type_("incident", "declare", "A wrong answer", "--system", "support-assistant", "--category", "model_failure")
    code, out, _ = type_("remediate", "INC-2026-0002", "--attest", "50 answers read again")
    assert code == EXIT_OK
    assert "the end was verified: 50 answers read again" in out
