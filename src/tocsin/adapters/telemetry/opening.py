"""A telemetry file as a stream of plain bytes: its digest, its compression, its first bytes."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from hashlib import file_digest, sha256
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

import pyarrow as pa

from tocsin.adapters.files import told
from tocsin.model.errors import BadInput, Place, UsageFault

MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bz2", b"\x04\x22\x4d\x18": "lz4"}
PARQUET = b"PAR1"
SUFFIXES = (".gz", ".zst", ".zstd", ".bz2", ".lz4")
PIECE_BYTES = 1 << 20
HEAD_BYTES = 4_096


class Opened(NamedTuple):
    """The stream without its compression, the lower-case name without its suffix, the first bytes, and how far the file is read."""

    stream: BinaryIO
    name: str
    head: bytes
    position: Callable[[], int]


class Source(NamedTuple):
    """A file as it was when its bytes were read: the SHA-256 of them and their number."""

    digest: str
    bytes: int


def identified(path: Path) -> Source:
    """The digest and the size of the file, after a look at all of it.

    Raises:
        BadInput: it is compressed and its end is missing or damaged: nothing of it is read then.
        EnvironmentFault: it cannot be read.
    """
    with told(path), path.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()
        size = file.tell()
    kind = _compression(path)
    if kind is not None:
        with told(path), _Decompressed(path, kind) as stream:
            while stream.read(PIECE_BYTES):
                pass
    return Source(digest, size)


class Beginning(NamedTuple):
    """How a file begins: as a whole earlier one did. Its digest, its whole lines, and whether a part of a line follows them."""

    digest: str
    lines: int
    partial: bool


def beginning(path: Path, known: Mapping[int, AbstractSet[str]]) -> Beginning | None:
    """The longest of the known files (digests by size in bytes) with which this one begins: a log that grew.

    Compressed files and Parquet begin with none: their bytes do not grow by lines.
    """
    found, digest, at, lines, last = None, sha256(), 0, 0, b""
    with told(path), path.open("rb") as file:
        if _compression(path) is not None or file.read(len(PARQUET)) == PARQUET:
            return None
        file.seek(0)
        for size in sorted(known):
            while at < size and (part := file.read(min(PIECE_BYTES, size - at))):
                digest.update(part)
                at, lines, last = at + len(part), lines + part.count(b"\n"), part[-1:]
            if at < size:
                return found
            if digest.hexdigest() in known[size]:
                found = Beginning(digest.hexdigest(), lines, partial=last != b"\n")
    return found


@contextmanager
def opened(path: Path) -> Iterator[Opened]:
    """The file, decompressed piece by piece. Raises BadInput when the compressed bytes are damaged."""
    kind, name = _compression(path), path.name.lower()
    if kind is None:
        with told(path), path.open("rb") as raw:
            head = raw.read(HEAD_BYTES)
            raw.seek(0)
            yield Opened(raw, name, head, raw.tell)
        return
    name = next((name.removesuffix(suffix) for suffix in SUFFIXES if name.endswith(suffix)), name)
    with told(path), _Decompressed(path, kind) as stream:
        head = stream.read(HEAD_BYTES)
    with told(path), _Decompressed(path, kind) as stream:
        yield Opened(cast("BinaryIO", stream), name, head, stream.position)


def _compression(path: Path) -> str | None:
    with told(path), path.open("rb") as raw:
        start = raw.read(8)
    return next((kind for magic, kind in MAGIC.items() if start.startswith(magic)), None)


class _Decompressed:
    """A compressed file as a stream whose reads are full until the end, so that the same bytes give the same pieces."""

    def __init__(self, path: Path, kind: str) -> None:
        self._path = path
        self._raw = pa.OSFile(str(path), "rb")
        self._stream = pa.CompressedInputStream(self._raw, kind)

    def __enter__(self) -> _Decompressed:
        return self

    def __exit__(self, *exception: object) -> None:
        self._stream.close()
        self._raw.close()

    def read(self, size: int) -> bytes:
        """That many bytes, or fewer at the end."""
        parts: list[bytes] = []
        try:
            while size > 0 and (part := self._stream.read(size)):
                parts.append(part)
                size -= len(part)
        except OSError as error:
            what = f"the compressed file is cut off or damaged ({str(error).splitlines()[0]})"
            raise BadInput.at(Place(str(self._path)), what, "copy or write the file again") from error
        return b"".join(parts)

    def position(self) -> int:
        """How many compressed bytes were read."""
        return int(self._raw.tell())


def gathered(paths: Iterable[Path], spool: Path) -> Iterator[Path]:
    """The files: folders as the files in them, and `-` as what standard input gives, kept below `spool` until it was used.

    Raises:
        UsageFault: there is no such file.
    """
    for path in paths:
        if str(path) == "-":
            spooled = _spooled(spool)
            yield spooled
            spooled.unlink()  # only when all went well: a pipe cannot be read again
        elif path.is_dir():
            yield from sorted(p for p in path.iterdir() if p.is_file() and not p.name.startswith("."))
        elif path.exists():
            yield path
        else:
            raise UsageFault(f"no file {path}", "check the name")


def _spooled(folder: Path) -> Path:
    with told(folder):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile(dir=folder, prefix="stdin-", delete=False) as kept:
            while part := sys.stdin.buffer.read(PIECE_BYTES):
                kept.write(part)
    return Path(kept.name)
