"""Train the injection model, measure it on sources that it was not trained on, and write what is shipped.

python tools/injection/train.py DATA [--write] [--quick]

DATA is the folder of the published texts (`docs/injection-model.md` names them). With --write the weights and the card go to
`src/tocsin/content/models/injection/`. Everything is seeded; the card holds the digests of all that went in.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import scipy
from scipy.optimize import minimize
from scipy.sparse import csr_matrix

sys.path.insert(0, str(Path(__file__).parent))
import corpus
import sources
from corpus import Row
from report import measured, quantile_threshold

from tocsin.content.loaders import patterns
from tocsin.detect.text import features
from tocsin.detect.text.engine import scan
from tocsin.detect.text.injection import HEADS, ROLES, Curve, Model, to_bytes
from tocsin.detect.text.windows import BLOCK, WORDS_MAX, WORDS_MIN, breadth, windows

SEED = 20261125
AUTHORED_ROWS = 30_000
BITS = 18
RIDGE = 0.1
"""Weight of the squared weights in the loss of one head, in rows."""
SCALE = 4.0
"""The sum of a window of n words counts as this divided by the root of n: it only sets the unit of the weights, and so of RIDGE."""
ITERATIONS = 40
ROUNDS = 2
"""First every window of an attack counts; then only the one that the model of the round before finds worst."""
FOLDS = ("deepset", "jailbreaks", "stories", "instructions", "agents", "ordinary")
REACH = {"word": 1.5, "stem": 1.5, "triple": 0.3, "opening": 0.5}
"""How easily the weight of a feature grows, against 1 for the others. Single words carry over to sources that nobody has seen, triples of
words do not."""
FALSE_ALARMS = {
    "user": (0.0105,),
    "tool": (0.012, 0.03),
    "retrieved": (0.012, 0.03),
    "system": (0.004,),
    "assistant": (0.006,),
}
"""The share of benign texts that may reach 0.5 by each head, as the mean over sources (the authored rows are one), of scores from
models that never saw the source (or the wording)."""
QUOTING = ("security", "encoded_benign")
"""Benign texts that quote a whole attack: no threshold can be set by them; the card tells how many are flagged."""
OUT = Path(__file__).resolve().parents[2] / "src" / "tocsin" / "content" / "models" / "injection"
Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Prepared:
    """Rows as features: blocks x buckets counts, and which blocks each window has; `owner` is the row of each window."""

    blocks: csr_matrix
    members: csr_matrix
    owner: np.ndarray[Any, np.dtype[np.int64]]
    rows: int


def prepared(rows: list[Row]) -> Prepared:
    """The features exactly as the detector computes them."""
    row, opens, places, base = [], [], [], 0
    texts = [r.text for r in rows]
    for first in range(0, len(texts), 1024):
        part = features.words(features.folded(texts[first : first + 1024]))
        row.append(part.row + base)
        opens.append(part.opens)
        places.append(np.stack([h >> np.uint64(64 - BITS) for h in part.hashes]).astype(np.int32))
        base += len(texts[first : first + 1024])
    every, bucket = np.concatenate(row), np.concatenate(places, axis=1)
    cut = windows(every, np.concatenate(opens))
    indptr = np.append(cut.start, len(every)) * bucket.shape[0]
    blocks = csr_matrix((np.ones(bucket.size, np.float32), bucket.T.reshape(-1), indptr), (len(cut.start), 1 << BITS))
    again = (np.diff(cut.first, prepend=-1) == 0) & (np.diff(cut.behind, prepend=-1) == 0)
    kept = np.flatnonzero(~again & (cut.words >= WORDS_MIN))
    first, count = cut.first[kept], (cut.behind - cut.first)[kept]
    share = np.repeat(SCALE / breadth(cut.words)[kept], count).astype(np.float32)
    columns = np.repeat(first, count) + _within(count)
    members = csr_matrix((share, columns, np.append(0, np.cumsum(count))), (len(kept), len(cut.start)))
    return Prepared(blocks, members, cut.row[kept], len(rows))


def _within(count: Any) -> Any:
    return np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)


def fitted(data: Prepared, chosen: Any, label: Any, weight: Any) -> tuple[Floats, float]:
    """Weights and intercept of one head by logistic regression over windows, in rounds."""
    known = chosen[data.owner]
    positive = label[data.owner] == 1
    per_row = np.bincount(data.owner, minlength=data.rows)
    share = weight[data.owner] / np.where(positive, per_row[data.owner], np.sqrt(per_row[data.owner]))
    w = np.zeros(1 << BITS)
    b = 0.0
    for turn in range(ROUNDS):
        use = known & (~positive | (turn == 0) | _worst(data, w))
        strength = share if turn == 0 else np.where(positive, weight[data.owner], share)
        w, b = _regressed(data.blocks, data.members[use], positive[use], strength[use], w, b)
    return w, b


def _worst(data: Prepared, w: Floats) -> Any:
    """Which windows are the worst of their text."""
    logits = data.members @ (data.blocks @ w.astype(np.float32))
    begin = np.flatnonzero(np.diff(data.owner, prepend=-1))
    largest = np.maximum.reduceat(logits, begin)
    return logits >= np.repeat(largest, np.diff(np.append(begin, len(logits))))


def _regressed(blocks: Any, members: Any, positive: Any, strength: Any, w: Floats, b: float) -> tuple[Floats, float]:
    used = np.flatnonzero(np.asarray(members.sum(axis=0)).ravel())
    x, m = blocks[used], members[:, used]
    seen = np.bincount(x.indices, minlength=x.shape[1]) >= 2
    xt, mt, reach = x.T.tocsr(), m.T.tocsr(), _reach(x)
    sign = np.where(positive, 1.0, -1.0)

    def loss(theta: Floats) -> tuple[float, Floats]:
        margin = sign * (m @ (x @ (reach * theta[:-1]).astype(np.float32)) + theta[-1])
        value = strength @ np.logaddexp(0, -margin) + RIDGE / 2 * theta[:-1] @ theta[:-1]
        pull = -sign * strength / (1 + np.exp(np.clip(margin, -40, 40)))
        slope = np.asarray(xt @ (mt @ pull.astype(np.float32)), np.float64) * seen * reach + RIDGE * theta[:-1]
        return float(value), np.append(slope, pull.sum())

    found = minimize(
        loss, np.append(w / reach, b), jac=True, method="L-BFGS-B", options={"maxiter": ITERATIONS, "maxcor": 8}
    )
    return found.x[:-1] * reach, float(found.x[-1])


def _reach(blocks: csr_matrix) -> Floats:
    """How easily the weight of each place of the table grows: as the kind of feature that falls there most often."""
    kinds = blocks.indices.reshape(-1, len(features.ORDERS))
    counts = np.stack([np.bincount(kind, minlength=blocks.shape[1]) for kind in kinds.T])
    return np.array([REACH.get(name, 1.0) for name in features.ORDERS])[counts.argmax(axis=0)]


def scored(data: Prepared, w: Floats, b: float) -> Floats:
    """The logit of each row: of its worst window; of a row without words, the intercept."""
    logits = np.full(data.rows, b)
    begin = np.flatnonzero(np.diff(data.owner, prepend=-1))
    logits[data.owner[begin]] = np.maximum.reduceat(data.members @ (data.blocks @ w.astype(np.float32)), begin) + b
    return logits


def weights(rows: list[Row]) -> Floats:
    """How much each row counts: sources are levelled, so that a large one does not decide alone; authored rows keep one each."""
    names, number = np.unique([row.source for row in rows], return_inverse=True)
    size = np.bincount(number)
    level = np.where(names == "authored", 1.0, np.clip(np.sqrt(400 / size), 0.35, 2.0))
    return level[number]


def out_of_fold(rows: list[Row], data: Prepared, quick: bool) -> Floats:
    """[heads, n] logits, each from a model that saw neither the row's source nor, for authored rows, its wording."""
    fold = np.array([FOLDS[corpus.fold(r)] if r.source == "authored" else sources.fold(r.source) for r in rows])
    labels, weight, shipped = _labels(rows), weights(rows), _shipped(rows)
    logits = np.zeros((len(HEADS), len(rows)))
    for name in FOLDS[: 2 if quick else None]:
        for head in range(len(HEADS)):
            train = (fold != name) & shipped & (labels[head] >= 0)
            logits[head][fold == name] = scored(data, *fitted(data, train, labels[head], weight))[fold == name]
    return logits


