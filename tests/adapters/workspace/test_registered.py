"""Registered texts on the disk."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.detect.samples import CANARY, PROMPT
from tocsin.adapters.workspace import registered as store
from tocsin.detect.agents.registered import Canary, Registered, registered
from tocsin.model.errors import BadInput, EnvironmentFault

TEXT = registered("prompt", "system_prompt", "bank", PROMPT, 3)
TOKEN = Canary("faq", "bank", CANARY)


def test_entries_come_back_as_they_were_in_order_of_ids(tmp_path: Path) -> None:
    store.write(tmp_path, TEXT)
    store.write(tmp_path, TOKEN)
    canary, text = store.read(tmp_path)
    assert canary == TOKEN
    assert isinstance(text, Registered)
    assert (text.id, text.kind, text.system, text.every) == ("prompt", "system_prompt", "bank", 1)
    assert np.array_equal(text.hashes, TEXT.hashes)


@given(st.lists(st.integers(0, 2**64 - 1), unique=True, max_size=50), st.sampled_from([1, 2, 64]))
def test_whatever_hashes_come_back(hashes: list[int], every: int) -> None:
    entry = Registered("x", "corpus", "s", np.array(sorted(hashes), np.uint64), every)
    again = store._entry(store._written(entry))
    assert isinstance(again, Registered)
    assert (again.hashes.tolist(), again.every) == (sorted(hashes), every)


def test_nothing_there_is_nothing(tmp_path: Path) -> None:
    assert list(store.read(tmp_path)) == []
    assert store.remove(tmp_path, "prompt") is False


def test_an_entry_is_forgotten(tmp_path: Path) -> None:
    store.write(tmp_path, TEXT)
    assert store.remove(tmp_path, "prompt") is True
    assert list(store.read(tmp_path)) == []


def test_others_may_not_read_it(tmp_path: Path) -> None:
    store.write(tmp_path, TOKEN)
    path = tmp_path / ".tocsin" / "registered" / "faq.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_what_was_left_half_written_is_passed_over(tmp_path: Path) -> None:
    store.write(tmp_path, TEXT)
    (tmp_path / ".tocsin" / "registered" / ".faq.json.1.ab.part").write_bytes(b"{")
    assert [entry.id for entry in store.read(tmp_path)] == ["prompt"]


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"hashes": "!!"},
        {"hashes": "AAA="},
        {"every": "one"},
        {"id": None},
    ],
)
def test_damage_is_named_with_its_file(tmp_path: Path, change: dict[str, object]) -> None:
    store.write(tmp_path, TEXT)
    path = tmp_path / ".tocsin" / "registered" / "prompt.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | change), encoding="utf-8")
    with pytest.raises(BadInput, match=r"prompt\.json"):
        list(store.read(tmp_path))


def test_a_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / ".tocsin").mkdir()
    (tmp_path / ".tocsin" / "registered").write_text("", encoding="utf-8")
    with pytest.raises(EnvironmentFault, match="registered"):
        store.write(tmp_path, TEXT)
