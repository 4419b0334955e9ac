"""A log that grows: what was read is never read again, with or without ids, and nothing is left out."""

from __future__ import annotations

import gzip
import json
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.service.desks import PREDICTIONS, SYSTEM, desk
from tests.service.test_ingesting import jsonl, row, stored
from tocsin.adapters.telemetry.cutting import Size
from tocsin.adapters.telemetry.opening import beginning
from tocsin.model.policy import ColumnMapping
from tocsin.service.desk import Desk
from tocsin.service.ingesting import IngestedFile, ingest

NO_IDS = replace(PREDICTIONS, columns={name: column for name, column in PREDICTIONS.columns.items() if name != "id"})


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Desk]:
    with desk(tmp_path / "workspace", NO_IDS) as opened:
        yield opened


def read(at: Desk, path: Path) -> IngestedFile:
    (file,) = ingest(at, SYSTEM, [path], size=Size(rows=10)).files
    return file


def scores(at: Desk) -> list[float]:
    return [each["score"] for each in stored(at, "score")]


def grown(path: Path, count: int, *, by: int) -> Path:
    """The log with so many rows more."""
    with path.open("a", encoding="utf-8") as log:
        log.writelines(json.dumps(row(number)) + "\n" for number in range(count, count + by))
    return path


def test_only_the_new_lines_are_read(at: Desk, tmp_path: Path) -> None:
    log = jsonl(tmp_path / "a.jsonl", [row(n) for n in range(25)])
    assert (read(at, log).rows, read(at, log).already_known) == (25, True)
    more = read(at, grown(log, 25, by=7))
    assert (more.rows, more.continued_after, more.already_known) == (7, 25, False)
    again = read(at, grown(log, 32, by=1))
    assert (again.rows, again.continued_after) == (1, 32)
    assert scores(at) == [n / 1_000 for n in range(33)]


def test_the_longest_beginning_counts_whatever_the_names(at: Desk, tmp_path: Path) -> None:
    for count in (5, 20, 10):
        read(at, jsonl(tmp_path / f"{count}.jsonl", [row(n) for n in range(count)]))
    assert read(at, jsonl(tmp_path / "all.jsonl", [row(n) for n in range(22)])).continued_after == 20
    assert sorted(scores(at))[-2:] == [0.02, 0.021]


def test_another_beginning_is_another_file(at: Desk, tmp_path: Path) -> None:
    read(at, jsonl(tmp_path / "a.jsonl", [row(n) for n in range(5)]))
    rotated = read(at, jsonl(tmp_path / "a.jsonl", [row(n) for n in range(100, 120)]))
    assert (rotated.rows, rotated.continued_after) == (20, 0)


def test_a_header_alone_is_a_beginning_that_leaves_nothing_out(at: Desk, tmp_path: Path) -> None:
    header = "at,id,model,person,score,approved,sex\n"
    log = tmp_path / "a.csv"
    log.write_text(header, encoding="utf-8")
    read(at, log)
    line = "2026-11-01T00:00:00Z,A1,m,P1,0.5,true,f\n"
    log.write_text(header + line, encoding="utf-8")
    assert read(at, log).rows == 1
    log.write_text(header + line + line.replace("0.5", "0.6"), encoding="utf-8")
    assert read(at, log).rows == 1
    assert scores(at) == [0.5, 0.6]


def test_a_line_that_was_cut_off_is_read_once_it_is_whole(at: Desk, tmp_path: Path) -> None:
    whole = "".join(json.dumps(row(n)) + "\n" for n in range(4))
    log = tmp_path / "a.jsonl"
    log.write_text(whole[:-30], encoding="utf-8")
    first = read(at, log)
    assert (first.rows, first.quarantined) == (3, 1)
    log.write_text(whole + json.dumps(row(4)) + "\n", encoding="utf-8")
    assert read(at, log).rows == 2
    assert scores(at) == [0.0, 0.001, 0.002, 0.003, 0.004]


def test_a_last_line_without_its_end_that_was_read_is_not_read_again(at: Desk, tmp_path: Path) -> None:
    whole = "".join(json.dumps(row(n)) + "\n" for n in range(4))
    log = tmp_path / "a.jsonl"
    log.write_text(whole.rstrip("\n"), encoding="utf-8")
    assert read(at, log).rows == 4
    log.write_text(whole + json.dumps(row(4)) + "\n", encoding="utf-8")
    assert (read(at, log).rows, len(scores(at))) == (1, 5)


