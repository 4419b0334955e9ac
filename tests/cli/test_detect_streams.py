"""Detectors of rates and means from the command line: a log goes in, the fault comes out, with its reference and its segments."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tocsin.cli import app
from tocsin.model.errors import EXIT_BAD_INPUT, EXIT_OK

BEGIN = datetime(2026, 9, 1, tzinfo=UTC)
HEAD = """\
id: {id}
name: Watched
purpose: Decides.
owner: {owner}
organization_role: deployer
provider: Nordhafen
eu_ai_act_route: annex_iii.5
operates_in: [DE]
"""
LOANS = """\
telemetry:
  table: predictions
  columns:
    time: at
    id: id
    unit: person
    decision: approved
    label: repaid
    score: score
    group.region: region
    feature.income: income
    feature.channel: {column: channel, type: text}
detectors:
  - kind: error_rate
    window: {rows: 200}
    with: {windows_of_reference: 15, segments: [group.region, feature.channel]}
  - kind: missing_values
    window: {rows: 200}
    with: {column: feature.income, limit: 0.1}
  - kind: rate
    id: rich
    window: {rows: 200}
    with: {column: feature.income, above: 5000, windows_of_reference: 15}
  - kind: calibration_within_groups
    window: {rows: 400}
    with: {group: region, tolerance: 0.05}
"""
CHATS = """\
telemetry:
  table: interactions
  columns:
    time: at
    id: id
    session: session
    role: role
    text: text
    latency_ms: ms
    error: {column: error, optional: true}
detectors:
  - kind: rate
    window: {rows: 200}
    with: {column: latency_ms, above: 2000, limit: 0.2}
  - kind: failed_calls
    window: {rows: 200}
    with: {limit: 0.05}
  - kind: refusals
    window: {rows: 200}
    with: {windows_of_reference: 10}
"""


class Desk:
    """A workspace with one system, spoken to by commands."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str], system: str, body: str) -> None:
        self.root, self.capsys, self.system = root, capsys, system
        self("init", str(root), "--template", "empty", at_root=False)
        lines = (root / "policy.yaml").read_text().splitlines()
        owner = next(line.split()[1] for line in lines if line.startswith("owner:"))
        self.path = root / "systems" / f"{system}.yaml"
        self.path.write_text(HEAD.format(id=system, owner=owner) + body)

    def __call__(self, *words: str, at_root: bool = True) -> tuple[int, str, str]:
        code = app.run([*words, "-C", str(self.root)] if at_root else list(words))
        return code, *self.capsys.readouterr()

    def log(self, rows: list[dict[str, Any]]) -> None:
        """Ingest these rows."""
        path = self.root / f"log-{rows[0]['id']}.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        code, _, err = self("ingest", "--system", self.system, str(path))
        assert code == EXIT_OK, err

    def detect(self) -> dict[str, Any]:
        """What `detect --json` says, by detector."""
        _, out, _ = self("detect", "--json")
        return {one["detector"]: one for one in json.loads(out)["systems"][0]["detectors"]}


def decisions(first: int, count: int, *, fault: bool) -> list[dict[str, Any]]:
    """Loans, one a minute; with the fault those of the south that come by phone are decided at random."""
    chance, rows = random.Random(first), []
    for n in range(first, first + count):
        region, channel = chance.choice(["north", "south"]), chance.choice(["web", "phone"])
        score = chance.uniform(0.05, 0.95)
        repaid = chance.random() < score
        wrong = chance.random() < (0.5 if fault and (region, channel) == ("south", "phone") else 0.1)
        row = {"at": (BEGIN + timedelta(minutes=n)).isoformat(), "id": f"A{n}", "person": f"p{chance.randrange(400)}"}
        row |= {"approved": repaid ^ wrong, "repaid": repaid, "score": score, "region": region, "channel": channel}
        rows.append(row | {"income": None if chance.random() < 0.05 else chance.lognormvariate(7.5, 0.6)})
    return rows


def messages(first: int, count: int, *, fault: bool) -> list[dict[str, Any]]:
    """Answers, one a minute; with the fault one in eight fails and one in four is slow."""
    chance, rows = random.Random(first), []
    for n in range(first, first + count):
        slow, failed = chance.random() < (0.4 if fault else 0.1), chance.random() < (0.12 if fault else 0.01)
        text = "I'm sorry, I can't help." if chance.random() < 0.05 else "Here it is."
        row = {"at": (BEGIN + timedelta(minutes=n)).isoformat(), "id": f"M{n}", "session": f"s{n // 6}"}
        row |= {"role": "assistant", "text": text, "ms": 4000.0 if slow else 800.0}
        rows.append(row | {"error": "Timeout" if failed else None})
    return rows


