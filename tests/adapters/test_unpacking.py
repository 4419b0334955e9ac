"""Files in gzip and UTF-16 hold the same texts as plain ones; what is broken or a bomb is read up to there and told."""

from __future__ import annotations

import codecs
import gzip
import io
import json
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.adapters import unpacking
from tocsin.adapters.texts import Columns, Kind, Text, batches
from tocsin.adapters.unpacking import readable
from tocsin.model.errors import BadInput

LINES = '{"id": "a", "text": "grüße 🙂"}\n{"id": "b", "text": "zwei"}\n'
TABLE = "id,text\na,grüße 🙂\nb,zwei\n"
WORDS = st.text(st.sampled_from("aé日🙂\n\x00"), max_size=80)


def whole(data: bytes) -> tuple[bytes, list[str]]:
    """All that is read from a file with these bytes, and what was wrong."""
    problems = list[str]()
    return readable(io.BytesIO(data), problems).read(), problems


def read(data: bytes, name: str | None = "x.txt", kind: Kind = "auto") -> list[Text]:
    path = Path(name) if name else None
    return [text for batch in batches(path, io.BytesIO(data), kind, Columns(), "user") for text in batch]


def in_utf16(text: str, *, big: bool = False) -> bytes:
    mark = codecs.BOM_UTF16_BE if big else codecs.BOM_UTF16_LE
    return mark + text.encode("utf-16-be" if big else "utf-16-le")


@settings(max_examples=60, deadline=None)
@given(WORDS, st.booleans())
def test_utf16_of_either_order_is_read_as_the_text_that_it_is(text: str, big: bool) -> None:
    assert whole(in_utf16(text, big=big)) == (text.encode(), [])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=300), min_size=1, max_size=4), st.integers(0, 20))
def test_members_stand_one_behind_the_other_and_zeros_behind_them(parts: list[bytes], zeros: int) -> None:
    packed = b"".join(gzip.compress(part) + b"\0" * zeros for part in parts)
    plain = b"".join(parts)
    if plain[:2] not in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        assert whole(packed) == (plain, [])


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_behind_the_first_are_survived(data: bytes) -> None:
    for start in (b"\x1f\x8b\x08", b"\x1f\x8b\x08" + bytes(7), codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        for text in read(start + data):
            assert text.data is None or text.data.decode() is not None
            assert (text.data is not None) or text.problem


@pytest.mark.parametrize("pack", [gzip.compress, in_utf16, lambda text: gzip.compress(in_utf16(text.decode()))])
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.jsonl", LINES),
        ("x.jsonl.gz", LINES),
        ("x.CSV.GZ", TABLE),
        ("x.tsv", TABLE.replace(",", "\t")),
        (None, LINES),
    ],
)
def test_every_format_may_be_packed_whatever_its_name(name: str | None, content: str, pack: object) -> None:
    packed = in_utf16(content) if pack is in_utf16 else pack(content.encode())  # type: ignore[operator]
    found = read(packed, name)
    assert [(one.id, one.data, one.problem) for one in found] == [("a", "grüße 🙂".encode(), ""), ("b", b"zwei", "")]
    assert [one.line for one in found] == ([1, 2] if content == LINES else [2, 3])


def test_a_name_that_ends_so_is_not_enough() -> None:
    assert [one.data for one in read(b"no gzip", "x.gz")] == [b"no gzip"]
    assert [one.data for one in read(b"\x1f\x8b", "x.gz")] == ["\x1f\ufffd".encode()]
    assert read(b"", "x.gz") == []


def test_a_plain_file_in_pieces_keeps_its_offsets_and_lines() -> None:
    text = "zeile é 🙂\n" * 150_000
    found = read(gzip.compress(in_utf16(text)), "x.log.gz")
    assert len(found) > 1
    assert b"".join(one.data or b"" for one in found).decode() == text
    assert [one.first for one in found] == [10 * (one.line - 1) for one in found]
    assert not any(one.problem for one in found)


