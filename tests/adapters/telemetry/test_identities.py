"""Which ids were seen: against a plain set, and across files on disk."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.adapters.telemetry.identities import Identities, hashed
from tocsin.model.telemetry import Segment

NOW = datetime(2026, 11, 1, tzinfo=UTC)
IDS = st.lists(st.one_of(st.none(), st.integers(0, 30).map(str)), max_size=12)


class Kept:
    """Segments with the ids in them, and which of them were read."""

    def __init__(self, **ids: list[str | None]) -> None:
        self.ids = ids
        self.read: list[str] = []

    def __call__(self, segments: Sequence[Segment], columns: Sequence[str]) -> Iterable[pa.RecordBatch]:
        assert list(columns) == ["id"]
        for segment in segments:
            self.read.append(segment.id)
            yield pa.record_batch({"id": pa.array(self.ids[segment.id], pa.string())})

    def segments(self, *names: str) -> list[Segment]:
        return [Segment(name, "s", "predictions", len(self.ids[name]), NOW, NOW) for name in names or self.ids]


def texts(*ids: str | None) -> pa.Array:
    return pa.array(ids, pa.string())


def test_a_hash_is_never_that_of_no_id() -> None:
    found = hashed(texts("", "a", None, "a"))
    assert found.dtype == np.uint64
    assert found[2] == 0
    assert (found[[0, 1, 3]] != 0).all()
    assert found[1] == found[3] != found[0]
    assert hashed(texts(None, None)).tolist() == [0, 0]
    assert hashed(texts()).tolist() == []


@given(st.lists(IDS, max_size=10))
def test_it_says_what_a_plain_set_says(groups: list[list[str | None]]) -> None:
    identities, seen = Identities(Path("nowhere"), Kept()), set[str]()
    for group in groups:
        hashes = hashed(texts(*group))
        found = identities.repeated(hashes)
        for given_, again in zip(group, found.tolist(), strict=True):
            assert again == (given_ is not None and given_ in seen)
            if given_ is not None:
                seen.add(given_)
        identities.add(hashes[~found])


def test_ids_of_admitted_segments_are_known(tmp_path: Path) -> None:
    kept = Kept(one=["a", "b"], two=["c", None])
    identities = Identities(tmp_path / "ids.npz", kept)
    identities.admit(kept.segments("one"))
    assert identities.repeated(hashed(texts("a", "c"))).tolist() == [True, False]
    identities.admit(kept.segments("one", "two"))
    assert identities.repeated(hashed(texts("a", "c", None))).tolist() == [True, True, False]
    assert kept.read == ["one", "two"]


def test_what_was_kept_is_not_read_again(tmp_path: Path) -> None:
    kept = Kept(one=["a", "b"], two=["c"], three=["d"])
    first = Identities(tmp_path / "ids.npz", kept)
    first.admit(kept.segments("one", "two"))
    first.keep(kept.segments("one", "two"))
    kept.read.clear()
    second = Identities(tmp_path / "ids.npz", kept)
    second.admit(kept.segments())
    assert kept.read == ["three"]
    assert second.repeated(hashed(texts("a", "c", "d", "e"))).tolist() == [True, True, True, False]


def test_what_was_kept_for_more_segments_is_not_used(tmp_path: Path) -> None:
    kept = Kept(one=["a"], two=["b"])
    first = Identities(tmp_path / "ids.npz", kept)
    first.admit(kept.segments())
    first.keep(kept.segments())
    second = Identities(tmp_path / "ids.npz", kept)
    second.admit(kept.segments("one"))
    assert second.repeated(hashed(texts("a", "b"))).tolist() == [True, False]


def test_it_is_kept_again_only_when_it_has_grown_by_an_eighth(tmp_path: Path) -> None:
    kept = Kept(one=[f"a{n}" for n in range(80)], two=["b"], three=[f"c{n}" for n in range(20)])
    path = tmp_path / "ids.npz"

    def keep(*names: str) -> bytes:
        identities = Identities(tmp_path / "ids.npz", kept)
        identities.admit(kept.segments(*names))
        identities.keep(kept.segments(*names))
        return path.read_bytes()

    first = keep("one")
    assert keep("one", "two") == first
    assert keep("one", "two", "three") != first


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"garbage", b"\x93NUMPY\x01\x00"])
def test_a_damaged_file_is_as_none(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "ids.npz").write_bytes(data)
    kept = Kept(one=["a"])
    identities = Identities(tmp_path / "ids.npz", kept)
    identities.admit(kept.segments())
    assert kept.read == ["one"]
    assert identities.repeated(hashed(texts("a"))).tolist() == [True]


def test_a_file_of_another_kind_is_as_none(tmp_path: Path) -> None:
    with (tmp_path / "ids.npz").open("wb") as file:
        np.savez(file, hashes=np.array([1.5]), segments=np.array(["one"]))
    kept = Kept(one=["a"])
    identities = Identities(tmp_path / "ids.npz", kept)
    identities.admit(kept.segments())
    assert identities.repeated(hashed(texts("a"))).tolist() == [True]


def test_what_was_kept_never_replaces_what_was_added_since(tmp_path: Path) -> None:
    kept = Kept(one=["a"])
    first = Identities(tmp_path / "ids.npz", kept)
    first.admit(kept.segments())
    first.keep(kept.segments())
    second = Identities(tmp_path / "ids.npz", kept)
    second.admit([])
    second.add(hashed(texts("b")))
    second.admit(kept.segments())
    assert second.repeated(hashed(texts("a", "b", "c"))).tolist() == [True, True, False]
