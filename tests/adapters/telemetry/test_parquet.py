"""Parquet files as rows."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.adapters.telemetry.reading import whole
from tocsin.adapters.telemetry.readers import parquet
from tocsin.adapters.telemetry.readers.parquet import READER
from tocsin.model.errors import BadInput


def made(rows: list[dict[str, Any]], **options: Any) -> bytes:
    sink = BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), sink, **options)
    return sink.getvalue()


def test_wanted_columns_come_with_row_numbers_from_one() -> None:
    found = whole(READER, made([{"a": 1, "b": "x"}, {"a": 2, "b": None}]), "a", "b", "z")
    assert found.columns == {"a": [1, 2], "b": ["x", None]}
    assert found.lines == [1, 2]


def test_row_numbers_go_on_over_batches_and_row_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "ROWS", 30)
    found = whole(READER, made([{"a": n} for n in range(100)], row_group_size=40), "a")
    assert found.lines == list(range(1, 101))
    assert found.columns["a"] == list(range(100))


def test_a_dot_reaches_into_structs() -> None:
    data = made([{"user": {"id": "u1", "geo": {"city": "Kiel"}}, "flat.name": 1}, {"user": None, "flat.name": 2}])
    found = whole(READER, data, "user.id", "user.geo.city", "flat.name", "user.none", "flat.none")
    assert found.columns == {"user.id": ["u1", None], "user.geo.city": ["Kiel", None], "flat.name": [1, 2]}


def test_lists_and_structs_become_json_text() -> None:
    assert whole(READER, made([{"a": [1, 2], "b": {"c": 1}}]), "a", "b").columns == {"a": ["[1,2]"], "b": ['{"c":1}']}


def test_the_text_of_a_row_is_what_was_read_of_it() -> None:
    assert whole(READER, made([{"a": 1, "b": "x" * 9_000}]), "a").raws == ["{'a': 1}"]
    assert len(whole(READER, made([{"a": 1, "b": "x" * 9_000}]), "b").raws[0]) == 2_000


def test_no_wanted_column_still_counts_the_rows() -> None:
    assert whole(READER, made([{"a": 1}, {"a": 2}]), "z").lines == [1, 2]


@pytest.mark.parametrize("data", [b"", b"PAR1", b"hello, world", b"PAR1" + b"\0" * 100 + b"PAR1"])
def test_what_is_no_parquet_file_is_refused(data: bytes) -> None:
    with pytest.raises(BadInput, match="log: not a whole Parquet file"):
        whole(READER, data, "a")


@pytest.mark.parametrize("keep", [0.2, 0.5, 0.9])
def test_a_file_that_is_cut_off_is_refused(keep: float) -> None:
    data = made([{"a": n, "b": str(n)} for n in range(1_000)])
    with pytest.raises(BadInput, match="not a whole Parquet file"):
        whole(READER, data[: int(len(data) * keep)], "a")


def test_damage_inside_is_refused() -> None:
    data = made([{"a": "x" * n} for n in range(2_000)], compression="zstd", use_dictionary=False)
    broken = data[:2_000] + bytes(500) + data[2_500:]
    with pytest.raises(BadInput, match="not a whole Parquet file"):
        whole(READER, broken, "a")


def test_another_compression_around_it_is_refused() -> None:
    class OneWay:
        def read(self, size: int) -> bytes:
            return b""

    with pytest.raises(BadInput, match="decompress it first"):
        list(READER.read(OneWay(), "log.parquet.gz", frozenset("a")))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "head", "sure"), [("a", b"PAR1\x15", 3), ("a.parquet", b"", 1), ("a.pq", b"", 1), ("a", b"", 0)]
)
def test_it_is_recognized_by_content_or_name(name: str, head: bytes, sure: int) -> None:
    assert READER.recognizes(name, head) == sure
