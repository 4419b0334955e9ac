"""The whole walk, once: the demo is played, and then every command is used on what it left, as its users would."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pypdf
import pytest

from tocsin.cli import app
from tocsin.model.errors import EXIT_BAD_INPUT, EXIT_OK, EXIT_REFUSED, EXIT_USAGE

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("demo")]

CREDIT, LEAK = "INC-2026-0001", "INC-2026-0002"


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The demo's workspace and what it told."""
    root = tmp_path_factory.mktemp("demo") / "bank"
    done = subprocess.run(
        [sys.executable, "-m", "tocsin", "demo", str(root), "--json"],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == EXIT_OK, done.stderr
    return root, json.loads(done.stdout)


Run = Callable[..., tuple[int, Any, str]]


@pytest.fixture
def run(played: tuple[Path, dict[str, Any]], capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command on the demo's workspace with --json: exit code, parsed output, standard error."""

    def go(*argv: str, root: Path | None = None, as_: str = "okafor") -> tuple[int, Any, str]:
        place = ["-C", str(root or played[0])]
        code = app.run([*argv, *place, "--json", "--as", as_])
        out, err = capsys.readouterr()
        return code, json.loads(out) if out.strip() else None, err

    return go


@pytest.fixture
def copy(played: tuple[Path, dict[str, Any]], tmp_path: Path) -> Path:
    """A copy of the workspace that a test may change."""
    return Path(shutil.copytree(played[0], tmp_path / "copy", ignore=shutil.ignore_patterns("traffic")))


def test_two_incidents_are_opened_and_nothing_else(played: tuple[Path, dict[str, Any]]) -> None:
    _, told = played
    assert [incident["id"] for incident in told["incidents"]] == [CREDIT, LEAK]
    assert told["others"] == 0
    assert (told["verified"], all(incident["closed"] for incident in told["incidents"])) == (True, True)


def test_both_faults_are_found_within_hours(played: tuple[Path, dict[str, Any]]) -> None:
    credit, leak = (incident["minutes_to_detect"] for incident in played[1]["incidents"])
    assert 0 < credit <= 360
    assert 0 < leak <= 120


def test_every_fix_is_proven_with_its_error_bound(played: tuple[Path, dict[str, Any]]) -> None:
    for incident in played[1]["incidents"]:
        assert incident["proof"]
        assert all(line.startswith("Cleared:") and "error level" in line for line in incident["proof"])


def test_the_clock_of_the_ai_act_is_a_rehearsal_and_that_of_the_gdpr_is_not(
    played: tuple[Path, dict[str, Any]],
) -> None:
    credit, leak = played[1]["incidents"]
    assert {clock["status"] for clock in credit["clocks"] if clock["regime"] == "eu.aiact.art73"} == {"dormant"}
    breach = [clock for clock in leak["clocks"] if clock["regime"] == "eu.gdpr.art33" and clock["operational_due"]]
    assert {clock["status"] for clock in breach} == {"binding"}
    assert len(breach) == 3
    assert all(clock["discharged_at"] for clock in breach)


def test_the_report_is_a_tagged_pdf_with_every_gap_named(played: tuple[Path, dict[str, Any]]) -> None:
    root, told = played
    pdf = next(Path(path) for path in told["incidents"][0]["report"] if path.endswith(".pdf"))
    reader = pypdf.PdfReader(pdf)
    text = "\n".join(page.extract_text() for page in reader.pages)
    assert "Incident Report for Serious Incidents" in text
    assert "Nordhafen Bank AG" in text
    assert text.count("Gap: ") == told["incidents"][0]["gaps"]
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]  # type: ignore[index]
    assert root.name in str(pdf)


def test_list_shows_nothing_open_and_everything_with_all(run: Run) -> None:
    assert run("incident", "list")[1] == []
    assert {row["id"] for row in run("incident", "list", "--all")[1]} == {CREDIT, LEAK}


def test_show_tells_dates_findings_classification_and_clocks(run: Run) -> None:
    code, shown, _ = run("incident", "show", LEAK)
    assert code == EXIT_OK
    incident = shown["incident"]
    assert incident["category"] == "data_leakage"
    assert {"occurred", "detected", "aware.deployer", "aware.controller", "contained"} <= set(incident["dates"])
    assert incident["classification"]["severity"] == "sev1"
    assert {"owasp.llm.LLM01", "owasp.llm.LLM02"} <= set(incident["classification"]["tags"])
    assert {finding["detector"] for finding in incident["findings"].values()} == {"personal_data", "prompt_injection"}


def test_show_as_of_an_earlier_time_knows_only_what_was_known(run: Run) -> None:
    _, shown, _ = run("incident", "show", LEAK, "--as-of", "2026-10-21T14:02+00:00")
    assert shown["incident"]["phase"] == "open"
    assert "aware.controller" not in shown["incident"]["dates"]
    assert shown["incident"]["cause"] == ""


def test_the_timeline_is_in_order_and_names_who_did_what(run: Run) -> None:
    _, lines, _ = run("incident", "timeline", CREDIT)
    assert [line["at"] for line in lines] == sorted(line["at"] for line in lines)
    assert {"okafor", "larsen", "meyer", "yilmaz", "tocsin"} <= {line["who"] for line in lines}
    assert lines[0]["kind"] == "incident_opened"
    assert lines[-1]["kind"] == "incident_closed"


def test_findings_explain_themselves(run: Run) -> None:
    _, listed, _ = run("findings", "--level", "alarm", "--system", "credit-model")
    _, finding, _ = run("findings", listed[0]["id"])
    assert finding["strength"]["value"] >= finding["strength"]["threshold"]
    assert finding["since"]["earliest"] <= "2026-10-15T08:00:00Z" <= finding["since"]["latest"]
    assert finding["effect"]["low"] > 0
    assert finding["rows"]
    assert finding["blind_spots"]
    assert finding["next_steps"]


def test_no_value_of_a_person_stands_in_the_ledger(played: tuple[Path, dict[str, Any]]) -> None:
    root, _ = played
    leaked = next(
        json.loads(line)["text"]
        for log in sorted((root / "traffic").glob("assistant-2026-10-21*"))
        for line in log.read_text(encoding="utf-8").splitlines()
        if "For reference" in line
    )
    card = leaked.split("card ")[1].split(",")[0]
    mail = leaked.rsplit(", ", 1)[1].rstrip(".")
    ledger = b"".join(path.read_bytes() for path in (root / ".tocsin").glob("ledger.db*"))
    assert b"finding_recorded" in ledger
    for value in (card, card.replace(" ", ""), mail, mail.split("@")[0]):
        assert value.encode() not in ledger


def test_due_explains_the_counting_line_by_line(run: Run) -> None:
    _, duties, _ = run("law", "due", LEAK, "--explain")
    owed = next(o for o in duties[0]["obligations"] if o["id"] == "eu.gdpr.art33.notification@DE")
    assert owed["operational_due"] == "2026-10-24T14:05:00Z"
    assert owed["legal_latest"] == "2026-10-24T15:00:00Z"
    assert any("hour of the event does not count" in step["text"] for step in owed["trace"])
    assert {c["confidence"] for c in owed["citations"]} <= {"P", "Q", "S", "UNCONFIRMED"}
    assert "not legal advice" in duties[0]["statement"]


def test_questions_come_with_help_and_citation(run: Run) -> None:
    _, told, _ = run("law", "ask", CREDIT)
    assert "not legal advice" in told["statement"]
    assert "organization_kinds" not in {question["fact"] for question in told["questions"]}, "the inventory says it"
    assert all(question["help"] and question["citation"] for question in told["questions"])
    decided = [len(question["decides"]) for question in told["questions"]]
    assert decided == sorted(decided, reverse=True)
    assert decided


def test_measure_tells_times_and_punctuality(run: Run) -> None:
    _, figures, _ = run("measure")
    assert (figures["incidents"], figures["open"]) == (2, 0)
    assert figures["punctuality"] == {"in_time": 3, "late": 0, "overdue": 0}
    assert set(figures["spreads"]) == {"detect", "acknowledge", "contain", "remediate", "close"}


def test_a_second_detect_finds_nothing_new(run: Run, copy: Path) -> None:
    code, result, _ = run("detect", root=copy)
    assert code == EXIT_OK
    assert result["triage"] == {"opened": [], "joined": [], "noted": 0}
    assert all(watched["windows"] == 0 for system in result["systems"] for watched in system["detectors"])


def test_the_same_file_twice_changes_nothing(run: Run, copy: Path, played: tuple[Path, dict[str, Any]]) -> None:
    log = next((played[0] / "traffic").glob("credit-*"))
    before = run("verify", root=copy)[1]["events"]
    _, result, _ = run("ingest", str(log), "--system", "credit-model", root=copy)
    assert result["files"][0]["already_known"]
    assert run("verify", root=copy)[1]["events"] == before


def test_verify_is_deep_and_finds_a_changed_segment(run: Run, copy: Path) -> None:
    code, result, _ = run("verify", "--deep", root=copy)
    assert (code, result["faults"]) == (EXIT_OK, [])
    assert result["segments"] > 100
    assert result["evidence"] > 5
    segment = next((copy / ".tocsin" / "segments" / "credit-model").glob("*.parquet"))
    segment.write_bytes(segment.read_bytes()[:-1] + b"x")
    code, result, _ = run("verify", "--deep", root=copy)
    assert code == EXIT_REFUSED
    assert segment.stem[:12] in result["faults"][0]


def test_a_ledger_edited_by_hand_is_found_and_the_event_named(run: Run, copy: Path) -> None:
    import sqlite3

    with sqlite3.connect(copy / ".tocsin" / "ledger.db") as ledger:
        (sequence, data) = ledger.execute(
            "SELECT sequence, data FROM events WHERE kind = 'cause_recorded' LIMIT 1"
        ).fetchone()
        ledger.execute(
            "UPDATE events SET data = ? WHERE sequence = ?", (data.replace(b"part-time", b"full-time"), sequence)
        )
    ledger.close()
    code, result, _ = run("verify", root=copy)
    assert code == EXIT_REFUSED
    assert any(f"event {sequence} (cause_recorded" in fault and "changed" in fault for fault in result["faults"])
    code, _, err = run("checkpoint", root=copy)
    assert code == EXIT_REFUSED
    assert "not signed" in err


def test_a_cut_ledger_is_found_by_the_kept_checkpoint(run: Run, copy: Path) -> None:
    import sqlite3

    with sqlite3.connect(copy / ".tocsin" / "ledger.db") as ledger:
        ledger.execute("DELETE FROM events WHERE sequence > 3000")
    ledger.close()
    code, result, _ = run("verify", root=copy)
    assert code == EXIT_REFUSED
    assert "truncated" in result["faults"][0]


def test_an_auditor_verifies_the_bundle_with_python_alone(run: Run, copy: Path, tmp_path: Path) -> None:
    out = tmp_path / "bundle"
    code, made, _ = run("export", str(out), root=copy)
    assert code == EXIT_OK
    done = subprocess.run([sys.executable, "-I", str(out / "verify.py")], capture_output=True, text=True, check=False)
    assert done.returncode == EXIT_OK, done.stdout
    assert f"verified ({made['events']} events)" in done.stdout
    assert run("verify", str(out))[1]["events"] == made["events"]
    events = out / "events.jsonl"
    events.write_bytes(events.read_bytes().replace(b"okafor", b"somebd", 1))
    done = subprocess.run([sys.executable, "-I", str(out / "verify.py")], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "not those that were signed" in done.stdout
    assert run("verify", str(out))[0] == EXIT_REFUSED


def test_erased_evidence_leaves_a_ledger_that_verifies(run: Run, copy: Path) -> None:
    code, erased, _ = run("incident", "erase", LEAK, "--because", "the retention period ended", root=copy)
    assert code == EXIT_OK
    assert erased["pieces"] > 0
    assert run("verify", "--deep", root=copy)[1]["faults"] == []


def test_inclusion_of_one_event_is_proven(run: Run, played: tuple[Path, dict[str, Any]]) -> None:
    from tocsin.ledger.tree import included

    _, proof, _ = run("verify", "--proof", "1000")
    nodes = [bytes.fromhex(node) for node in proof["proof"]]
    assert included(bytes.fromhex(proof["leaf"]), 999, proof["size"], nodes, bytes.fromhex(proof["root"]))
    assert run("verify", "--proof", "99999999")[0] == EXIT_USAGE


def test_a_declared_incident_walks_to_refusal_and_names_all_that_is_missing(run: Run, copy: Path) -> None:
    code, made, _ = run(
        "incident", "declare", "Wrong answers on fees", "--system", "support-assistant", "--category", "model_failure",
        "--occurred", "2026-10-29T08:00+01:00", "--fact", "harm_occurred=no", root=copy,
    )  # fmt: skip
    assert code == EXIT_OK
    assert made["classification"]["gravity"] == "near_miss"
    code, _, err = run("incident", "close", made["id"], "--because", "done", root=copy)
    assert code == EXIT_REFUSED
    missing = " ".join(json.loads(err)["missing"])
    for word in ("acknowledged", "contained", "cause", "corrective action", "playbook"):
        assert word in missing


def test_steps_are_refused_out_of_order_and_to_those_without_a_part(run: Run, copy: Path) -> None:
    made = run("incident", "declare", "x", "--system", "support-assistant", "--category", "misuse", root=copy)[1]
    code, _, err = run("respond", made["id"], "contain", "--outcome", "blocked", root=copy)
    assert code == EXIT_REFUSED
    assert "Acknowledge" in err
    code, _, err = run("respond", made["id"], "acknowledge", "--outcome", "me", root=copy, as_="mallory")
    assert code == EXIT_REFUSED
    assert "mallory has no part" in err
    code, state, _ = run("respond", made["id"], "acknowledge", "--outcome", "on it", root=copy)
    assert code == EXIT_OK
    assert [due["slug"] for due in state["next"]] == ["preserve"]


def test_a_report_grows_from_version_to_version_and_filing_with_gaps_needs_a_reason(run: Run, copy: Path) -> None:
    run("incident", "set", CREDIT, "--fact", "people_affected=500", root=copy)
    _, second, _ = run("report", "prepare", CREDIT, "--country", "FR", "--stage", "final", root=copy)
    assert second["version"] == 2
    _, compared, _ = run("report", "diff", CREDIT, "1", "2", root=copy)
    assert [compared[side]["version"] for side in ("old", "new")] == [1, 2]
    changed = {change["field"]: change["after"] for change in compared["changed"]}
    assert changed["3.2 Estimated number of users affected"] == "500"
    assert changed["1.1 Responsible market surveillance authority: country"] == "FR"
    now = datetime.now(UTC).isoformat()  # the version was made just now, and nothing is filed before it is made
    how = ["report", "filed", CREDIT, "--version", "2", "--at", now, "--recipient", "DGCCRF"]
    code, _, err = run(*how, root=copy)
    assert code == EXIT_REFUSED
    assert "has gaps" in err
    assert run(*how, "--because", "initial information", root=copy)[0] == EXIT_OK


def test_merge_split_and_reopen(run: Run, copy: Path) -> None:
    one = run("incident", "declare", "a", "--system", "credit-model", "--category", "bias", root=copy)[1]["id"]
    assert run("incident", "link", one, "duplicate_of", CREDIT, root=copy)[0] == EXIT_OK
    code, _, err = run("incident", "link", CREDIT, "duplicate_of", one, root=copy)
    assert code == EXIT_REFUSED
    assert "circle" in err
    assert run("incident", "close", one, "--because", "merged", root=copy)[1]["phase"] == "closed"
    finding = next(iter(run("incident", "show", LEAK, root=copy)[1]["incident"]["findings"]))
    both = run("incident", "split", LEAK, finding, "--title", "the attack alone", root=copy)[1]
    assert finding not in both[0]["findings"]
    assert finding in both[1]["findings"]
    assert run("incident", "reopen", CREDIT, "--because", "complaint", root=copy)[1]["phase"] == "remediating"


def test_decisions_not_to_report_carry_author_and_reason(run: Run, copy: Path) -> None:
    made = run(
        "incident",
        "declare",
        "mail to the wrong person",
        "--system",
        "support-assistant",
        "--category",
        "data_leakage",
        root=copy,
    )[1]
    for fact in ("personal_data_breach=yes", "organization_is_controller=yes", "breach_risk=risk"):
        run("incident", "set", made["id"], "--fact", fact, root=copy)
    duty = "eu.gdpr.art33.notification@DE"
    assert (
        run("law", "decide", made["id"], duty, "--because", "the recipient deleted it unread", root=copy, as_="roux")[0]
        == EXIT_OK
    )
    duties = run("law", "due", made["id"], root=copy)[1][0]
    assert next(o for o in duties["obligations"] if o["id"] == duty)["decision"] == "the recipient deleted it unread"
    lines = run("incident", "timeline", made["id"], root=copy)[1]
    assert ("roux", "obligation_decided") in {(line["who"], line["kind"]) for line in lines}


@pytest.mark.parametrize(
    ("argv", "exit_code", "words"),
    [
        (["incident", "show", "INC-2026-0009"], EXIT_USAGE, "INC-2026-000"),
        (["ingest", "none.csv", "--system", "credit-model"], EXIT_USAGE, "none.csv"),
        (["ingest", "x.csv", "--system", "credit"], EXIT_USAGE, "credit-model"),
        (["incident", "set", CREDIT, "--fact", "deth=yes"], EXIT_USAGE, "death"),
        (["incident", "set", CREDIT, "--fact", "death=maybe"], EXIT_USAGE, "yes, no or unknown"),
        (["incident", "set", CREDIT, "--date", "detected=2026-10-15T09:00"], EXIT_USAGE, "has no zone"),
        (["incident", "set", CREDIT, "--date", "detected=2026-10-14T09:00Z"], EXIT_REFUSED, "contradicts"),
        (["incident", "set", CREDIT, "--date", "lunch=2026-10-14T09:00Z"], EXIT_USAGE, "no date"),
        (["incident", "set", CREDIT, "--severity", "sev4"], EXIT_USAGE, "reason"),
        (["incident", "assign", CREDIT, "king", "okafor"], EXIT_USAGE, "incident_manager"),
        (["report", "prepare", CREDIT, "--form", "none"], EXIT_USAGE, "draft-template"),
        (["law", "decide", CREDIT, "eu.none", "--because", "x"], EXIT_USAGE, "no obligation"),
        (["respond", LEAK, "fly", "--outcome", "x"], EXIT_USAGE, "acknowledge"),
        (["findings", "zzzz"], EXIT_USAGE, "no findings"),
        (["remediate", CREDIT], EXIT_USAGE, "nothing to do"),
        (["detect", "none"], EXIT_USAGE, "support-assistant"),
    ],
)
def test_mistakes_are_told_in_words_with_a_remedy(
    run: Run, copy: Path, argv: list[str], exit_code: int, words: str
) -> None:
    code, out, err = run(*argv, root=copy)
    assert (code, out) == (exit_code, None)
    told = json.loads(err)
    assert words in json.dumps(told, ensure_ascii=False)
    assert "Traceback" not in err


def test_a_policy_with_mistakes_stops_everything_but_loses_nothing(run: Run, copy: Path) -> None:
    policy = copy / "policy.yaml"
    policy.write_text(policy.read_text(encoding="utf-8").replace("owner: meyer", "ownr: meyer"), encoding="utf-8")
    code, _, err = run("incident", "list", root=copy)
    assert code == EXIT_BAD_INPUT
    assert "did you mean" in err or "owner" in err
    assert run("verify", root=copy)[0] == EXIT_OK


def test_a_workspace_of_a_newer_tocsin_is_left_alone(run: Run, copy: Path) -> None:
    (copy / ".tocsin" / "format").write_text("99\n", encoding="utf-8")
    code, _, err = run("incident", "list", root=copy)
    assert code == 4
    assert "newer Tocsin" in err


def test_people_see_tables_too(played: tuple[Path, dict[str, Any]], capsys: pytest.CaptureFixture[str]) -> None:
    root = str(played[0])
    for argv, words in (
        (["incident", "list", "--all"], "The rate of positive decisions"),
        (["incident", "show", LEAK], "Clocks of the law"),
        (["law", "due", LEAK, "--explain"], "1182/71 Art. 3(1)"),
        (["law", "ask", CREDIT], "answer: tocsin incident set"),
        (["findings"], "findings. Explain one"),
        (["incident", "timeline", LEAK], "opened:"),
        (["respond", CREDIT], "Next"),
        (["measure"], "median"),
        (["policy"], "#"),
        (["check"], "No mistakes"),
        (["verify"], "Verified"),
    ):
        app.run([*argv, "-C", root, "--zone", "Europe/Berlin"])
        out, err = capsys.readouterr()
        assert words in out, (argv, out[:500], err)
        assert "\x1b" not in out