def _found_by_rules(rows: list[Row]) -> Any:
    """bool [n]: whether a shipped rule of the role finds something."""
    rules = patterns.load().of("injection")
    found = np.zeros(len(rows), bool)
    for hit in scan([row.text for row in rows], rules).hits:
        found[hit.row] |= rows[hit.row].role in rules.items[hit.pattern].roles
    return found


def _labels(rows: list[Row]) -> Any:
    """int [heads, n]: 1, 0, or -1 where a head is not asked."""
    return np.array(
        [
            [-1 if v is None else v for v in (r.attack for r in rows)],
            [-1 if v is None else v for v in (r.request for r in rows)],
        ]
    )


def _shipped(rows: list[Row]) -> Any:
    kept = {source.name for source in sources.SOURCES if not source.shipped}
    return np.array([row.source not in kept for row in rows])


def quantized(heads: list[tuple[Floats, float]]) -> tuple[Any, list[tuple[float, float]]]:
    """int8 tables, and of each head the size of one step and the intercept."""
    tables, scales = [], []
    for w, b in heads:
        step = float(np.abs(w).max()) / 127
        tables.append(np.rint(w / step).astype(np.int8))
        scales.append((step * SCALE, b))
    return np.stack(tables), scales


def curves(rows: list[Row], logits: Floats, scales: list[tuple[float, float]]) -> dict[str, tuple[Curve, ...]]:
    """Of each role and head: where 0.5 lies (by false alarms out of fold) and how steep the curve is (fitted there)."""
    labels, roles = _labels(rows), np.array([r.role for r in rows])
    names = np.array(["quoted" if r.family in QUOTING else r.source for r in rows])
    made: dict[str, tuple[Curve, ...]] = {}
    middles: dict[str, list[float]] = {}
    for role in ROLES:
        found = []
        for head, (step, b) in enumerate(scales):
            own = (roles == role) & (labels[head] == 0) & (names != "quoted")
            if head >= len(FALSE_ALARMS[role]):
                found.append(Curve(step, (100.0 - b) / step))
                continue
            middle = quantile_threshold(logits[head][own], names[own], FALSE_ALARMS[role][head])
            if role == "system":
                middle = max(middle, middles["user"][0] + 1.5)
            both = (roles == role) & (labels[head] >= 0)
            slope = _steepness(logits[head][both] - middle, labels[head][both] == 1)
            middles.setdefault(role, []).append(middle)
            found.append(Curve(slope * step, (middle - b) / step))
        made[role] = tuple(found)
    return made


