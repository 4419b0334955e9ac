"""Ingest end to end: what comes in, what is quarantined, what is told, and what never happens twice."""

from __future__ import annotations

import gzip
import io
import json
import os
import threading
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.adapters.telemetry import otlp
from tests.service.desks import NOW, PREDICTIONS, SYSTEM, desk
from tocsin.adapters.telemetry import lines
from tocsin.adapters.telemetry.cutting import Size
from tocsin.adapters.telemetry.locking import alone
from tocsin.adapters.telemetry.segments import SegmentStore
from tocsin.model.errors import BadInput, Conflict, EnvironmentFault, Refused, UsageFault
from tocsin.model.event import Append
from tocsin.model.policy import ColumnMapping, TelemetryMapping
from tocsin.service import ingesting
from tocsin.service.catalogue import entries, segments, stream
from tocsin.service.desk import Desk
from tocsin.service.ingesting import Ingested, ingest

SMALL = Size(rows=10)


def row(number: int, **changed: Any) -> dict[str, Any]:
    return {
        "at": f"2026-11-{1 + number // 1440:02d}T{number // 60 % 24:02d}:{number % 60:02d}:00+00:00",
        "id": f"A{number}",
        "model": "2.3.0",
        "person": f"P{number % 7}",
        "score": number / 1_000,
        "approved": number % 2 == 0,
        "sex": "female" if number % 3 else "male",
    } | changed


def jsonl(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(each) + "\n" for each in rows))
    return path


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Desk]:
    with desk(tmp_path / "workspace") as opened:
        yield opened


def stored(at: Desk, *columns: str) -> list[dict[str, Any]]:
    """All rows of all segments."""
    names = columns or ("time", "id", "score")
    batches = at.telemetry.batches(segments(at.ledger, SYSTEM), names)
    return [{name: each[name] for name in names} for batch in batches for each in batch.to_pylist()]


def kinds(at: Desk) -> list[str]:
    return [event.kind for event in at.ledger.read(stream(SYSTEM))]


def quarantined(result: Ingested) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(result.files[0].quarantine).read_bytes().splitlines()]


def test_rows_come_in_as_a_segment_and_the_ledger_says_so(at: Desk, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "log.jsonl", [row(n) for n in range(25)])
    result = ingest(at, SYSTEM, [path])
    (segment,) = segments(at.ledger, SYSTEM)
    recorded, done = at.ledger.read(stream(SYSTEM))
    source = sha256(path.read_bytes()).hexdigest()
    assert (result.rows, result.quarantined, result.duplicates) == (25, 0, 0)
    assert recorded.data == {
        "segment": segment.id,
        "table": "predictions",
        "rows": 25,
        "first": "2026-11-01T00:00:00Z",
        "last": "2026-11-01T00:24:00Z",
        "source": source,
        "part": 0,
    }
    assert done.data == {
        "source": source,
        "name": "log.jsonl",
        "bytes": path.stat().st_size,
        "rows": 25,
        "quarantined": 0,
        "duplicates": 0,
        "out_of_order": 0,
        "left_out": 0,
        "mapping": done.data["mapping"],
    }
    assert len(done.data["mapping"]) == 64
    assert [each["id"] for each in stored(at)] == [f"A{n}" for n in range(25)]


def test_every_format_gives_the_same_segment(tmp_path: Path) -> None:
    rows = [row(n) for n in range(30)]
    names = list(rows[0])
    made = tmp_path / "made"
    made.mkdir()
    jsonl(made / "a.jsonl", rows)
    text = ",".join(names) + "\n" + "".join(",".join(str(each[name]) for name in names) + "\n" for each in rows)
    (made / "a.csv").write_text(text)
    pq.write_table(pa.Table.from_pylist(rows), made / "a.parquet")
    (made / "a.jsonl.gz").write_bytes(gzip.compress((made / "a.jsonl").read_bytes()))
    (made / "a.csv.zst").write_bytes(pa.compress(text.encode(), "zstd", asbytes=True))
    found = set()
    for path in sorted(made.iterdir()):
        with desk(tmp_path / path.name) as at:
            ingest(at, SYSTEM, [path])
            found |= {segment.id for segment in segments(at.ledger, SYSTEM)}
    assert len(found) == 1


