"""Probing and extraction: people who try attack after attack, ask nearly the same again and again, or ask for everything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tocsin.detect.agents.rows import Rows
from tocsin.detect.agents.shingles import fingerprint
from tocsin.detect.agents.trail import Cell, Trail, cell, grouped
from tocsin.detect.agents.watching import KNOWN_MAX, Flag, Judged, Known, SessionWatch, Subject, kind
from tocsin.detect.text.engine import scan
from tocsin.model.detector import Parameter
from tocsin.model.finding import Category, Level


def _observe(rows: Rows, watch: SessionWatch) -> tuple[list[int], Iterable[Cell]]:
    asked = rows.of("user")
    return asked, (*_attempts(rows, asked, watch), *_queries(rows, asked))


def _attempts(rows: Rows, asked: list[int], watch: SessionWatch) -> Iterator[Cell]:
    """Messages with attack wording, each once."""
    patterns = watch.content["patterns"]
    hits = scan([rows.texts[row] for row in asked], patterns).hits
    for place in sorted({hit.row for hit in hits if "user" in patterns.items[hit.pattern].roles}):
        row = asked[place]
        yield cell("attempts", rows.person(row), rows.at(row)._replace(owner=rows.person(row)), value="attempts")


def _queries(rows: Rows, asked: list[int]) -> Iterator[Cell]:
    """Every question under the fingerprint that near-duplicates share."""
    for row in asked:
        if rows.texts[row].strip():
            person = rows.person(row)
            value = rows.keyed("near", fingerprint(rows.texts[row]))
            yield cell("near", person, rows.at(row)._replace(owner=person), value=value)


def _judge(state: Trail, known: Known, watch: SessionWatch) -> Judged:
    flags: list[Flag] = []
    tried: dict[str, str] = {}
    for person, cells in grouped(state).items():
        for one in cells:
            if one.kind == "attempts":
                tried[person] = str(one.count)
        flags += _of_person(cells, int(known.get(person, "0")), watch)
    kept = sorted(tried, key=lambda name: (-int(tried[name]), name))[:KNOWN_MAX]
    return Judged(tuple(flags), {name: tried[name] for name in kept})


def _of_person(cells: list[Cell], before: int, watch: SessionWatch) -> Iterator[Flag]:
    near = [one for one in cells if one.kind == "near"]
    asked = sum(one.count for one in near)
    for one in (one for one in cells if one.kind == "attempts"):
        if one.count + before >= int(watch.get("attempts_max")):
            sentence = (
                f"One person made {one.count + before} attempts with attack wording in this window and the one before"
            )
            yield _flag("attempts", "Repeated attempts of one person", sentence, one)
    top = max(near, key=lambda one: (one.count, one.value), default=None)
    if top and top.count >= int(watch.get("near_duplicates_max")):
        sentence = f"One person asked nearly the same {top.count:,} times"
        yield _flag("near_duplicates", "Near-duplicate questions of one person", sentence, top)
    if top and asked >= int(watch.get("questions_max")) and len(near) >= float(watch.get("different_min")) * asked:
        sentence = f"One person asked {asked:,} questions, {len(near):,} of them different"
        yield _flag("coverage", "Systematic questions of one person", sentence, top)


def _flag(rule: str, title: str, sentence: str, one: Cell) -> Flag:
    return Flag(rule, title, sentence, Level.ALARM, 0.9, (one,))


SUBJECT = Subject(
    name="probing",
    title="Probing and extraction",
    category=Category.ADVERSARIAL_ATTACK,
    noun="people beyond a limit",
    claims="An alarm says that one person went beyond a limit on attempts, near-duplicates or questions; the count is exact.",
    parameters=(
        Parameter("attempts_max", int, 5, "messages with attack wording of one person in two windows", low=2),
        Parameter("near_duplicates_max", int, 50, "nearly the same question of one person in a window", low=2),
        Parameter("questions_max", int, 1_000, "questions of one person in a window that may be extraction", low=10),
        Parameter("different_min", float, 0.8, "the share of them that must differ", low=0, high=1),
    ),
    observe=_observe,
    judge=_judge,
    blind_spots=(
        "Somebody with many accounts stays below every limit per person.",
        "Near-duplicates are recognized by wording: a paraphrase is another question.",
        "An integration that asks for many people under one account looks like one busy person.",
    ),
    next_steps=(
        "Read the person's questions: curiosity, a test by a colleague, or an attack?",
        "Limit the rate of the account, and tell its owner what was seen.",
        "Look whether any attempt got an answer that it should not have got.",
    ),
    sources=(
        "MITRE ATLAS AML.T0024 Exfiltration via AI Inference API",
        "MITRE ATLAS AML.T0040 AI Model Inference API Access",
        "Tramèr et al., arXiv:1609.02943",
        "Broder, On the resemblance and containment of documents, 1997",
    ),
    tags=("atlas.AML.T0024", "atlas.AML.T0040", "owasp.llm.LLM10"),
    content={"patterns": lambda patterns: patterns.of("injection")},
    required=("role", "text"),
)
DETECTOR = kind(SUBJECT)
