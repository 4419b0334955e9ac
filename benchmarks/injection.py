"""How fast the injection model scores a column of text: CPU time, one core.

python benchmarks/injection.py DATA

DATA is the folder with `perf_corpus20k.jsonl`. Both heads, every text as retrieved; and one text in one call.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa

from tocsin.content.loaders import injection
from tocsin.detect.text.features import folded, short, words
from tocsin.detect.text.injection import score

ROUNDS = 7
ONE = 300


def best(work: Callable[[], Any]) -> float:
    """The smallest CPU time of several rounds, in seconds."""
    times = []
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return min(times)


def main() -> None:
    """Measure and print."""
    raw = (Path(sys.argv[1]) / "perf_corpus20k.jsonl").read_bytes().splitlines()
    texts = [json.loads(line)["text"] for line in raw]
    column, size = pa.array(texts, pa.string()), sum(len(text.encode()) for text in texts) / 1e6
    began = time.process_time()
    model = injection.load()
    print(f"load: {(time.process_time() - began) * 1e3:.1f} ms")
    roles = ["retrieved"] * len(texts)
    score(column, roles, model)
    took = best(lambda: score(column, roles, model))
    print(f"{len(texts):,} texts, {size:.2f} MB: {size / took:.0f} MB/s, {took / len(texts) * 1e6:.1f} us a text")
    few = texts[:ONE]
    alone = best(lambda: [score([text], ["user"], model) for text in few]) / len(few)
    print(f"one text in one call: {alone * 1e6:.0f} us")
    nothing = best(lambda: [words(short([text]) or folded([text])) for text in few]) / len(few)
    print(f"of which words and their hashes: {nothing * 1e6:.0f} us")


if __name__ == "__main__":
    main()
