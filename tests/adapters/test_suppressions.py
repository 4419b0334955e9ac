"""Suppressions have a rule or a key, a reason and an end; every mistake in a file of them is told with its line."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from tocsin.adapters.suppressions import Suppression, load
from tocsin.model.errors import BadInput, UsageFault

GOOD = "suppress:\n  - rule: email\n    texts: tests/*\n    reason: made-up addresses\n    until: 2027-03-31\n"

KEY = "0123456789abcdef" * 2


def written(folder: Path, text: str) -> Path:
    path = folder / "known.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_of_suppressions(tmp_path: Path) -> None:
    more = "  - {rule: iban, reason: published account, until: 2026-12-31}\n"
    first, second = load(written(tmp_path, GOOD + more))
    assert first == Suppression(rule="email", texts="tests/*", reason="made-up addresses", until=date(2027, 3, 31))
    assert (second.rule, second.texts, second.until) == ("iban", "*", date(2026, 12, 31))


@pytest.mark.parametrize(
    ("rule", "text", "covered"),
    [
        ("email", "tests/a.txt", True),
        ("email", "tests/deep/a.jsonl:7", True),
        ("email", "src/tests/a.txt", False),
        ("email", "Tests/a.txt", False),
        ("iban", "tests/a.txt", False),
    ],
)
def test_it_covers_a_rule_in_some_texts(rule: str, text: str, covered: bool, tmp_path: Path) -> None:
    (one,) = load(written(tmp_path, GOOD))
    assert one.covers(rule, KEY, text) is covered
    assert one.named == "email"


@pytest.mark.parametrize(
    ("rule", "key", "text", "covered"),
    [
        ("email", KEY, "tests/a.txt", True),
        ("iban", KEY, "tests/a.txt", True),
        ("email", KEY[::-1], "tests/a.txt", False),
        ("model", "", "tests/a.txt", False),
        ("email", KEY, "src/a.txt", False),
    ],
)
def test_a_key_covers_one_value_whatever_the_rule(
    rule: str, key: str, text: str, covered: bool, tmp_path: Path
) -> None:
    (one,) = load(written(tmp_path, GOOD.replace("rule: email", f"key: {KEY}")))
    assert (one.rule, one.key, one.named) == (None, KEY, KEY)
    assert one.covers(rule, key, text) is covered


def test_a_rule_and_a_key_together_cover_that_value_for_that_rule(tmp_path: Path) -> None:
    (one,) = load(written(tmp_path, GOOD + f"    key: {KEY}\n"))
    assert one.covers("email", KEY, "tests/a.txt")
    assert not one.covers("iban", KEY, "tests/a.txt")
    assert not one.covers("email", KEY[::-1], "tests/a.txt")
    assert one.named == f"{KEY} of email"


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (GOOD.replace("    reason: made-up addresses\n", ""), "reason"),
        (GOOD.replace("made-up addresses", '""'), "reason"),
        (GOOD.replace("    until: 2027-03-31\n", ""), "until"),
        (GOOD.replace("2027-03-31", "soon"), "until"),
        (GOOD.replace("rule: email", "rul: email"), "rul"),
        (GOOD.replace("rule: email\n    ", ""), "name a rule, a key or both"),
        (GOOD.replace("rule: email", "key: 4111"), "key"),
        (GOOD.replace("rule: email", f"key: {KEY.upper()}"), "key"),
        ("suppress: []\n", "suppress"),
        ("", "empty"),
        ("suppress: [", "known.yaml"),
    ],
)
def test_a_mistake_is_told(wrong: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"known\.yaml") as caught:
        load(written(tmp_path, wrong))
    assert told in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageFault, match="no file"):
        load(tmp_path / "none.yaml")