def _steepness(distance: Floats, positive: Any) -> float:
    """The slope of the logistic curve through 0.5 at distance 0 that fits best, between 0.3 and 1."""
    if not positive.any():
        return 0.6
    sign = np.where(positive, 1, -1)
    level = np.where(positive, 0.5 / positive.mean(), 0.5 / (1 - positive.mean()))
    tried = np.linspace(0.3, 1.0, 15)
    return float(tried[np.argmin([level @ np.logaddexp(0, -sign * s * distance) for s in tried])])


def main() -> None:
    """Read, train, measure, write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    began = time.process_time()
    read = sources.read(given.data, SEED)
    authored = corpus.rows(AUTHORED_ROWS, SEED, sources.harms(given.data), sources.requests(given.data))
    rows = read.rows + authored
    data = prepared(rows)
    print(
        f"{len(rows)} rows ({len(authored)} authored), {data.blocks.nnz} features, {time.process_time() - began:.0f} s",
        flush=True,
    )
    logits = out_of_fold(rows, data, given.quick)
    print(f"out of fold after {time.process_time() - began:.0f} s", flush=True)
    labels, weight, shipped = _labels(rows), weights(rows), _shipped(rows)
    heads = [fitted(data, shipped & (labels[head] >= 0), labels[head], weight) for head in range(len(HEADS))]
    tables, scales = quantized(heads)
    model = Model(tables, curves(rows, logits, scales))
    found = measured(rows, logits, model, scales, _found_by_rules(rows))
    print(json.dumps(found["summary"], indent=1))
    print("\n".join(" ".join(f"{v!s:>18}" for v in line.values()) for line in found["sources"]))
    if given.write:
        write(model, read.digests, rows, authored, found)
    print(f"{time.process_time() - began:.0f} s", flush=True)


def write(model: Model, digests: dict[str, str], rows: list[Row], authored: list[Row], found: dict[str, Any]) -> None:
    """The weights and the card beside them."""
    OUT.mkdir(parents=True, exist_ok=True)
    raw = to_bytes(model)
    (OUT / "model.bin").write_bytes(raw)
    phrases = {p.name: sha256(p.read_bytes()).hexdigest() for p in sorted(corpus.PHRASES.glob("*.txt"))}
    counted = {s.name: sum(row.source == s.name for row in rows) for s in sources.SOURCES}
    card = {
        "digest": sha256(raw).hexdigest(),
        "bytes": len(raw),
        "seed": SEED,
        "bits": BITS,
        "block": BLOCK,
        "window": WORDS_MAX,
        "made_with": {"numpy": np.__version__, "scipy": scipy.__version__, "python": sys.version.split()[0]},
        "rows": {"authored": len(authored), "all": len(rows)},
        "languages": sorted({row.language for row in authored}),
        "sources": [
            {
                "name": s.name,
                "file": f"{s.file}.jsonl",
                "licence": s.licence,
                "in_weights": s.shipped,
                "rows": counted[s.name],
            }
            for s in sources.SOURCES
        ],
        "digests": digests | {f"phrases/{name}": digest for name, digest in phrases.items()},
        "measured": found,
    }
    (OUT / "card.json").write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
