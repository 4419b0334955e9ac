"""From the call at 03:00 to the erased evidence, with nothing but what the screen says."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.service.banks import bank, found, leaked, record
from tocsin.cli import app
from tocsin.model.errors import EXIT_OK, EXIT_REFUSED, EXIT_USAGE
from tocsin.service.triage import triage

NAME = "INC-2026-0001"
Type = Callable[..., tuple[int, str, str]]


@pytest.fixture
def type_(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Type:
    """Type a command in the bank's workspace."""
    with bank(tmp_path) as (desk, _):
        record(desk, found(), found("f2", detector="equal_opportunity:sex"), leaked())
        triage(desk)

    def go(*argv: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = app.run([*argv, "-C", str(tmp_path / "bank"), "--as", "okafor"])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return go


def follow(type_: Type, name: str) -> int:
    """Type what `respond` offers until it offers nothing, filling in what the quotation marks ask for; the steps done."""
    for steps in range(40):
        offered = re.findall(r"^ +done: tocsin (respond .+)$", type_("respond", name)[1], re.MULTILINE)
        if not offered:
            return steps
        code, _, err = type_(*shlex.split(offered[0])[:3], "--outcome", "done as the playbook says")
        assert code == EXIT_OK, err
    raise AssertionError("the playbook does not end")


def test_a_call_becomes_an_incident_and_the_screen_leads_to_its_close(type_: Type) -> None:
    how = ("-s", "support-assistant", "--category", "adversarial_attack")
    code, out, _ = type_("incident", "declare", "A jailbreak is on a forum", *how)
    assert code == EXIT_OK
    name = out.split()[1].rstrip(":")
    type_("incident", "set", name, "--fact", "personal_data_breach=no", "--fact", "organization_is_controller=yes")
    type_("remediate", name, "--cause", "no filter", "--action", "filter on", "--effective", "2026-11-02T00:00Z")
    assert follow(type_, name) >= 5
    code, out, err = type_("incident", "close", name, "--because", "the wording is refused now")
    assert code == EXIT_OK, err
    assert out.strip() == f"{name} closed."
    timeline = type_("incident", "timeline", name)[1]
    assert "the end was verified: done as the playbook says" in " ".join(timeline.split())


def test_a_role_is_given_and_shown(type_: Type) -> None:
    assert type_("incident", "assign", NAME, "legal", "yilmaz")[1].strip() == f"{NAME}: legal is yilmaz."
    assert "legal: yilmaz" in type_("incident", "show", NAME)[1]
    code, _, err = type_("incident", "assign", NAME, "legal", "nobody")
    assert code == EXIT_USAGE
    assert "there are: larsen, meyer" in err


def test_a_severity_is_overruled_with_a_reason(type_: Type) -> None:
    assert type_("incident", "set", NAME, "--severity", "sev1")[0] == EXIT_USAGE
    code, out, _ = type_("incident", "set", NAME, "--severity", "sev1", "--because", "the press calls")
    assert code == EXIT_OK
    assert "sev1" in out
    assert "set by okafor: the press calls" in type_("incident", "show", NAME)[1]


def test_phases_go_forward_only(type_: Type) -> None:
    assert type_("incident", "set", NAME, "--phase", "contained", "--because", "release taken back")[0] == EXIT_OK
    code, _, err = type_("incident", "set", NAME, "--phase", "acknowledged")
    assert code == EXIT_REFUSED
    assert "cannot go back" in err


def test_findings_are_split_off_and_one_stays(type_: Type) -> None:
    code, out, _ = type_("incident", "split", NAME, "f2", "--title", "Missed opportunities")
    assert code == EXIT_OK
    assert out.startswith(f"1 finding moved from {NAME} to INC-2026-")
    code, _, err = type_("incident", "split", NAME, "f1", "--title", "t")
    assert code == EXIT_REFUSED
    assert "nothing would stay" in err


def test_what_was_known_at_a_time_is_shown_as_it_was(type_: Type) -> None:
    type_("incident", "note", NAME, "later")
    shown = json.loads(type_("incident", "show", NAME, "--as-of", "2026-11-02T12:00Z", "--json")[1])
    assert shown["incident"]["notes"] == []
    assert type_("incident", "show", NAME, "--as-of", "2020-01-01T00:00Z")[0] == EXIT_USAGE


def test_a_merged_incident_is_closed_reopened_and_its_evidence_erased(type_: Type) -> None:
    assert type_("incident", "erase", NAME, "--because", "r")[0] == EXIT_REFUSED
    assert type_("incident", "link", NAME, "duplicate_of", "INC-2026-0002")[0] == EXIT_OK
    assert type_("incident", "close", NAME, "--because", "merged")[0] == EXIT_OK
    assert type_("incident", "reopen", NAME, "--because", "too early")[1].strip() == f"{NAME} reopened."
    assert type_("incident", "close", NAME, "--because", "merged after all")[0] == EXIT_OK
    code, out, _ = type_("incident", "erase", NAME, "--because", "the retention period ended")
    assert code == EXIT_OK
    assert re.fullmatch(rf"\d+ pieces of {NAME} erased\.", out.strip())
    assert "Verified" in type_("verify", "--deep")[1]
    assert "evidence erased" in type_("incident", "timeline", NAME)[1]


def test_the_list_hides_what_is_closed_unless_asked(type_: Type) -> None:
    type_("incident", "link", NAME, "duplicate_of", "INC-2026-0002")
    type_("incident", "close", NAME, "--because", "merged")
    assert NAME not in type_("incident", "list")[1]
    assert NAME in type_("incident", "list", "--all")[1]
    assert "No incidents" in type_("incident", "list", "--system", "nothing")[1]