@pytest.fixture
def loans(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(tmp_path, capsys, "loans", LOANS)


@pytest.fixture
def chats(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(tmp_path, capsys, "chats", CHATS)


def test_sound_traffic_is_quiet_and_the_reference_says_how_far_it_is(loans: Desk) -> None:
    loans.log(decisions(0, 2_000, fault=False))
    told = loans.detect()
    assert all(one["findings"] == [] for one in told.values())
    assert told["error_rate"]["statistics"]["reference"] == {"windows": {"all rows": 10}, "needed": 15}
    assert told["missing_values:feature.income"]["statistics"]["totals"]["all rows"][0] == 2_000
    assert set(told) == {"error_rate", "missing_values:feature.income", "rich", "calibration_within_groups:region"}


def test_a_fault_of_one_part_alarms_the_whole_and_names_the_part(loans: Desk) -> None:
    loans.log(decisions(0, 4_000, fault=False))
    assert loans.detect()["error_rate"]["findings"] == []
    loans.log(decisions(4_000, 2_001, fault=True))
    finding = loans.detect()["error_rate"]["findings"][0]
    assert finding["level"] == "alarm"
    assert {segment["segment"] for segment in finding["details"]["segments"]} >= {"group.region=south"}
    assert "It is found in: group.region=south" in finding["explanation"]
    assert "north" not in finding["explanation"]
    _, out, _ = loans("findings", finding["id"])
    assert "its own first windows" in " ".join(out.split())
    assert "The error rate rose to" in out


def test_judging_again_and_in_pieces_changes_nothing(loans: Desk, tmp_path_factory: Any, capsys: Any) -> None:
    once = Desk(tmp_path_factory.mktemp("once"), capsys, "loans", LOANS)
    once.log(decisions(0, 4_000, fault=False) + decisions(4_000, 1_000, fault=True))
    whole = once.detect()
    loans.log(decisions(0, 4_000, fault=False))
    loans.detect()
    loans.log(decisions(4_000, 1_000, fault=True))
    parts = loans.detect()
    for name, one in parts.items():
        assert one["windows_total"] == whole[name]["windows_total"]
        assert one["statistics"]["totals" if "totals" in one["statistics"] else "series"]
    assert [f["window"]["index"] for f in parts["rich"]["findings"]] == [
        f["window"]["index"] for f in whole["rich"]["findings"]
    ]
    assert all(one["windows"] == 0 for one in loans.detect().values())


def test_a_general_rate_watches_interactions_as_well(chats: Desk) -> None:
    chats.log(messages(0, 3_001, fault=False))
    assert all(one["findings"] == [] for one in chats.detect().values())
    chats.log(messages(3_001, 1_000, fault=True))
    told = chats.detect()
    assert told["rate:latency_ms"]["findings"][0]["category"] == "model_failure"
    assert told["failed_calls"]["findings"][0]["title"].startswith("The share of failed calls rose to")
    assert told["refusals"]["findings"] == []


@pytest.mark.parametrize(
    ("before", "after", "what"),
    [
        ("column: feature.income, limit", "column: feature.salary, limit", "the column 'feature.salary' is not mapped"),
        ("above: 5000, ", "", "the settings of rate do not go together"),
        ("segments: [group.region", "segments: [feature.income", "holds values of type number, not text"),
        ("limit: 0.1", "limit: 1.5", "limit must lie between"),
        ("{group: region,", "{group: country,", "the group 'country' is not mapped"),
        ("windows_of_reference: 15, segments", "windows_of_reference: 2, segments", "must be at least 5"),
    ],
)
def test_settings_that_cannot_work_are_told_before_anything_is_judged(
    loans: Desk, before: str, after: str, what: str
) -> None:
    loans.log(decisions(0, 200, fault=False))
    loans.path.write_text(loans.path.read_text().replace(before, after))
    code, _, err = loans("detect")
    assert code == EXIT_BAD_INPUT
    assert what in " ".join(err.split())
