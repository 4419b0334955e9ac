"""Registered texts: a system prompt, a reference or a corpus that comes out again, and canaries that were planted to show it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tocsin.detect.agents.registered import Contained
from tocsin.detect.agents.rows import Rows
from tocsin.detect.agents.trail import Cell, Trail, cell, grouped
from tocsin.detect.agents.watching import Flag, Judged, Known, SessionWatch, Subject, kind
from tocsin.model.detector import Parameter
from tocsin.model.finding import Category, Level

NOUNS = {"system_prompt": "system prompt", "reference": "reference text", "corpus": "corpus"}


def _observe(rows: Rows, watch: SessionWatch) -> tuple[list[int], Iterable[Cell]]:
    return rows.of("assistant", "tool"), _cells(rows, watch)


def _cells(rows: Rows, watch: SessionWatch) -> Iterator[Cell]:
    registry = watch.content["registered"]
    said = [(row, rows.texts[row]) for row in rows.of("assistant")]
    said += [(call.row, call.arguments) for call in rows.calls() if rows.roles[call.row] == "tool"]
    for place in registry.suspects([text for _, text in said]):
        text, at = said[place][1], rows.at(said[place][0])
        for canary in registry.spoken(text):
            yield cell("canary", at.owner, at, value=canary, shown=canary)
        for held in registry.contained(text):
            if _counts(held, watch):
                yield cell(held.kind, at.owner, at, value=held.id, shown=held.id, amount=held.longest)


def _counts(held: Contained, watch: SessionWatch) -> bool:
    return held.longest >= int(watch.get("stretch_min")) or held.share >= float(watch.get("share_min"))


def _judge(state: Trail, known: Known, watch: SessionWatch) -> Judged:  # noqa: ARG001 - the signature of all judges
    return Judged(tuple(_flag(one) for cells in grouped(state).values() for one in cells), known)


def _flag(one: Cell) -> Flag:
    if one.kind == "canary":
        sentence = f"The canary {one.shown} came out of the system"
        return Flag("canary", "Canary in an answer", sentence, Level.SEVERE, 1.0, (one,), f"[canary {one.shown}]")
    noun = NOUNS[one.kind]
    sentence = f"{one.amount:,} characters of the registered {noun} {one.shown} stood word for word in a session"
    level = Level.SIGHTING if one.kind == "corpus" else Level.SEVERE
    return Flag(one.kind, f"Registered {noun} in an answer", sentence, level, 0.99, (one,), f"[{noun} {one.shown}]")


SUBJECT = Subject(
    name="registered_text",
    title="Registered text",
    category=Category.DATA_LEAKAGE,
    noun="registered texts",
    claims="A severe hit: a canary, or a long stretch of a registered system prompt or reference, came out word for word. An alarm: "
    "the share of answers that repeat a registered text rose above what is tolerated.",
    parameters=(
        Parameter("stretch_min", int, 160, "bytes of unbroken wording, after normalization, that count", low=32),
        Parameter("share_min", float, 0.5, "or the share of the registered text that counts", low=0.01, high=1),
    ),
    observe=_observe,
    judge=_judge,
    blind_spots=(
        "A paraphrase or a translation is not the text; only wording is compared.",
        "Texts are compared as they stand: only canaries are found in base64, hex, rot13 and reversed.",
        "Wording that the registered text shares with ordinary answers counts as well: leave such passages out of it.",
    ),
    next_steps=(
        "Read the session: what made the assistant repeat it?",
        "If the text holds a secret (a key, a code, an address of a service), change it now.",
        "For a corpus: ask whether what came out is personal data or somebody's work.",
    ),
    sources=(
        "Broder, On the resemblance and containment of documents, 1997",
        "Carlini et al., arXiv:2012.07805 (extraction of training data)",
        "OWASP LLM07:2025 System Prompt Leakage",
    ),
    tags=("owasp.llm.LLM07", "owasp.llm.LLM02", "atlas.AML.T0056"),
    content={"registered": lambda registry: registry},
)
DETECTOR = kind(SUBJECT)
