"""`tocsin incident` and `tocsin measure`, as the responder on call types them at night."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.desks import INCIDENT, Typed, told, typing, workspace
from tocsin.model.errors import EXIT_OK, EXIT_REFUSED, EXIT_USAGE

SECOND = "INC-2026-0002"


@pytest.fixture
def type_(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Typed:
    return typing(workspace(tmp_path), capsys)


def declare(type_: Typed, *more: str, title: str = "Wrong refusals") -> tuple[int, str, str]:
    return type_("incident", "declare", title, "-s", "credit-model", "--category", "model_failure", *more)


def state(type_: Typed, incident: str = INCIDENT) -> dict[str, object]:
    shown: dict[str, object] = told(type_("incident", "show", incident, "--json")[1])["incident"]
    return shown


def test_the_open_incident_is_listed_with_its_system(type_: Typed) -> None:
    code, out, _ = type_("incident", "list")
    assert code == EXIT_OK
    assert INCIDENT in out
    assert "credit-model" in out


def test_a_system_without_incidents_has_none(type_: Typed) -> None:
    assert "No incidents." in type_("incident", "list", "--system", "elsewhere")[1]


def test_an_incident_shows_its_dates_findings_and_what_is_next(type_: Typed) -> None:
    code, out, _ = type_("incident", "show", INCIDENT)
    assert code == EXIT_OK
    assert "Dates" in out
    assert "Findings (1)" in out
    assert "What is next" in out


def test_acknowledging_sets_awareness(type_: Typed) -> None:
    code, out, _ = type_("incident", "ack", INCIDENT)
    assert (code, out) == (EXIT_OK, f"{INCIDENT} acknowledged; aware dates are set.\n")
    dates = state(type_)["dates"]
    assert isinstance(dates, dict)
    assert "aware.controller" in dates


def test_a_declared_incident_is_opened_and_listed(type_: Typed) -> None:
    code, out, _ = declare(type_)
    assert (code, out) == (EXIT_OK, f"Opened {SECOND}: Wrong refusals\n")
    assert {row["id"] for row in told(type_("incident", "list", "--json")[1])} == {INCIDENT, SECOND}


def test_escape_codes_in_a_title_do_not_reach_the_terminal(type_: Typed) -> None:
    declare(type_, title="red \x1b[31malert\x07")
    for argv in (("list",), ("show", SECOND), ("timeline", SECOND)):
        out = type_("incident", *argv)[1]
        assert "alert" in out
        assert not {"\x1b", "\x07"} & set(out)


def test_a_duplicate_is_linked_and_the_way_back_is_a_circle(type_: Typed) -> None:
    declare(type_)
    assert type_("incident", "link", SECOND, "duplicate_of", INCIDENT)[0] == EXIT_OK
    code, _, err = type_("incident", "link", INCIDENT, "duplicate_of", SECOND)
    assert code == EXIT_REFUSED
    assert "circle" in err


def test_a_note_stands_in_the_timeline(type_: Typed) -> None:
    assert type_("incident", "note", INCIDENT, "called the vendor")[1] == f"Noted in {INCIDENT}.\n"
    assert "note: called the vendor" in type_("incident", "timeline", INCIDENT)[1]


def test_closing_too_early_tells_all_that_is_missing(type_: Typed) -> None:
    code, _, err = type_("incident", "close", INCIDENT, "--because", "done")
    assert code == EXIT_REFUSED
    assert "nobody has acknowledged it" in err
    assert "no cause is recorded" in err
    assert "the fix is not proven" in err


@pytest.mark.parametrize(
    ("argv", "code", "says"),
    [
        (("set", INCIDENT), EXIT_USAGE, "nothing to set"),
        (("set", INCIDENT, "--date", "contained"), EXIT_USAGE, "name=value"),
        (("set", INCIDENT, "--date", "occurred.foo=2026-01-01T00:00Z"), EXIT_USAGE, "occurred.foo"),
        (("set", INCIDENT, "--date", "aware.us=2026-01-01T00:00Z"), EXIT_USAGE, "per role"),
        (("set", INCIDENT, "--date", "contained=2999-01-01T00:00Z"), EXIT_REFUSED, "future"),
        (("set", INCIDENT, "--phase", "closed"), EXIT_REFUSED, "incident close"),
        (("link", INCIDENT, "related_to", INCIDENT), EXIT_USAGE, "with itself"),
        (("split", INCIDENT, "none", "--title", "x"), EXIT_USAGE, "no finding none"),
        (("reopen", INCIDENT, "--because", "x"), EXIT_REFUSED, "is not closed"),
        (("show", "INC-1999-0001"), EXIT_USAGE, "INC-1999-0001"),
    ],
)
def test_what_does_not_go_says_why(type_: Typed, argv: tuple[str, ...], code: int, says: str) -> None:
    got, _, err = type_("incident", *argv)
    assert (got, says in err) == (code, True), err


def test_measuring_speaks_json(type_: Typed) -> None:
    code, out, _ = type_("measure", "--json")
    assert code == EXIT_OK
    assert told(out)
