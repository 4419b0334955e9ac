"""How often each pattern wrongly fires on ordinary texts of each role, and how many of the items planted in made-up texts it finds.

The ordinary texts are collections of other people and not part of this project: only counts are kept. What fires on them is not always
wrong: some hold an address that somebody made up. Values that somebody looked at and found right stand, as digests, in
`results/patterns_reviewed.json`; everything else counts as wrong and is printed, to be looked at.

    python benchmarks/pattern_rates.py FOLDER
"""

from __future__ import annotations

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import numpy as np
import pyarrow as pa

from text import WORDS
from tocsin.content.loaders import patterns
from tocsin.detect.text.calibration import DOCUMENT, digest, roles
from tocsin.detect.text.engine import matched, scan

REVIEWED = Path(__file__).parent / "results" / "patterns_reviewed.json"
RESULT = Path(__file__).parents[1] / "src" / "tocsin" / "content" / "patterns" / "measured.jsonl"
PROMPTS = ("selfinstruct_benign", "gsm8k_benign", "gpteacher_toolformer", "gpteacher_roleplay", "bfcl_live_benign_part")
DOCUMENTS = ("bipia_contexts",)
COPIES, SEED = 5, 7
"""So many texts are made around each positive sample."""


def ordinary(folder: Path) -> Iterator[tuple[str, str]]:
    """(role, text) of every collection: what users ask, what assistants answer, and documents."""
    for name in (*PROMPTS, *DOCUMENTS):
        written = (folder / f"{name}.jsonl").read_text(encoding="utf-8").split("\n")
        for row in (json.loads(line) for line in written if line):
            if row.get("text"):
                yield (DOCUMENT if name in DOCUMENTS else "user"), str(row["text"])
            if row.get("response"):
                yield "assistant", str(row["response"])


def value_digest(rule: str, value: str) -> str:
    """Stands for a value that somebody looked at."""
    return sha256(f"{rule}\0{value}".encode()).hexdigest()[:12]


def wrongly(texts: list[tuple[str, str]]) -> dict[str, Counter[str]]:
    """By rule: in how many texts of each role it fires on something that nobody found right."""
    known, right = patterns.load(), set(json.loads(REVIEWED.read_text(encoding="utf-8"))["right"])
    wrong: dict[str, set[int]] = defaultdict(set)
    for row in matched(pa.array([text for _, text in texts], pa.large_string()), known):
        for match in row.found:
            pattern = known.items[match.pattern]
            value = row.text[match.start : match.end].decode("utf-8", "replace")
            if texts[row.number][0] in roles(pattern) and value_digest(pattern.id, value) not in right:
                wrong[pattern.id].add(row.number)
                print(f"wrong or not looked at: {pattern.id} {value_digest(pattern.id, value)} {value!r}")
    return {rule: Counter(texts[row][0] for row in rows) for rule, rows in wrong.items()}


def planted() -> dict[str, tuple[int, int]]:
    """By rule: items that stand between words of no meaning, and how many of these are found, by it or by another rule of its kind."""
    rng, known = np.random.default_rng(SEED), patterns.load()
    counts = {}
    for file in patterns.written():
        texts, places = [], []
        for sample in file.positive * COPIES:
            before, after = (
                " ".join(WORDS[n] for n in rng.integers(len(WORDS), size=rng.integers(5, 60))) for _ in "ab"
            )
            texts.append(f"{before} {sample} {after}")
            places.append((len(before) + 1, len(before) + 1 + len(sample)))
        found = {
            hit.row
            for hit in scan(pa.array(texts), known).hits
            if known.items[hit.pattern].kind == file.kind
            and hit.start < places[hit.row][1]
            and hit.end > places[hit.row][0]
        }
        counts[file.id] = len(texts), len(found)
    return counts


def main() -> None:
    """Measure, print, and keep the result."""
    texts = list(ordinary(Path(sys.argv[1])))
    wrong, items = wrongly(texts), planted()
    lines = [{"texts": dict(Counter(role for role, _ in texts)), "planted_seed": SEED, "copies": COPIES}]
    for pattern in patterns.load().items:
        made, found = items[pattern.id]
        told = dict(sorted(wrong.get(pattern.id, {}).items()))
        lines.append({"rule": pattern.id, "digest": digest(pattern), "planted": made, "found": found, "wrong": told})
    RESULT.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    missed = [rule for rule, (made, found) in items.items() if found < made]
    print(
        f"{len(texts):,} texts, {len(items)} rules, {len(wrong)} with wrong findings; not all planted found: {missed}"
    )


if __name__ == "__main__":
    main()
