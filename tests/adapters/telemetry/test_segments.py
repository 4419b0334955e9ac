"""Segments: the same rows are the same file, and a file that was changed is never read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tocsin.adapters.telemetry.schema import schema
from tocsin.adapters.telemetry.segments import SegmentStore
from tocsin.model.errors import EnvironmentFault, Refused
from tocsin.model.finding import RowRef
from tocsin.model.policy import ColumnMapping
from tocsin.model.telemetry import ROW, SEGMENT, Segment, TelemetryStore

START = datetime(2026, 11, 1, tzinfo=UTC)
COLUMNS = {"group.sex": ColumnMapping(column="sex")}


def table(first: int, count: int, names: tuple[str, ...] = ("f", "m")) -> pa.Table:
    rows = [
        {"time": START + timedelta(minutes=n), "id": f"A{n}", "score": n / 10, "group.sex": names[n % len(names)]}
        for n in range(first, first + count)
    ]
    return pa.Table.from_pylist(rows, schema("predictions", COLUMNS))


@pytest.fixture
def store(tmp_path: Path) -> SegmentStore:
    return SegmentStore(tmp_path / "segments")


def kept(store: SegmentStore, segment: Segment) -> Path:
    return store.root / segment.system / f"{segment.id}.parquet"


def read(store: SegmentStore, segments: list[Segment], *columns: str, rows_max: int = 65_536) -> list[dict[str, Any]]:
    return [row for batch in store.batches(segments, columns, rows_max) for row in batch.to_pylist()]


def test_it_is_a_telemetry_store(store: SegmentStore) -> None:
    reader: TelemetryStore = store
    assert list(reader.batches([], ["time"])) == []


def test_a_segment_is_named_by_its_bytes(store: SegmentStore) -> None:
    segment = store.write("s", "predictions", table(0, 5))
    assert sha256(kept(store, segment).read_bytes()).hexdigest() == segment.id
    assert (segment.system, segment.table, segment.rows) == ("s", "predictions", 5)
    assert (segment.first, segment.last) == (START, START + timedelta(minutes=4))


def test_first_and_last_are_by_time_not_by_place(store: SegmentStore) -> None:
    rows = table(0, 5).take(pa.array([3, 0, 4, 1]))
    segment = store.write("s", "predictions", rows)
    assert (segment.first, segment.last) == (START, START + timedelta(minutes=4))


def test_the_same_rows_are_the_same_segment_however_they_came(store: SegmentStore) -> None:
    whole = store.write("s", "predictions", table(0, 30))
    pieces = pa.concat_tables([table(0, 7), table(7, 1), table(8, 22)])
    assert store.write("s", "predictions", pieces) == whole
    sliced = pa.concat_tables([table(0, 40, ("m", "f", "x"))]).slice(0, 0)
    assert store.write("s", "predictions", pa.concat_tables([sliced, table(0, 30)]).unify_dictionaries()) == whole
    assert store.write("s", "predictions", pa.concat_tables([table(90, 9), table(0, 30)]).slice(9)) == whole
    assert len(list((store.root / "s").iterdir())) == 1


def test_other_rows_are_another_segment(store: SegmentStore) -> None:
    assert store.write("s", "predictions", table(0, 5)).id != store.write("s", "predictions", table(1, 5)).id


def test_batches_carry_the_segment_and_the_row(store: SegmentStore) -> None:
    one, two = store.write("s", "predictions", table(0, 5)), store.write("s", "predictions", table(5, 3))
    rows = read(store, [two, one], "score", rows_max=2)
    assert [(row[SEGMENT], row[ROW]) for row in rows] == [(two.id, n) for n in range(3)] + [
        (one.id, n) for n in range(5)
    ]
    assert [row["score"] for row in rows] == [0.5, 0.6, 0.7, 0.0, 0.1, 0.2, 0.3, 0.4]
    assert set(rows[0]) == {"score", SEGMENT, ROW}


def test_batches_are_no_longer_than_asked_for(store: SegmentStore) -> None:
    segment = store.write("s", "predictions", table(0, 50))
    assert max(batch.num_rows for batch in store.batches([segment], ["time"], 16)) <= 16


def test_a_column_that_a_segment_lacks_is_null(store: SegmentStore) -> None:
    segment = store.write("s", "predictions", table(0, 2))
    assert [row["group.age"] for row in read(store, [segment], "group.age", "score")] == [None, None]
    assert [row["group.age"] for row in read(store, [segment], "group.age")] == [None, None]


def test_categories_stay_dictionaries(store: SegmentStore) -> None:
    segment = store.write("s", "predictions", table(0, 4))
    (batch,) = store.batches([segment], ["group.sex", "model_version"])
    assert batch.column("group.sex").type == pa.dictionary(pa.int32(), pa.string())
    assert batch.column(SEGMENT).type == pa.dictionary(pa.int32(), pa.string())
    assert batch.column(ROW).type == pa.int64()


@pytest.mark.parametrize("how", ["changed", "cut", "missing"])
def test_a_segment_that_is_not_what_it_was_is_never_read(store: SegmentStore, how: str) -> None:
    segment = store.write("s", "predictions", table(0, 50))
    path = kept(store, segment)
    data = path.read_bytes()
    if how == "missing":
        path.unlink()
    else:
        path.write_bytes(data[:-10] if how == "cut" else data[:50] + bytes([data[50] ^ 1]) + data[51:])
    fresh = SegmentStore(store.root)
    with pytest.raises(Refused, match="missing" if how == "missing" else "was changed") as caught:
        read(fresh, [segment], "score")
    assert caught.value.remedy == "restore it from a backup"
    with pytest.raises(Refused):
        fresh.rows("s", [RowRef(segment.id, 0)])


def test_writing_the_rows_again_mends_a_damaged_file(store: SegmentStore) -> None:
    segment = store.write("s", "predictions", table(0, 50))
    kept(store, segment).write_bytes(b"damaged")
    assert SegmentStore(store.root).write("s", "predictions", table(0, 50)) == segment
    assert len(read(SegmentStore(store.root), [segment], "score")) == 50


def test_a_digest_is_taken_once_a_process(store: SegmentStore, monkeypatch: pytest.MonkeyPatch) -> None:
    segment = store.write("s", "predictions", table(0, 5))
    fresh, taken = SegmentStore(store.root), []
    real = fresh._check

    def counted(path: Path, segment_id: str) -> None:
        taken.append(segment_id not in fresh._verified)
        real(path, segment_id)

    monkeypatch.setattr(fresh, "_check", counted)
    for _ in range(3):
        read(fresh, [segment], "score")
    assert taken == [True, False, False]


def test_named_rows_come_with_all_their_columns_each_once(store: SegmentStore) -> None:
    one, two = store.write("s", "predictions", table(0, 5)), store.write("s", "predictions", table(5, 5))
    refs = [RowRef(two.id, 4), RowRef(one.id, 3), RowRef(two.id, 0), RowRef(one.id, 3)]
    rows = store.rows("s", refs).to_pylist()
    assert {(row[SEGMENT], row[ROW], row["id"]) for row in rows} == {
        (one.id, 3, "A3"),
        (two.id, 0, "A5"),
        (two.id, 4, "A9"),
    }
    assert len(rows) == 3
    assert rows[0]["group.sex"] in ("f", "m")
    assert [(row[SEGMENT], row[ROW]) for row in rows] == sorted((row[SEGMENT], row[ROW]) for row in rows)


def test_named_rows_are_found_in_later_batches(store: SegmentStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tocsin.adapters.telemetry.segments.ROWS_MAX", 10)
    segment = store.write("s", "predictions", table(0, 35))
    assert store.rows("s", [RowRef(segment.id, n) for n in (34, 9, 10, 0)]).column("id").to_pylist() == [
        "A0",
        "A9",
        "A10",
        "A34",
    ]


@pytest.mark.parametrize("row", [5, -1])
def test_a_row_that_a_segment_does_not_have_is_refused(store: SegmentStore, row: int) -> None:
    segment = store.write("s", "predictions", table(0, 5))
    with pytest.raises(Refused, match="has 5 rows"):
        store.rows("s", [RowRef(segment.id, row)])


def test_no_named_rows_are_an_empty_table(store: SegmentStore) -> None:
    assert store.rows("s", []).num_rows == 0


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    folder = tmp_path / "closed"
    folder.write_text("a file where a folder should be")
    return folder


def test_a_disk_that_takes_nothing_is_told(closed: Path) -> None:
    with pytest.raises(EnvironmentFault):
        SegmentStore(closed).write("s", "predictions", table(0, 5))


def test_rows_of_different_schemas_come_together(store: SegmentStore) -> None:
    plain = table(0, 3).drop_columns(["group.sex"])
    one, two = store.write("s", "predictions", plain), store.write("s", "predictions", table(3, 3))
    rows = store.rows("s", [RowRef(one.id, 0), RowRef(two.id, 0)]).to_pylist()
    assert {row["id"]: row["group.sex"] for row in rows} == {"A0": None, "A3": "m"}
    assert np.isclose(sum(row["score"] for row in rows), 0.3)


@pytest.mark.parametrize(
    "damage", [lambda data: b"", lambda data: data[:40], lambda data: b"PAR1" + bytes(200) + b"PAR1"]
)
def test_damage_after_the_first_look_is_told_as_damage(store: SegmentStore, damage: Callable[[bytes], bytes]) -> None:
    segment = store.write("s", "predictions", table(0, 3))
    path = kept(store, segment)
    path.chmod(0o644)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises((Refused, EnvironmentFault)):
        list(store.batches([segment], ["time"]))
    with pytest.raises((Refused, EnvironmentFault)):
        store.rows("s", [RowRef(segment.id, 0)])
