"""JSON lines: what a line may be, and what becomes of one that is none."""

from __future__ import annotations

import json
import math

import pytest

from tests.adapters.telemetry.reading import whole
from tocsin.adapters.telemetry import lines
from tocsin.adapters.telemetry.readers.jsonl import READER


def test_wanted_keys_become_columns_and_others_are_not_read() -> None:
    found = whole(READER, b'{"a": 1, "b": "x", "c": [1]}\n{"b": "y", "a": 2}\n', "a", "b")
    assert found.columns == {"a": [1, 2], "b": ["x", "y"]}
    assert found.lines == [1, 2]


def test_a_key_that_no_row_has_is_no_column() -> None:
    assert "b" not in whole(READER, b'{"a": 1}\n', "a", "b").columns


def test_a_key_that_is_null_everywhere_is_a_column() -> None:
    assert whole(READER, b'{"a": 1, "b": null}\n', "a", "b").columns["b"] == [None]


def test_a_row_may_leave_a_key_out() -> None:
    assert whole(READER, b'{"a": 1}\n{}\n{"a": 3}\n', "a").columns == {"a": [1, None, 3]}


def test_a_dot_reaches_into_objects() -> None:
    data = b'{"user": {"id": "u1", "geo": {"city": "Kiel"}}}\n{"user": "nobody"}\n{"user": {"id": null}}\n'
    found = whole(READER, data, "user.id", "user.geo.city")
    assert found.columns == {"user.id": ["u1", None, None], "user.geo.city": ["Kiel", None, None]}


def test_a_key_with_a_dot_in_it_is_found_too() -> None:
    assert whole(READER, b'{"user.id": "flat"}\n{"user": {"id": "deep"}}\n', "user.id").columns == {
        "user.id": ["flat", "deep"]
    }


def test_a_key_may_be_any_text() -> None:
    data = json.dumps({"": 1, "ключ": 2, "a b": 3, "class": 4, "__struct_fields__": 5}).encode() + b"\n"
    names = ("", "ключ", "a b", "class", "__struct_fields__")
    assert whole(READER, data, *names).columns == dict(zip(names, [[1], [2], [3], [4], [5]], strict=True))


def test_lists_and_objects_become_json_text() -> None:
    found = whole(READER, b'{"a": {"q": "x"}}\n{"a": [1, 2]}\n', "a")
    assert found.columns["a"] == ['{"q":"x"}', "[1,2]"]


def test_values_of_mixed_kinds_become_text() -> None:
    found = whole(READER, b'{"a": 1}\n{"a": "x"}\n{"a": true}\n{"a": null}\n', "a")
    assert found.columns["a"] == ["1", "x", "true", None]


def test_numbers_beyond_64_bits_are_kept_as_text() -> None:
    assert whole(READER, b'{"a": 123456789012345678901234567890}\n', "a").columns["a"] == [
        "123456789012345678901234567890"
    ]


@pytest.mark.parametrize("blank", [b"", b" ", b"\t", b"\r"])
def test_blank_lines_are_passed_over_and_counted(blank: bytes) -> None:
    found = whole(READER, blank + b'\n{"a": 1}\n' + blank + b'\n{"a": 2}\n', "a")
    assert found.lines == [2, 4]
    assert not found.bad


def test_carriage_returns_and_byte_order_mark_are_no_trouble() -> None:
    assert whole(READER, b'\xef\xbb\xbf{"a": 1}\r\n{"a": 2}\r\n', "a").columns == {"a": [1, 2]}


@pytest.mark.parametrize(
    "line", ["[1, 2]", "3", '"text"', "null", "true", "{", '{"a": 1', '{"a" 1}', "{'a': 1}", "\x00"]
)
def test_a_line_that_is_no_object_is_named_and_the_others_are_read(line: str) -> None:
    found = whole(READER, f'{{"a": 1}}\n{line}\n{{"a": 3}}\n'.encode(), "a")
    assert found.columns == {"a": [1, 3]}
    assert found.lines == [1, 3]
    assert [(bad.line, bad.kind, bad.raw) for bad in found.bad] == [(2, "not a JSON object", line)]


