"""Quarantine: bad rows on disk, whole or not at all, and counts that name nobody."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

from tocsin.adapters.telemetry.chunks import Bad, shown
from tocsin.adapters.telemetry.quarantine import KINDS_MAX, Quarantine

BAD = Bad(7, "score: not a number: 'Erika'", "mend the log", '{"score": "Erika"}', "score: not a number")


def test_bad_rows_are_lines_of_json(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path / "deep" / "rows.jsonl")
    quarantine.add([BAD, BAD._replace(line=9)])
    digest = quarantine.close()
    data = quarantine.path.read_bytes()
    assert digest == sha256(data).hexdigest()
    assert [json.loads(line) for line in data.splitlines()] == [
        {"line": line, "reason": BAD.reason, "remedy": BAD.remedy, "raw": BAD.raw} for line in (7, 9)
    ]
    assert quarantine.count == 2


def test_reasons_are_counted_by_kind_without_values(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path / "rows.jsonl")
    quarantine.add([BAD, BAD._replace(reason="score: not a number: 'Hans'"), BAD._replace(kind="time: missing")])
    assert quarantine.reasons() == {"score: not a number": 2, "time: missing": 1}
    quarantine.add(BAD._replace(kind=f"kind {n}") for n in range(500))
    assert len(quarantine.reasons()) == KINDS_MAX
    quarantine.discard()


def test_it_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path / "rows.jsonl")
    quarantine.add([BAD])
    assert not quarantine.path.exists()
    quarantine.discard()
    assert list(tmp_path.iterdir()) == []


def test_discarding_after_closing_changes_nothing(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path / "rows.jsonl")
    quarantine.add([BAD])
    quarantine.close()
    quarantine.discard()
    assert quarantine.path.exists()


def test_no_bad_rows_are_no_file(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path / "rows.jsonl")
    quarantine.add([])
    assert quarantine.close() == sha256(b"").hexdigest()
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_written_over(tmp_path: Path) -> None:
    killed = Quarantine(tmp_path / "rows.jsonl")
    killed.add([BAD] * 50)
    assert killed._file is not None
    killed._file.close()
    again = Quarantine(tmp_path / "rows.jsonl")
    again.add([BAD])
    again.close()
    assert [path.name for path in tmp_path.iterdir()] == ["rows.jsonl"]
    assert len((tmp_path / "rows.jsonl").read_bytes().splitlines()) == 1


def test_raw_bytes_are_shown_as_text_and_not_in_full() -> None:
    assert shown(b"a\xff\x00b") == "a\\xff\x00b"
    assert len(shown(b"x" * 1_000_000)) == 2_000
    assert len(shown("é".encode() * 1_000_000)) == 2_000
