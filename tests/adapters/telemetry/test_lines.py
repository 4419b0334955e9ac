"""Blocks of whole lines: nothing lost, nothing twice, bounded."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.adapters.telemetry import lines
from tocsin.adapters.telemetry.lines import Block, blocks, sound, texts

pytestmark = pytest.mark.usefixtures("small")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "BLOCK_BYTES", 16)
    monkeypatch.setattr(lines, "LINE_BYTES_MAX", 64)


def numbered(data: bytes) -> dict[int, bytes]:
    """Every line that is not empty, by its number."""
    found: dict[int, bytes] = {}
    for block in blocks(BytesIO(data)):
        for number, line in enumerate(block.data.split(b"\n"), start=block.first_line):
            if line:
                assert number not in found
                found[number] = line
    return found


def expected(data: bytes) -> dict[int, bytes]:
    return {number: line for number, line in enumerate(data.split(b"\n"), start=1) if line}


@given(st.lists(st.binary(max_size=40).map(lambda line: line.replace(b"\n", b"").replace(b"\xef", b"")), max_size=12))
def test_every_line_comes_once_with_its_number(rows: list[bytes]) -> None:
    data = b"\n".join(rows)
    saved, lines.BLOCK_BYTES = lines.BLOCK_BYTES, 16
    try:
        assert numbered(data) == expected(data)
    finally:
        lines.BLOCK_BYTES = saved


@pytest.mark.parametrize("end", [b"", b"\n", b"\n\n"])
@pytest.mark.parametrize("width", [3, 15, 16, 17, 31, 32, 33, 60])
def test_lines_at_the_edges_of_blocks(width: int, end: bytes) -> None:
    data = b"\n".join([b"x" * width] * 5) + end
    assert numbered(data) == expected(data)


@pytest.mark.parametrize("length", [100, 160, 1_000])
@pytest.mark.parametrize("place", [0, 1, 4])
def test_a_line_that_is_too_long_is_named_and_the_rest_keeps_its_numbers(length: int, place: int) -> None:
    rows = [f"row {n}".encode() for n in range(5)]
    rows.insert(place, b"L" * length)
    data = b"\n".join(rows) + b"\n"
    bad = [problem for block in blocks(BytesIO(data)) for problem in block.bad]
    assert [problem.line for problem in bad] == [place + 1]
    assert bad[0].raw.startswith("L")
    assert numbered(data) == {n: row for n, row in expected(data).items() if n != place + 1}


def test_a_last_line_that_is_too_long_and_never_ends_is_named() -> None:
    bad = [problem for block in blocks(BytesIO(b"a\n" + b"L" * 1_000)) for problem in block.bad]
    assert [problem.line for problem in bad] == [2]


def test_two_lines_that_are_too_long_follow_each_other() -> None:
    data = b"L" * 300 + b"\n" + b"M" * 300 + b"\nok\n"
    bad = [problem for block in blocks(BytesIO(data)) for problem in block.bad]
    assert [problem.line for problem in bad] == [1, 2]
    assert numbered(data) == {3: b"ok"}


def test_a_line_of_100_mb_costs_no_100_mb(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "BLOCK_BYTES", 1 << 20)
    monkeypatch.setattr(lines, "LINE_BYTES_MAX", 4 << 20)
    sizes: list[int] = []

    class Endless:
        left = 100

        def read(self, size: int) -> bytes:
            self.left -= 1
            sizes.append(size)
            return b"x" * size if self.left > 0 else b"\nlast\n" if self.left == 0 else b""

    found = list(blocks(Endless()))  # type: ignore[arg-type]
    assert len(sizes) > 100
    assert max(len(block.data) for block in found) < 10
    assert [problem.line for block in found for problem in block.bad] == [1]
    assert found[-1].data == b"last\n"
    assert found[-1].first_line == 2


@pytest.mark.parametrize("count", [1, 4, 5, 6, 10, 11])
def test_blocks_have_a_bounded_number_of_lines(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(lines, "BLOCK_BYTES", 1 << 20)
    monkeypatch.setattr(lines, "BLOCK_LINES", 5)
    for data in (b"x\n" * count, b"x\n" * count + b"last", b"\n" * count):
        found = list(blocks(BytesIO(data)))
        assert max(block.data.count(b"\n") for block in found) <= 5
        assert b"".join(block.data for block in found) == data
        assert numbered(data) == expected(data)


def test_a_byte_order_mark_is_no_part_of_the_first_line() -> None:
    assert numbered(b"\xef\xbb\xbfa\nb") == {1: b"a", 2: b"b"}


def test_nothing_gives_nothing() -> None:
    assert list(blocks(BytesIO(b""))) == []
    assert list(blocks(BytesIO(b"\xef\xbb\xbf"))) == []


def test_lines_that_are_not_utf_8_are_emptied_and_named() -> None:
    data, bad = sound(Block(b"a\n\xff\xfe\nb\xc3\n\xc3\xa9\n", 10, ()))
    assert data == b"a\n\n\n\xc3\xa9\n"
    assert [(problem.line, problem.reason, problem.kind) for problem in bad] == [
        (11, "not UTF-8 at byte 1 of the line", "not UTF-8"),
        (12, "not UTF-8 at byte 2 of the line", "not UTF-8"),
    ]
    assert bad[0].raw == r"\xff\xfe"


def test_sound_bytes_stay_as_they_are() -> None:
    data = "zażółć\n".encode()
    assert sound(Block(data, 1, ())) == (data, [])


def test_texts_gives_the_lines_asked_for() -> None:
    text = texts(b"zero\none\ntwo", np.array([0, 2]))
    assert (text(0), text(1)) == ("zero", "two")
