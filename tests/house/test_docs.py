"""Documentation is tested: reference pages are what the code says, links lead somewhere, commands in it exist."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from tests.house.sources import ROOT
from tocsin.cli.app import COMMANDS

DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md")])
NAMES = {command.name for command in COMMANDS}


def _catalogue() -> ModuleType:
    spec = importlib.util.spec_from_file_location("catalogue", ROOT / "tools" / "catalogue.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_reference_pages_are_what_the_code_says() -> None:
    for path, text in _catalogue().pages().items():
        assert path.read_text(encoding="utf-8") == text, f"run python tools/catalogue.py: {path.relative_to(ROOT)}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    targets = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", text)
    missing = [target for target in targets if not (page.parent / target).exists()]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_in_the_text_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    used = {
        match[1].strip()
        for match in re.finditer(
            r"(?:^|`)tocsin ((?:incident |law |report |register |monitor )?[a-z]+)", text, re.MULTILINE
        )
    }
    groups = {"incident", "law", "report", "register", "monitor"}
    assert {name for name in used if name not in NAMES | groups} == set()


def test_the_table_of_contents_is_complete() -> None:
    nav = set(re.findall(r'"([\w/-]+\.md)"', (ROOT / "zensical.toml").read_text(encoding="utf-8")))
    pages = {
        str(page.relative_to(DOCS))
        for page in DOCS.rglob("*.md")
        if page.parent.name != "decisions" or page.name == "index.md"
    }
    assert nav == pages


def test_the_readme_is_one_screen() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(readme.splitlines()) <= 45
    assert all(f"make {target}" in readme for target in ("demo", "test"))


def test_the_architecture_is_read_in_ten_minutes() -> None:
    assert len((ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").splitlines()) < 200


def test_every_room_is_in_the_architecture() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rooms = [
        path.name for path in (ROOT / "src" / "tocsin").iterdir() if path.is_dir() and not path.name.startswith("_")
    ]
    assert not [room for room in rooms if f"`{room}`" not in text and f"{room} " not in text]


def test_decisions_are_numbered_and_say_their_state() -> None:
    decisions = sorted((DOCS / "decisions").glob("[0-9]*.md"))
    assert [int(path.name[:4]) for path in decisions] == list(range(1, len(decisions) + 1))
    for path in decisions:
        assert re.search(r"\*(Accepted|Proposed|Superseded)", path.read_text(encoding="utf-8")), path.name


def test_changelog_fragments_are_short() -> None:
    for path in (ROOT / "changelog.d").glob("*.md"):
        assert 0 < len(path.read_text(encoding="utf-8").splitlines()) <= 6, path.name
