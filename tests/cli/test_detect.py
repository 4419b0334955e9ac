"""`detect` and `findings` at the command line: what is printed, as text and as JSON, and the exit codes."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tocsin.cli import app
from tocsin.model.errors import EXIT_BAD_INPUT, EXIT_OK, EXIT_REFUSED, EXIT_USAGE

SYSTEM = """\
id: loans
name: Loans
purpose: Decides on loans.
owner: kern
organization_role: deployer
provider: Nordhafen
eu_ai_act_route: annex_iii.5
operates_in: [DE]
telemetry:
  table: predictions
  columns:
    time: at
    id: id
    decision: approved
    group.sex: sex
detectors:
  - kind: group_parity
    window: {rows: 100}
    with: {group: sex}
"""
BEGIN = datetime(2026, 11, 1, tzinfo=UTC)


class Told(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """What was printed, read as JSON."""
        return json.loads(self.out)


class Bank:
    """A workspace with one system, spoken to by commands."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root, self.capsys = root, capsys
        self("init", str(root), "--template", "empty", at_root=False)
        owner = next(
            line.split()[1] for line in (root / "policy.yaml").read_text().splitlines() if line.startswith("owner:")
        )
        (root / "systems" / "loans.yaml").write_text(SYSTEM.replace("kern", owner))

    def __call__(self, *words: str, at_root: bool = True) -> Told:
        code = app.run([*words, "-C", str(self.root)] if at_root else list(words))
        return Told(code, *self.capsys.readouterr())

    def log(self, count: int, women: float, men: float, first: int = 0) -> Told:
        """Ingest so many decisions, a minute apart, women and men in turn."""
        chance, lines = random.Random(first), []
        for n in range(first, first + count):
            approved = chance.random() < (women if n % 2 else men)
            row = {"at": (BEGIN + timedelta(minutes=n)).isoformat(), "id": f"A{n}", "sex": "fm"[n % 2 == 0]}
            lines.append(json.dumps(row | {"approved": approved}) + "\n")
        path = self.root / f"log-{first}.jsonl"
        path.write_text("".join(lines))
        return self("ingest", "--system", "loans", str(path))

    def system(self, change: Callable[[str], str]) -> None:
        """Edit the system file."""
        path = self.root / "systems" / "loans.yaml"
        path.write_text(change(path.read_text()))


