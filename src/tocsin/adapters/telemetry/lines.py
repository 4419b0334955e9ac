"""A byte stream in blocks of whole, sound lines. Memory is bounded by the block and by the longest line that is allowed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from tocsin.adapters.telemetry.chunks import Bad, shown

BLOCK_BYTES = 4 << 20
LINE_BYTES_MAX = 8 << 20
BOM = b"\xef\xbb\xbf"


class Block(NamedTuple):
    """Whole lines as bytes, the number of the first of them, the lines left out, and the bytes read so far."""

    data: bytes
    first_line: int
    bad: tuple[Bad, ...]
    position: int


def blocks(stream: BinaryIO, *, quoted: bool = False) -> Iterator[Block]:
    """The stream in blocks that end at the end of a line; with `quoted`, of a record: a newline inside quotes ends nothing.

    A line of more than `LINE_BYTES_MAX` is left out and named; a last line without a newline is given as it is.
    """
    held, line, position, first = b"", 1, 0, True
    while part := stream.read(BLOCK_BYTES):
        position += len(part)
        if first:
            part, first = part.removeprefix(BOM), False
        held += part
        end = _end(held, quoted=quoted)
        if end:
            yield Block(held[:end], line, (), position)
            line, held = line + held.count(b"\n", 0, end), held[end:]
        elif len(held) > LINE_BYTES_MAX:
            head, held, position = _skip_line(stream, held, position)
            what = f"a line of more than {LINE_BYTES_MAX >> 20} MiB"
            yield Block(b"", line, (Bad(line, what, "split or shorten the record", shown(head)),), position)
            line += 1
    if held:
        yield Block(held, line, (), position)


def _end(held: bytes, *, quoted: bool) -> int:
    """Where the last whole line (or record) of the bytes ends; 0 if there is none."""
    end = held.rfind(b"\n") + 1
    if quoted and held.count(b'"', 0, end) % 2:
        while end and held.count(b'"', 0, end) % 2:
            end = held.rfind(b"\n", 0, end - 1) + 1
    return end


def _skip_line(stream: BinaryIO, held: bytes, position: int) -> tuple[bytes, bytes, int]:
    """Read on to the end of an overlong line; gives its head, what follows it, and the new position."""
    head = held[:8_192]
    while b"\n" not in held:
        held = stream.read(BLOCK_BYTES)
        position += len(held)
        if not held:
            return head, b"", position
    return head, held[held.index(b"\n") + 1 :], position


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
            bad.append(Bad(block.first_line + index, what, "write the log as UTF-8", shown(raw)))
            lines[index] = b""
    return b"\n".join(lines), bad
