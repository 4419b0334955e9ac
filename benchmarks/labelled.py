"""What is found of labelled personal data and secrets, kind by kind, in collections of other people; and of the fixtures of gitleaks.

A labelled entity is found if a finding of its kind touches it. Precision counts the findings of these kinds, with a score of 0.5 or more,
that touch no label of their kind. The collections are not part of this project; they were at hand while the patterns were written.

    python benchmarks/labelled.py FOLDER
"""

from __future__ import annotations

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from tocsin.content.loaders import gitleaks, patterns
from tocsin.detect.comparing.intervals import rate
from tocsin.detect.text.engine import Hit, scan
from tocsin.detect.text.patterns import Patterns

RESULT = Path(__file__).parent / "results" / "labelled.md"
FOUND = patterns.load().of("personal_data", "secret")
SURE = 0.5
"""Findings below this score are hints: addresses of documentation and of private networks."""

PRESIDIO = {
    name: (name,)
    for name in (
        "CREDIT_CARD",
        "PHONE_NUMBER",
        "EMAIL_ADDRESS",
        "US_SSN",
        "IBAN_CODE",
        "US_DRIVER_LICENSE",
        "IP_ADDRESS",
    )
}
DATAFOG = {
    "EMAIL": ("EMAIL_ADDRESS",),
    "PHONE": ("PHONE_NUMBER",),
    "SSN": ("US_SSN",),
    "CREDIT_CARD": ("CREDIT_CARD",),
    "IP_ADDRESS": ("IP_ADDRESS",),
    "ZIP_CODE": ("US_POSTCODE",),
    "DE_VAT_ID": ("DE_VAT", "EU_VAT"),
    "DE_IBAN": ("IBAN_CODE",),
}
PLANTED = {
    "CREDIT_CARD": ("CREDIT_CARD",),
    "IBAN": ("IBAN_CODE",),
    "US_SSN": ("US_SSN",),
    "EMAIL": ("EMAIL_ADDRESS",),
    "IP": ("IP_ADDRESS",),
    "PHONE": ("PHONE_NUMBER",),
    "AWS_KEY": ("AWS_ACCESS_KEY",),
    "GITHUB": ("GITHUB_TOKEN",),
    "SLACK": ("SLACK_TOKEN",),
    "OPENAI": ("OPENAI_KEY",),
    "STRIPE": ("STRIPE_SECRET_KEY",),
    "JWT": ("JSON_WEB_TOKEN",),
    "PRIVATE_KEY": ("PRIVATE_KEY",),
    "PASSWORD": ("PASSWORD",),
}


class Collection(NamedTuple):
    """What a collection is, the field of its labels, and which entities of ours its kinds are."""

    title: str
    labels: str
    kinds: Mapping[str, tuple[str, ...]]


COLLECTIONS = {
    "presidio_generated_large": Collection("presidio-research, generated", "spans", PRESIDIO),
    "datafog_corpus": Collection("DataFog, edge cases", "entities", DATAFOG),
    "perf_corpus20k": Collection("20,000 texts with planted items", "spans", PLANTED),
}


class Tally(NamedTuple):
    """Of the labelled entities those found and missed, and the findings of these kinds beside any label."""

    found: Counter[str]
    missed: Counter[str]
    beside: Counter[str]

    def recall(self, *kinds: str) -> float:
        """The share that was found, of these kinds or of all."""
        return _share(self.found, self.missed, kinds)

    def precision(self, *kinds: str) -> float:
        """The share of findings that have a label, of these kinds or of all."""
        return _share(self.found, self.beside, kinds)


def _share(part: Counter[str], rest: Counter[str], kinds: Iterable[str]) -> float:
    of = tuple(kinds) or tuple(part | rest)
    right = sum(part[kind] for kind in of)
    whole = right + sum(rest[kind] for kind in of)
    return right / whole if whole else 1.0


