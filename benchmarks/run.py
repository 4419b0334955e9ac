"""Run every benchmark, or the ones named, and put their results together in RESULTS.md.

python benchmarks/run.py            runs all of them
python benchmarks/run.py ledger     runs one
python benchmarks/run.py --collect  only puts the kept results together
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
INTRODUCTION = """# Benchmark results

Each section is what its command printed; nothing is written by hand. Machines differ and are shared: compare the ratios to the
named rival of the same run. CPU time is user plus system time of the process.
"""


def main(names: list[str]) -> None:
    """Run and collect."""
    scripts = sorted(path for path in HERE.glob("*.py") if path.name != "run.py" and not path.name.startswith("_"))
    for script in scripts:
        if "--collect" not in names and (not names or script.stem in names):
            print(f"== {script.name}", flush=True)
            subprocess.run([sys.executable, str(script)], check=True)
    results = [path.read_text(encoding="utf-8").strip() for path in sorted((HERE / "results").glob("*.md"))]
    (HERE / "RESULTS.md").write_text("\n\n".join([INTRODUCTION.strip(), *results]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
