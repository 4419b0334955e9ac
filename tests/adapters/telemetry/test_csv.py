"""CSV: quotes, newlines in quotes, ragged lines, and what becomes of each."""

from __future__ import annotations

import csv
from io import BytesIO, StringIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.adapters.telemetry.reading import Whole, whole
from tocsin.adapters.telemetry import lines
from tocsin.adapters.telemetry.readers import csv as reader
from tocsin.adapters.telemetry.readers.csv import READER
from tocsin.model.errors import BadInput


def read(text: str | bytes, *wanted: str) -> Whole:
    return whole(READER, text.encode() if isinstance(text, str) else text, *wanted)


def test_values_are_text_and_empty_is_missing() -> None:
    found = read('a,b,c\n1,x,\n2.5,"",z\n', "a", "b", "c")
    assert found.columns == {"a": ["1", "2.5"], "b": ["x", None], "c": [None, "z"]}
    assert found.lines == [2, 3]


def test_only_wanted_columns_are_read() -> None:
    assert set(read("a,b\n1,2\n", "b", "z").columns) == {"b"}


def test_no_wanted_column_still_counts_the_rows() -> None:
    assert read("a,b\n1,2\n", "z").lines == [2]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_line_ends_and_byte_order_mark_are_no_trouble(end: str) -> None:
    found = read("\ufeff" + end.join(["a,b", "1,2", "3,4", ""]), "a", "b")
    assert found.columns == {"a": ["1", "3"], "b": ["2", "4"]}


def test_blank_lines_are_passed_over_and_counted() -> None:
    assert read("\n\na,b\n\n1,2\n\r\n3,4\n", "a").lines == [5, 7]


def test_a_newline_in_quotes_ends_no_record() -> None:
    found = read('a,b\n1,"x\ny\n\nz"\n2,w\n', "a", "b")
    assert found.columns == {"a": ["1", "2"], "b": ["x\ny\n\nz", "w"]}
    assert found.lines == [2, 6]


def test_quotes_in_quotes_and_delimiters_in_quotes() -> None:
    assert read('a,b\n"say ""hi""","x,y"\n', "a", "b").columns == {"a": ['say "hi"'], "b": ["x,y"]}


def test_a_quote_inside_a_value_is_a_character() -> None:
    found = read('a,b\n5" pipe,1\n7" pipe,2\n9" pipe,3\n', "a", "b")
    assert found.columns == {"a": ['5" pipe', '7" pipe', '9" pipe'], "b": ["1", "2", "3"]}


@pytest.mark.parametrize(("line", "count"), [("1", 1), ("1,2,3", 3), ("1,2,3,4,5", 5)])
def test_a_line_with_another_number_of_values_is_named(line: str, count: int) -> None:
    found = read(f"a,b\n1,2\n{line}\n\n5,6\n", "a")
    assert found.columns == {"a": ["1", "5"]}
    assert found.lines == [2, 5]
    (bad,) = found.bad
    assert (bad.line, bad.reason, bad.raw) == (3, f"{count} values where the header has 2", line)


def test_ragged_lines_among_newlines_in_quotes_are_named() -> None:
    found = read('a,b\n1,"x\ny"\n1,2,3\n5,6\n7\n', "a")
    assert found.lines == [2, 5]
    assert [(bad.line, bad.raw) for bad in found.bad] == [(4, "1,2,3"), (6, "7")]


def test_a_quote_that_never_closes_costs_its_own_line_only() -> None:
    found = read('a,b\n1,2\n"3,4\n5,6\n7,8\n', "a")
    assert found.columns == {"a": ["1", "5", "7"]}
    assert [(bad.line, bad.kind) for bad in found.bad] == [(3, "a quote that never closes")]


def test_a_quote_that_never_closes_is_given_up_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "BLOCK_BYTES", 256)
    monkeypatch.setattr(reader, "LINE_BYTES_MAX", 1_000)
    text = 'a,b\n1,2\n"3,4\n' + "".join(f"{n},x\n" for n in range(2_000))
    found = read(text, "a")
    assert found.columns["a"] == ["1", *[str(n) for n in range(2_000)]]
    assert found.lines == [2, *range(4, 2_004)]
    assert [bad.line for bad in found.bad] == [3]


def test_a_record_over_several_blocks_is_one_record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "BLOCK_BYTES", 32)
    long = "\n".join("line of text" for _ in range(20))
    found = read(f'a,b\n1,"{long}"\n2,short\n3,"{long}"\n', "a", "b")
    assert found.columns == {"a": ["1", "2", "3"], "b": [long, "short", long]}
    assert found.lines == [2, 22, 23]


def test_a_value_of_a_megabyte_is_read() -> None:
    text = "x\n" * 500_000
    assert read(f'a,b\n1,"{text}"\n', "b").columns["b"] == [text]


def test_a_lone_carriage_return_is_named() -> None:
    found = read("a,b\n1,2\rx\n3,4\n", "a")
    assert found.columns == {"a": ["3"]}
    assert [bad.line for bad in found.bad] == [2]


