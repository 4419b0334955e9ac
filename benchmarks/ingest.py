"""Ingest: rows a second for each format against plain loops and Arrow alone, and memory for a file ten times as long.

python benchmarks/ingest.py [--rows 400000]
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.json as arrow_json
import pyarrow.parquet as pq

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from tests.adapters.telemetry import otlp  # noqa: E402
from tests.service.desks import PREDICTIONS, SYSTEM, desk  # noqa: E402

from tocsin.model.policy import TelemetryMapping  # noqa: E402
from tocsin.service.catalogue import segments  # noqa: E402
from tocsin.service.ingesting import ingest  # noqa: E402

START = datetime(2026, 1, 1, tzinfo=UTC)
ROW_BYTES = {"log.jsonl": 207, "log.csv": 121, "log.parquet": 21, "log.otlp.jsonl": 856}
MEMORY_MB = (20, 200, 500)


COMMAND = "`python benchmarks/ingest.py --rows {count}` on {cores} cores, {versions}. CPU time of a fresh process, best of three."
WHAT = """\
Rows have eight columns, seven of them mapped. Tocsin's time holds everything to the last fsync: digest of the file, the look for
missing columns, parsing, checking of every value, comparison of every id with all before it, Parquet (zstd), digest of the
segments, ledger. The loop only makes a dict of each row and a number of its score; Arrow only parses. All formats of the same
rows gave the same segments, byte for byte. A row of OTLP is a message; each call of a model has two."""

MEMORY = """\
Peak memory of a run: Python and Arrow (100 MB), the rows of a segment (64 MB or 250,000 rows), a block of the file, and 8 to 24
bytes for each id: the Parquet file of 200 MB has ten million. Of traces, at most 500,000 messages are remembered as told (60 MB).
A file of 20 MB does not fill a segment; from there on the peak is flat but for the ids and what Arrow's allocator holds back."""


class Measured(NamedTuple):
    """What a run took: CPU seconds, peak resident memory in MB, rows, and a digest of what it read."""

    cpu_s: float
    peak_mb: float
    rows: int
    digest: str


def rows(count: int) -> list[dict[str, Any]]:
    return [
        {
            "at": (START + timedelta(seconds=n)).isoformat(),
            "id": f"A{n:09d}",
            "model": "2.3.0",
            "person": f"P{n % 40_000:06d}",
            "score": n % 10_007 / 10_007,
            "approved": n % 3 == 0,
            "sex": "female" if n % 2 else "male",
            "note": "part-time contract, second applicant",
        }
        for n in range(count)
    ]


def spans(count: int) -> bytes:
    """One request a line, fifty calls of a model in each."""
    requests = []
    for first in range(0, count, 50):
        calls = []
        for n in range(first, min(first + 50, count)):
            said = {
                "gen_ai.operation.name": "chat",
                "gen_ai.conversation.id": f"c{n // 3}",
                "gen_ai.response.model": "m-1",
                "gen_ai.usage.input_tokens": 120,
                "gen_ai.usage.output_tokens": 40,
                "gen_ai.input.messages": json.dumps(
                    [{"role": "user", "parts": [{"type": "text", "content": f"Question {n}?"}]}]
                ),
                "gen_ai.output.messages": json.dumps(
                    [{"role": "assistant", "parts": [{"type": "text", "content": f"Answer {n}."}]}]
                ),
            }
            calls.append(otlp.span(said, n))
        requests.append(otlp.request(*calls))
    return otlp.lines(*requests)


