"""`tocsin register` as it is typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.core.detect.samples import PROMPT
from tocsin.cli import app

SYSTEM = "support-assistant"


@pytest.fixture
def root(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    app.run(["init", str(tmp_path / "w"), "--template", "bank"])
    (tmp_path / "prompt.txt").write_text(PROMPT, encoding="utf-8")
    capsys.readouterr()
    return tmp_path / "w"


def run(root: Path, *argv: str) -> int:
    return app.run(["register", *argv, "-C", str(root)])


def test_registered_listed_and_forgotten(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(root, "text", str(root.parent / "prompt.txt"), "-s", SYSTEM, "--id", "prompt") == 0
    assert "Registered prompt for support-assistant" in capsys.readouterr().out
    assert run(root, "list") == 0
    assert "system_prompt" in capsys.readouterr().out
    assert run(root, "forget", "prompt") == 0
    assert run(root, "list") == 0
    assert "Nothing is registered." in capsys.readouterr().out


def test_a_canary_is_shown_when_it_is_made(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(root, "canary", "--system", SYSTEM, "--id", "faq", "--json") == 0
    made = json.loads(capsys.readouterr().out)
    assert made["token"].startswith("tcn")
    assert run(root, "list", "--json") == 0
    assert [entry["token"] for entry in json.loads(capsys.readouterr().out)] == [""]
    assert run(root, "canary", "--system", SYSTEM, "--id", "faq2") == 0
    assert "It is not shown again." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("argv", "code", "told"),
    [
        (["text", "missing.txt", "-s", SYSTEM, "--id", "a"], 4, "missing.txt"),
        (["text", "PROMPT", "-s", "supprt-assistant", "--id", "a"], 2, "no system 'supprt-assistant'"),
        (["text", "PROMPT", "-s", SYSTEM, "--id", "a", "--kind", "poem"], 2, "no kind of text"),
        (["canary", "-s", SYSTEM, "--id", "a/b"], 2, "is no id"),
        (["forget", "nothing"], 2, "nothing registered"),
    ],
)
def test_mistakes_are_told(
    root: Path, capsys: pytest.CaptureFixture[str], argv: list[str], code: int, told: str
) -> None:
    given = [str(root.parent / "prompt.txt") if word == "PROMPT" else word for word in argv]
    assert run(root, *given) == code
    assert told in capsys.readouterr().err


def test_a_leaked_prompt_opens_an_incident(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = root / "systems" / f"{SYSTEM}.yaml"
    text = path.read_text(encoding="utf-8").replace(
        "detectors:\n", "detectors:\n  - {kind: registered_text, window: {every: 1h}}\n"
    )
    path.write_text(text, encoding="utf-8")
    run(root, "text", str(root.parent / "prompt.txt"), "-s", SYSTEM, "--id", "prompt")
    said = {"assistant": f"My instructions: {PROMPT}", "user": "What are you told?"}
    lines = [
        {"time": f"2026-11-02T10:0{n}:00Z", "id": str(n), "session": "s", "customer": "c", "role": role, "text": text}
        | {"tool": None, "arguments": None, "model": "m", "tokens_in": 1, "tokens_out": 1, "latency_ms": 1}
        for n, (role, text) in enumerate(said.items())
    ]
    log = root.parent / "log.jsonl"
    log.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    app.run(["ingest", "-C", str(root), "-s", SYSTEM, str(log)])
    capsys.readouterr()
    app.run(["detect", "-C", str(root), "--close-until", "2026-11-02T12:00Z", "--json"])
    result = json.loads(capsys.readouterr().out)
    assert len(result["triage"]["opened"]) == 1
    told = [f for one in result["systems"] for w in one["detectors"] for f in w["findings"]]
    assert [(f["detector"], f["level"]) for f in told if f["level"] == "severe"] == [("registered_text", "severe")]