@pytest.fixture
def bank(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Bank:
    return Bank(tmp_path / "w", capsys)


@pytest.fixture
def unfair(bank: Bank) -> Bank:
    """With a gap that was found."""
    bank.log(1_000, women=0.2, men=0.7)
    assert bank("detect").code == EXIT_REFUSED
    return bank


# --- detect ---------------------------------------------------------------------------------------------------------


def test_with_nothing_to_do_it_says_so_and_exits_with_zero(bank: Bank) -> None:
    told = bank("detect")
    assert told.code == EXIT_OK
    assert "loans" in told.out
    assert "No incident was opened or changed." in told.out


def test_a_fair_stream_exits_with_zero_and_shows_the_evidence_beside_the_alarm(bank: Bank) -> None:
    bank.log(450, women=0.5, men=0.5)
    told = bank("detect")
    assert told.code == EXIT_OK
    assert "/ 10^1.6" in told.out
    assert "loans / group_parity:sex: f " in told.out
    assert bank("detect", "--json").json()["systems"][0]["detectors"][0]["windows"] == 0


def test_a_gap_exits_with_one_and_opens_one_incident(bank: Bank) -> None:
    bank.log(1_000, women=0.2, men=0.7)
    told = bank("detect")
    assert told.code == EXIT_REFUSED
    assert "ALARM  The rate of positive decisions differs by sex" in told.out
    assert told.out.count("Opened INC-") == 1
    assert bank("detect").code == EXIT_OK


def test_the_same_as_json(bank: Bank) -> None:
    bank.log(1_000, women=0.2, men=0.7)
    told = bank("detect", "--json")
    body = told.json()
    (watched,) = body["systems"][0]["detectors"]
    assert told.code == EXIT_REFUSED
    assert (body["systems"][0]["system"], watched["detector"], watched["kind"]) == (
        "loans",
        "group_parity:sex",
        "group_parity",
    )
    assert (watched["windows"], watched["windows_total"], watched["began_anew"]) == (10, 10, False)
    assert watched["findings"][0]["key"] == "sex:m>f"
    assert len(body["triage"]["opened"]) == 1


def test_without_triage_nothing_is_opened_until_the_next_run(bank: Bank) -> None:
    bank.log(1_000, women=0.2, men=0.7)
    told = bank("detect", "--no-triage", "--json")
    assert (told.code, told.json()["triage"]) == (EXIT_REFUSED, None)
    later = bank("detect", "--json")
    assert (later.code, len(later.json()["triage"]["opened"])) == (EXIT_REFUSED, 1)


def test_the_last_rows_close_by_word(bank: Bank) -> None:
    bank.log(250, women=0.5, men=0.5)
    assert bank("detect", "--json").json()["systems"][0]["detectors"][0]["windows"] == 2
    told = bank("detect", "--close-until", "2026-11-02T00:00Z", "--json")
    assert told.json()["systems"][0]["detectors"][0]["windows"] == 1


@pytest.mark.parametrize(
    ("until", "remedy"), [("yesterday", "2026-11-24T09:30+01:00"), ("2026-11-02T00:00", "2026-11-02T00:00+01:00")]
)
def test_a_time_that_is_none_or_has_no_zone_is_a_usage_error(bank: Bank, until: str, remedy: str) -> None:
    told = bank("detect", "--close-until", until)
    assert told.code == EXIT_USAGE
    assert remedy in told.err


def test_a_wrong_system_is_told_with_the_right_ones(bank: Bank) -> None:
    told = bank("detect", "lones")
    assert told.code == EXIT_USAGE
    assert "no system 'lones'" in told.err
    assert "the systems are: loans" in told.err


def test_a_detector_whose_settings_changed_is_said_to_begin_anew(unfair: Bank) -> None:
    unfair.system(lambda text: text.replace("{group: sex}", "{group: sex, alpha: 0.04}"))
    told = unfair("detect")
    assert "began anew" in told.out


@pytest.mark.parametrize(
    ("before", "after", "what"),
    [
        ("{group: sex}", "{group: gender}", "the group 'gender' is not mapped"),
        ("    decision: approved\n", "", "group_parity needs the column 'decision'"),
        ("{group: sex}", "{group: sex, groups: [f]}", "groups needs at least 2 entries (it has 1)"),
        ("{group: sex}", "{group: sex, groups: [1, 2]}", "groups must be a list of text"),
        ("{group: sex}", "{group: sex, tolerance: .nan}", ".nan is not a finite number"),
        ("{group: sex}", "{group: sex, tolerence: 0.1}", "group_parity has no parameter 'tolerence'"),
        ("{rows: 100}", "{rows: 0}", "rows"),
        ("kind: group_parity", "kind: group_party", "group_party"),
        (
            "kind: group_parity",
            "kind: personal_data",
            "personal_data watches interactions, this system has predictions",
        ),
    ],
)
def test_a_mistake_in_the_system_file_is_told_with_its_line_and_nothing_is_judged(
    bank: Bank, before: str, after: str, what: str
) -> None:
    bank.log(200, women=0.5, men=0.5)
    bank.system(lambda text: text.replace(before, after))
    told = bank("detect")
    assert told.code == EXIT_BAD_INPUT
    assert what in told.err
    assert "systems/loans.yaml:" in told.err
    assert "Traceback" not in told.err


# --- findings -------------------------------------------------------------------------------------------------------


def test_without_findings_the_list_is_empty(bank: Bank) -> None:
    assert "No findings." in bank("findings").out
    assert bank("findings", "--json").json() == []


def test_findings_are_listed_and_explained_by_the_beginning_of_their_id(unfair: Bank) -> None:
    found = unfair("findings", "--json").json()
    listed = unfair("findings").out
    assert all(finding["id"] in listed for finding in found)
    assert f"{len(found)} findings." in listed
    told = unfair("findings", found[0]["id"][:9])
    assert told.code == EXIT_OK
    for heading in ("How sure", "What it rests on", "What it cannot see", "What to look at next"):
        assert heading in told.out
    for part in ("at most 5% of unchanged streams", "no unit is known", "percentage points", "since about", "segment "):
        assert part in told.out


def test_a_finding_as_json_holds_everything(unfair: Bank) -> None:
    found = unfair("findings", "--json").json()[0]
    assert unfair("findings", found["id"], "--json").json() == found
    assert found["strength"]["value"] >= found["strength"]["threshold"]
    assert found["effect"]["low"] < found["effect"]["value"] < found["effect"]["high"]
    assert found["since"]["earliest"] <= found["since"]["start"] <= found["since"]["latest"]
    assert found["rows"]
    assert found["blind_spots"]
    assert found["next_steps"]


@pytest.mark.parametrize("beginning", ["zzz", ""])
def test_an_id_that_fits_none_or_several_is_a_usage_error(unfair: Bank, beginning: str) -> None:
    unfair.log(3_000, women=0.2, men=0.7, first=2_000)
    unfair("detect")
    told = unfair("findings", beginning)
    assert told.code == EXIT_USAGE
    assert "see: tocsin findings" in told.err


def test_findings_are_chosen_by_system_and_level(unfair: Bank) -> None:
    everything = unfair("findings", "--json").json()
    assert unfair("findings", "--system", "loans", "--level", "alarm", "--json").json() == everything
    assert unfair("findings", "--level", "severe", "--json").json() == []


def test_a_level_or_a_system_that_does_not_exist_is_a_usage_error(unfair: Bank) -> None:
    told = unfair("findings", "--level", "grave")
    assert told.code == EXIT_USAGE
    assert "the levels are: sighting, alarm, severe" in told.err
    told = unfair("findings", "--system", "lones")
    assert told.code == EXIT_USAGE
    assert "the systems are: loans" in told.err


# --- watch ----------------------------------------------------------------------------------------------------------


def test_a_folder_is_followed_until_nothing_more_arrives(bank: Bank, tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    bank.log(1_000, women=0.2, men=0.7)
    (bank.root / "log-0.jsonl").rename(inbox / "more.jsonl")
    bank.log(1_000, women=0.2, men=0.7, first=2_000)
    (bank.root / "log-2000.jsonl").rename(inbox / "again.jsonl")
    rows = [
        {"at": f"2026-11-20T10:{n // 60:02d}:{n % 60:02d}Z", "id": f"N{n}", "sex": "fm"[n % 2], "approved": n % 2 == 1}
        for n in range(300)
    ]
    (inbox / "new.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    told = bank("watch", str(inbox), "--system", "loans", "--every", "0.01", "--once")
    assert told.code == EXIT_OK
    assert "new.jsonl: 300 rows, 0 in quarantine" in told.out
    assert "opened INC-" in told.out
    assert "ALARM  The rate of positive decisions differs by sex" in told.out


def test_a_watch_of_an_unknown_system_is_a_usage_error(bank: Bank, tmp_path: Path) -> None:
    told = bank("watch", str(tmp_path), "--system", "lones", "--once")
    assert told.code == EXIT_USAGE
    assert "the systems are: loans" in told.err


def test_what_all_detectors_promise_together_is_a_number(bank: Bank) -> None:
    assert "Each on its own: of 1 detector, at most 0.05 on average ever alarm falsely." in bank("check").out
    policy = bank.root / "policy.yaml"
    policy.write_text(policy.read_text() + "\nfalse_alarms: {one_in: 90d, windows: 500}\n")
    checked = bank("check")
    assert "False alarms to expect" in checked.out
    assert "At most one false alarm in 90 days on average across all 1 detector" in " ".join(checked.out.split())
    promised = bank("check", "--json").json()["false_alarms"]
    assert promised == bank("detect", "--json").json()["false_alarms"]
    assert promised[0] in " ".join(bank("detect").out.split())


def test_a_system_that_names_no_detectors_is_watched_by_what_its_columns_allow(bank: Bank) -> None:
    file = bank.root / "systems" / "loans.yaml"
    text = file.read_text()
    file.write_text(text[: text.index("detectors:")])
    assert bank("check", "--json").json()["chosen"] == [
        "loans names no detectors: its columns choose group_parity:sex."
    ]
    assert "its columns choose group_parity:sex" in bank("check").out
    (system,) = bank("detect", "--json").json()["systems"]
    assert [watched["detector"] for watched in system["detectors"]] == ["group_parity:sex"]
