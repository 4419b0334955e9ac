"""Files as streams of plain bytes: compressions, digests, and what is cut off."""

from __future__ import annotations

import bz2
import gzip
import tracemalloc
from hashlib import sha256
from pathlib import Path

import pyarrow as pa
import pytest

from tocsin.adapters.telemetry.opening import HEAD_BYTES, identified, opened
from tocsin.model.errors import BadInput, EnvironmentFault

DATA = b"".join(b"line %d\n" % n for n in range(20_000))
PACKED = {
    "plain.csv": DATA,
    "log.csv.gz": gzip.compress(DATA),
    "log.csv.zst": pa.compress(DATA, "zstd", asbytes=True),
    "log.csv.bz2": bz2.compress(DATA),
    "LOG.CSV.LZ4": pa.compress(DATA, "lz4", asbytes=True),
    "no-suffix": gzip.compress(DATA),
    "two-members.gz": gzip.compress(DATA[:70_000]) + gzip.compress(DATA[70_000:]),
}


@pytest.fixture(params=sorted(PACKED))
def packed(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / str(request.param)
    path.write_bytes(PACKED[path.name])
    return path


def drained(path: Path, size: int = 10_000) -> list[bytes]:
    pieces = []
    with opened(path) as file:
        while piece := file.stream.read(size):
            pieces.append(piece)
    return pieces


def test_every_compression_gives_the_plain_bytes_in_full_pieces(packed: Path) -> None:
    pieces = drained(packed)
    assert b"".join(pieces) == DATA
    assert {len(piece) for piece in pieces[:-1]} == {10_000}


def test_the_head_is_of_the_plain_bytes_and_is_read_again(packed: Path) -> None:
    with opened(packed) as file:
        assert file.head == DATA[:HEAD_BYTES]
        assert file.stream.read(6) == DATA[:6]


def test_the_position_goes_to_the_size_of_the_file(packed: Path) -> None:
    with opened(packed) as file:
        while file.stream.read(50_000):
            pass
        assert file.position() == packed.stat().st_size


def test_a_source_is_known_by_its_bytes(packed: Path) -> None:
    data = packed.read_bytes()
    assert identified(packed) == (sha256(data).hexdigest(), len(data))


@pytest.mark.parametrize(
    ("given_", "name"), [("log.csv.gz", "log.csv"), ("LOG.CSV.LZ4", "log.csv"), ("no-suffix", "no-suffix")]
)
def test_the_name_is_without_the_suffix_of_the_compression(tmp_path: Path, given_: str, name: str) -> None:
    path = tmp_path / given_
    path.write_bytes(PACKED[given_])
    with opened(path) as file:
        assert file.name == name


@pytest.mark.parametrize(
    ("name", "damage"),
    [*((name, "cut") for name in PACKED if name != "plain.csv"), ("log.csv.gz", "changed"), ("log.csv.zst", "changed")],
)
def test_compressed_bytes_that_are_damaged_are_refused_before_anything_is_read(
    tmp_path: Path, name: str, damage: str
) -> None:
    path, data = tmp_path / name, PACKED[name]
    if damage == "cut":
        path.write_bytes(data[:-20])
    else:
        path.write_bytes(data[: len(data) // 2] + bytes(16) + data[len(data) // 2 + 16 :])
    with pytest.raises(BadInput, match="cut off or damaged"):
        identified(path)


def test_a_gzip_bomb_is_read_in_pieces(tmp_path: Path) -> None:
    path = tmp_path / "bomb.gz"
    with gzip.open(path, "wb", compresslevel=1) as bomb:
        for _ in range(64):
            bomb.write(bytes(1 << 20))
    tracemalloc.start()
    try:
        identified(path)
        total = 0
        with opened(path) as file:
            while piece := file.stream.read(1 << 20):
                total += len(piece)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert total == 64 << 20
    assert peak < 8 << 20


def test_an_empty_file_is_an_empty_stream(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    assert drained(tmp_path / "empty") == []
    assert identified(tmp_path / "empty").bytes == 0


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault, match="nowhere"):
        identified(tmp_path / "nowhere")
    with pytest.raises(EnvironmentFault):
        identified(tmp_path)