def test_rows_in_quarantine_for_a_wrong_mapping_come_in_with_the_growth(tmp_path: Path) -> None:
    wrong = replace(NO_IDS, columns=dict(NO_IDS.columns) | {"score": ColumnMapping(column="score")})
    log = jsonl(tmp_path / "a.jsonl", [row(0), row(1, at="2026-11-01T00:01:00")])
    with desk(tmp_path / "w", wrong) as at:
        first = read(at, log)
        assert (first.rows, first.quarantined) == (1, 1)
    zoned = replace(NO_IDS, columns=dict(NO_IDS.columns) | {"time": ColumnMapping(column="at", zone="UTC")})
    with desk(tmp_path / "w", zoned) as at:
        assert read(at, grown(log, 2, by=1)).rows == 2
        assert sorted(scores(at)) == [0.0, 0.001, 0.002]


def test_ids_still_tell_what_is_known_where_bytes_do_not(tmp_path: Path) -> None:
    with desk(tmp_path / "w") as at:
        read(at, jsonl(tmp_path / "a.jsonl", [row(n) for n in range(5)]))
        shuffled = read(at, jsonl(tmp_path / "b.jsonl", [row(n) for n in (4, 3, 9, 1)]))
        assert (shuffled.rows, shuffled.duplicates) == (1, 3)


def test_what_does_not_grow_by_lines_is_read_as_a_whole(at: Desk, tmp_path: Path) -> None:
    plain = "".join(json.dumps(row(n)) + "\n" for n in range(3)).encode()
    packed = tmp_path / "a.jsonl.gz"
    packed.write_bytes(gzip.compress(plain))
    read(at, packed)
    packed.write_bytes(packed.read_bytes() + gzip.compress(plain))
    assert read(at, packed).continued_after == 0
    table = pa.Table.from_pylist([row(7)])
    pq.write_table(table, tmp_path / "a.parquet")
    size = (tmp_path / "a.parquet").stat().st_size
    read(at, tmp_path / "a.parquet")
    pq.write_table(pa.concat_tables([table] * 2), tmp_path / "b.parquet")
    assert beginning(tmp_path / "b.parquet", {size: {"x"}}) is None
    assert read(at, tmp_path / "b.parquet").rows == 2


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(0, 40), min_size=1, max_size=5))
def test_in_whatever_steps_a_log_grows_each_row_is_read_once(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("grown")
    lines = [json.dumps(row(n)) + "\n" for n in range(40)]
    with desk(folder / "w", NO_IDS) as at:
        for cut in [*sorted(cuts), 40]:
            (folder / "a.jsonl").write_text("".join(lines[:cut]), encoding="utf-8")
            if cut:
                read(at, folder / "a.jsonl")
        assert scores(at) == [n / 1_000 for n in range(40)]


@pytest.mark.slow
def test_killed_while_it_reads_on_it_goes_on_as_it_had_decided(tmp_path: Path) -> None:
    log = jsonl(tmp_path / "a.jsonl", [row(n) for n in range(100)])
    with desk(tmp_path / "w", NO_IDS) as at:
        read(at, log)
    grown(log, 100, by=300)
    for attempt in range(60):
        child = os.fork()
        if not child:
            with desk(tmp_path / "w", NO_IDS) as at:
                read(at, log)
            os._exit(0)
        time.sleep(0.004 * attempt)
        os.kill(child, signal.SIGKILL)
        if not os.WIFSIGNALED(os.waitpid(child, 0)[1]):
            break
    with desk(tmp_path / "w", NO_IDS) as at:
        assert read(at, log).already_known
        assert scores(at) == [n / 1_000 for n in range(400)]


def test_a_beginning_is_looked_for_at_the_sizes_of_known_files_only(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"one\ntwo\nthr")
    known: dict[int, Any] = {4: {"no"}, 8: {"0" * 64}, 99: {"x"}}
    assert beginning(path, known) is None
    assert beginning(path, {}) is None
