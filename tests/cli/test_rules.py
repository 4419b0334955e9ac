"""`tocsin rules`: lines to read, and JSON."""

from __future__ import annotations

import json

import pytest

from tocsin.cli import app
from tocsin.content.loaders import patterns


def typed(capsys: pytest.CaptureFixture[str], *parts: str) -> str:
    """What the command says."""
    assert app.run(["rules", *parts]) == 0
    return capsys.readouterr().out


def test_rules_are_listed_with_what_they_find(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    out = typed(capsys, "--kind", "injection")
    assert all(rule.id in out for rule in patterns.load().of("injection").items)
    assert "github_token" not in out
    assert "Precision where 1% of the texts hold an item" in out
    assert "at most" in out


def test_json_has_every_figure(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(typed(capsys, "--role", "user", "--json"))
    one = next(rule for rule in found["rules"] if rule["id"] == "email")
    assert one["confidence"] == patterns.load().by_id["email"].confidence
    assert one["precision_low"] <= one["precision"]
    assert found["base"] == 0.01


def test_what_was_not_measured_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert "Not measured: " in typed(capsys, "--role", "system", "--kind", "secret")


def test_an_unknown_kind_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(["rules", "--kind", "nothing"]) == 2
    assert "nothing" in capsys.readouterr().err
