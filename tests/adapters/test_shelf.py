"""Compiled databases in the user's cache: read back, damaged, of another processor, on a full disk."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from tocsin.adapters.shelf import KEPT, FolderShelf, cache_folder
from tocsin.detect.text import databases

EXPRESSIONS = databases.Expressions(((3, "a tocsin"), (8, "a bell")), lambda: [r"tocsin-\d{4}", "bell"])


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(databases, "_SHELVES", [])
    databases.database.cache_clear()


def found(text: bytes = b"a bell, a tocsin-1234") -> set[tuple[int, int]]:
    """Number and end of what the database finds; compiled or read back anew."""
    databases.database.cache_clear()
    hits: set[tuple[int, int]] = set()
    databases.database(EXPRESSIONS).scan(
        text, match_event_handler=lambda n, _s, end, _f, _c: hits.add((n, end)) or None
    )
    return hits


class Counted(FolderShelf):
    """A shelf that says how often something was written."""

    written = 0

    def write(self, name: str, data: bytes) -> None:
        """Count, and keep."""
        self.written += 1
        super().write(name, data)


def test_what_was_kept_finds_the_same_and_is_not_compiled_again(tmp_path: Path) -> None:
    plain = found()
    shelf = Counted(tmp_path / "cache")
    databases.keep_on(shelf)
    assert found() == found() == plain == {(8, 6), (3, 21)}
    assert shelf.written == 1
    (file,) = (tmp_path / "cache").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("damage", [b"", b"short", b"x" * 5000])
def test_a_damaged_file_is_made_anew(tmp_path: Path, damage: bytes) -> None:
    shelf = Counted(tmp_path)
    databases.keep_on(shelf)
    found()
    (file,) = tmp_path.iterdir()
    file.write_bytes(damage)
    assert found() == {(8, 6), (3, 21)}
    assert shelf.written == 2


def test_bytes_that_are_no_database_are_made_anew(tmp_path: Path) -> None:
    shelf = Counted(tmp_path)
    databases.keep_on(shelf)
    found()
    (file,) = tmp_path.iterdir()
    shelf.write(file.stem, b"of another processor" * 100)
    assert found() == {(8, 6), (3, 21)}


def test_a_place_that_takes_nothing_costs_only_time(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    databases.keep_on(FolderShelf(tmp_path / "file" / "cache"))
    assert found() == {(8, 6), (3, 21)}


def test_the_shelf_does_not_grow_without_end(tmp_path: Path) -> None:
    shelf = FolderShelf(tmp_path)
    for number in range(KEPT + 5):
        shelf.write(f"{number:02d}", b"x")
        os.utime(tmp_path / f"{number:02d}.hsdb", (number, number))
    assert len(list(tmp_path.iterdir())) == KEPT
    assert shelf.read("00") is None
    assert shelf.read(f"{KEPT + 4:02d}") == b"x"


def test_the_cache_is_where_the_user_keeps_caches(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "tocsin"
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache_folder() == tmp_path / "home" / ".cache" / "tocsin"


def test_expressions_are_not_derived_where_their_database_was_kept(tmp_path: Path) -> None:
    databases.keep_on(FolderShelf(tmp_path))
    found()
    databases.database.cache_clear()

    def never() -> list[str]:
        raise AssertionError("they were derived")

    kept = databases.database(databases.Expressions(EXPRESSIONS.names, never))
    hits: list[int] = []
    kept.scan(b"a bell", match_event_handler=lambda n, _s, _e, _f, _c: hits.append(n))
    assert hits == [8]
    with pytest.raises(AssertionError, match="derived"):
        databases.database(databases.Expressions(((3, "another"),), never))
