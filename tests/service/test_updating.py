"""Which open incidents an update of the packs changes."""

from __future__ import annotations

import os
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from tests.service.banks import START, bank
from tests.service.test_duties import LEAK, leak
from tocsin.content.loaders import law, libraries, shipped
from tocsin.model.errors import BadInput, UsageFault
from tocsin.service import duties, keeping, updating
from tocsin.service.desk import Desk

HOUR = timedelta(hours=1)
IDS = ("eu.gdpr.art33", "eu.gdpr.art34", "eu.gdpr.art33_2")


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """An older library: three regimes, and the notice to the authority was due after 96 hours."""
    root = tmp_path / "older" / "law"
    root.mkdir(parents=True)
    for name in ("places.yaml", "authorities.yaml"):
        shutil.copy(str(shipped.SHIPPED / name), root / name)  # type: ignore[operator]
    for name in ("facts", *IDS):
        shutil.copytree(str(shipped.SHIPPED / name), root / name)  # type: ignore[operator]
    file = root / "eu.gdpr.art33" / "pack.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("amount: 72", "amount: 96"), encoding="utf-8")
    return root.parent


def keep_as_older(desk: Desk, folder: Path) -> str:
    """As if the workspace had used the older library before."""
    library = libraries.at(folder)
    path = desk.root / keeping.FOLDER / f"{library.digest}.zip"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(libraries.packed(folder / "law"))
    os.utime(path, (0, 0))
    return library.digest


def test_an_open_incident_is_told_with_what_moves(tmp_path: Path, older: Path) -> None:
    with bank(tmp_path) as (desk, _):
        name = leak(desk, LEAK | {"countries": "DE"})
        told = updating.diff(desk, str(older))
        (affected,) = told.incidents
        moved = {change.obligation: change for change in affected.changes}
        assert (affected.incident, told.looked_at) == (name, 1)
        notice = moved["eu.gdpr.art33.notification@DE"]
        assert (notice.what, notice.earlier, notice.due) == ("changes", 24 * HOUR, START + 72 * HOUR)
        assert "eu.gdpr.art33.register@DE" not in moved
        assert told.statement.startswith("This is not legal advice.")


def test_the_packs_themselves_are_compared(tmp_path: Path, older: Path) -> None:
    with bank(tmp_path) as (desk, _):
        told = updating.diff(desk, str(older))
        assert told.packs.changed == ("eu.gdpr.art33",)
        assert told.packs.removed == ()
        assert set(told.packs.added) == {regime.id for regime in law.load().regimes} - set(IDS)
        assert told.new == law.load().digest


def test_it_can_be_asked_the_other_way_round(tmp_path: Path, older: Path) -> None:
    with bank(tmp_path) as (desk, _):
        leak(desk, LEAK | {"countries": "DE"})
        told = updating.diff(desk, "installed", str(older))
        changed = {change.obligation: change for change in told.incidents[0].changes}
        assert changed["eu.gdpr.art33.notification@DE"].earlier == -24 * HOUR


def test_nothing_changes_between_the_same_packs(tmp_path: Path) -> None:
    with bank(tmp_path) as (desk, _):
        leak(desk)
        told = updating.diff(desk, "installed", "installed")
        assert (told.incidents, told.looked_at) == ((), 1)
        assert told.old == told.new


class TestCopies:
    def test_a_workspace_keeps_the_packs_that_its_duties_were_computed_with(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            leak(desk)
            duties.due(desk)
            assert [path.stem for path in keeping.copies(desk.root)] == [law.load().digest]
            written = keeping.copies(desk.root)[0].stat().st_mtime_ns
            duties.due(desk)
            assert keeping.copies(desk.root)[0].stat().st_mtime_ns == written, "once"

    def test_the_one_used_before_is_the_one_that_is_compared_with(self, tmp_path: Path, older: Path) -> None:
        with bank(tmp_path) as (desk, _):
            leak(desk, LEAK | {"countries": "DE"})
            digest = keep_as_older(desk, older)
            duties.due(desk)
            told = updating.diff(desk)
            assert (told.old, told.new) == (digest, law.load().digest)
            assert told.incidents

    def test_a_digest_names_a_copy(self, tmp_path: Path, older: Path) -> None:
        with bank(tmp_path) as (desk, _):
            digest = keep_as_older(desk, older)
            for word in (digest, digest[:8]):
                assert updating.diff(desk, word).old == digest
            assert updating.diff(desk, law.load().digest[:8]).old == law.load().digest

    def test_without_another_library_it_says_so(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            leak(desk)
            duties.due(desk)
            with pytest.raises(UsageFault, match="no other packs than the installed ones — name a folder or a wheel"):
                updating.diff(desk)

    @pytest.mark.parametrize("word", ["abcdef0123", "no/such/folder", "a"])
    def test_what_is_no_library_is_told_with_the_digests_that_there_are(
        self, tmp_path: Path, older: Path, word: str
    ) -> None:
        with bank(tmp_path) as (desk, _):
            digest = keep_as_older(desk, older)
            with pytest.raises(UsageFault) as told:
                updating.diff(desk, word)
            assert f"{word!r} is no library of law" in str(told.value)
            assert digest[:12] in str(told.value)

    def test_a_copy_that_was_changed_is_refused(self, tmp_path: Path, older: Path) -> None:
        with bank(tmp_path) as (desk, _):
            path = desk.root / keeping.FOLDER / f"{'0' * 64}.zip"
            path.parent.mkdir()
            path.write_bytes(libraries.packed(older / "law"))
            with pytest.raises(BadInput, match="it was changed; remove it"):
                updating.diff(desk)

    def test_a_place_that_cannot_be_written_to_stops_nobody(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(keeping, "write_atomically", full)
        with bank(tmp_path) as (desk, _):
            leak(desk)
            assert duties.due(desk)
            assert keeping.copies(desk.root) == []
