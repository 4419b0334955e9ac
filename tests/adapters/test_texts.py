"""Texts come out of every format; what is broken is told with its line, and the rest is read."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.adapters import texts
from tocsin.adapters.texts import Columns, Kind, Text, batches, opened
from tocsin.model.errors import BadInput, EnvironmentFault, UsageFault

COLUMNS = Columns()


def read(data: bytes, kind: Kind = "auto", name: str | None = "x", columns: Columns = COLUMNS) -> list[Text]:
    """Every text of a file with these bytes."""
    stream = io.BufferedReader(io.BytesIO(data))  # type: ignore[arg-type]
    path = Path(name) if name else None
    return [text for batch in batches(path, stream, kind, columns, "user") for text in batch]


def parquet(values: dict[str, Any]) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table(values), sink)
    return sink.getvalue()


ROWS = [{"id": "a", "text": "grüße\nzwei", "role": "tool"}, {"id": "b", "text": "", "role": "user"}]


def _csv() -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, ["id", "text", "role"])
    writer.writeheader()
    writer.writerows(ROWS)
    return out.getvalue().encode()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("x.jsonl", b"\xef\xbb\xbf" + "\n".join(map(json.dumps, ROWS)).encode()),
        ("x.ndjson", "\n\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS).encode()),
        ("x.csv", _csv()),
        ("x.tsv", b"\xef\xbb\xbf" + _csv().replace(b",", b"\t")),
        ("x.parquet", parquet({key: [row[key] for row in ROWS] for key in ROWS[0]})),
    ],
)
def test_every_format_holds_the_same_texts(name: str, data: bytes) -> None:
    found = read(data, name=name)
    assert [(t.id, t.data, t.role, t.problem) for t in found] == [
        ("a", "grüße\nzwei".encode(), "tool", ""),
        ("b", b"", "user", ""),
    ]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b'{"text": 3}', "'text' is no text"),
        (b'{"words": "x"}', "no 'text' in it"),
        (b'{"text": null}', ""),
        (b"[1]", "a JSON object is needed"),
        (b'{"text": "x"', "no JSON: "),
        (b"[" * 100_000, "no JSON: "),
        (b"\x00\x01\xff", "no JSON: "),
    ],
)
def test_a_line_without_a_text_is_told_and_the_next_is_read(line: bytes, problem: str) -> None:
    broken, good = read(line + b'\n{"text": "good", "id": 7}\n', "jsonl", "x.log")
    assert (broken.id, broken.line, broken.data) == ("x.log:1", 1, None)
    assert broken.problem.startswith(problem)
    assert bool(broken.problem) == bool(problem)
    assert good == Text("7", b"good", "user", 2)


@pytest.mark.parametrize(
    ("line", "data", "problem"),
    [
        (b'{"text": "a\xffb"}', b"a?b", "no Unicode at character 1: that is passed over"),
        (b'{"text": "a\\ud800b"}', b"a?b", "no Unicode at character 1: that is passed over"),
        (b'{"text": "a\\u0000b"}', b"a\0b", "binary: scanned as it is"),
        (b'{"text": "x", "role": "boss"}', b"x", "unknown role 'boss', taken as user"),
        (b'{"text": "x", "role": 3}', b"x", "unknown role '3', taken as user"),
        (b'{"text": "x", "role": "", "id": ""}', b"x", ""),
    ],
)
def test_an_odd_text_is_told_and_scanned(line: bytes, data: bytes, problem: str) -> None:
    (text,) = read(line, "jsonl")
    assert (text.data, text.role, text.problem, text.id) == (data, "user", problem, "x:1")


def test_a_giant_line_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "LINE_BYTES_MAX", 1 << 20)
    giant = b'{"text": "' + b"x" * (3 << 20) + b'"}\n'
    first, second, last = read(b'{"text": "a"}\n' + giant + b'{"text": "b"}', "jsonl")
    assert (first.data, last.data, last.line) == (b"a", b"b", 3)
    assert (second.data, second.problem) == (None, "a line of more than 1 MiB")


def test_a_giant_field_of_csv_is_told_and_lines_keep_their_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "LINE_BYTES_MAX", 1_000)
    found = read(b'text,n\n"two\nlines",1\n' + b'"' + b"x" * 900 + b"\n" + b"x" * 900 + b'"\nafter,2\n', "csv")
    assert [(t.line, t.data) for t in found][:1] == [(2, b"two\nlines")]
    assert [t for t in found if t.problem.startswith("no CSV: field larger than field limit")]
    assert found[-1].data == b"after"


def test_a_row_of_csv_may_be_short_empty_or_no_unicode() -> None:
    found = read(b"id;text\nonly\n\nb;caf\xe9;more\nc;a\x00b\n", "csv")
    assert [(t.id, t.data, t.problem) for t in found] == [
        ("only", None, "no 'text' in it"),
        ("b", b"caf?", "no Unicode at character 3: that is passed over"),
        ("c", b"a\0b", "binary: scanned as it is"),
    ]


def test_parquet_holds_bytes_nulls_and_numbers() -> None:
    found = read(parquet({"text": [b"a\xff", None, b"\0"], "n": [1, 2, 3]}), name="x.parquet")
    assert [(t.data, t.line) for t in found] == [("a\ufffd".encode(), 1), (None, 2), (b"\0", 3)]
    assert [t.problem for t in found] == ["no UTF-8 at byte 1: that is passed over", "", "binary: scanned as it is"]
    numbers = read(parquet({"text": [1, 2]}), name="x.parquet")
    assert {t.problem for t in numbers} == {"'text' is no text"}


@pytest.mark.parametrize(
    ("name", "data"), [("x.csv", b"a,b\n1,2\n"), ("x.csv", b""), ("x.parquet", parquet({"a": [1]}))]
)
def test_a_column_that_is_not_there_is_told_with_those_that_are(name: str, data: bytes) -> None:
    with pytest.raises(BadInput, match=r"no column 'text'.*name one with --column"):
        read(data, name=name)


@pytest.mark.parametrize("data", [b"", b"PAR1", b"no parquet at all", b"PAR1" + b"\0" * 100 + b"PAR1"])
def test_what_is_no_parquet_is_told(data: bytes) -> None:
    with pytest.raises(BadInput, match="this is no Parquet"):
        read(data, "parquet")


def test_standard_input_is_guessed_by_its_first_byte() -> None:
    assert [(t.id, t.data) for t in read(b'{"text": "a"}', name=None)] == [("-:1", b"a")]
    assert [(t.id, t.data) for t in read(b"hello", name=None)] == [("-", b"hello")]
    assert read(b"", name=None) == []


def test_a_column_may_be_called_anything() -> None:
    (text,) = read(b'{"prompt": "a", "text": "b"}', "jsonl", columns=Columns("prompt"))
    assert text.data == b"a"


@settings(max_examples=80, deadline=None)
@given(st.lists(st.sampled_from(["a", "\n", "é", "日本", "🙂", "long " * 9, "\x00"]), max_size=60).map("".join))
def test_pieces_of_a_plain_file_are_the_file(whole: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(texts, "PIECE_BYTES", 16)
        found = read(whole.encode(), "text")
    assert b"".join(t.data or b"" for t in found).decode() == whole
    at = 0
    for text in found:
        piece = (text.data or b"").decode()
        assert (text.first, text.line) == (at, 1 + whole.count("\n", 0, at))
        assert text.problem in ("", "binary: scanned as it is")
        at += len(piece)


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_survived_as_plain_text_and_lines(data: bytes) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(texts, "PIECE_BYTES", 16)
        for kind in ("text", "jsonl"):
            for text in read(data, kind):  # type: ignore[arg-type]
                assert text.data is None or text.data.decode() is not None


def test_places_count_lines_and_columns_in_plain_files_only() -> None:
    plain = Text("x", "añ\nb\n\nc".encode(), "user", 5, "", 10)
    assert list(plain.places([0, 1, 3, 5, 6])) == [(5, 1), (5, 2), (6, 1), (7, 1), (8, 1)]
    assert list(Text("x", b"a\nb", "user", 5).places([0, 2])) == [(5, 0), (5, 0)]
    assert list(Text("x", None, "user", 5).places([])) == []


def test_batches_are_bounded_in_rows_and_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "BATCH_ROWS", 3)
    monkeypatch.setattr(texts, "BATCH_BYTES", 100)
    lines = [json.dumps({"text": "x" * size}) for size in (1, 1, 1, 1, 200, 1)]
    stream = io.BytesIO("\n".join(lines).encode())
    sizes = [len(batch) for batch in batches(Path("x"), stream, "jsonl", COLUMNS, "user")]
    assert sizes == [3, 2, 1]


def test_files_that_cannot_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageFault, match="no file"):
        opened(tmp_path / "none")
    with pytest.raises(UsageFault, match="is a folder"):
        opened(tmp_path)

    def refuse(*_: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(EnvironmentFault, match="Permission denied"):
        opened(tmp_path / "secret")
