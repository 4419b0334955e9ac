"""Cross-tenant leakage: an identifier that one person typed stands in an answer to another who never typed it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tocsin.detect.agents.rows import Rows
from tocsin.detect.agents.trail import Cell, Trail, cell, grouped
from tocsin.detect.agents.watching import (
    KNOWN_MAX,
    Flag,
    Judged,
    Known,
    SessionWatch,
    Subject,
    kind,
    remembered,
)
from tocsin.detect.text.engine import scan
from tocsin.detect.text.masks import masked
from tocsin.detect.text.tally import normal
from tocsin.model.detector import Parameter
from tocsin.model.finding import Category, Level


def _observe(rows: Rows, watch: SessionWatch) -> tuple[list[int], Iterable[Cell]]:
    return rows.of("assistant", "tool"), _cells(rows, watch)


def _cells(rows: Rows, watch: SessionWatch) -> Iterator[Cell]:
    places = rows.of("user", "assistant", "tool")
    patterns, arguments = watch.content["patterns"], rows.column("tool_arguments")
    texts = [(arguments[row] or "") if rows.roles[row] == "tool" else rows.texts[row] for row in places]
    for hit in scan(texts, patterns).hits:
        row, pattern = places[hit.row], patterns.items[hit.pattern]
        found = texts[hit.row][hit.start : hit.end]
        value = rows.keyed(pattern.id, normal(found))
        at = rows.at(row)._replace(owner=rows.person(row))
        if rows.roles[row] == "user":
            yield cell("typed", value, at, value=value)
        else:
            grave = pattern.precedence == "checksum"
            yield cell("said", value, at, value=value, shown=masked(pattern.mask, found), amount=int(grave))


def _judge(state: Trail, known: Known, watch: SessionWatch) -> Judged:
    flags: list[Flag] = []
    learned: dict[str, str] = {}
    most = int(watch.get("shared_max"))
    for value, cells in grouped(state).items():
        typed = {one.owner for one in cells if one.kind == "typed"}
        if len(typed) == 1:
            learned[value] = next(iter(typed))
        typed |= {known[value]} if value in known else set()
        if 1 <= len(typed) <= most:
            flags += [_flag(one) for one in cells if one.kind == "said" and one.owner not in typed]
    return Judged(tuple(flags), remembered(known, learned))


def _flag(said: Cell) -> Flag:
    sentence = f"{said.shown[1:-1].capitalize()}, typed by one person, stood in an answer to another"
    level = Level.SEVERE if said.amount else Level.SIGHTING
    return Flag("value", "One person's data in another's session", sentence, level, 0.95, (said,), said.shown)


SUBJECT = Subject(
    name="cross_tenant",
    title="Cross-tenant leakage",
    category=Category.DATA_LEAKAGE,
    noun="another person's identifiers",
    claims="A severe hit: an identifier with check digits that one person typed was said to another who had not typed it.",
    parameters=(
        Parameter("shared_max", int, 2, "an identifier that more people typed is common knowledge", low=1, high=100),
    ),
    observe=_observe,
    judge=_judge,
    blind_spots=(
        f"Of earlier windows, {KNOWN_MAX:,} identifiers are remembered; data that nobody typed is not known to be anybody's.",
        "Only identifiers with a structure are compared: names and free text are not.",
        "Where telemetry has no unit column, a session stands for a person.",
    ),
    next_steps=(
        "Read both sessions: how did the identifier come from one to the other (cache, memory, retrieval, a shared session)?",
        "Switch off shared caches and memories until that is clear.",
        "Answer the question on breach risk: another person's data in an answer is a disclosure.",
    ),
    sources=("OWASP LLM02:2025 Sensitive Information Disclosure", "Regulation (EU) 2016/679, Art. 4(12)"),
    tags=("owasp.llm.LLM02",),
    content={"patterns": lambda patterns: patterns.of("personal_data", "secret")},
    remembers=True,
)
DETECTOR = kind(SUBJECT)
