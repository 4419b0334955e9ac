"""`tocsin law` and `tocsin incident set --fact`, as counsel uses them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tocsin.cli import app
from tocsin.model.errors import EXIT_BAD_INPUT, EXIT_OK, EXIT_REFUSED, EXIT_USAGE

Run = Callable[..., tuple[int, str, str]]
NAME = "INC-{year}-0001"


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in a workspace with one declared leak."""
    root = tmp_path / "bank"
    app.run(["init", str(root), "--template", "bank"])

    def go(*argv: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = app.run([*argv, "-C", str(root), "--as", "yilmaz", "--zone", "Europe/Lisbon"])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    go("incident", "declare", "An IBAN in an answer", "-s", "support-assistant", "--category", "data_leakage")
    return go


@pytest.fixture
def name(run: Run) -> str:
    return str(json.loads(run("incident", "list", "--json")[1])[0]["id"])


def answer(run: Run, name: str, **answers: str) -> None:
    facts = [part for fact, value in answers.items() for part in ("--fact", f"{fact}={value}")]
    assert run("incident", "set", name, *facts)[0] == EXIT_OK


def test_open_questions_come_with_help_source_and_the_command_that_answers(run: Run, name: str) -> None:
    answer(run, name, organization_kinds="unknown")
    code, out, _ = run("law", "ask", name)
    assert code == EXIT_OK
    assert out.startswith("1. Which of these is the organization?"), "most laws bind certain kinds of organization only"
    answer(run, name, organization_kinds="none")
    first = run("law", "ask", name)[1].split("\n2. ")[0]
    assert first.startswith("1. Was the security of personal data breached")
    assert "the earliest in 2 d 23 h" in first
    assert "Regulation (EU) 2016/679, Art. 4(12) [P]" in first
    assert f"answer: tocsin incident set {name} --fact personal_data_breach=yes|no" in first


def test_answers_lead_to_a_clock_with_the_authoritys_time_beside_the_viewers(run: Run, name: str) -> None:
    answer(run, name, organization_is_controller="yes", personal_data_breach="yes", breach_risk="risk")
    code, out, _ = run("law", "due", name)
    assert code == EXIT_OK
    assert "owed" in out
    assert "FR: Commission nationale" in out
    assert "WET (" in out, "the viewer's zone first, the authority's in brackets"
    assert "This is not legal advice" in out


def test_the_explanation_shows_reasons_counting_and_sources(run: Run, name: str) -> None:
    answer(run, name, organization_is_controller="yes", personal_data_breach="yes", breach_risk="risk")
    out = run("law", "due", name, "--explain")[1]
    assert "✓ organization is controller: yes (organization_is_controller = yes, said by yilmaz)" in out
    assert "The hour of the event does not count; the first hour begins then." in out
    assert "(1182/71 Art. 3(1))" in out
    assert "  Regulation (EU) 2016/679, Art. 33(1) <https://eur-lex.europa.eu/eli/reg/2016/679/oj> read" in out
    assert "eu.gdpr.art34.communicate: breach risk is high: no" in out, "what is not owed is explained as well"


def test_json_holds_everything_that_the_text_says(run: Run, name: str) -> None:
    answer(run, name, organization_is_controller="yes", personal_data_breach="yes", breach_risk="high")
    (told,) = json.loads(run("law", "due", name, "--json")[1])
    owed = {one["id"]: one for one in told["obligations"]}
    notice = owed["eu.gdpr.art33.notification@DE"]
    assert notice["truth"] == "yes"
    assert notice["operational_due"] < notice["legal_latest"]
    assert notice["citations"][0]["confidence"] == "P"
    assert notice["trace"]
    asked = json.loads(run("law", "ask", name, "--json")[1])
    assert {"fact", "decides", "earliest_due", "citation"} <= set(asked["questions"][0])
    assert asked["statement"] == told["statement"]


def test_a_duty_is_decided_with_a_reason_and_leaves_the_gaps(run: Run, name: str) -> None:
    answer(run, name, organization_is_controller="yes", personal_data_breach="yes", breach_risk="risk")
    duty = "eu.gdpr.art33.notification@DE"
    code, out, _ = run("law", "decide", name, duty, "--because", "test data only")
    assert (code, out.strip()) == (EXIT_OK, f"{name}: {duty} is decided as not owed.")
    (told,) = json.loads(run("law", "due", name, "--json")[1])
    assert {one["id"]: one["decision"] for one in told["obligations"]}[duty] == "test data only"


def test_one_duty_is_explained_in_plain_words(run: Run, name: str) -> None:
    answer(run, name, organization_is_controller="yes", personal_data_breach="yes")
    code, out, _ = run("law", "explain", name, "eu.gdpr.art33.notification@DE")
    assert code == EXIT_OK
    lines = out.splitlines()
    assert lines[0] == "eu.gdpr.art33.notification@DE"
    assert "  verdict   possible, at " in out
    assert "? the breach is not unlikely to result in a risk (Art. 33(1))" in out
    assert "? breach risk is unlikely: not known yet" in out
    assert "  4. The last of 72 hours expires then." in out
    assert "days off: DE holidays" in out
    assert "zone: Europe/Berlin; from: aware.controller" in out
    assert f"answer: tocsin incident set {name} --fact breach_risk=unlikely|risk|high" in out
    assert "  - likely consequences" in out
    assert "read      primary text" in out
    assert lines[-1].startswith("This is not legal advice.")


def test_an_explanation_in_json_holds_the_whole_tree(run: Run, name: str) -> None:
    told = json.loads(run("law", "explain", name, "eu.gdpr.art33.register@DE", "--json")[1])
    assert told["obligation"]["id"] == "eu.gdpr.art33.register@DE"
    assert told["obligation"]["reason"]["because"]
    assert told["questions"][0]["fact"] == "personal_data_breach"
    assert len(told["packs"]) == 64
    assert told["statement"].startswith("This is not legal advice.")


def test_a_missing_date_is_asked_for_where_dates_are_recorded(run: Run, name: str) -> None:
    answer(run, name, countries="US-TX", organization_kinds="none", personal_data_breach="yes")
    answer(run, name, data_kinds="government_id", data_unreadable="no")
    out = run("law", "ask", name)[1]
    assert f"answer: tocsin incident set {name} --date determined=TIME" in out


def test_countries_can_be_answered_as_they_are_asked_for(run: Run, name: str) -> None:
    answer(run, name, countries="DE,US")
    out = run("law", "ask", name)[1]
    first = out.split("\n2. ")[0]
    assert first.startswith("1. In which countries and states did it happen")
    assert f"answer: tocsin incident set {name} --fact countries=" in first
    answer(run, name, countries="DE,US-TX", organization_kinds="unknown")
    assert "1. Which of these is the organization?" in run("law", "ask", name)[1]
    assert "   - us_bank: a bank or other banking organization" in run("law", "ask", name)[1]


def test_duties_that_are_only_possible_are_counted_and_shown_when_asked_for(run: Run, name: str) -> None:
    answer(run, name, countries="DE,US-TX,US-CA,JP,KR")
    calm, whole = run("law", "due", name)[1], run("law", "due", name, "--all")[1]
    assert f"more duties are possible: tocsin law due {name} --all" in calm
    assert "more dut" not in whole
    assert calm.count("possible ") < whole.count("possible ")


def test_a_proposal_is_never_shown_as_owed(run: Run, name: str) -> None:
    answer(run, name, organization_is_controller="yes", personal_data_breach="yes", breach_risk="high", countries="DE")
    calm, whole = run("law", "due", name)[1], run("law", "due", name, "--all")[1]
    assert "proposal" not in calm.replace("of proposals and guidelines, which alarm nobody: --all shows them", "")
    assert "which alarm nobody: --all shows them" in calm
    assert "proposal, not law now" in " ".join(whole.split())


def test_a_question_whose_deadline_has_passed_says_so(run: Run, name: str) -> None:
    assert run("incident", "set", name, "--date", "aware.controller=2026-01-05T09:00Z")[0] == EXIT_OK
    first = run("law", "ask", name)[1].split("\n2. ")[0]
    assert re.search(r", the earliest \d+ d( \d+ h)? ago\.", first)


def test_what_is_touched_by_no_law_says_so(run: Run, name: str) -> None:
    answer(run, name, countries="AQ")
    out = run("law", "due", name)[1]
    assert "No law of the library asks for anything here." in out
    assert run("law", "ask", name)[1].startswith("No open questions.")


def test_the_statement_stands_once_however_many_incidents_there_are(run: Run, name: str) -> None:
    run("incident", "declare", "Another", "-s", "support-assistant", "--category", "data_leakage")
    out = run("law", "due")[1]
    assert out.count("This is not legal advice.") == 1
    assert out.rstrip().endswith("UNCONFIRMED by nobody yet.")


@pytest.mark.parametrize(
    ("regime", "lines"),
    [
        (
            "us.vt.breach",
            [
                "to: Vermont Attorney General, or the Department of Financial Regulation for those it regulates [S]",
                "who: the one who maintains the data for another",
                "when the residents are told, if that is sooner (counted by calendar, from submitted.residents)",
                "immediately after discovery; no period is laid down",
            ],
        ),
        (
            "us.sec.8k_105",
            ["determined to be material (counted by calendar, the day ends at 17:30)", "EDGAR (public) [Q]"],
        ),
        (
            "us.ny.raise",
            [
                "whichever is earlier (counted by calendar, past a day off as latest arguable only)",
                "to: law enforcement or a public safety agency [P]",
            ],
        ),
        ("eu.gdpr.art33", ["(counted by eu1182)"]),
    ],
)
def test_a_regime_shows_whom_each_stage_tells_and_how_it_is_counted(run: Run, regime: str, lines: list[str]) -> None:
    code, out, _ = run("law", "show", regime)
    assert code == EXIT_OK
    assert [line for line in lines if f"{line}\n" not in out] == []


def test_deadlines_go_to_a_calendar(run: Run, name: str, tmp_path: Path) -> None:
    answer(run, name, organization_is_controller="yes", personal_data_breach="yes", breach_risk="risk")
    code, out, _ = run("law", "ics", name)
    assert code == EXIT_OK
    assert out.startswith("BEGIN:VCALENDAR\r\n")
    assert out.count("BEGIN:VEVENT") == 6
    assert "TRIGGER:-P1D" in out
    code, out, _ = run("law", "ics", "--out", str(tmp_path / "duties.ics"))
    assert out.startswith(f"6 entries in {tmp_path / 'duties.ics'}")
    assert (tmp_path / "duties.ics").read_bytes().startswith(b"BEGIN:VCALENDAR\r\n")
    told = json.loads(run("law", "ics", name, "--json")[1])
    assert len(told["entries"]) == 6
    assert told["statement"].startswith("This is not legal advice.")


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["law", "explain", "@", "eu.gdpr.art33.notification@XX"], "no duty 'eu.gdpr.art33.notification@XX'; did you"),
        (["law", "explain", "@", "eu.gdpr.art33.notification"], "name one: eu.gdpr.art33.notification@DE, "),
        (["incident", "set", "@", "--fact", "countries=UK"], "did you mean 'GB'?"),
        (["incident", "set", "@", "--fact", "data_kinds=helth"], "did you mean 'health'?"),
        (["incident", "set", "@", "--fact", "date.determined=2026-01-01"], "record it with --date determined="),
        (["law", "due", "INC-1999-0001"], "no incident 'INC-1999-0001'"),
        (["law", "due", "--as-of", "2026-11-24T09:00"], "zone"),
        (["law", "due", "--as-of", "yesterday"], "yesterday"),
        (["law", "decide", "@", "eu.gdpr.art33.notification@XX", "--because", "r"], "no obligation"),
        (["law", "decide", "@", "eu.gdpr.art33.notification@DE", "--because", " "], "reason"),
        (["incident", "set", "@", "--fact", "breach_risk=hgh"], "must be one of unlikely, risk, high"),
        (["incident", "set", "@", "--fact", "breach_risc=high"], "breach_risk"),
        (["incident", "set", "@", "--fact", "breach_risk"], "name=value"),
        (["incident", "set", "@", "--date", "aware.nobody=2026-01-01T00:00Z"], "per role"),
        (["incident", "set", "@", "--date", "occurred=2026-01-01T00:00"], "zone"),
    ],
)
def test_mistakes_are_told_with_what_to_do(run: Run, name: str, argv: list[str], says: str) -> None:
    code, out, err = run(*(name if part == "@" else part for part in argv))
    assert code == EXIT_USAGE
    assert out == ""
    assert err.startswith("error: ")
    assert says in err


