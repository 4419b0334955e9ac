"""A sound workspace with random damage: it is read, or refused in plain words; it never ends in another error."""

from __future__ import annotations

import random
import re
from datetime import date
from pathlib import Path

import pytest

from tests.adapters.workspace.broken_workspaces import KNOWN, SOUND, sound
from tocsin.adapters.workspace.reading import read_workspace
from tocsin.content.loaders.policies import standing_text
from tocsin.govern.policy_document import markdown, policy_document
from tocsin.govern.readiness import gaps
from tocsin.model.errors import BadInput, Problem

FILES = sorted(path.relative_to(SOUND) for path in SOUND.rglob("*.yaml"))
VALUES = (
    *(
        "",
        "~",
        "[]",
        "{}",
        "[1, 2]",
        "{a: b}",
        "1",
        "-1",
        "1.5",
        "true",
        "2026-01-01",
        "x",
        '"x"',
        "[[]]",
        ".nan",
        "9" * 25,
    ),
    *("{at_least: x}", "*x", "!t x", "2026-01-01T00:00:00Z", '"\\u0000"', "- a", "&a [*a]", "<<", "? a", "|", "%"),
)
SIGNS = ("{", "}", "[", "]", ":", " ", '"', "'", "-", "#", "&", "*", "\t", "é", "\x00", "\ud800", "\u2028")
JARGON = re.compile(r"Input should|pydantic|Traceback|NoneType|<class|ruamel|type=")


def damaged(text: str, chance: random.Random) -> bytes:
    """The text with one to three lines lost, doubled, overwritten or spoilt."""
    lines = text.split("\n")
    for _ in range(chance.choice([1, 1, 2, 3])):
        at = chance.randrange(len(lines))
        line, column = lines[at], chance.randrange(len(lines[at]) + 1)
        lines[at : at + 1] = chance.choice(
            [
                [],
                [line, chance.choice(lines)],
                [re.sub(r": .*$", lambda _: f": {chance.choice(VALUES)}", line)],
                [line[:column] + chance.choice(SIGNS) + line[column:]],
                [re.sub(r"[\w.]+", lambda _: chance.choice(VALUES), line, count=1)],
            ]
        )
        lines = lines or [""]
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def told(root: Path) -> list[Problem]:
    """What is told about the workspace; a sound one is worked with."""
    try:
        workspace = read_workspace(root, KNOWN)
    except BadInput as error:
        return list(error.problems())
    gaps(workspace, date(2026, 11, 24))
    markdown(policy_document(workspace, standing_text(), {}))
    return []


@pytest.mark.parametrize("seed", range(4))
def test_damage_is_told_in_plain_words_with_its_place(seed: int, tmp_path: Path) -> None:
    root, chance, problems = sound(tmp_path / "house"), random.Random(seed), 0
    for _ in range(50):
        file = chance.choice(FILES)
        (root / file).write_bytes(damaged((SOUND / file).read_text(encoding="utf-8"), chance))
        for problem in told(root):
            problems += 1
            assert problem.place.file in {str(name) for name in FILES}
            assert (problem.place.line > 0) == (problem.place.column > 0)
            assert not JARGON.search(problem.what), problem
            assert "\n" not in problem.what
        (root / file).write_bytes((SOUND / file).read_bytes())
    assert problems > 50
