"""An auditor who trusts nothing: every way to change a workspace is found and named, with and without help from outside."""

from __future__ import annotations

import base64
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.service.banks import Clock, bank, leaked, record
from tests.service.desks import SYSTEM
from tests.service.desks import desk as plain_desk
from tests.service.test_ingesting_killed import log
from tocsin.incident.folding import stream
from tocsin.ledger.tree import leaf_hash
from tocsin.ledger.verification import GENESIS, chain_hash
from tocsin.model.errors import BadInput, Refused, UsageFault
from tocsin.model.event import Append
from tocsin.service import erasing, incidents, verifying
from tocsin.service.ingesting import ingest
from tocsin.service.triage import triage
from tocsin.service.verifying import checkpoint, export, prove, verify


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A workspace with an incident, its evidence, and a segment of telemetry."""
    with bank(tmp_path) as (desk, _):
        record(desk, leaked())
        triage(desk)
        incidents.acknowledge(desk, "INC-2026-0001")
    with plain_desk(tmp_path / "bank") as desk:
        ingest(desk, SYSTEM, [log(tmp_path / "log.jsonl")])
    return tmp_path / "bank"


def change(root: Path, *statements: str, values: Sequence[object] = ()) -> None:
    """As whoever owns the file would."""
    connection = sqlite3.connect(root / ".tocsin" / "ledger.db")
    with connection:
        for name in [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")]:
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement, values if "?" in statement else ())
    connection.close()


def rebuilt(root: Path) -> None:
    """All hashes made to fit again, as a careful forger would."""
    connection = sqlite3.connect(root / ".tocsin" / "ledger.db")
    with connection:
        chain = GENESIS
        for sequence, data in connection.execute("SELECT sequence, data FROM events ORDER BY sequence").fetchall():
            leaf = leaf_hash(data)
            chain = chain_hash(chain, leaf)
            connection.execute("UPDATE events SET leaf = ?, chain = ? WHERE sequence = ?", (leaf, chain, sequence))
    connection.close()


class TestLedger:
    def test_untouched_it_verifies(self, root: Path) -> None:
        told = verify(root, deep=True)
        assert told.ok
        assert told.faults == ()
        assert told.segments >= 1
        assert told.evidence == 1

    @pytest.mark.parametrize(
        ("statement", "says"),
        [
            ("UPDATE events SET data = CAST(replace(data, 'okafor', 'nobody') AS BLOB) WHERE sequence = 1", "event 1"),
            ("UPDATE events SET kind = 'note_added' WHERE sequence = 5", "event 5"),
            ("UPDATE events SET stream = 'incident/X' WHERE sequence = 5", "event 5"),
            ("UPDATE events SET version = version + 7 WHERE sequence = 5", "event 5"),
            ("UPDATE events SET leaf = zeroblob(32) WHERE sequence = 5", "event 5"),
            ("UPDATE events SET chain = zeroblob(32) WHERE sequence = 5", "event 5"),
            ("DELETE FROM events WHERE sequence = 4", "removed"),
            ("DELETE FROM events WHERE sequence BETWEEN 3 AND 5", "events 3 to 5 are missing"),
            ("UPDATE events SET sequence = 100000 WHERE sequence = 4", "removed"),
        ],
    )
    def test_every_change_by_hand_is_named(self, root: Path, statement: str, says: str) -> None:
        change(root, statement)
        told = verify(root)
        assert not told.ok
        assert says in "; ".join(told.faults)

    def test_two_events_that_changed_places(self, root: Path) -> None:
        change(
            root,
            "UPDATE events SET sequence = -4 WHERE sequence = 4",
            "UPDATE events SET sequence = 4 WHERE sequence = 5",
            "UPDATE events SET sequence = 5 WHERE sequence = -4",
        )
        assert not verify(root).ok

    def test_an_event_in_between_with_hashes_of_its_own(self, root: Path) -> None:
        data = b'{"at":"2026-11-02T12:00:00Z","author":"x","data":{},"kind":"note_added","stream":"s","version":1}'
        change(
            root,
            "INSERT INTO events (sequence, stream, version, kind, data, leaf, chain) VALUES (?, 's', 1, 'note_added', ?, ?, ?)",
            values=(100_000, data, leaf_hash(data), bytes(32)),
        )
        assert not verify(root).ok

    def test_what_is_cut_off_shows_only_beside_a_checkpoint(self, root: Path) -> None:
        checkpoint(root, Clock())
        change(root, "DELETE FROM events WHERE sequence > 3")
        (fault,) = [fault for fault in verify(root).faults if "truncated" in fault]
        assert "only 3 are here" in fault

    def test_a_history_that_was_rewritten_as_a_whole_shows_beside_a_checkpoint(
        self, root: Path, tmp_path: Path
    ) -> None:
        outside = tmp_path / "kept-elsewhere.txt"
        checkpoint(root, Clock(), outside)
        change(root, "UPDATE events SET data = CAST(replace(data, 'okafor', 'nobody') AS BLOB)")
        rebuilt(root)
        shutil.rmtree(root / ".tocsin" / "checkpoints")
        assert verify(root).ok, "alone the chain of a careful forger fits"
        (fault,) = verify(root, [outside]).faults
        assert "the history was rewritten" in fault

    def test_a_forger_with_a_key_of_his_own_is_found_by_the_checkpoint_outside(
        self, root: Path, tmp_path: Path
    ) -> None:
        outside = tmp_path / "kept-elsewhere.txt"
        checkpoint(root, Clock(), outside)
        change(root, "UPDATE events SET data = CAST(replace(data, 'okafor', 'nobody') AS BLOB)")
        rebuilt(root)
        for folder in ("checkpoints", "keys"):
            for path in (root / ".tocsin" / folder).glob("*"):
                if path.name.startswith("ledger") or folder == "checkpoints":
                    path.unlink()
        checkpoint(root, Clock())
        assert verify(root).ok
        faults = verify(root, [outside]).faults
        assert any("not signed by the ledger's key" in fault for fault in faults)
        assert any("the history was rewritten" in fault for fault in faults)

    def test_of_two_checkpoints_of_one_size_that_differ_one_is_false(self, root: Path, tmp_path: Path) -> None:
        made = checkpoint(root, Clock())
        lines = made.text.split("\n")
        lines[2] = base64.b64encode(bytes(32)).decode()
        forged = tmp_path / "forged.txt"
        forged.write_text("\n".join(lines), encoding="utf-8")
        for order in ([forged, Path(made.path)], [Path(made.path), forged]):
            assert any("the history was rewritten" in fault for fault in verify(root, order).faults)

    def test_a_ledger_that_does_not_verify_is_not_signed(self, root: Path) -> None:
        change(root, "DELETE FROM events WHERE sequence = 4")
        with pytest.raises(Refused, match="does not verify"):
            checkpoint(root, Clock())


class TestCheckpoints:
    @pytest.mark.parametrize(
        "damage",
        [
            lambda text: text.replace("\n\n", "\n"),
            lambda text: text.replace("— ", "- "),
            lambda text: text[: len(text) // 2],
            lambda _: "",
            lambda text: text.replace("tocsin.ledger", "tocsin.other"),
        ],
    )
    def test_a_damaged_one_is_a_fault_and_no_traceback(self, root: Path, damage: Callable[[str], str]) -> None:
        path = Path(checkpoint(root, Clock()).path)
        path.write_text(damage(path.read_text(encoding="utf-8")), encoding="utf-8")
        assert not verify(root).ok

    def test_bytes_that_are_no_text(self, root: Path) -> None:
        Path(checkpoint(root, Clock()).path).write_bytes(b"\xff\xfe\x00")
        assert not verify(root).ok

    def test_a_changed_signature(self, root: Path) -> None:
        path = Path(checkpoint(root, Clock()).path)
        head, _, signature = path.read_text(encoding="utf-8").rstrip("\n").rpartition(" ")
        raw = bytearray(base64.b64decode(signature))
        raw[-1] ^= 1
        path.write_text(f"{head} {base64.b64encode(raw).decode()}\n", encoding="utf-8")
        assert any("not signed" in fault for fault in verify(root).faults)

    def test_a_missing_public_key_is_told(self, root: Path) -> None:
        checkpoint(root, Clock())
        (root / ".tocsin" / "keys" / "ledger.pub").unlink()
        assert any("public key is missing" in fault for fault in verify(root).faults)

    def test_one_that_does_not_exist_is_the_callers_mistake(self, root: Path) -> None:
        with pytest.raises(BadInput, match="no such checkpoint"):
            verify(root, [root / "nowhere.txt"])

    def test_the_key_stays_secret_and_names_nobody(self, root: Path) -> None:
        made = checkpoint(root, Clock())
        key = root / ".tocsin" / "keys" / "ledger.ed25519"
        assert key.stat().st_mode & 0o077 == 0
        assert made.key.startswith(f"{verifying.ORIGIN}/")
        assert made.text.split("\n")[0] == made.key.split("+")[0]

    def test_each_covers_what_the_earlier_one_did(self, root: Path) -> None:
        first = checkpoint(root, Clock())
        with bank(root.parent) as (desk, _):
            incidents.note(desk, "INC-2026-0001", "more")
        second = checkpoint(root, Clock())
        assert second.size == first.size + 1
        assert verify(root).checkpoints == 2


class TestFiles:
    def test_a_changed_segment(self, root: Path) -> None:
        path = next((root / ".tocsin" / "segments").rglob("*.parquet"))
        path.write_bytes(path.read_bytes() + b"\x00")
        assert verify(root).ok, "only a deep look reads it"
        assert any("was changed" in fault for fault in verify(root, deep=True).faults)

    def test_a_missing_segment(self, root: Path) -> None:
        next((root / ".tocsin" / "segments").rglob("*.parquet")).unlink()
        assert any("is missing" in fault for fault in verify(root, deep=True).faults)

    def test_changed_evidence(self, root: Path) -> None:
        path = next(p for p in (root / ".tocsin" / "evidence" / "blobs").rglob("*") if p.is_file())
        path.write_bytes(path.read_bytes()[:-1] + b"\x00")
        assert any("was changed after it was sealed" in fault for fault in verify(root, deep=True).faults)

    def test_missing_evidence(self, root: Path) -> None:
        next(p for p in (root / ".tocsin" / "evidence" / "blobs").rglob("*") if p.is_file()).unlink()
        assert any("is missing" in fault for fault in verify(root, deep=True).faults)

    def test_an_erasure_that_nobody_recorded(self, root: Path) -> None:
        next((root / ".tocsin" / "evidence" / "keys").glob("*.key")).unlink()
        assert any("erased" in fault for fault in verify(root, deep=True).faults)


class TestErasing:
    def close(self, root: Path) -> None:
        with bank(root.parent) as (desk, _):
            name = stream("INC-2026-0001")
            closed = desk.event("incident_closed", reason="proven")
            desk.ledger.append(Append(name, desk.ledger.version(name), [closed]))

    def test_what_was_erased_with_a_reason_is_gone_and_the_ledger_still_verifies(self, root: Path) -> None:
        self.close(root)
        with bank(root.parent) as (desk, _):
            told = erasing.erase(desk, "INC-2026-0001", "end of retention")
            assert told.pieces == 1
            assert incidents.timeline(desk, "INC-2026-0001")[-1].text == "evidence erased (1 piece): end of retention"
            with pytest.raises(Refused, match="no evidence"):
                erasing.erase(desk, "INC-2026-0001", "again")
        assert verify(root, deep=True).ok
        assert not [p for p in (root / ".tocsin" / "evidence").rglob("*") if p.is_file()]

    def test_an_open_incident_keeps_its_evidence(self, root: Path) -> None:
        with bank(root.parent) as (desk, _), pytest.raises(Refused, match="is open"):
            erasing.erase(desk, "INC-2026-0001", "r")

    def test_a_reason_is_needed(self, root: Path) -> None:
        with bank(root.parent) as (desk, _), pytest.raises(UsageFault, match="reason"):
            erasing.erase(desk, "INC-2026-0001", " ")


class TestBundle:
    @pytest.fixture
    def bundle(self, root: Path, tmp_path: Path) -> Path:
        export(root, tmp_path / "bundle", Clock())
        return tmp_path / "bundle"

    def stranger(self, bundle: Path, *options: str) -> subprocess.CompletedProcess[str]:
        """As somebody who has Python and nothing else: no site packages."""
        return subprocess.run(
            [sys.executable, *options, str(bundle / "verify.py")],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def test_a_stranger_verifies_it_with_python_alone(self, bundle: Path) -> None:
        done = self.stranger(bundle, "-I", "-S")
        assert done.returncode == 0, done.stderr
        assert "NOT CHECKED" in done.stdout, "without a library the signature is not checked, and it says so"
        assert "signature holds" in self.stranger(bundle).stdout
        assert verify(bundle).ok

    @pytest.mark.parametrize(
        "tamper",
        [
            lambda lines: [lines[0].replace(b"okafor", b"nobody"), *lines[1:]],
            lambda lines: lines[:-1],
            lambda lines: [*lines[:2], *lines[3:]],
            lambda lines: [lines[1], lines[0], *lines[2:]],
            lambda lines: [lines[0], lines[0], *lines[1:]],
        ],
        ids=["changed", "cut off", "removed", "reordered", "doubled"],
    )
    def test_every_change_is_found_by_both(self, bundle: Path, tamper: Callable[[list[bytes]], list[bytes]]) -> None:
        path = bundle / "events.jsonl"
        path.write_bytes(b"".join(tamper(path.read_bytes().splitlines(keepends=True))))
        assert self.stranger(bundle, "-I", "-S").returncode == 1
        assert not verify(bundle).ok

    def test_without_a_checkpoint_nothing_is_proven(self, bundle: Path) -> None:
        shutil.rmtree(bundle / "checkpoints")
        assert self.stranger(bundle, "-I", "-S").returncode == 1
        assert not verify(bundle).ok

    def test_it_holds_neither_keys_nor_evidence(self, bundle: Path, root: Path) -> None:
        names = {path.name for path in bundle.rglob("*") if path.is_file()}
        assert {name for name in names if not name.endswith(".txt")} == {"events.jsonl", "key.pub", "verify.py"}
        secret = base64.b64decode((root / ".tocsin" / "keys" / "ledger.ed25519").read_bytes())
        assert all(secret not in path.read_bytes() for path in bundle.rglob("*") if path.is_file())

    def test_nothing_is_overwritten(self, root: Path, bundle: Path) -> None:
        with pytest.raises(UsageFault, match="exists already"):
            export(root, bundle, Clock())


class TestProofs:
    def test_an_event_is_proven_to_stand_under_the_root(self, root: Path) -> None:
        told = verify(root)
        for sequence in (1, 2, told.events):
            inclusion = prove(root, sequence)
            assert (inclusion.size, inclusion.root) == (told.events, told.root)
            assert inclusion.leaf == leaf_hash(inclusion.event.encode()).hex()

    @pytest.mark.parametrize("sequence", [0, -1, 10_000])
    def test_an_event_that_is_not_there(self, root: Path, sequence: int) -> None:
        with pytest.raises(UsageFault, match="no event"):
            prove(root, sequence)


def test_where_there_is_nothing_to_verify(tmp_path: Path) -> None:
    with pytest.raises(UsageFault, match="no ledger"):
        verify(tmp_path)
