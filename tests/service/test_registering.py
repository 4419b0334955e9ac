"""Registering: what is kept, what is recorded, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.core.detect.samples import PROMPT
from tests.service.desks import SYSTEM, desk
from tocsin.model.errors import BadInput, EnvironmentFault, UsageFault
from tocsin.service import registering
from tocsin.service.desk import Desk


@pytest.fixture
def mine(tmp_path: Path) -> Desk:
    return desk(tmp_path / "w")


@pytest.fixture
def prompt(tmp_path: Path) -> Path:
    path = tmp_path / "prompt.txt"
    path.write_text(PROMPT, encoding="utf-8")
    return path


def test_a_text_is_recognized_and_kept_nowhere(mine: Desk, prompt: Path) -> None:
    entry = registering.add(mine, SYSTEM, "prompt", "system_prompt", prompt)
    assert (entry.id, entry.kind, entry.stretches > 150, entry.token) == ("prompt", "system_prompt", True, "")
    (held,) = registering.registry(mine, SYSTEM).contained(f"it says {PROMPT}")
    assert held.share == 1.0
    kept = b"".join(path.read_bytes() for path in mine.root.rglob("*") if path.is_file())
    assert b"harbour" not in kept


def test_another_workspace_keeps_other_hashes(mine: Desk, prompt: Path) -> None:
    registering.add(mine, SYSTEM, "prompt", "system_prompt", prompt)
    other = replace(mine, salt=b"x" * 32)
    assert list(registering.registry(other, SYSTEM).contained(PROMPT)) == []


def test_a_canary_is_shown_once(mine: Desk) -> None:
    made = registering.canary(mine, SYSTEM, "in-the-faq", lambda count: bytes(range(count)))
    assert made.token.startswith("tcn")
    assert len(made.token) == 24
    (listed,) = registering.entries(mine)
    assert (listed.id, listed.kind, listed.token) == ("in-the-faq", "canary", "")
    assert list(registering.registry(mine, SYSTEM).spoken(made.token)) == ["in-the-faq"]
    assert made.token not in str([event.data for event in mine.ledger.read("registered")])


def test_each_canary_is_another(mine: Desk) -> None:
    tokens = [registering.canary(mine, SYSTEM, f"c{n}", lambda count, n=n: bytes([n] * count)).token for n in range(5)]  # type: ignore[misc]
    assert len(set(tokens)) == 5


def test_the_ledger_says_who_registered_what(mine: Desk, prompt: Path) -> None:
    registering.add(mine.acting("mayer"), SYSTEM, "prompt", "reference", prompt)
    registering.remove(mine.acting("novak"), "prompt")
    events = list(mine.ledger.read("registered"))
    assert [(event.kind, event.event.author) for event in events] == [
        ("text_registered", "mayer"),
        ("text_forgotten", "novak"),
    ]
    assert events[0].data["text"] == "reference"
    assert registering.entries(mine) == []


def test_it_holds_for_its_system_only(mine: Desk, prompt: Path) -> None:
    registering.add(mine, SYSTEM, "prompt", "system_prompt", prompt)
    assert registering.registry(mine, "another").texts == ()


@pytest.mark.parametrize(
    ("system", "name", "kind", "told"),
    [
        ("nobody", "a", "corpus", "no system 'nobody'"),
        (SYSTEM, "a b", "corpus", "'a b' is no id"),
        (SYSTEM, "../a", "corpus", "is no id"),
        (SYSTEM, "", "corpus", "is no id"),
        (SYSTEM, "a", "poem", "no kind of text 'poem'"),
    ],
)
def test_what_does_not_fit_is_refused(mine: Desk, prompt: Path, system: str, name: str, kind: str, told: str) -> None:
    with pytest.raises(UsageFault, match=told):
        registering.add(mine, system, name, kind, prompt)
    assert list(mine.ledger.read("registered")) == []


@pytest.mark.parametrize(
    ("content", "told"), [(b"", "less than 32 bytes"), (b"too short", "less than"), (b"\xff\xfe" * 40, "not UTF-8")]
)
def test_files_that_are_no_text_are_refused(mine: Desk, tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "bad.txt"
    path.write_bytes(content)
    with pytest.raises(UsageFault, match=told):
        registering.add(mine, SYSTEM, "bad", "corpus", path)


def test_an_id_is_taken_once(mine: Desk, prompt: Path) -> None:
    registering.add(mine, SYSTEM, "prompt", "corpus", prompt)
    with pytest.raises(UsageFault, match="registered already"):
        registering.canary(mine, SYSTEM, "prompt", bytes)


def test_what_is_not_there_cannot_be_forgotten(mine: Desk, prompt: Path) -> None:
    registering.add(mine, SYSTEM, "prompt", "corpus", prompt)
    with pytest.raises(UsageFault, match="nothing registered under 'promt'") as told:
        registering.remove(mine, "promt")
    assert "prompt" in told.value.remedy


@pytest.mark.parametrize("damage", [b"", b"{}", b'{"version":9,"id":"x","kind":"corpus","system":"s"}', b"\xff"])
def test_a_damaged_entry_is_named(mine: Desk, prompt: Path, damage: bytes) -> None:
    registering.add(mine, SYSTEM, "prompt", "corpus", prompt)
    path = mine.root / ".tocsin" / "registered" / "prompt.json"
    path.write_bytes(damage)
    with pytest.raises(BadInput, match="no registered text"):
        registering.entries(mine)


def test_a_crash_before_the_text_is_kept_is_mended_by_adding_it_again(
    mine: Desk, prompt: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(registering.store, "write", _no_disk)
        with pytest.raises(EnvironmentFault, match="no space"):
            registering.add(mine, SYSTEM, "prompt", "corpus", prompt)
    assert registering.entries(mine) == []
    registering.add(mine, SYSTEM, "prompt", "corpus", prompt)
    assert [entry.id for entry in registering.entries(mine)] == ["prompt"]
    assert [event.kind for event in mine.ledger.read("registered")] == ["text_registered"] * 2


def _no_disk(*_: object) -> None:
    raise EnvironmentFault("no space left", "free some")


def test_a_text_larger_than_can_be_registered_is_refused(
    mine: Desk, prompt: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registering, "TEXT_MAX", 10)
    with pytest.raises(UsageFault, match="10 can be registered"):
        registering.add(mine, SYSTEM, "prompt", "corpus", prompt)


def test_the_specification_of_the_detector_follows_what_is_registered(mine: Desk, prompt: Path) -> None:
    before = registering.registry(mine, SYSTEM).digest
    registering.add(mine, SYSTEM, "prompt", "corpus", prompt)
    after = registering.registry(mine, SYSTEM).digest
    registering.remove(mine, "prompt")
    assert before == registering.registry(mine, SYSTEM).digest != after