def test_the_last_line_of_a_truncated_file_is_named() -> None:
    found = whole(READER, b'{"a": 1}\n{"a": 2', "a")
    assert found.lines == [1]
    assert [(bad.line, bad.raw) for bad in found.bad] == [(2, '{"a": 2')]


def test_a_last_line_without_a_newline_is_read() -> None:
    assert whole(READER, b'{"a": 1}\n{"a": 2}', "a").lines == [1, 2]


def test_a_line_that_is_not_utf_8_is_named_and_the_others_are_read() -> None:
    found = whole(READER, b'{"a": "x"}\n{"a": "\xff"}\n{"a": "z"}\n', "a")
    assert found.columns == {"a": ["x", "z"]}
    assert [(bad.line, bad.kind) for bad in found.bad] == [(2, "not UTF-8")]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_json_has_not_are_let_through_to_be_told(number: str) -> None:
    found = whole(READER, f'{{"a": {number}, "b": 1}}\n{{"a": 0.5, "b": 2}}\n'.encode(), "a", "b")
    assert not math.isfinite(found.columns["a"][0])
    assert found.columns["b"] == [1, 2]
    assert not found.bad


@pytest.mark.parametrize("line", ['{"a": NaN', "[NaN]", "NaN", '{"a": NaN, "b": "\\ud800"}'])
def test_nan_excuses_nothing_else(line: str) -> None:
    found = whole(READER, line.encode() + b"\n", "a", "b")
    assert found.lines == []
    assert len(found.bad) == 1


def test_half_of_a_surrogate_pair_is_named() -> None:
    assert len(whole(READER, b'{"a": "\\ud800"}\n', "a").bad) == 1


def test_a_line_that_nests_endlessly_is_named() -> None:
    deep = b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    found = whole(READER, deep + b'\n{"a": 2}\n', "a")
    assert found.lines == [2]
    assert found.bad[0].reason == "not a JSON object: it is nested too deeply"
    assert len(found.bad[0].raw) <= 2_000


def test_a_line_that_is_too_long_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "BLOCK_BYTES", 64)
    monkeypatch.setattr(lines, "LINE_BYTES_MAX", 256)
    long = json.dumps({"a": "x" * 5_000}).encode()
    found = whole(READER, b'{"a": "1"}\n' + long + b'\n{"a": "3"}\n', "a")
    assert found.columns == {"a": ["1", "3"]}
    assert [bad.line for bad in found.bad] == [2]
    assert found.lines == [1, 3]


def test_rows_that_each_have_other_keys_cost_no_more_than_the_wanted_ones() -> None:
    data = b"".join(b'{"k%d": 1, "a": %d}\n' % (n, n) for n in range(20_000))
    assert whole(READER, data, "a").columns == {"a": list(range(20_000))}


def test_the_text_of_a_row_is_its_line() -> None:
    found = whole(READER, b'{"a": 1}\n\n{"a": 2, "b": "kept"}\n', "a")
    assert found.raws == ['{"a": 1}', '{"a": 2, "b": "kept"}']


def test_names_are_told_when_a_wanted_key_is_missing() -> None:
    from io import BytesIO

    data = b'{"a": 1, "user": {"id": 2}}\n[]\n{"b": 3}\n'
    (chunk,) = READER.read(BytesIO(data), "log", frozenset({"missing"}))
    assert list(chunk.names) == ["a", "user.id", "b"]


def test_the_same_bytes_give_the_same_rows_whatever_the_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    data = b"".join(json.dumps({"a": n, "b": "x" * (n % 50)}).encode() + b"\n" for n in range(500))
    expected = whole(READER, data, "a", "b")
    for size in (7, 64, 1_000):
        monkeypatch.setattr(lines, "BLOCK_BYTES", size)
        assert whole(READER, data, "a", "b") == expected


@pytest.mark.parametrize(
    ("name", "head", "sure"),
    [
        ("a.jsonl", b"", 1),
        ("a.ndjson", b"garbage", 1),
        ("a.log", b'{"a": 1}', 2),
        ("a", b'\xef\xbb\xbf\n {"a": 1}', 2),
        ("a.csv", b"a,b", 0),
        ("a", b"", 0),
    ],
)
def test_it_is_recognized_by_content_or_name(name: str, head: bytes, sure: int) -> None:
    assert READER.recognizes(name, head) == sure
