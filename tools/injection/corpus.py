"""The authored corpus: attacks and their benign mirrors from the phrase files, as rows with a role and a label for each head.

python tools/injection/corpus.py [rows] [seed] > corpus.jsonl
"""

from __future__ import annotations

import base64
import codecs
import json
import re
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from zlib import crc32

sys.path.insert(0, str(Path(__file__).parent))
from grammar import Grammar

PHRASES = Path(__file__).parent / "phrases"
OTHER_SHARE = 0.38
"""The share of rows that are not English."""
FOLDS = 5


@dataclass(frozen=True)
class Row:
    """One text: who says it, and what each head should say of it (1, 0, or None where it is not asked)."""

    text: str
    role: str
    attack: int | None
    request: int | None
    source: str
    family: str
    language: str = "en"


def rows(count: int, seed: int, harms: list[str], requests: list[str]) -> list[Row]:
    """`count` different rows. `harms` (harmful requests) and `requests` (ordinary ones) come from published lists."""
    random = Random(seed)
    more = {"harm": [h[0].lower() + h[1:] for h in harms]} if harms else {}
    english = Grammar(PHRASES / "en.txt", random, more)
    if requests:
        english.sections["request"] = english.sections["request"] + requests
    common = Grammar(PHRASES / "languages.txt", random)
    others = {p.stem: Grammar(p, random) for p in sorted(PHRASES.glob("??.txt")) if p.stem != "en"}
    for grammar in others.values():
        grammar.sections = common.sections | grammar.sections
    families = {name: _families(grammar) for name, grammar in (("en", english), ("xx", common))}
    made: dict[str, Row] = {}
    for _ in range(count * 3):
        foreign = others and random.random() < OTHER_SHARE
        language = random.choice(list(others)) if foreign else "en"
        row = _row(others.get(language, english), language, families["xx" if foreign else "en"], random, english)
        made.setdefault(row.text, row)
        if len(made) == count:
            break
    return list(made.values())


@dataclass(frozen=True)
class Family:
    """A line of the [families] section."""

    name: str
    roles: tuple[str, ...]
    attack: int | None
    request: int | None
    share: float
    root: str


def _families(grammar: Grammar) -> list[Family]:
    found = []
    for line in grammar.sections["families"]:
        if line:
            name, roles, attack, request, share, root = (part.strip() for part in line.split(" | "))
            labels = [None if value == "-" else int(value) for value in (attack, request)]
            found.append(Family(name, tuple(roles.split()), labels[0], labels[1], float(share), root))
    return found


def _row(grammar: Grammar, language: str, families: list[Family], random: Random, english: Grammar) -> Row:
    family = random.choices(families, [f.share for f in families])[0]
    text = grammar.made(family.root, _computed(grammar, english, random))
    if language == "en" or random.random() < 0.3:
        text = _worn(text, random)
    role = random.choice(family.roles)
    asked = family.request if role in ("tool", "retrieved") else None
    return Row(text.strip(), role, family.attack, asked, "authored", family.name, language)


def _computed(grammar: Grammar, english: Grammar, random: Random) -> dict[str, str]:
    """The slots that are no sections: an attack as quoted, a task's document, and encoded text."""
    source = grammar if "chain" in grammar.sections else english
    attack = source.made("{chain}")
    plain = source.made("{request}") if random.random() < 0.5 else attack
    half = len(plain) // 2
    blob = base64.b64encode(plain.encode()).decode() if random.random() < 0.6 else plain.encode().hex()
    carrier = grammar if "carrier" in grammar.sections else english
    return {
        "A": attack[:160],
        "D": carrier.made("{carrier P=sentence}"),
        "E": carrier.made("{carrier P=payload_d}"),
        "blob": blob[:400],
        "rot": codecs.encode(plain, "rot13"),
        "back": plain[::-1],
        "half1": plain[:half],
        "half2": plain[half:],
    }


def _worn(text: str, random: Random) -> str:
    """The text as people write: sometimes capital letters, no capital letters, typing errors; attacks and benign texts alike."""
    chance = random.random()
    if chance < 0.35:
        return re.sub(r"(^|[.!?\n]\s)([a-zà-ÿа-я])", lambda m: m[1] + m[2].upper(), text)
    if chance < 0.40 and len(text) < 400:
        return text.upper()
    if chance < 0.47:
        return _mistyped(text, random)
    return text.lower() if chance < 0.52 else text


def _mistyped(text: str, random: Random) -> str:
    words = text.split(" ")
    for place, word in enumerate(words):
        if len(word) > 4 and word.isalpha() and random.random() < 0.25:
            at, kind = random.randrange(1, len(word) - 2), random.random()
            if kind < 0.4:
                words[place] = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
            elif kind < 0.7:
                words[place] = word[:at] + word[at + 1 :]
            else:
                words[place] = word[:at] + word[at] + word[at:]
    return " ".join(words)


def fold(row: Row) -> int:
    """Which of the folds leaves this row out: by its first words, so that a wording is not in both."""
    return crc32(" ".join(row.text.lower().split()[:4]).encode()) % FOLDS


def main() -> None:
    """Write rows as JSON lines."""
    count, seed = (int(value) for value in [*sys.argv[1:], "2000", "1"][:2])
    for row in rows(count, seed, [], []):
        print(json.dumps(asdict(row), ensure_ascii=False))


if __name__ == "__main__":
    main()
