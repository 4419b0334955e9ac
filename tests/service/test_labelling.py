"""Labels that come later: they find their predictions, count once and for detectors of labels only, and nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.service.desks import PREDICTIONS, SYSTEM, desk, policy, system
from tocsin.adapters.telemetry.cutting import Size
from tocsin.model.errors import BadInput
from tocsin.model.policy import ColumnMapping, DetectorChoice, TelemetryMapping, Workspace
from tocsin.model.telemetry import Windowing
from tocsin.service import detecting
from tocsin.service.catalogue import segments, stream
from tocsin.service.desk import Desk
from tocsin.service.ingesting import Ingested, ingest

LATE = replace(PREDICTIONS, labels={"id": ColumnMapping(column="case"), "label": ColumnMapping(column="paid")})
TIMED = replace(LATE, labels={**LATE.labels, "time": ColumnMapping(column="settled")})
BEGIN = datetime(2026, 11, 1, tzinfo=UTC)


def predictions(path: Path, numbers: range) -> Path:
    rows = [
        {
            "at": (BEGIN + timedelta(minutes=n)).isoformat(),
            "id": f"A{n}",
            "model": "2.3.0",
            "person": f"P{n % 7}",
            "score": n / 1_000,
            "approved": n % 2 == 0,
            "sex": "female" if n % 3 else "male",
        }
        for n in numbers
    ]
    path.write_text("".join(json.dumps(each) + "\n" for each in rows))
    return path


def outcomes(path: Path, told: dict[str, Any], settled: datetime | None = None) -> Path:
    more = {"settled": settled.isoformat()} if settled else {}
    path.write_text("".join(json.dumps({"case": case, "paid": paid} | more) + "\n" for case, paid in told.items()))
    return path


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Desk]:
    with desk(tmp_path / "workspace", LATE) as opened:
        yield opened


def late_rows(at: Desk) -> list[dict[str, Any]]:
    late = [segment for segment in segments(at.ledger, SYSTEM, late=True) if segment.late]
    names = ("time", "id", "unit", "score", "decision", "label", "group.sex")
    return [{n: row[n] for n in names} for batch in at.telemetry.batches(late, names) for row in batch.to_pylist()]


def reasons(result: Ingested) -> dict[str, int]:
    return dict(result.files[0].reasons)


def test_a_label_completes_the_row_of_its_prediction(at: Desk, tmp_path: Path) -> None:
    ingest(at, SYSTEM, [predictions(tmp_path / "log.jsonl", range(30))], size=Size(rows=7))
    result = ingest(
        at, SYSTEM, [outcomes(tmp_path / "paid.jsonl", {"A21": True, "A3": False, "A8": True})], labels=True
    )
    assert (result.rows, result.quarantined) == (3, 0)
    assert late_rows(at) == [
        {
            "time": BEGIN + timedelta(minutes=n),
            "id": f"A{n}",
            "unit": f"P{n % 7}",
            "score": n / 1_000,
            "decision": n % 2 == 0,
            "label": label,
            "group.sex": "female" if n % 3 else "male",
        }
        for n, label in ((21, True), (3, False), (8, True))
    ]
    assert all(not segment.late for segment in segments(at.ledger, SYSTEM))
    assert sum(segment.rows for segment in segments(at.ledger, SYSTEM)) == 30


def test_the_time_is_when_the_label_was_known_where_the_log_says_so(tmp_path: Path) -> None:
    settled = BEGIN + timedelta(days=90)
    with desk(tmp_path / "w", TIMED) as at:
        ingest(at, SYSTEM, [predictions(tmp_path / "log.jsonl", range(5))])
        ingest(at, SYSTEM, [outcomes(tmp_path / "paid.jsonl", {"A2": True}, settled)], labels=True)
        assert [row["time"] for row in late_rows(at)] == [settled]


def test_what_fits_nothing_is_kept_and_told(at: Desk, tmp_path: Path) -> None:
    ingest(at, SYSTEM, [predictions(tmp_path / "log.jsonl", range(5))])
    path = tmp_path / "paid.jsonl"
    lines = [
        '{"case": "A1", "paid": true}',
        '{"case": "B1", "paid": true}',
        '{"case": "A2"}',
        '{"case": "A1", "paid": false}',
    ]
    path.write_text("\n".join([*lines, '{"case": null, "paid": true}', '{"case": "A3", "paid": "perhaps"}']) + "\n")
    result = ingest(at, SYSTEM, [path], labels=True)
    assert (result.rows, result.quarantined, result.duplicates) == (1, 5, 1)
    found = reasons(result)
    assert found["id: no prediction with this id"] == 2
    assert found["label: missing"] == 1
    assert found["id: a second row with the same id"] == 1
    kept = [json.loads(line) for line in Path(result.files[0].quarantine).read_bytes().splitlines()]
    assert {one["line"] for one in kept} == {2, 3, 4, 5, 6}


def test_the_same_labels_twice_change_nothing(at: Desk, tmp_path: Path) -> None:
    ingest(at, SYSTEM, [predictions(tmp_path / "log.jsonl", range(5))])
    paid = outcomes(tmp_path / "paid.jsonl", {"A1": True, "A2": False})
    ingest(at, SYSTEM, [paid], labels=True)
    version = len(at.ledger.read(stream(SYSTEM)))
    again = ingest(at, SYSTEM, [paid], labels=True)
    assert again.files[0].already_known
    other = outcomes(tmp_path / "more.jsonl", {"A2": True, "A4": True})
    result = ingest(at, SYSTEM, [other], labels=True)
    assert (result.rows, result.duplicates) == (1, 1)
    assert len(at.ledger.read(stream(SYSTEM))) > version
    assert sorted(row["id"] for row in late_rows(at)) == ["A1", "A2", "A4"]


def test_labels_that_came_before_their_predictions_are_taken_when_those_are_there(at: Desk, tmp_path: Path) -> None:
    ingest(at, SYSTEM, [predictions(tmp_path / "one.jsonl", range(5))])
    paid = outcomes(tmp_path / "paid.jsonl", {"A1": True, "A7": False})
    first = ingest(at, SYSTEM, [paid], labels=True)
    assert (first.rows, first.quarantined) == (1, 1)
    assert ingest(at, SYSTEM, [paid], labels=True).files[0].already_known
    ingest(at, SYSTEM, [predictions(tmp_path / "two.jsonl", range(5, 9))])
    second = ingest(at, SYSTEM, [paid], labels=True)
    assert (second.rows, second.quarantined, second.files[0].read_again) == (1, 0, True)
    assert [row["id"] for row in late_rows(at)] == ["A1", "A7"]


def test_labels_for_no_predictions_at_all_wait(at: Desk, tmp_path: Path) -> None:
    result = ingest(at, SYSTEM, [outcomes(tmp_path / "paid.jsonl", {"A1": True})], labels=True)
    assert (result.rows, result.quarantined) == (0, 1)


def test_a_prediction_that_came_with_a_label_takes_no_second_one(tmp_path: Path) -> None:
    both = replace(PREDICTIONS, columns={**PREDICTIONS.columns, "label": ColumnMapping(column="approved")})
    with desk(tmp_path / "w", both) as at:
        ingest(at, SYSTEM, [predictions(tmp_path / "log.jsonl", range(5))])
    with desk(tmp_path / "w", LATE) as at:
        result = ingest(at, SYSTEM, [outcomes(tmp_path / "paid.jsonl", {"A1": True})], labels=True)
        assert reasons(result) == {"id: the prediction has a label already": 1}


def test_a_system_that_says_nothing_of_labels_is_told_how_to(tmp_path: Path) -> None:
    with desk(tmp_path / "w") as at, pytest.raises(BadInput, match="does not say how labels are logged"):
        ingest(at, SYSTEM, [outcomes(tmp_path / "paid.jsonl", {"A1": True})], labels=True)


def test_a_file_without_the_columns_of_labels_is_refused_whole(at: Desk, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="there is no column 'case'"):
        ingest(at, SYSTEM, [predictions(tmp_path / "log.jsonl", range(3))], labels=True)
    assert at.ledger.read(stream(SYSTEM)) == []


def test_a_killed_run_goes_on_with_the_predictions_that_it_knew(at: Desk, tmp_path: Path, monkeypatch: Any) -> None:
    ingest(at, SYSTEM, [predictions(tmp_path / "log.jsonl", range(20))])
    paid = outcomes(tmp_path / "paid.jsonl", {f"A{n}": True for n in (*range(12), 25)})
    write, calls = type(at.telemetry).write, iter(range(9))

    def dies(store: Any, *rest: Any) -> Any:
        if next(calls) == 2:
            raise KeyboardInterrupt
        return write(store, *rest)

    monkeypatch.setattr(type(at.telemetry), "write", dies)
    with pytest.raises(KeyboardInterrupt):
        ingest(at, SYSTEM, [paid], labels=True, size=Size(rows=5))
    monkeypatch.undo()
    ingest(at, SYSTEM, [predictions(tmp_path / "more.jsonl", range(20, 30))])
    result = ingest(at, SYSTEM, [paid], labels=True, size=Size(rows=5))
    assert result.rows == 12
    assert [row["id"] for row in late_rows(at)] == [f"A{n}" for n in range(12)]
    again = ingest(at, SYSTEM, [paid], labels=True)
    assert (again.rows, again.files[0].read_again) == (1, True)
    assert late_rows(at)[-1]["id"] == "A25"


# --- what detectors see ---------------------------------------------------------------------------------------------


def watched(telemetry: TelemetryMapping) -> Workspace:
    hourly = Windowing(every=timedelta(hours=1))
    choices = (
        DetectorChoice("error_rate", "error_rate", {"limit": 0.1}, hourly),
        DetectorChoice("group_parity", "group_parity", {"group": "sex"}, hourly),
    )
    return Workspace("w", policy(), {SYSTEM: replace(system(telemetry), detectors=choices)})


def windows(at: Desk, detector: str) -> list[tuple[int, int]]:
    """(hour, rows) of the windows that the detector judged."""
    first = int(BEGIN.timestamp()) // 3600
    return [(past.window.index - first, past.window.rows) for past in detecting.history(at, SYSTEM, detector)]


def test_detectors_of_labels_read_labelled_rows_and_others_the_predictions(tmp_path: Path) -> None:
    with desk(tmp_path / "w", LATE) as opened:
        at = replace(opened, workspace=watched(LATE))
        ingest(at, SYSTEM, [predictions(tmp_path / "log.jsonl", range(241))])
        detecting.detect(at)
        assert windows(at, "group_parity") == [(hour, 60) for hour in range(4)]
        assert windows(at, "error_rate") == []
        wrong = {f"A{n}": n % 2 == 1 for n in range(0, 200, 2)}
        ingest(at, SYSTEM, [outcomes(tmp_path / "paid.jsonl", wrong)], labels=True)
        found = detecting.detect(at)
        assert windows(at, "group_parity") == [(hour, 60) for hour in range(4)], "nobody counts a prediction twice"
        assert windows(at, "error_rate") == [(hour, 30) for hour in range(3)]
        assert {finding.detector for finding in found.findings} == {"error_rate"}
        states = list(detecting.window_states(at, SYSTEM, "error_rate", BEGIN))
        assert sum(state.rows("all rows") for state in states) == 100


def test_labels_with_a_time_of_their_own_are_judged_when_they_were_known(tmp_path: Path) -> None:
    with desk(tmp_path / "w", TIMED) as opened:
        at = replace(opened, workspace=watched(TIMED))
        ingest(at, SYSTEM, [predictions(tmp_path / "log.jsonl", range(100))])
        for day in (30, 60):
            told = {f"A{n}": True for n in range(day - 30, day)}
            path = outcomes(tmp_path / f"{day}.jsonl", told, BEGIN + timedelta(days=day))
            ingest(at, SYSTEM, [path], labels=True)
        detecting.detect(at)
        assert windows(at, "error_rate") == [(30 * 24, 30)]
