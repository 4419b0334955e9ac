"""A byte stream in blocks of whole, sound lines. Memory is bounded by the block and by the longest line that is allowed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import BinaryIO, NamedTuple

import numpy as np

from tocsin.adapters.telemetry.chunks import Bad, Lines, shown

BLOCK_BYTES = 4 << 20
BLOCK_LINES = 65_536
LINE_BYTES_MAX = 16 << 20
BOM = b"\xef\xbb\xbf"


class Block(NamedTuple):
    """Whole lines as bytes, the number of the first of them, and the lines that were left out (empty in the bytes)."""

    data: bytes
    first_line: int
    bad: tuple[Bad, ...]


def blocks(stream: BinaryIO) -> Iterator[Block]:
    """The stream in blocks that end at the end of a line, without a byte-order mark.

    A line of more than `LINE_BYTES_MAX` is left out and named; a last line without a newline is given as it is.
    """
    held: list[bytes] = []
    size, line = 0, 1
    part = stream.read(BLOCK_BYTES).removeprefix(BOM)
    while part:
        end = part.rfind(b"\n") + 1
        if end:
            data = b"".join([*held, part[:end]])
            yield from _pieces(data, line)
            line, held, size = line + data.count(b"\n"), [], 0
        held.append(part[end:])
        size += len(part) - end
        if size > LINE_BYTES_MAX:
            yield Block(b"\n", line, (_too_long(line, held[0]),))
            held, size, line = [], 0, line + 1
            part = _after_line(stream)
        part = stream.read(BLOCK_BYTES) if held or not part else part
    if size:
        yield Block(b"".join(held), line, ())


def _pieces(data: bytes, line: int) -> Iterator[Block]:
    """The lines in blocks of a bounded number of lines: what is made of a line costs memory even if it is empty."""
    if data.count(b"\n") <= BLOCK_LINES:
        yield Block(data, line, ())
        return
    ends = np.flatnonzero(np.frombuffer(data, np.uint8) == ord("\n"))[BLOCK_LINES - 1 :: BLOCK_LINES] + 1
    for number, (low, high) in enumerate(pairwise([0, *ends.tolist(), len(data)])):
        if low < high:
            yield Block(data[low:high], line + number * BLOCK_LINES, ())


def _too_long(line: int, head: bytes) -> Bad:
    what = f"a line of more than {LINE_BYTES_MAX >> 20} MiB"
    return Bad(line, what, "split or shorten the record", shown(head), what)


def _after_line(stream: BinaryIO) -> bytes:
    """Read on to the end of the line; gives what of the next one was read with it."""
    while part := stream.read(BLOCK_BYTES):
        if b"\n" in part:
            return part[part.index(b"\n") + 1 :]
    return b""


def sound(block: Block) -> tuple[bytes, list[Bad]]:
    """The block's bytes with every line that is not UTF-8 made empty, so that line numbers stay, and those lines named."""
    try:
        block.data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    else:
        return block.data, list(block.bad)
    lines, bad = block.data.split(b"\n"), list(block.bad)
    for index, raw in enumerate(lines):
        try:
            raw.decode("utf-8")
        except UnicodeDecodeError as error:
            what = f"not UTF-8 at byte {error.start + 1} of the line"
            bad.append(Bad(block.first_line + index, what, "write the log as UTF-8", shown(raw), "not UTF-8"))
            lines[index] = b""
    return b"\n".join(lines), bad


def texts(data: bytes, offsets: Lines) -> Callable[[int], str]:
    """What gives the text of the line at `offsets[index]`; the lines are only cut apart when somebody asks."""
    lines: list[bytes] = []

    def text(index: int) -> str:
        if not lines:
            lines.extend(data.split(b"\n"))
        return shown(lines[int(offsets[index])])

    return text