@pytest.mark.parametrize("missing", [1, 8, 9, 40])
def test_a_gzip_that_ends_early_is_read_to_its_end_and_told_with_the_last_line(missing: int) -> None:
    lines = "".join(json.dumps({"text": f"{number:08x}" * 3}) + "\n" for number in range(50))
    *there, last = read(gzip.compress(lines.encode())[:-missing], "x.jsonl.gz")
    assert last.problem == "broken gzip (it ends early): the rest is not there"
    assert (last.id, last.data, last.line) == ("x.jsonl.gz", None, there[-1].line)
    assert [one.data for one in there[:20]] == [(f"{number:08x}" * 3).encode() for number in range(20)]


def test_wrong_bytes_in_a_gzip_are_told_and_what_stands_before_them_is_read() -> None:
    packed = gzip.compress(b"first part ")
    first, behind = read(packed + b"and no gzip", "x.gz")
    assert first.data == b"first part "
    assert behind.problem.startswith("broken gzip (Error -3 while decompressing data: incorrect header check)")
    flipped = packed[:-8] + bytes([packed[-8] ^ 1]) + packed[-7:]
    (only,) = read(flipped, "x.gz")
    assert (only.data, only.line) == (None, 1)
    assert "incorrect data check" in only.problem


def test_a_broken_table_is_told_as_broken_and_not_as_one_without_columns() -> None:
    with pytest.raises(BadInput, match=r"x\.csv\.gz.*broken gzip.*give a whole file"):
        read(gzip.compress(b"id,text\n")[:12], "x.csv.gz")
    with pytest.raises(BadInput, match="no column 'text'"):
        read(gzip.compress(b"id,body\n"), "x.csv.gz")


def test_a_bomb_stops_where_it_is_told_and_a_good_file_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "SWELL_FREE", 1 << 20)
    bomb = gzip.compress(b"x\n" * (3 << 20))
    data, problems = whole(bomb)
    assert max(1 << 20, 200 * len(bomb)) - unpacking.CHUNK <= len(data) <= max(1 << 20, 200 * len(bomb))
    assert problems == ["this gzip swells more than 200 times: the rest is not read"]
    small = gzip.compress(b"x" * (1 << 20))
    assert whole(small) == (b"x" * (1 << 20), [])
    log = "".join(f"2026-11-25 12:{n % 60:02d} GET /page/{zlib.crc32(b'%d' % n)} 200\n" for n in range(60_000)).encode()
    assert len(log) > 2 << 20
    assert whole(gzip.compress(log)) == (log, [])


def test_a_bomb_within_a_bomb_is_bytes_and_is_not_opened_again() -> None:
    inner = gzip.compress(b"x" * 100)
    assert whole(gzip.compress(inner)) == (inner, [])


@pytest.mark.parametrize(
    ("data", "line", "told"),
    [
        (b"a\0\x0a\0" + b"\x00\xd8" + b"b\0", 1, "no UTF-8 at byte 2"),
        (b"a\0b\0c", 1, "no UTF-8 at byte 2"),
        (b"a\0" + b"\x3d\xd8", 1, "no UTF-8 at byte 1"),
    ],
)
def test_half_of_a_character_is_told_and_the_rest_is_read(data: bytes, line: int, told: str) -> None:
    (text,) = read(codecs.BOM_UTF16_LE + data)
    assert text.problem.startswith(told)
    assert (text.line, (text.data or b"")[:1]) == (line, b"a")
    assert "\ufffd".encode() in (text.data or b"")


def test_a_lone_surrogate_in_lines_is_told_with_its_line() -> None:
    lines = in_utf16('{"text": "good"}\n{"text": "a') + b"\x00\xd8" + '"}\n{"text": "end"}'.encode("utf-16-le")
    good, odd, end = read(lines, "x.jsonl")
    assert (good.data, good.problem, end.data, end.problem) == (b"good", "", b"end", "")
    assert (odd.line, (odd.data or b"")[:1]) == (2, b"a")
    assert odd.problem == "no Unicode at character 1: that is passed over"