def test_a_line_that_is_not_utf_8_is_named_and_the_others_are_read() -> None:
    found = read(b"a,b\n1,x\n2,\xff\n3,z\n", "a")
    assert found.columns == {"a": ["1", "3"]}
    assert [(bad.line, bad.kind) for bad in found.bad] == [(3, "not UTF-8")]


def test_a_header_alone_gives_names_and_no_rows() -> None:
    (chunk,) = READER.read(BytesIO(b"a,b"), "log.csv", frozenset("a"))
    assert (list(chunk.names), len(chunk.lines)) == (["a", "b"], 0)


@pytest.mark.parametrize("data", [b"", b"\n", b"\xef\xbb\xbf", b"\n\n\n"])
def test_a_file_without_a_header_gives_nothing(data: bytes) -> None:
    found = read(data, "a")
    assert (found.lines, found.bad) == ([], [])


def test_names_with_quotes_spaces_and_newlines() -> None:
    found = read('"first ""name""", b ,"c\nd"\n1,2,3\n', 'first "name"', "b", "c\nd")
    assert found.columns == {'first "name"': ["1"], "b": ["2"], "c\nd": ["3"]}
    assert found.lines == [3]


def test_a_wanted_name_twice_in_the_header_is_refused() -> None:
    with pytest.raises(BadInput, match="the header has a more than once"):
        read("a,b,a\n1,2,3\n", "a")


def test_other_names_may_stand_twice() -> None:
    assert read("a,b,b,,\n1,2,3,4,5\n", "a").columns == {"a": ["1"]}


def test_a_header_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(BadInput, match=r"log:1: the header cannot be read: new-line character"):
        read("a,b\r1,2\r3,4\r", "a")


def test_a_name_of_a_megabyte_is_a_name() -> None:
    assert read(f"a,{'b' * 1_000_000}\n1,2\n", "a").columns == {"a": ["1"]}


@pytest.mark.parametrize("mark", [";", "\t", "|"])
def test_other_delimiters_are_seen_in_the_header(mark: str) -> None:
    rows = [["a", "b"], ["1", "x,y"], ["2", "z"]]
    found = read("\n".join(mark.join(row) for row in rows), "a", "b")
    assert found.columns == {"a": ["1", "2"], "b": ["x,y", "z"]}


def test_the_text_of_a_row_is_its_first_line() -> None:
    assert read('a,b\n1,2\n3,"x\ny"\n', "a").raws == ["1,2", '3,"x']


TEXT = st.text(st.sampled_from('ab",\n\r;é '), max_size=6)


@settings(deadline=None)
@given(st.lists(st.tuples(TEXT, TEXT), max_size=25), st.sampled_from([8, 64, 4 << 20]), st.booleans())
def test_what_a_csv_writer_wrote_is_read(rows: list[tuple[str, str]], block: int, quoted: bool) -> None:
    rows = [(f"r{number}{a}".replace("\r", ""), b.replace("\r", "")) for number, (a, b) in enumerate(rows)]
    sink = StringIO(newline="")
    writer = csv.writer(sink, quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL, lineterminator="\n")
    writer.writerows([("a", "b"), *rows])
    saved, lines.BLOCK_BYTES = lines.BLOCK_BYTES, block
    try:
        found = read(sink.getvalue(), "a", "b")
    finally:
        lines.BLOCK_BYTES = saved
    assert not found.bad
    assert found.columns.get("a", []) == [a for a, _ in rows]
    assert found.columns.get("b", []) == [b or None for _, b in rows]
    starts = [2 + sum(a.count("\n") + b.count("\n") + 1 for a, b in rows[:n]) for n in range(len(rows))]
    assert found.lines == starts


@settings(deadline=None)
@given(st.text(st.sampled_from('a1,"\n\r é\0'), max_size=80), st.sampled_from([5, 16, 4 << 20]))
def test_any_text_is_read_or_named_and_never_breaks(text: str, block: int) -> None:
    saved, lines.BLOCK_BYTES = lines.BLOCK_BYTES, block
    try:
        found = read("h1,h2\n" + text, "h1")
    finally:
        lines.BLOCK_BYTES = saved
    named = [*found.lines, *(bad.line for bad in found.bad)]
    assert len(set(named)) == len(named)
    assert all(2 <= line <= 2 + text.count("\n") for line in named)
    assert len(found.columns.get("h1", [])) == len(found.lines)


@pytest.mark.parametrize(
    ("name", "head", "sure"),
    [
        ("a.csv", b"", 1),
        ("a.tsv", b"", 1),
        ("a", b"a,b\n1,2\n", 2),
        ("a.log", b"a;b\n", 2),
        ("a", b'{"a": 1, "b": 2}', 0),
        ("a", b"PAR1\0,\0", 0),
        ("a", b"one word", 0),
    ],
)
def test_it_is_recognized_by_content_or_name(name: str, head: bytes, sure: int) -> None:
    assert READER.recognizes(name, head) == sure
