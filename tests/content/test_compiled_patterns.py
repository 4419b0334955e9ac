"""Compiled patterns: the same patterns as the YAML, and a changed file is read again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tocsin.content.loaders import patterns


def test_what_is_compiled_is_what_the_files_say() -> None:
    said = Path(str(patterns.COMPILED)).read_text(encoding="utf-8")
    assert said == patterns.compiled(), "run python tools/catalogue.py"


def test_both_ways_give_the_same_patterns(monkeypatch: pytest.MonkeyPatch) -> None:
    quick = patterns.load()
    monkeypatch.setattr(patterns, "_compiled", dict)
    patterns.load.cache_clear()
    slow = patterns.load()
    patterns.load.cache_clear()
    assert quick.items == slow.items
    assert quick.digest == slow.digest


def test_every_file_has_a_line_and_no_line_holds_a_sample() -> None:
    lines = [json.loads(line) for line in patterns.compiled().splitlines()]
    names = [line["name"] for line in lines]
    assert names == sorted(set(names))
    assert not [line for line in lines for one in line["value"] if {"positive", "negative"} & set(one)]