def make(folder: Path, count: int) -> None:
    made = rows(count)
    with (folder / "log.jsonl").open("w") as file:
        file.writelines(json.dumps(row) + "\n" for row in made)
    with (folder / "log.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, made[0])
        writer.writeheader()
        writer.writerows(made)
    with (folder / "newlines.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, made[0])
        writer.writeheader()
        writer.writerows(row | {"note": 'two\nlines, "quoted"'} for row in made)
    pq.write_table(pa.Table.from_pylist(made), folder / "log.parquet")
    (folder / "log.otlp.jsonl").write_bytes(spans(count // 8))


def tocsin(path: Path) -> tuple[int, str]:
    """Ingest into a fresh workspace, to the last fsync."""
    telemetry = TelemetryMapping("interactions", {}) if "otlp" in path.name else PREDICTIONS
    with tempfile.TemporaryDirectory() as folder, desk(Path(folder), telemetry) as at:
        result = ingest(at, SYSTEM, [path])
        ids = "".join(segment.id for segment in segments(at.ledger, SYSTEM))
        assert result.quarantined == 0
        return result.rows, sha256(ids.encode()).hexdigest()


def loop(path: Path) -> tuple[int, str]:
    """What a script does: each row as a dict, its score as a number."""
    total, count = 0.0, 0
    with path.open(newline="") as file:
        for row in csv.DictReader(file) if path.suffix == ".csv" else map(json.loads, file):
            total, count = total + float(row.get("score", 0)), count + 1
    return count, f"{total:.6f}"


def arrow(path: Path) -> tuple[int, str]:
    """The physical limit: Arrow reads the file into memory on one thread, checks nothing and keeps nothing."""
    if path.suffix == ".csv":
        parse = arrow_csv.ParseOptions(newlines_in_values=True)
        table = arrow_csv.read_csv(path, arrow_csv.ReadOptions(use_threads=False), parse)
    elif path.suffix == ".parquet":
        table = pq.read_table(path, use_threads=False)
    else:
        table = arrow_json.read_json(path, arrow_json.ReadOptions(use_threads=False, block_size=8 << 20))
    return table.num_rows, ""


WAYS: dict[str, Callable[[Path], tuple[int, str]]] = {"tocsin": tocsin, "loop": loop, "arrow": arrow}


def measured(way: str, path: Path) -> Measured:
    """Run in a process of its own."""
    command = [sys.executable, __file__, "--run", way, str(path)]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1]
    return Measured(*json.loads(out))


def run(way: str, path: Path) -> None:
    before = time.process_time()
    count, digest = WAYS[way](path)
    cpu = time.process_time() - before
    print(json.dumps([cpu, peak_mb(), count, digest]))


def peak_mb() -> float:
    """The most memory that this program had resident; unlike `ru_maxrss` it forgets the parent's at exec."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def best(way: str, path: Path) -> Measured:
    """The best of three, as the machine is shared."""
    return min(measured(way, path) for _ in range(3))


def speed(folder: Path, count: int) -> list[str]:
    """A line for each format: rows a CPU second, and the ratio to the loop and to Arrow alone."""
    lines = [
        "| file | MB | rows | Tocsin: rows/CPU s | MB/CPU s | plain loop | Tocsin / loop | Arrow alone | Tocsin / Arrow |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    same = set()
    for name in ("log.jsonl", "log.csv", "newlines.csv", "log.parquet", "log.otlp.jsonl"):
        path = folder / name
        mine = best("tocsin", path)
        size = path.stat().st_size / 1e6
        rate = mine.rows / mine.cpu_s
        if "otlp" not in name:
            same.add(mine.digest)
            assert mine.rows == count
        cells = [name, f"{size:.0f}", f"{mine.rows:,}", f"{rate:,.0f}", f"{size / mine.cpu_s:.0f}"]
        for way in ("loop", "arrow"):
            if (way == "loop" and path.suffix == ".parquet") or "otlp" in name:
                cells += ["", ""]
                continue
            rival = best(way, path)
            assert rival.rows == mine.rows
            cells += [f"{rival.rows / rival.cpu_s:,.0f}", f"{rate * rival.cpu_s / rival.rows:.2f}"]
        lines.append("| " + " | ".join(cells) + " |")
    assert len(same) == 1, "formats of the same rows gave different segments"
    return lines


def memory(folder: Path) -> list[str]:
    """Peak memory for a file, one ten times as long, and one longer still."""
    lines = [
        "| file | " + " | ".join(f"{size} MB: peak" for size in MEMORY_MB) + " |",
        "|---" * (len(MEMORY_MB) + 1) + "|",
    ]
    for name in ("log.jsonl", "log.csv", "log.otlp.jsonl", "log.parquet"):
        peaks = []
        for size in MEMORY_MB[: 2 if "parquet" in name else 3]:
            path = repeated(folder, name, size)
            peaks.append(f"{measured('tocsin', path).peak_mb:.0f} MB")
            path.unlink()
        lines.append(f"| {name} | " + " | ".join([*peaks, ""][: len(MEMORY_MB)]) + " |")
    return lines


def repeated(folder: Path, name: str, size: int) -> Path:
    """A file of about that many MB with the same kind of rows, all ids different."""
    path, count = folder / f"{size}-{name}", size * 1_000_000 // ROW_BYTES[name]
    if "otlp" in name:
        path.write_bytes(spans(count))
        return path
    step = 50_000
    made = rows(min(step, count))
    with path.open("wb") as file:
        writer = None
        for first in range(0, count, step):
            part = [row | {"id": f"A{first + n:09d}"} for n, row in enumerate(made[: count - first])]
            if name.endswith(".jsonl"):
                file.write("".join(json.dumps(row) + "\n" for row in part).encode())
            elif name.endswith(".csv"):
                header = ",".join(part[0]) + "\n" if not first else ""
                file.write(
                    (
                        header
                        + "".join(f'{",".join(map(str, list(row.values())[:-1]))},"{row["note"]}"\n' for row in part)
                    ).encode()
                )
            else:
                table = pa.Table.from_pylist(part)
                writer = writer or pq.ParquetWriter(file, table.schema)
                writer.write_table(table)
        if writer:
            writer.close()
    return path


def report(count: int) -> str:
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as name:
        folder = Path(name)
        make(folder, count)
        fast, flat = speed(folder, count), memory(folder)
    versions = f"Python {platform.python_version()}, pyarrow {pa.__version__}"
    head = ["## Ingest", "", COMMAND.format(count=count, cores=os.cpu_count(), versions=versions), "", WHAT, ""]
    tail = ["", MEMORY, "", *flat]
    return "\n".join([*head, *fast, *tail]) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=400_000)
    parser.add_argument("--run", nargs=2)
    given = parser.parse_args()
    if given.run:
        run(given.run[0], Path(given.run[1]))
        return
    text = report(given.rows)
    results = HERE / "results"
    results.mkdir(exist_ok=True)
    (results / "ingest.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
