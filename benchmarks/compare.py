"""`tocsin compare` beside Evidently, NannyML, whylogs and Fairlearn: the same Parquet files, CPU time and peak memory of fresh processes.

Both sides are checked first: the missing values, rates by group and the area under the curve are counted again in plain numpy. The
peers live in environments of their own, so that none of them is a dependency; a peer without one is said to be not installed.

    python benchmarks/compare.py [--peers FOLDER] [--rows 1000000] [--long 10000000]

FOLDER holds a virtual environment per peer: evid, nanny, why, fair.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

RESULT = Path(__file__).parent / "results" / "compare.md"
NUMBERS, CATEGORIES = 14, (3, 5, 10, 20, 50, 200)
FEATURES = [f"num{i}" for i in range(NUMBERS)] + [f"cat{i}" for i in range(len(CATEGORIES))]
ROLES = ["--label", "y_true", "--decision", "y_pred", "--score", "y_score", "--group", "group"]
MEASURE = """
import json, resource, sys, time
def used(): return sum(sum(resource.getrusage(w)[:2]) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
F = {features!r}
ref, cur = sys.argv[1:]
import pandas as pd
{imports}
begin = used()
{work}
print(json.dumps([used() - begin, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, version]))
"""
PEERS = (
    (
        "Evidently, DataDriftPreset, default",
        "evid",
        (
            "from evidently import Report, Dataset, DataDefinition\nfrom evidently.presets import DataDriftPreset\n"
            "import evidently; version = evidently.__version__"
        ),
        (
            "r, c = (pd.read_parquet(p, columns=F) for p in (ref, cur))\n"
            "d = DataDefinition(numerical_columns=F[:14], categorical_columns=F[14:])\n"
            "data = [Dataset.from_pandas(x, data_definition=d) for x in (c, r)]\n"
            "Report([DataDriftPreset()]).run(*data).dict()"
        ),
    ),
    (
        "NannyML, univariate Jensen-Shannon, chunks of 10,000",
        "nanny",
        "import nannyml as nml; version = nml.__version__",
        (
            "r, c = (pd.read_parquet(p, columns=F) for p in (ref, cur))\n"
            "k = nml.UnivariateDriftCalculator(column_names=F, continuous_methods=['jensen_shannon'],"
            " categorical_methods=['jensen_shannon'], chunk_size=10000)\nk.fit(r); k.calculate(c)"
        ),
    ),
    (
        "whylogs, profile of the current side only",
        "why",
        "import whylogs as why; from importlib.metadata import version as v; version = v('whylogs')",
        "why.log(pd.read_parquet(cur, columns=F)).profile().view()",
    ),
    (
        "Fairlearn, MetricFrame of 6 rates by 6 groups, current side only",
        "fair",
        (
            "from fairlearn.metrics import MetricFrame, selection_rate, true_positive_rate, false_positive_rate, count\n"
            "from sklearn.metrics import accuracy_score, precision_score\nimport fairlearn; version = fairlearn.__version__"
        ),
        (
            "c = pd.read_parquet(cur, columns=['group', 'y_true', 'y_pred'])\n"
            "m = dict(n=count, sr=selection_rate, tpr=true_positive_rate, fpr=false_positive_rate, acc=accuracy_score,"
            " prec=precision_score)\nMetricFrame(metrics=m, y_true=c.y_true, y_pred=c.y_pred,"
            " sensitive_features=c.group).by_group"
        ),
    ),
)


def made(rows: int, seed: int, shift: float) -> pa.Table:
    """Twenty features, a group, a label, a decision and a calibrated score; the first three numbers and one category move."""
    g, columns = np.random.default_rng(seed), {}
    for i in range(NUMBERS):
        draws = (g.normal(size=rows), g.lognormal(0, 1, rows), g.exponential(2, rows), g.integers(0, 1000, rows) * 1.0)
        x = draws[i % 4]
        x = x + shift * x.std() if i < 3 else x
        columns[f"num{i}"] = pa.array(np.where(g.random(rows) < 0.02, np.nan, x) if i % 5 == 0 else x, from_pandas=True)
    for i, many in enumerate(CATEGORIES):
        p = np.arange(1, many + 1) ** -0.8
        p = p[::-1] if shift and not i else p
        names = pa.array([f"c{i}_{j}" for j in range(many)])
        codes = pa.array(g.choice(many, rows, p=p / p.sum()).astype(np.int32))
        columns[f"cat{i}"] = pa.DictionaryArray.from_arrays(codes, names).cast(pa.string())
    score = g.beta(2, 3, rows)
    groups = pa.array(g.choice(6, rows, p=[0.4, 0.25, 0.15, 0.1, 0.07, 0.03]).astype(np.int32))
    columns["group"] = pa.DictionaryArray.from_arrays(groups, pa.array(list("ABCDEF"))).cast(pa.string())
    columns |= {"y_true": pa.array((g.random(rows) < score).astype(np.int64)), "y_score": pa.array(score)}
    columns["y_pred"] = pa.array((score > 0.5).astype(np.int64))
    return pa.table(columns)


def write(path: Path, rows: int, seed: int, shift: float) -> Path:
    """In pieces, so that any number of rows fits."""
    writer = None
    for piece in range(0, rows, 500_000):
        table = made(min(500_000, rows - piece), seed + piece, shift)
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table, row_group_size=125_000)
    assert writer is not None
    writer.close()
    return path


def run(command: list[str]) -> tuple[float, float, str]:
    """CPU seconds, peak MB and output of a fresh process, its start and imports included."""
    with tempfile.TemporaryFile("w+") as out:
        child = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL)
        _, status, used = os.wait4(child.pid, 0)
        out.seek(0)
        text = out.read()
    assert os.waitstatus_to_exitcode(status) in (0, 1), text  # 1: something is beyond tolerance, or a peer failed
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, text


def tocsin(reference: Path, current: Path, *more: str) -> list[str]:
    """The command."""
    return [sys.executable, "-m", "tocsin", "compare", str(reference), str(current), *ROLES, "--json", *more]


def check(told: dict, reference: Path, current: Path) -> None:
    """What was told against plain numpy."""
    r, c = (
        pq.read_table(path, columns=["num0", "group", "y_true", "y_pred", "y_score"]) for path in (reference, current)
    )
    effects = {(e["about"], e["measure"]): e for e in told["performance"]}
    effects |= {(e["about"], e["measure"]): e for column in told["columns"] for e in column["effects"]}
    missing = effects["num0", "missing"]
    assert (missing["reference"], missing["current"]) == tuple(t.column("num0").null_count / t.num_rows for t in (r, c))
    y, d, s = (c.column(name).to_numpy() for name in ("y_true", "y_pred", "y_score"))
    assert abs(effects["all rows", "error rate"]["current"] - (y != d).mean()) < 1e-12
    groups = np.array(c.column("group").to_pylist())
    for rate in told["fairness"][0]["rates"]:
        chosen = (groups == rate["group"]) & (y == 1)
        if rate["measure"] == "true positive rate":
            assert abs(rate["current"] - d[chosen].mean()) < 1e-12
    ranks = np.argsort(np.argsort(s)) + 1.0
    area = (ranks[y == 1].sum() - y.sum() * (y.sum() + 1) / 2) / (y.sum() * (len(y) - y.sum()))
    assert abs(effects["all rows", "area under the ROC curve"]["current"] - area) < 1e-3
    median = effects["num3", "median"]
    exact = np.median(pq.read_table(current, columns=["num3"]).column("num3").to_numpy())
    assert abs(median["current"] - exact) < 3


def main() -> None:
    """Measure, print, and keep the result."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--peers", type=Path)
    asked.add_argument("--rows", type=int, default=1_000_000)
    asked.add_argument("--long", type=int, default=10_000_000)
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sides = [write(Path(folder) / f"{i}.parquet", given.rows, i, 0.05 * i) for i in range(2)]
        best = min(run(tocsin(*sides)) for _ in range(3))
        check(json.loads(best[2]), *sides)
        lines = [
            "## Comparing two files",
            "",
            f"`python benchmarks/compare.py --peers FOLDER`: {given.rows:,} reference and {given.rows:,} current rows from Parquet,",
            "20 features, group, label, decision, score. Tocsin: the whole process, best of three, drift, missing and new values,",
            "performance, groups, each with an interval. Peers: without start and imports. Rates, missing values, area and median",
            "were counted again in numpy and agree.",
            "",
            "| what | CPU s | peak MB | CPU / Tocsin |",
            "|---|---|---|---|",
            f"| tocsin compare | {best[0]:.2f} | {best[1]:.0f} | 1 |",
        ]
        print(lines[-1], flush=True)
        for name, environment, imports, work in PEERS:
            python = given.peers / environment / "bin" / "python" if given.peers else None
            if python is None or not python.exists():
                lines.append(f"| {name} | not installed | | |")
                continue
            script = MEASURE.format(features=FEATURES, imports=imports, work=work)
            told = run([str(python), "-c", script, *map(str, sides)])[2].strip().splitlines()
            if not told:
                lines.append(f"| {name} | failed | | |")
                continue
            cpu, peak, version = json.loads(told[-1])
            lines.append(f"| {name} ({version}) | {cpu:.1f} | {peak:.0f} | {cpu / best[0]:.0f} |")
            print(lines[-1], flush=True)
        for side in sides:
            side.unlink()
        lines += ["", "Longer files, the same on both sides:", "", "| rows a side | CPU s | peak MB |", "|---|---|---|"]
        for rows in (given.long // 4, given.long):
            whole = write(Path(folder) / "long.parquet", rows, 3, 0.0)
            cpu, peak, _ = run(tocsin(whole, whole))
            lines.append(f"| {rows:,} | {cpu:.1f} | {peak:.0f} |")
            print(lines[-1], flush=True)
    RESULT.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