@pytest.mark.parametrize(
    ("day", "status"),
    [
        ("2026-08-01", "not in force"),
        ("2026-08-02", "dormant"),
        ("2027-12-01", "dormant"),
        ("2027-12-02", "dormant, binding"),
    ],
)
def test_the_list_says_what_each_regime_is_on_a_day(day: str, status: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(["law", "list", "--on", day, "--json"]) == EXIT_OK
    listed = {one["id"]: one for one in json.loads(capsys.readouterr().out)["regimes"]}
    assert ", ".join(listed["eu.aiact.art73"]["status"]) == status
    assert listed["eu.gdpr.art33"]["status"] == ["binding"]
    assert listed["eu.gdpr.art33"]["confidence"] == "P"


def test_the_list_can_be_narrowed_and_mistakes_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    app.run(["law", "list", "--jurisdiction", "JP", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert {one["jurisdiction"] for one in told["regimes"]} == {"JP"}
    assert told["statement"].startswith("This is not legal advice.")
    assert app.run(["law", "list", "--jurisdiction", "XX"]) == EXIT_USAGE
    assert "no jurisdiction 'XX'" in capsys.readouterr().err
    assert app.run(["law", "list", "--on", "someday"]) == EXIT_USAGE
    assert "2027-12-02" in capsys.readouterr().err


def test_a_regime_is_shown_with_every_part_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(["law", "show", "eu.aiact.art73"]) == EXIT_OK
    out = capsys.readouterr().out
    for part in (
        "the provider of a high-risk AI system",
        "serious incident (AI Act Art. 3(49)): any of",
        "dormant from 2026-08-02 until 2027-12-02",
        "Stage report: Report to the market surveillance authority",
        "clock: aware.provider",
        "at the latest 10 days after awareness (death of a person) (counted by eu1182)",
        "form: eu.aiact.art73/draft-template-1.0.0",
        "Art. 73(9): a provider under an equivalent Union regime",
        "* provider: the provider's own awareness",
        "DE: Bundesnetzagentur",
        "art73_2: Regulation (EU) 2024/1689, Art. 73(2) <https://eur-lex.europa.eu/eli/reg/2024/1689/oj> read 2026-11-23 [P]",
    ):
        assert part in out


def test_an_unknown_regime_is_told_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(["law", "show", "eu.gdpr.art_33"]) == EXIT_USAGE
    assert "eu.gdpr.art33" in capsys.readouterr().err


def test_a_period_says_in_which_countries_alone_it_holds(capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(["law", "show", "eu.nis2.art23"]) == EXIT_OK
    shown = capsys.readouterr().out
    assert "dormant from 2024-10-18 in IE, ES, FR, NL" in shown
    assert "dormant from 2024-10-18 until 2025-12-06 in DE" in shown
    assert "binding from 2024-10-18\n" in shown


def test_every_regime_can_be_shown_in_both_ways(capsys: pytest.CaptureFixture[str]) -> None:
    app.run(["law", "list", "--json"])
    for one in json.loads(capsys.readouterr().out)["regimes"]:
        assert app.run(["law", "show", one["id"]]) == EXIT_OK
        assert one["title"] in capsys.readouterr().out
        assert app.run(["law", "show", one["id"], "--json"]) == EXIT_OK
        assert json.loads(capsys.readouterr().out)["regime"]["id"] == one["id"]


def test_a_future_date_is_refused(run: Run, name: str) -> None:
    code, _, err = run("incident", "set", name, "--date", "occurred=2999-01-01T00:00Z")
    assert code == EXIT_REFUSED
    assert "future" in err


def test_what_is_encoded_is_compared_with_what_was_counted_by_hand(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from tocsin.service import lawbook

    assert app.run(["law", "check"]) == EXIT_OK
    assert "no differences" in capsys.readouterr().out
    monkeypatch.setattr(lawbook, "differences", lambda *_: ["notify: late"])
    assert app.run(["law", "check"]) == EXIT_REFUSED
    assert "WRONG: eu.aiact.art26_5" in capsys.readouterr().out


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """The shipped library as it would be with 96 hours for the notice to the authority."""
    import shutil

    from tocsin.content.loaders.shipped import SHIPPED

    root = tmp_path / "older"
    shutil.copytree(str(SHIPPED), root)
    pack = root / "eu.gdpr.art33" / "pack.yaml"
    pack.write_text(pack.read_text(encoding="utf-8").replace("amount: 72", "amount: 96"), encoding="utf-8")
    return root


def test_an_update_of_the_packs_is_told_incident_by_incident(run: Run, name: str, older: Path) -> None:
    answer(run, name, organization_is_controller="yes", personal_data_breach="yes", breach_risk="risk", countries="DE")
    code, out, _ = run("law", "diff", str(older))
    assert code == EXIT_OK
    assert "  changed: eu.gdpr.art33\n" in out
    assert f"{name}  An IBAN in an answer" in out
    assert "  eu.gdpr.art33.notification@DE changes, 1 d earlier, due 20" in out
    assert "1 open incident changes, 0 stay as they are." in out
    told = json.loads(run("law", "diff", str(older), "--json")[1])
    assert told["incidents"][0]["changes"][0]["what"] == "changes"
    assert told["statement"].startswith("This is not legal advice.")


def test_another_library_is_checked_and_its_mistakes_have_their_line(
    older: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert app.run(["law", "check", str(older)]) == EXIT_REFUSED
    assert (
        "WRONG: eu.gdpr.art33, 'seventy-two hours over a weekend': notification@ES: due is" in capsys.readouterr().out
    )
    pack = older / "eu.gdpr.art33" / "pack.yaml"
    pack.write_text(pack.read_text(encoding="utf-8").replace("personal_data_breach", "personal_data_breech"), "utf-8")
    assert app.run(["law", "check", str(older)]) == EXIT_BAD_INPUT
    err = capsys.readouterr().err
    assert "law/eu.gdpr.art33/pack.yaml:7:3 (applies): no fact 'personal_data_breech'; did you mean" in err
    assert app.run(["law", "check", str(older / "facts")]) == EXIT_USAGE
    assert "holds no library of law" in capsys.readouterr().err