def test_the_same_file_twice_changes_nothing(at: Desk, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "log.jsonl", [row(1), row(2), {"at": "never"}])
    first = ingest(at, SYSTEM, [path])
    before = at.ledger.size()
    (tmp_path / "copy.jsonl").write_bytes(path.read_bytes())
    again = ingest(at, SYSTEM, [path, tmp_path / "copy.jsonl"])
    assert at.ledger.size() == before
    assert [file.already_known for file in again.files] == [True, True]
    assert (again.files[0].rows, again.files[0].quarantined) == (first.rows, first.quarantined)
    assert (again.rows, again.quarantined) == (0, 0)


def test_a_file_is_cut_into_parts_and_ends_with_the_last(at: Desk, tmp_path: Path) -> None:
    ingest(at, SYSTEM, [jsonl(tmp_path / "log.jsonl", [row(n) for n in range(25)])], size=SMALL)
    assert [(entry.part, entry.segment.rows) for entry in entries(at.ledger, SYSTEM)] == [(0, 10), (1, 10), (2, 5)]
    assert kinds(at) == ["segment_recorded"] * 3 + ["file_ingested"]


def test_bad_rows_are_quarantined_with_line_reason_and_text(at: Desk, tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    rows = [row(0), row(1, at="2026-11-01T10:00:00"), row(2, score="high"), row(3), row(4, approved="maybe")]
    jsonl(path, rows)
    path.write_bytes(path.read_bytes() + b"{broken\n" + b'{"at": null}\n')
    result = ingest(at, SYSTEM, [path])
    assert (result.rows, result.quarantined) == (2, 5)
    told = {each["line"]: each for each in quarantined(result)}
    assert {line: each["reason"] for line, each in told.items()} == {
        2: "time: a time without an offset: '2026-11-01T10:00:00'",
        3: "score: not a number: 'high'",
        5: "decision: neither true nor false: 'maybe'",
        6: "not a JSON object: JSON is malformed: object keys must be strings (byte 1)",
        7: "time: missing",
    }
    assert "zone:" in told[2]["remedy"]
    assert told[3]["raw"] == json.dumps(rows[2])
    assert told[6]["raw"] == "{broken"


def test_the_ledger_counts_reasons_and_holds_no_value_of_a_row(at: Desk, tmp_path: Path) -> None:
    rows = [row(0), row(1, score="Erika Mustermann"), row(2, score="Hans Beispiel"), row(3, at="yesterday")]
    result = ingest(at, SYSTEM, [jsonl(tmp_path / "log.jsonl", rows)])
    event = next(event for event in at.ledger.read(stream(SYSTEM)) if event.kind == "rows_quarantined")
    assert event.data["rows"] == 3
    assert event.data["reasons"] == {"score: not a number": 2, "time: not a time": 1}
    assert event.data["file"] == sha256(Path(result.files[0].quarantine).read_bytes()).hexdigest()
    assert "Mustermann" not in str([event.data for event in at.ledger.scan()])
    assert kinds(at) == ["segment_recorded", "rows_quarantined", "file_ingested"]


def test_a_file_of_bad_rows_only_is_recorded_and_told(at: Desk, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "log.jsonl", [row(n, at="2026-11-01 10:00") for n in range(3)])
    result = ingest(at, SYSTEM, [path])
    assert (result.rows, result.quarantined) == (0, 3)
    assert kinds(at) == ["rows_quarantined", "file_ingested"]
    assert segments(at.ledger, SYSTEM) == []
    assert ingest(at, SYSTEM, [path]).files[0].already_known


@pytest.mark.parametrize("name", ["log.jsonl", "log.csv", "log", "log.jsonl.gz"])
def test_an_empty_file_is_recorded_without_rows(at: Desk, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"")
    assert ingest(at, SYSTEM, [tmp_path / name]).rows == 0
    assert kinds(at) == ["file_ingested"]


def test_a_csv_of_a_header_only_has_no_rows(at: Desk, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("at,id,model,person,score,approved,sex\n")
    assert ingest(at, SYSTEM, [tmp_path / "log.csv"]).rows == 0


def test_a_second_row_with_the_same_id_is_quarantined(at: Desk, tmp_path: Path) -> None:
    one = jsonl(tmp_path / "1.jsonl", [row(0), row(1), row(0, score=0.9), row(2)])
    two = jsonl(tmp_path / "2.jsonl", [row(1), row(3), row(3), row(4)])
    first, second = ingest(at, SYSTEM, [one]), ingest(at, SYSTEM, [two])
    assert (first.rows, first.duplicates, first.quarantined) == (3, 1, 1)
    assert (second.rows, second.duplicates) == (2, 2)
    assert [each["id"] for each in stored(at)] == ["A0", "A1", "A2", "A3", "A4"]
    (told,) = quarantined(first)
    assert (told["line"], told["reason"]) == (3, "id: a second row with the same id")
    assert "score=0.9" in told["raw"]


def test_rows_without_an_id_are_never_duplicates(at: Desk, tmp_path: Path) -> None:
    rows = [row(0, id=None), row(0, id=None), row(1)]
    assert ingest(at, SYSTEM, [jsonl(tmp_path / "log.jsonl", rows)]).rows == 3


@pytest.mark.parametrize("damage", ["lost", "garbage", "foreign"])
def test_ids_are_read_again_from_the_segments_when_their_file_is_no_good(at: Desk, tmp_path: Path, damage: str) -> None:
    ingest(at, SYSTEM, [jsonl(tmp_path / "1.jsonl", [row(n) for n in range(20)])])
    kept = at.telemetry.root / SYSTEM / "ids.npz"
    assert kept.exists()
    if damage == "lost":
        kept.unlink()
    elif damage == "garbage":
        kept.write_bytes(b"PK\x03\x04 garbage")
    else:
        with desk(tmp_path / "other") as other:
            ingest(other, SYSTEM, [jsonl(tmp_path / "3.jsonl", [row(n) for n in range(50, 90)])])
            kept.write_bytes((other.telemetry.root / SYSTEM / "ids.npz").read_bytes())
    result = ingest(at, SYSTEM, [jsonl(tmp_path / "2.jsonl", [row(n) for n in range(15, 25)])])
    assert (result.rows, result.duplicates) == (5, 5)


def test_a_clock_that_goes_back_is_accepted_and_noted(at: Desk, tmp_path: Path) -> None:
    rows = [row(5), row(9), row(6), row(7), row(10), row(1)]
    result = ingest(at, SYSTEM, [jsonl(tmp_path / "log.jsonl", rows)])
    assert (result.rows, result.files[0].out_of_order) == (6, 3)
    assert (segments(at.ledger, SYSTEM)[0].first.minute, segments(at.ledger, SYSTEM)[0].last.minute) == (1, 10)


def test_times_of_mixed_offsets_are_one_time(at: Desk, tmp_path: Path) -> None:
    rows = [
        row(0, at="2026-11-01T10:00:00+02:00"),
        row(1, at="2026-11-01T08:30:00Z"),
        row(2, at="2026-11-01T03:45:00-05:00"),
    ]
    ingest(at, SYSTEM, [jsonl(tmp_path / "log.jsonl", rows)])
    assert [each["time"].strftime("%H:%M") for each in stored(at)] == ["08:00", "08:30", "08:45"]


def test_a_wrong_system_is_told_with_those_that_exist(at: Desk) -> None:
    with pytest.raises(UsageFault, match="the systems are: credit"):
        ingest(at, "crdit", [])


def test_a_system_without_a_mapping_is_told_what_to_do(tmp_path: Path) -> None:
    with desk(tmp_path, None) as at, pytest.raises(BadInput, match=r"systems/credit.yaml \(telemetry\)"):
        ingest(at, SYSTEM, [])


def test_a_file_that_is_not_there_is_told(at: Desk, tmp_path: Path) -> None:
    with pytest.raises(UsageFault, match="no file"):
        ingest(at, SYSTEM, [tmp_path / "nowhere.jsonl"])


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_columns_that_the_file_does_not_have_are_all_told_at_once(at: Desk, tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"log.{kind}"
    if kind == "csv":
        path.write_text("at,id,model,person,scores,approved\n2026-11-01T10:00:00Z,1,m,p,0.5,true\n")
    else:
        jsonl(path, [{k: v for k, v in row(0).items() if k not in ("score", "sex")} | {"scores": 1.0}])
    with pytest.raises(BadInput) as caught:
        ingest(at, SYSTEM, [path])
    told = {problem.place.field: problem for problem in caught.value.problems()}
    assert set(told) == {"score", "group.sex"}
    assert told["score"].place.file == str(path)
    assert "did you mean 'scores'?" in told["score"].remedy
    assert "it has: at, id" in told["group.sex"].remedy
    assert at.ledger.size() == 0


def test_a_column_may_be_optional(tmp_path: Path) -> None:
    columns = dict(PREDICTIONS.columns) | {"label": ColumnMapping(column="outcome", optional=True)}
    with desk(tmp_path, TelemetryMapping("predictions", columns)) as at:
        assert ingest(at, SYSTEM, [jsonl(tmp_path / "log.jsonl", [row(0)])]).rows == 1
        assert stored(at, "label") == [{"label": None}]


def test_a_key_that_only_later_rows_have_is_found(at: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "BLOCK_BYTES", 512)
    rows = [{k: v for k, v in row(n).items() if k != "sex" or n == 49} for n in range(50)]
    ingest(at, SYSTEM, [jsonl(tmp_path / "log.jsonl", rows)])
    assert [each["group.sex"] for each in stored(at, "group.sex")][-2:] == [None, "female"]


@pytest.mark.parametrize("cut", [1, 30, 400])
def test_a_parquet_file_that_is_cut_off_is_refused_whole(at: Desk, tmp_path: Path, cut: int) -> None:
    path = tmp_path / "log.parquet"
    pq.write_table(pa.Table.from_pylist([row(n) for n in range(200)]), path)
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(BadInput, match="not a whole Parquet file"):
        ingest(at, SYSTEM, [path])
    assert at.ledger.size() == 0


def test_a_file_that_only_is_named_parquet_is_refused(at: Desk, tmp_path: Path) -> None:
    (tmp_path / "log.parquet").write_bytes(b"hello world")
    with pytest.raises(BadInput, match="not a whole Parquet file"):
        ingest(at, SYSTEM, [tmp_path / "log.parquet"])


def test_a_compressed_file_that_is_cut_off_is_refused_whole(at: Desk, tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl.gz"
    path.write_bytes(gzip.compress("".join(json.dumps(row(n)) + "\n" for n in range(2_000)).encode())[:-50])
    with pytest.raises(BadInput, match="cut off or damaged"):
        ingest(at, SYSTEM, [path], size=SMALL)
    assert at.ledger.size() == 0


def test_an_unknown_format_is_told_with_the_known_ones(at: Desk, tmp_path: Path) -> None:
    (tmp_path / "log.bin").write_bytes(b"\x7fELF\x02")
    with pytest.raises(BadInput, match="csv, jsonl, otlp, parquet"):
        ingest(at, SYSTEM, [tmp_path / "log.bin"])


def test_a_truncated_log_loses_its_last_line_only(at: Desk, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "log.jsonl", [row(n) for n in range(5)])
    path.write_bytes(path.read_bytes()[:-20])
    result = ingest(at, SYSTEM, [path])
    assert (result.rows, result.quarantined) == (4, 1)
    assert quarantined(result)[0]["line"] == 5


def test_a_folder_is_all_its_files(at: Desk, tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    for n in range(3):
        jsonl(folder / f"{n}.jsonl", [row(n)])
    (folder / ".hidden").write_text("x")
    result = ingest(at, SYSTEM, [folder])
    assert [file.name for file in result.files] == ["0.jsonl", "1.jsonl", "2.jsonl"]
    assert result.rows == 3


def test_standard_input_is_a_file_too(at: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    data = "".join(json.dumps(row(n)) + "\n" for n in range(3)).encode()
    for expected in (False, True):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
        (file,) = ingest(at, SYSTEM, [Path("-")]).files
        assert (file.rows, file.already_known) == (3, expected)
    assert list((at.root / ".tocsin" / "spool").iterdir()) == []


def test_standard_input_that_failed_is_kept(at: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"at,id\n1,2\n")))
    with pytest.raises(BadInput) as caught:
        ingest(at, SYSTEM, [Path("-")])
    (kept,) = (at.root / ".tocsin" / "spool").iterdir()
    assert kept.read_bytes() == b"at,id\n1,2\n"
    assert {problem.place.file for problem in caught.value.problems()} == {str(kept)}


def test_a_name_that_is_no_text_is_shown_as_one(at: Desk, tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/log-\xff.jsonl"))
    jsonl(path, [row(0)])
    assert ingest(at, SYSTEM, [path]).files[0].name == r"log-\xff.jsonl"


def test_traces_need_no_mapping(tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    messages = json.dumps([{"role": "user", "content": "Hi"}])
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.input.messages": messages, "user.id": "u"}
    path.write_bytes(otlp.lines(otlp.request(otlp.span(attributes), otlp.span({}, startTimeUnixNano=0))))
    with desk(tmp_path, TelemetryMapping("interactions", {})) as at:
        assert ingest(at, SYSTEM, [path]).rows == 2
        assert [each["role"] for each in stored(at, "role")] == ["user", "assistant"]
    with desk(tmp_path / "other") as at, pytest.raises(BadInput, match="otlp files hold interactions"):
        ingest(at, SYSTEM, [path])


def test_progress_goes_to_the_size_of_the_file(at: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "BLOCK_BYTES", 512)
    path = jsonl(tmp_path / "log.jsonl", [row(n) for n in range(50)])
    told: list[tuple[str, int, int | None]] = []
    ingest(at, SYSTEM, [path], lambda what, done, total=None: told.append((what, done, total)))
    assert told[-1] == ("log.jsonl", path.stat().st_size, path.stat().st_size)
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)


class Stopped(Exception):
    """Raised where a process would have died."""


def _stop_after(at: Desk, monkeypatch: pytest.MonkeyPatch, appends: int) -> None:
    """Die in place of the append after that many."""
    left = [appends]
    real = type(at.ledger).append

    def append(ledger: Any, *requests: Append) -> Any:
        if not left[0]:
            raise Stopped
        left[0] -= 1
        return real(ledger, *requests)

    monkeypatch.setattr(type(at.ledger), "append", append)


@pytest.mark.parametrize("appends", [0, 1, 2])
def test_a_stopped_ingest_goes_on_where_it_was(
    at: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, appends: int
) -> None:
    rows = [row(n % 23, score=n / 100) for n in range(30)]
    path = jsonl(tmp_path / "log.jsonl", [*rows, {"at": "never"}])
    with desk(tmp_path / "calm") as calm:
        expected = ingest(calm, SYSTEM, [path], size=SMALL)
        events = [(event.kind, event.data) for event in calm.ledger.scan()]
    with monkeypatch.context() as patch:
        _stop_after(at, patch, appends)
        with pytest.raises(Stopped):
            ingest(at, SYSTEM, [path], size=SMALL)
    assert len(segments(at.ledger, SYSTEM)) == appends
    result = ingest(at, SYSTEM, [path], size=SMALL)
    assert [(event.kind, event.data) for event in at.ledger.scan()] == events
    assert (result.rows, result.duplicates, result.quarantined) == (
        expected.rows,
        expected.duplicates,
        expected.quarantined,
    )
    assert result.files[0].segments == expected.files[0].segments


def test_another_file_may_come_in_between(at: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = jsonl(tmp_path / "1.jsonl", [row(n) for n in range(30)])
    two = jsonl(tmp_path / "2.jsonl", [row(n) for n in (5, 25, 40)])
    with monkeypatch.context() as patch:
        _stop_after(at, patch, 1)
        with pytest.raises(Stopped):
            ingest(at, SYSTEM, [one], size=SMALL)
    second = ingest(at, SYSTEM, [two], size=SMALL)
    first = ingest(at, SYSTEM, [one], size=SMALL)
    assert (second.rows, second.duplicates) == (2, 1)
    assert (first.rows, first.duplicates) == (29, 1)
    ids = [each["id"] for each in stored(at)]
    assert sorted(ids) == sorted({f"A{n}" for n in (*range(30), 40)})


def test_a_mapping_changed_half_way_is_refused(at: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = jsonl(tmp_path / "log.jsonl", [row(n, score="x" if n == 3 else 0.5) for n in range(30)])
    with monkeypatch.context() as patch:
        _stop_after(at, patch, 1)
        with pytest.raises(Stopped):
            ingest(at, SYSTEM, [path], size=SMALL)
    at.close()
    columns = {name: source for name, source in PREDICTIONS.columns.items() if name != "score"}
    with desk(at.root, TelemetryMapping("predictions", columns)) as changed:
        with pytest.raises(Refused, match="half read"):
            ingest(changed, SYSTEM, [path], size=SMALL)
        assert len(segments(changed.ledger, SYSTEM)) == 1


def test_a_file_that_is_written_to_meanwhile_is_not_recorded(
    at: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = jsonl(tmp_path / "log.jsonl", [row(n) for n in range(5)])
    real = SegmentStore.write

    def write(*args: Any) -> Any:
        jsonl(path, [row(n) for n in range(9)])
        return real(*args)

    with monkeypatch.context() as patch:
        patch.setattr(SegmentStore, "write", write)
        with pytest.raises(EnvironmentFault, match="was changed while it was read"):
            ingest(at, SYSTEM, [path])
    assert at.ledger.size() == 0
    assert ingest(at, SYSTEM, [path]).rows == 9


def test_a_conflict_is_looked_at_again(at: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = jsonl(tmp_path / "1.jsonl", [row(n) for n in range(5)])
    real = type(at.ledger).append
    first = [True]

    def append(ledger: Any, *requests: Append) -> Any:
        if first:
            first.clear()
            real(ledger, Append(stream(SYSTEM), 0, [at.event("something_else")]))
        return real(ledger, *requests)

    monkeypatch.setattr(type(at.ledger), "append", append)
    assert ingest(at, SYSTEM, [one]).rows == 5
    assert kinds(at) == ["something_else", "segment_recorded", "file_ingested"]


def test_endless_conflicts_are_told(at: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def append(ledger: Any, *requests: Append) -> Any:
        raise Conflict("always")

    monkeypatch.setattr(type(at.ledger), "append", append)
    with pytest.raises(Conflict, match="keep writing"):
        ingest(at, SYSTEM, [jsonl(tmp_path / "1.jsonl", [row(0)])])


def test_two_at_once_ingest_a_file_once(at: Desk, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "log.jsonl", [row(n) for n in range(200)])
    results: list[Ingested] = []

    def work() -> None:
        with desk(at.root) as mine:
            results.append(ingest(mine, SYSTEM, [path], size=SMALL))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(result.files[0].already_known for result in results) == [False, True, True, True]
    assert kinds(at) == ["segment_recorded"] * 20 + ["file_ingested"]


def test_an_ingest_that_never_ends_is_told_to_the_next(
    at: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingesting, "WAIT_S", 0.1)
    path = jsonl(tmp_path / "log.jsonl", [row(0)])
    told: list[str] = []
    with alone(at.telemetry.root / SYSTEM, lambda: None, 1.0), pytest.raises(EnvironmentFault, match="still ingesting"):
        ingest(at, SYSTEM, [path], lambda what, done, total=None: told.append(what))
    assert told[0] == "waiting to ingest log.jsonl"
    assert ingest(at, SYSTEM, [path]).rows == 1


@pytest.mark.parametrize("place", ["segments", "quarantine"])
def test_a_full_disk_is_told_and_nothing_is_recorded(
    at: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    path = jsonl(tmp_path / "log.jsonl", [*[row(n) for n in range(25)], {"at": "never"}])
    full = OSError(28, "No space left on device")

    def fail(*args: Any, **kwargs: Any) -> Any:
        raise full

    target = {
        "segments": "tocsin.adapters.telemetry.segments.write_atomically",
        "quarantine": "tocsin.adapters.telemetry.quarantine.os.open",
    }[place]
    with monkeypatch.context() as patch:
        patch.setattr(target, fail)
        with pytest.raises(EnvironmentFault, match="No space left"):
            ingest(at, SYSTEM, [path])
    assert at.ledger.size() == 0
    result = ingest(at, SYSTEM, [path])
    assert (result.rows, result.quarantined) == (25, 1)
    assert not list(at.root.rglob("*.part"))


def test_a_locked_ledger_is_told_and_can_be_tried_again(at: Desk, tmp_path: Path) -> None:
    import sqlite3

    path = jsonl(tmp_path / "log.jsonl", [row(n) for n in range(5)])
    at.ledger._timeout_s = 0.05
    at.ledger._connection.execute("PRAGMA busy_timeout = 50")
    other = sqlite3.connect(at.ledger.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(EnvironmentFault, match="in use by another process"):
            ingest(at, SYSTEM, [path])
    finally:
        other.execute("ROLLBACK")
        other.close()
    assert ingest(at, SYSTEM, [path]).rows == 5


def test_events_carry_the_desk_s_clock_and_author(at: Desk, tmp_path: Path) -> None:
    ingest(at, SYSTEM, [jsonl(tmp_path / "log.jsonl", [row(0)])])
    assert {(event.event.at, event.event.author) for event in at.ledger.scan()} == {(NOW, "tocsin")}


ZONED = TelemetryMapping(
    "predictions", dict(PREDICTIONS.columns) | {"time": ColumnMapping(column="at", zone="Europe/Berlin")}
)


def half_naive(path: Path) -> Path:
    """Every other row has a time without an offset; one is a duplicate and one is bad for good."""
    rows = [row(n, at=f"2026-07-01T10:{n:02d}:00" + ("" if n % 2 else "Z")) for n in range(30)]
    return jsonl(path, [*rows, row(0), row(31, score="high")])


def test_a_better_mapping_reads_what_was_in_quarantine_and_nothing_else(tmp_path: Path) -> None:
    path = half_naive(tmp_path / "log.jsonl")
    with desk(tmp_path) as at:
        first = ingest(at, SYSTEM, [path], size=SMALL)
        assert (first.rows, first.quarantined, first.duplicates) == (15, 17, 1)
    with desk(tmp_path, ZONED) as at:
        again = ingest(at, SYSTEM, [path], size=SMALL)
        assert (again.rows, again.quarantined, again.duplicates) == (15, 2, 1)
        assert again.files[0].read_again
        assert not again.files[0].already_known
        assert {told["line"] for told in quarantined(again)} == {31, 32}
        ids = [each["id"] for each in stored(at)]
        assert sorted(ids, key=lambda name: int(name[1:])) == [f"A{n}" for n in range(30)]
        assert {each["time"].hour for each in stored(at) if int(each["id"][1:]) % 2} == {8}
        known = ingest(at, SYSTEM, [path], size=SMALL)
        assert known.files[0].already_known
        assert (known.files[0].rows, known.files[0].quarantined) == (30, 2)


def test_another_mapping_reads_nothing_again_when_nothing_was_in_quarantine(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "log.jsonl", [row(0), row(1), row(1)])
    with desk(tmp_path) as at:
        ingest(at, SYSTEM, [path])
    with desk(tmp_path, ZONED) as at:
        assert ingest(at, SYSTEM, [path]).files[0].already_known


def test_reading_again_is_resumed_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = half_naive(tmp_path / "log.jsonl")
    with desk(tmp_path) as at:
        ingest(at, SYSTEM, [path], size=SMALL)
    with desk(tmp_path, ZONED) as at:
        with monkeypatch.context() as patch:
            _stop_after(at, patch, 1)
            with pytest.raises(Stopped):
                ingest(at, SYSTEM, [path], size=SMALL)
        again = ingest(at, SYSTEM, [path], size=SMALL)
        assert (again.rows, again.quarantined) == (15, 2)
        assert len(stored(at)) == 30


@pytest.mark.parametrize(("damage", "error"), [("changed", Refused), ("lost", EnvironmentFault)])
def test_a_quarantine_that_is_not_what_it_was_is_not_read_again(
    tmp_path: Path, damage: str, error: type[Exception]
) -> None:
    path = half_naive(tmp_path / "log.jsonl")
    with desk(tmp_path) as at:
        kept = Path(ingest(at, SYSTEM, [path]).files[0].quarantine)
    if damage == "lost":
        kept.unlink()
    else:
        kept.write_bytes(b"".join(kept.read_bytes().splitlines(keepends=True)[1:]))
    with desk(tmp_path, ZONED) as at, pytest.raises(error):
        ingest(at, SYSTEM, [path])


def test_bad_lines_are_read_again_only_if_they_were_bad(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(jsonl(path, [row(0), row(1, at="2026-07-01T10:00:00")]).read_bytes() + b"{cut")
    with desk(tmp_path) as at:
        assert ingest(at, SYSTEM, [path]).quarantined == 2
    with desk(tmp_path, ZONED) as at:
        again = ingest(at, SYSTEM, [path])
        assert (again.rows, [told["line"] for told in quarantined(again)]) == (1, [3])
