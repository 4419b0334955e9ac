"""Files and folders side by side: the same answer from every format, types that change midway, and files that are of no use."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq
import pytest

from tocsin.adapters.telemetry import frames
from tocsin.detect.comparing.plan import Kind, Roles
from tocsin.detect.comparing.report import Comparison
from tocsin.model.errors import BadInput, UsageFault
from tocsin.service.contrasting import compare as compare_files

ROLES = Roles(decision="paid", groups=("area",))


def table(rows: int, seed: int, move: float = 0.0) -> pa.Table:
    g = np.random.default_rng(seed)
    return pa.table(
        {
            "amount": g.lognormal(3 + move, 1, rows),
            "area": g.choice(["north", "south, by the sea", "ünïcode"], rows),
            "paid": g.integers(0, 2, rows).astype(np.float64),
        }
    )


def written(folder: Path, name: str, rows: pa.Table) -> Path:
    path = folder / name
    if name.endswith("parquet"):
        pq.write_table(rows, path)
    elif name.endswith("csv"):
        arrow_csv.write_csv(rows, path)
    else:
        text = "".join(json.dumps(row) + "\n" for row in rows.to_pylist())
        path.write_bytes(gzip.compress(text.encode()) if name.endswith("gz") else text.encode())
    return path


def figures(found: Comparison) -> list[tuple[str, str, float, float]]:
    return [(e.about, e.measure, round(e.low, 6), round(e.high, 6)) for e in found.effects()]


@pytest.mark.parametrize("kind", ["csv", "jsonl", "jsonl.gz"])
def test_every_format_gives_the_answer_of_parquet(tmp_path: Path, kind: str) -> None:
    sides = (table(700, 1), table(500, 2, 0.5))
    first = [written(tmp_path, f"{i}.parquet", side) for i, side in enumerate(sides)]
    second = [written(tmp_path, f"{i}.{kind}", side) for i, side in enumerate(sides)]
    assert figures(compare_files(*first, ROLES)) == figures(compare_files(*second, ROLES))


def test_a_folder_is_one_side(tmp_path: Path) -> None:
    whole, other = table(900, 1), written(tmp_path, "other.parquet", table(400, 2))
    (tmp_path / "parts").mkdir()
    for i in range(3):
        written(tmp_path / "parts", f"{i}.parquet", whole.slice(300 * i, 300))
    one = compare_files(written(tmp_path, "one.parquet", whole), other)
    parts = compare_files(tmp_path / "parts", other)
    assert parts.reference.rows == 900
    assert parts.reference.digest == one.reference.digest


def test_a_table_in_memory_gives_the_answer_of_its_file(tmp_path: Path) -> None:
    sides = (table(700, 1), table(500, 2, 0.5))
    files = [written(tmp_path, f"{i}.parquet", side) for i, side in enumerate(sides)]
    found = compare_files(sides[0], sides[1].to_pydict(), ROLES)
    assert figures(found) == figures(compare_files(*files, ROLES))


def test_a_number_that_turns_out_to_be_text_begins_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "BLOCK_BYTES", 4_000)
    lines = ["code,x", *(f"{i % 7},{i}.5" for i in range(2_000)), *(f"A{i % 3},{i}" for i in range(300))]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(lines) + "\n")
    found = compare_files(path, path)
    assert {c.name: c.kind for c in found.columns} == {"code": Kind.CATEGORY, "x": Kind.NUMBER}
    assert found.reference.rows == 2_300


def test_whole_numbers_may_be_followed_by_fractions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "BLOCK_BYTES", 2_000)
    path = tmp_path / "a.csv"
    path.write_text("x;y\n" + "".join(f"{i};\n" for i in range(900)) + "".join(f"{i}.25;text\n" for i in range(900)))
    found = compare_files(path, path)
    assert next(c.kind for c in found.columns if c.name == "x") is Kind.NUMBER
    assert found.current.rows == 1_800


def test_ten_thousand_categories_are_compared_in_flat_memory(tmp_path: Path) -> None:
    g = np.random.default_rng(1)
    sides = [
        pa.table({"c": [f"v{i}" for i in np.concatenate([np.zeros(25_000, int), g.integers(0, 10_000, 40_000)])]})
        for _ in "ab"
    ]
    found = compare_files(*(written(tmp_path, f"{i}.parquet", side) for i, side in enumerate(sides)))
    assert found.columns[0].kind is Kind.CATEGORY
    assert not found.beyond


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", b"", "cannot be read"),
        ("a.csv", b"x,x\n1,2\n", "has x more than once"),
        ("a.csv", b"x,y\n1,2\n1,2,3\n", "cannot be read"),
        ("a.jsonl", b'{"x": 1}\n{"x": \n', "cannot be read"),
        ("a.parquet", b"PAR1 and no more", "cannot be read"),
        ("a.csv.gz", gzip.compress(b"x\n1\n")[:-6], "cut off or damaged"),
    ],
)
def test_files_that_are_of_no_use_are_told_by_name(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(BadInput, match=words) as told:
        compare_files(path, path)
    assert str(path) in str(told.value)


def test_no_file_no_rows_and_other_columns(tmp_path: Path) -> None:
    with pytest.raises(UsageFault, match="no file"):
        compare_files(tmp_path / "none", tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageFault, match="no file in"):
        compare_files(tmp_path / "empty", tmp_path / "empty")
    header = tmp_path / "h.csv"
    header.write_text("x,y\n")
    with pytest.raises(UsageFault, match="has no rows"):
        compare_files(header, header)
    parts = tmp_path / "parts"
    parts.mkdir()
    written(parts, "0.parquet", table(9, 1))
    written(parts, "1.parquet", table(9, 1).drop_columns(["area"]))
    with pytest.raises(BadInput, match=r"1.parquet: no column area"):
        compare_files(parts, parts)


def test_a_nested_column_is_named_and_left_out(tmp_path: Path) -> None:
    path = written(tmp_path, "a.jsonl", pa.table({"x": [1.5] * 5, "tags": [["a"]] * 5}))
    assert [tuple(left) for left in compare_files(path, path).left_out] == [("tags", "a nested or binary column")]


def test_json_whose_numbers_turn_into_text_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "BLOCK_BYTES", 1_000)
    path = tmp_path / "a.jsonl"
    path.write_text('{"x": 1, "y": 2.5}\n' * 300 + '{"x": "one", "y": 2}\n' * 300)
    with pytest.raises(BadInput, match="cannot be read") as told:
        compare_files(path, path)
    assert "x" in str(told.value)
