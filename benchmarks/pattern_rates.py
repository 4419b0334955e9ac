"""How often each pattern of personal data and secrets fires on ordinary texts, and what is found in labelled ones.

The collections are other people's work and not part of this project. What fires on ordinary texts is not always wrong: some of them hold
an address or a number that somebody made up. The counts are kept beside the benchmarks, and the page of patterns shows them.

    python benchmarks/pattern_rates.py FOLDER
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

import pyarrow as pa

from tocsin.content.loaders import patterns
from tocsin.detect.text.engine import scan

RESULT = Path(__file__).parent / "results" / "patterns.json"
ORDINARY = (
    "selfinstruct_benign",
    "gsm8k_benign",
    "gpteacher_toolformer",
    "gpteacher_roleplay",
    "bfcl_live_benign_part",
    "bipia_contexts",
)


def texts(folder: Path, name: str) -> list[str]:
    """Prompts and responses of a collection."""
    written = (folder / f"{name}.jsonl").read_text(encoding="utf-8").split("\n")
    rows = [json.loads(line) for line in written if line]
    return [str(row[key]) for row in rows for key in ("text", "response") if row.get(key)]


def main() -> None:
    """Count, print, and keep the result."""
    looked = patterns.load().of("personal_data", "secret")
    fired: Counter[str] = Counter()
    sizes = {}
    for name in ORDINARY:
        column = texts(Path(sys.argv[1]), name)
        found = {(hit.row, looked.items[hit.pattern].id) for hit in scan(pa.array(column), looked).hits}
        fired.update(rule for _, rule in found)
        sizes[name] = len(column)
    total = sum(sizes.values())
    rates = {rule: round(1_000 * count / total, 3) for rule, count in sorted(fired.items())}
    RESULT.write_text(json.dumps({"texts": sizes, "per_1000": rates}, indent=1) + "\n", encoding="utf-8")
    print(f"{total:,} texts, {len(looked.items)} rules, {len(rates)} of them fired")
    for rule, count in fired.most_common():
        print(f"{rule:30} {count:5} {1_000 * count / total:8.3f} per 1,000")


if __name__ == "__main__":
    main()
