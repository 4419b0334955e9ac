"""Evidence is sealed: nobody reads it without the key, nobody changes it unnoticed, and destroying the key erases it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.adapters.evidence import sealed
from tocsin.adapters.evidence.sealed import EvidenceStore, parse_pointer
from tocsin.model.errors import EnvironmentFault, Refused

NAME = "INC-2026-0001"


@pytest.fixture
def store(tmp_path: Path) -> EvidenceStore:
    return EvidenceStore(tmp_path / "evidence")


def blob(store: EvidenceStore, pointer: str) -> Path:
    incident, name = parse_pointer(pointer)
    return store.root / "blobs" / incident / name


class TestSealing:
    @pytest.mark.parametrize("data", [b"", b"a", b"\x00" * 5, bytes(range(256)) * 4_000], ids=len)
    def test_what_is_sealed_is_unsealed(self, store: EvidenceStore, data: bytes) -> None:
        assert store.unseal(store.seal(NAME, data)) == data

    @settings(max_examples=30, deadline=None)
    @given(st.lists(st.binary(max_size=200), max_size=8))
    def test_any_bytes(self, tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes]) -> None:
        store = EvidenceStore(tmp_path_factory.mktemp("any"))
        pointers = [store.seal(NAME, piece) for piece in pieces]
        assert [store.unseal(pointer) for pointer in pointers] == pieces
        assert len(store.pointers(NAME)) == len(set(pieces))

    def test_the_same_bytes_are_one_piece_in_one_incident_and_two_in_two(self, store: EvidenceStore) -> None:
        assert store.seal(NAME, b"x") == store.seal(NAME, b"x")
        assert store.seal(NAME, b"x").split("/")[1] != store.seal("INC-2026-0002", b"x").split("/")[1]

    def test_nothing_on_disk_shows_the_bytes_or_their_plain_digest(self, store: EvidenceStore) -> None:
        secret = b"IBAN DE89 3704 0044 0532 0130 00" * 9
        pointer = store.seal(NAME, secret)
        assert secret[:20] not in blob(store, pointer).read_bytes()
        assert sealed.sha256(secret).hexdigest() not in pointer

    def test_keys_are_readable_by_nobody_else(self, store: EvidenceStore) -> None:
        store.seal(NAME, b"x")
        key = store.root / "keys" / f"{NAME}.key"
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
        assert len(key.read_bytes()) == sealed.KEY_BYTES

    @pytest.mark.parametrize("name", ["../x", "a/b", "", ".hidden", "x" * 101, "a\x00b", "a b"])
    def test_no_name_leaves_the_folder(self, store: EvidenceStore, name: str) -> None:
        with pytest.raises(Refused):
            store.seal(name, b"x")
        assert not list(store.root.rglob("*.key"))

    def test_a_full_disk_leaves_nothing_half_written(
        self, store: EvidenceStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        kept = store.seal(NAME, b"before")

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(EnvironmentFault, match="space"):
            store.seal(NAME, b"after")
        monkeypatch.undo()
        assert store.pointers(NAME) == (kept,)
        assert store.unseal(kept) == b"before"


class TestTampering:
    @pytest.mark.parametrize("place", [0, 5, 12, 20, -1])
    def test_any_changed_byte_is_noticed(self, store: EvidenceStore, place: int) -> None:
        pointer = store.seal(NAME, b"evidence" * 20)
        path = blob(store, pointer)
        data = bytearray(path.read_bytes())
        data[place] ^= 1
        path.write_bytes(data)
        with pytest.raises(Refused, match="was changed"):
            store.unseal(pointer)

    @pytest.mark.parametrize("length", [0, 3, 12, 27])
    def test_a_shortened_piece_is_noticed(self, store: EvidenceStore, length: int) -> None:
        pointer = store.seal(NAME, b"evidence")
        blob(store, pointer).write_bytes(blob(store, pointer).read_bytes()[:length])
        with pytest.raises(Refused, match="was changed"):
            store.unseal(pointer)

    def test_pieces_cannot_change_places(self, store: EvidenceStore) -> None:
        one, other = store.seal(NAME, b"one"), store.seal(NAME, b"other")
        blob(store, one).write_bytes(blob(store, other).read_bytes())
        with pytest.raises(Refused, match="was changed"):
            store.unseal(one)

    def test_not_even_with_the_key_are_other_bytes_sealed_in_its_place(self, store: EvidenceStore) -> None:
        pointer = store.seal(NAME, b"the truth")
        key = (store.root / "keys" / f"{NAME}.key").read_bytes()
        forged = sealed.ChaCha20Poly1305(key).encrypt(b"n" * 12, sealed.zlib.compress(b"a lie"), pointer.encode())
        blob(store, pointer).write_bytes(b"n" * 12 + forged)
        with pytest.raises(Refused, match="was changed"):
            store.unseal(pointer)

    def test_another_key_opens_nothing(self, store: EvidenceStore) -> None:
        pointer = store.seal(NAME, b"x")
        (store.root / "keys" / f"{NAME}.key").write_bytes(bytes(32))
        with pytest.raises(Refused, match="was changed"):
            store.unseal(pointer)

    def test_a_damaged_key_is_told(self, store: EvidenceStore) -> None:
        pointer = store.seal(NAME, b"x")
        (store.root / "keys" / f"{NAME}.key").write_bytes(b"short")
        with pytest.raises(Refused, match="damaged"):
            store.unseal(pointer)

    def test_a_missing_piece_is_told(self, store: EvidenceStore) -> None:
        pointer = store.seal(NAME, b"x")
        blob(store, pointer).unlink()
        with pytest.raises(Refused, match="is missing"):
            store.unseal(pointer)
        assert store.state(pointer) == "missing"

    @pytest.mark.parametrize(
        "pointer", ["", "evidence:", "evidence:x/../y", "file:/etc/passwd", "evidence:x/" + "g" * 64]
    )
    def test_what_is_no_pointer(self, store: EvidenceStore, pointer: str) -> None:
        with pytest.raises(Refused, match="not an evidence pointer"):
            store.unseal(pointer)


class TestErasing:
    def test_destroying_the_key_erases_everything_of_the_incident_and_nothing_else(self, store: EvidenceStore) -> None:
        pointers = [store.seal(NAME, data) for data in (b"a", b"b")]
        other = store.seal("INC-2026-0002", b"c")
        assert store.erase(NAME) == 2
        assert store.pointers(NAME) == ()
        for pointer in pointers:
            assert store.state(pointer) == "erased"
            with pytest.raises(Refused, match="erased"):
                store.unseal(pointer)
        assert store.unseal(other) == b"c"

    def test_erasing_again_or_nothing_is_nothing(self, store: EvidenceStore) -> None:
        assert store.erase(NAME) == 0
        store.seal(NAME, b"a")
        store.erase(NAME)
        assert store.erase(NAME) == 0

    def test_what_is_sealed_afterwards_has_a_new_key(self, store: EvidenceStore) -> None:
        before = store.seal(NAME, b"a")
        store.erase(NAME)
        after = store.seal(NAME, b"a")
        assert before != after
        assert store.unseal(after) == b"a"
