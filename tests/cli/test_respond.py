"""`tocsin respond`: what is next, and completing it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.desks import INCIDENT, Typed, told, typing, workspace
from tocsin.model.errors import EXIT_ENVIRONMENT, EXIT_OK, EXIT_REFUSED, EXIT_USAGE


@pytest.fixture
def type_(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Typed:
    return typing(workspace(tmp_path), capsys)


def test_the_next_step_says_who_why_and_what_to_type(type_: Typed) -> None:
    code, out, _ = type_("respond", INCIDENT)
    assert code == EXIT_OK
    assert "Bias event: no steps done, 9 mandatory ones left" in out
    assert "acknowledge  Acknowledge: a person takes over" in out
    assert "who: incident_manager" in out
    assert "why: " in out
    assert f'done: tocsin respond {INCIDENT} acknowledge --outcome "who leads, and where the talk is"' in out


def test_a_completed_step_leads_to_the_next(type_: Typed) -> None:
    type_("respond", INCIDENT, "acknowledge", "--outcome", "on it")
    code, out, _ = type_("respond", INCIDENT, "Preserve", "-o", "sealed", as_="larsen")
    assert code == EXIT_OK
    assert "2 steps done" in out
    assert "confirm  Confirm the finding" in out


def test_json_holds_steps_questions_and_what_is_missing(type_: Typed) -> None:
    _, out, _ = type_("respond", INCIDENT, "acknowledge", "--outcome", "on it", "--json")
    state = told(out)
    assert [due["slug"] for due in state["next"]] == ["preserve"]
    assert state["done"][0]["outcome"] == "on it"
    assert state["questions"] == ["personal_data_breach"]
    assert len(state["mandatory_missing"]) == 8


def test_an_open_question_comes_with_the_command_that_answers_it(type_: Typed) -> None:
    out = type_("respond", INCIDENT)[1]
    assert f"tocsin incident set {INCIDENT} --fact personal_data_breach=yes|no" in out


def test_a_file_is_sealed_as_evidence(type_: Typed, tmp_path: Path) -> None:
    proof = tmp_path / "ticket.txt"
    proof.write_bytes(b"ticket 4711")
    _, out, _ = type_("respond", INCIDENT, "acknowledge", "-o", "on it", "--evidence", str(proof), "--json")
    assert told(out)["done"][0]["evidence"].startswith(f"evidence:{INCIDENT}/")


@pytest.mark.parametrize(
    ("argv", "as_", "code", "says"),
    [
        (("contain", "-o", "x"), "okafor", EXIT_REFUSED, "something comes first"),
        (("acknowledge",), "okafor", EXIT_USAGE, "the outcome is missing"),
        (("dance", "-o", "x"), "okafor", EXIT_USAGE, "its steps are: acknowledge"),
        (("acknowledge", "-o", "x"), "mallory", EXIT_REFUSED, "act as one of larsen"),
        (("acknowledge", "-o", "x", "--evidence", "no-such-file"), "okafor", EXIT_ENVIRONMENT, "no-such-file"),
    ],
)
def test_mistakes_are_told_with_their_exit_code(
    type_: Typed, argv: tuple[str, ...], as_: str, code: int, says: str
) -> None:
    got, out, err = type_("respond", INCIDENT, *argv, as_=as_)
    assert got == code
    assert says in " ".join(err.split())
    assert "Traceback" not in err
    assert out == ""


def test_an_unknown_incident_is_a_usage_error(type_: Typed) -> None:
    code, _, err = type_("respond", "INC-2026-0042")
    assert code == EXIT_USAGE
    assert "INC-2026-0042" in err
