"""What stands between a file and its texts: gzip (RFC 1952) and UTF-16 with a byte order mark, known by their first bytes, as a stream.

Memory is bounded whatever the file holds. What is broken or swells like a bomb is read up to there, and that is told.
"""

from __future__ import annotations

import codecs
import io
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO, cast

GZIP = b"\x1f\x8b\x08"
CHUNK = 64 << 10
SWELL_FREE = 64 << 20
"""So many bytes may come out of a compressed file, whatever its size."""
SWELL_MAX = 200
"""Beyond those, as many times what was compressed. Logs shrink 5 to 100 times; gzip can at most 1,032 times."""
_UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


def readable(stream: BinaryIO, problems: list[str]) -> io.BufferedReader:
    """The bytes of a text: decompressed, and as UTF-8 where they are UTF-16. What went wrong is added to `problems` at the end."""
    ready = _peekable(stream)
    if ready.peek(3)[:3] == GZIP:
        ready = io.BufferedReader(_Pieces(_decompressed(ready, problems)), CHUNK)
    encoding = _UTF16.get(ready.peek(2)[:2])
    return io.BufferedReader(_Pieces(_recoded(ready, encoding)), CHUNK) if encoding else ready


def _peekable(stream: BinaryIO) -> io.BufferedReader:
    return stream if isinstance(stream, io.BufferedReader) else io.BufferedReader(cast("Any", stream))


class _Pieces(io.RawIOBase):
    """Pieces of bytes as a file."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._left = pieces, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        view = memoryview(buffer).cast("B")
        self._left = self._left or next(filter(None, self._pieces), b"")
        taken = self._left[: len(view)]
        view[: len(taken)] = taken
        self._left = self._left[len(taken) :]
        return len(taken)


def _decompressed(stream: BinaryIO, problems: list[str]) -> Iterator[bytes]:
    """What the members of a gzip file hold, one behind the other; zeros behind a member are padding."""
    taken = given = 0
    member, data = _member(), b""
    while True:
        if not data:
            data = stream.read(CHUNK)
            taken += len(data)
        if not data:
            break
        if member.eof:
            data = data.lstrip(b"\0")
            member = _member() if data else member
            continue
        try:
            piece = member.decompress(data, CHUNK)
        except zlib.error as error:
            problems.append(f"broken gzip ({error}): the rest is not read")
            return
        data = member.unused_data if member.eof else member.unconsumed_tail
        given += len(piece)
        if given > max(SWELL_FREE, taken * SWELL_MAX):
            problems.append(f"this gzip swells more than {SWELL_MAX} times: the rest is not read")
            return
        yield piece
    if not member.eof:
        problems.append("broken gzip (it ends early): the rest is not there")


def _member() -> Any:
    return zlib.decompressobj(zlib.MAX_WBITS | 16)


def _recoded(stream: BinaryIO, encoding: str) -> Iterator[bytes]:
    """UTF-16 as UTF-8, without its mark. Half a pair or half a character becomes bytes that are no UTF-8, so that its line is told."""
    decoder = codecs.getincrementaldecoder(encoding)("surrogatepass")
    stream.read(2)
    while data := stream.read(CHUNK):
        yield decoder.decode(data).encode("utf-8", "surrogatepass")
    if decoder.getstate()[0]:
        yield b"\xff"
