"""What was measured of the shipped patterns: `content/patterns/measured.jsonl`, made by `benchmarks/pattern_rates.py`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from importlib.resources import files

from tocsin.content.loaders import patterns
from tocsin.detect.text.calibration import Measured, digest, pooled, roles
from tocsin.detect.text.patterns import Pattern

FILE = files("tocsin.content").joinpath("patterns", "measured.jsonl")


@lru_cache
def texts() -> Mapping[str, int]:
    """How many ordinary texts of each role were looked at."""
    return dict(json.loads(FILE.read_bytes().splitlines()[0])["texts"])


@lru_cache
def load() -> Mapping[str, Mapping[str, Measured]]:
    """For each rule that is as it was when it was measured: what was measured on ordinary texts of each role (`calibration.roles`)."""
    known, found = patterns.load().by_id, {}
    for line in map(json.loads, FILE.read_bytes().splitlines()[1:]):
        pattern = known.get(line["rule"])
        if pattern is None or digest(pattern) != line["digest"]:
            continue
        found[pattern.id] = {
            role: Measured(line["planted"], line["found"], texts()[role], line["wrong"].get(role, 0))
            for role in roles(pattern)
        }
    return found


def of_role(pattern: Pattern, role: str) -> Mapping[str, Measured]:
    """What was measured of a pattern for messages of a role."""
    wanted = roles(replace(pattern, roles=(role,)))
    return {name: part for name, part in load().get(pattern.id, {}).items() if name in wanted}


def whole(rule: str) -> Measured | None:
    """All roles of a rule together; None where nothing was measured."""
    parts = load().get(rule)
    return pooled(parts.values()) if parts else None
