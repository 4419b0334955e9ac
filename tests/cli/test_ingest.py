"""`tocsin ingest` and `watch`, as the engineer who plugs in logs uses them."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tocsin.cli import app
from tocsin.model.errors import EXIT_BAD_INPUT, EXIT_OK, EXIT_USAGE

HEADER = (
    "decided_at,application_id,applicant_id,model_version,score,approved,second_look,sex,age_band,income_eur,part_time"
)
Run = Callable[..., tuple[int, str, str]]


def row(number: int, **changes: str) -> str:
    """A line of the bank's log."""
    fields = {
        "decided_at": f"2026-10-01T09:{number % 60:02d}:00+02:00",
        "application_id": f"A{number}",
        "applicant_id": f"P{number}",
        "model_version": "2.2.0",
        "score": "0.7",
        "approved": "yes",
        "second_look": "",
        "sex": "female",
        "age_band": "30-39",
        "income_eur": "30000",
        "part_time": "0",
    }
    return ",".join((fields | changes).values())


def log(path: Path, *rows: str) -> Path:
    path.write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    root = tmp_path / "bank"
    app.run(["init", str(root), "--template", "bank"])

    def go(*argv: str | Path) -> tuple[int, str, str]:
        capsys.readouterr()
        code = app.run([*map(str, argv), "-C", str(root)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return go


def ingest(run: Run, *files: Path | str) -> tuple[int, str, str]:
    return run("ingest", "--system", "credit-model", *files)


def test_rows_come_in_and_the_same_file_changes_nothing(run: Run, tmp_path: Path) -> None:
    file = log(tmp_path / "a.csv", *map(row, range(50)))
    code, out, _ = ingest(run, file)
    assert code == EXIT_OK
    assert "50 rows in, 0 in quarantine." in out
    code, out, _ = ingest(run, file)
    assert code == EXIT_OK
    assert "known already, nothing changed" in out


def test_bad_rows_are_kept_with_their_reasons_and_the_good_ones_come_in(run: Run, tmp_path: Path) -> None:
    bad = [
        row(1, score="high"),
        row(2, decided_at="2026-10-01T09:00:00"),
        row(3, approved="perhaps"),
        row(4, score="nan"),
        row(5, score="inf"),
        row(0),
    ]
    code, out, _ = ingest(run, log(tmp_path / "a.csv", row(0), *bad, row(9)))
    assert code == EXIT_OK
    assert "2 rows in" in out
    assert "bad rows are kept in" in out
    told = json.loads(run("ingest", "--system", "credit-model", tmp_path / "a.csv", "--json")[1])
    assert told["files"][0]["already_known"] is True


def test_every_quarantined_row_has_its_line(run: Run, tmp_path: Path) -> None:
    told = json.loads(
        run("ingest", "--system", "credit-model", log(tmp_path / "a.csv", row(0), row(1, score="x")), "--json")[1]
    )
    kept = Path(told["files"][0]["quarantine"])
    if not kept.is_absolute():
        kept = tmp_path / "bank" / kept
    (line,) = [json.loads(text) for text in kept.read_text(encoding="utf-8").splitlines()]
    assert line["line"] == 3
    assert "score" in json.dumps(line)


def test_formats_and_compression_are_known_by_what_is_in_them(run: Run, tmp_path: Path) -> None:
    plain = log(tmp_path / "a.csv", row(1))
    packed = tmp_path / "b.csv.gz"
    packed.write_bytes(gzip.compress(log(tmp_path / "c.csv", row(2)).read_bytes()))
    names = HEADER.split(",")
    lines = tmp_path / "d.jsonl"
    lines.write_text(
        json.dumps(dict(zip(names, row(3).split(","), strict=True)) | {"score": 0.7}) + "\n", encoding="utf-8"
    )
    told = json.loads(run("ingest", "--system", "credit-model", plain, packed, lines, "--json")[1])
    assert [file["rows"] for file in told["files"]] == [1, 1, 1]


def test_a_folder_is_all_its_files(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    for number in range(3):
        log(folder / f"{number}.csv", row(number))
    assert "3 rows in" in ingest(run, folder)[1]


def test_standard_input_is_a_file_too(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = log(tmp_path / "a.csv", row(1), row(2)).read_bytes()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
    code, out, err = ingest(run, "-")
    assert code == EXIT_OK, err
    assert "2 rows in" in out


@pytest.mark.parametrize(
    ("make", "code", "says"),
    [
        (lambda p: p / "nowhere.csv", EXIT_USAGE, "nowhere.csv"),
        (lambda p: log(p / "a.csv", row(1)).rename(p / "a.xyz"), EXIT_OK, ""),
    ],
)
def test_files_that_are_not_there_or_oddly_named(
    run: Run, tmp_path: Path, make: Callable[[Path], Path], code: int, says: str
) -> None:
    found, _, err = ingest(run, make(tmp_path))
    assert found == code
    assert says in err


def test_a_missing_column_is_told_with_the_columns_that_there_are(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("decided,score\n2026-10-01T09:00:00Z,0.4\n", encoding="utf-8")
    code, out, err = ingest(run, tmp_path / "a.csv")
    assert (code, out) == (EXIT_BAD_INPUT, "")
    assert "decided_at" in err
    assert "decided" in err


def only(run: Run, tmp_path: Path, text: str) -> None:
    """Say which rows belong to the system."""
    path, kept = tmp_path / "bank" / "systems" / "credit-model.yaml", tmp_path / "as-it-was.yaml"
    if not kept.exists():
        kept.write_bytes(path.read_bytes())
    last = "    feature.part_time: part_time\n"
    path.write_text(kept.read_text(encoding="utf-8").replace(last, f"{last}  only:\n    {text}\n"), encoding="utf-8")
    assert run("check")[0] == EXIT_OK


def test_a_mistyped_column_of_only_is_told_and_a_mistyped_value_shows(run: Run, tmp_path: Path) -> None:
    file = log(tmp_path / "a.csv", row(1), row(2))
    only(run, tmp_path, "model_versoin: ['2.2.0']")
    code, _, err = ingest(run, file)
    assert code == EXIT_BAD_INPUT
    assert "telemetry.only.model_versoin" in err
    assert "did you mean 'model_version'" in err
    only(run, tmp_path, "model_version: ['2.2.O']")
    assert "every row was left out" in ingest(run, file)[1]
    only(run, tmp_path, "model_version: ['2.2.0']")
    assert "2 rows in" in ingest(run, file)[1], "corrected, it is read as if for the first time"


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["ingest", "--system", "credit", "x.csv"], "credit-model"),
        (["ingest", "--system", "credit-model"], "no file is named"),
        (["ingest", "x.csv"], "--system"),
        (["watch", "/nowhere/at/all", "--system", "credit-model", "--once"], "/nowhere/at/all"),
    ],
)
def test_what_is_asked_wrongly_is_told(run: Run, argv: list[str], says: str) -> None:
    code, out, err = run(*argv)
    assert (code, out) == (EXIT_USAGE, "")
    assert says in err


def test_watching_once_reads_what_arrived_judges_it_and_stops(run: Run, tmp_path: Path) -> None:
    arriving = tmp_path / "arriving"
    arriving.mkdir()
    log(arriving / "a.csv", *map(row, range(20)))
    log(arriving / "b.csv", *map(row, range(20, 30)))
    code, out, _ = run("watch", arriving, "--system", "credit-model", "--once", "--every", "0.05")
    assert code == EXIT_OK
    assert "a.csv: 20 rows, 0 in quarantine" in out
    assert "2 files, 30 rows, 0 in quarantine, 0 failed." in out
    code, out, _ = run("watch", arriving, "--system", "credit-model", "--once", "--every", "0.05")
    assert out.startswith("no files, no rows")


def test_a_file_that_cannot_be_read_does_not_stop_the_watch(run: Run, tmp_path: Path) -> None:
    arriving = tmp_path / "arriving"
    arriving.mkdir()
    (arriving / "a.csv").write_text("nothing,of,this\n1,2,3\n", encoding="utf-8")
    log(arriving / "b.csv", row(1))
    code, out, _ = run("watch", arriving, "--system", "credit-model", "--once", "--every", "0.05")
    assert code == EXIT_OK
    assert "1 file, 1 row, 0 in quarantine, 1 failed." in out