def rows(path: Path) -> list[dict[str, Any]]:
    """The records of a file of JSON lines."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def label(span: Any) -> tuple[str, int, int]:
    """(kind, start, end) of a label."""
    return tuple(span) if isinstance(span, list) else (span["type"], span["start"], span["end"])  # type: ignore[return-value]


def meets(hit: Hit, start: int, end: int) -> bool:
    """Whether a finding touches a stretch."""
    return hit.start < end and hit.end > start


def tally(labelled: list[dict[str, Any]], collection: Collection) -> Tally:
    """What is found of the labels of a collection."""
    kinds, counts = collection.kinds, Tally(Counter(), Counter(), Counter())
    known = {entity: kind for kind, entities in kinds.items() for entity in entities}
    hits: Mapping[int, list[Hit]] = defaultdict(list)
    for hit in scan(pa.array([row["text"] for row in labelled]), FOUND).hits:
        hits[hit.row].append(hit)
    for number, row in enumerate(labelled):
        used: set[Hit] = set()
        for kind, start, end in map(label, row[collection.labels]):
            if kind in kinds:
                near = (h for h in hits[number] if meets(h, start, end))
                right = [h for h in near if FOUND.items[h.pattern].entity in kinds[kind]]
                used.update(right)
                (counts.found if right else counts.missed)[kind] += 1
        for hit in hits[number]:
            entity = FOUND.items[hit.pattern].entity
            if hit not in used and entity in known and hit.score >= SURE:
                counts.beside[known[entity]] += 1
    return counts


def fixtures(texts: list[dict[str, Any]], rules: Patterns) -> Counter[tuple[int, bool]]:
    """(what gitleaks calls a text: 1 true or 0 false, whether any of the rules finds something) -> texts."""
    found = {hit.row for hit in scan(pa.array([row["text"] for row in texts]), rules).hits}
    return Counter((row["label"], number in found) for number, row in enumerate(texts))


def entities(folder: Path) -> Iterator[str]:
    """A table for each collection."""
    for name, collection in COLLECTIONS.items():
        counts = tally(rows(folder / f"{name}.jsonl"), collection)
        yield f"{collection.title}:"
        yield from (
            "",
            "| kind | labelled | found | recall | 95 % | beside | precision |",
            "|---|---|---|---|---|---|---|",
        )
        for kind in (*collection.kinds, ""):
            of = (kind,) if kind else tuple(collection.kinds)
            found, missed = (sum(part[k] for k in of) for part in (counts.found, counts.missed))
            bound = rate(found + missed, found, 0.05)
            beside = sum(counts.beside[k] for k in of)
            recall = f"{counts.recall(*of):.3f} | {bound.low:.2f} to {bound.high:.2f}"
            yield f"| {kind or 'all'} | {found + missed} | {found} | {recall} | {beside} | {counts.precision(*of):.3f} |"
        yield ""


def secrets(folder: Path) -> Iterator[str]:
    """The fixtures of gitleaks: our rules, and its own as `--rules` loads them."""
    texts = rows(folder / "gitleaks_rule_fixtures.jsonl")
    theirs = gitleaks.read((folder / "gitleaks.toml").read_bytes(), "gitleaks.toml").patterns
    yield "Fixtures of gitleaks, any rule on any text; what it calls false may hold a secret of another rule:"
    yield from ("", "| rules | true found | false flagged |", "|---|---|---|")
    both = Patterns(tuple(sorted((*FOUND.of("secret").items, *theirs.items), key=lambda p: p.id)))
    for name, rules in (("ours", FOUND.of("secret")), ("gitleaks.toml", theirs), ("both", both)):
        counts = fixtures(texts, rules)
        cells = (f"{counts[kind, True]} of {counts[kind, True] + counts[kind, False]}" for kind in (1, 0))
        yield f"| {name} | {' | '.join(cells)} |"


def main() -> None:
    """Measure, print, and keep the result."""
    if not sys.argv[1:]:
        print("left out: name the folder of the collections")
        return
    folder = Path(sys.argv[1])
    told = (
        "`python benchmarks/labelled.py FOLDER`. A label is found if a finding of its kind touches it; *beside* are findings of the kind",
        "that touch no label of it. In DataFog and presidio-research only structured kinds are looked for.",
    )
    lines = ["## Labelled personal data and secrets", "", *told, "", *entities(folder), *secrets(folder)]
    print("\n".join(lines))
    RESULT.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
