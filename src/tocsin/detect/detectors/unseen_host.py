"""Unseen hosts: answers and calls that point to hosts which this system never used, above all with data in the address.

An image or link whose address carries data is how an assistant is made to send a conversation away: the reader's browser loads it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tocsin.detect.agents.names import matches
from tocsin.detect.agents.rows import Rows
from tocsin.detect.agents.trail import Cell, Trail, cell, grouped
from tocsin.detect.agents.values import links, shown_host
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
from tocsin.model.detector import Parameter
from tocsin.model.finding import Category, Level

LEARNED = "#"
"""Under this name the number of windows with messages is remembered."""


def _observe(rows: Rows, watch: SessionWatch) -> tuple[list[int], Iterable[Cell]]:
    return rows.of("assistant", "tool"), _cells(rows, tuple(watch.get("allow")))


def _cells(rows: Rows, allowed: tuple[str, ...]) -> Iterator[Cell]:
    said = [(row, rows.texts[row]) for row in rows.of("assistant")]
    said += [(call.row, call.arguments) for call in rows.calls()]
    for place, link in links([text for _, text in said]):
        if not matches(link.host, allowed):
            host, at = rows.keyed("host", link.host), rows.at(said[place][0])
            yield cell("host", host, at, value=host, shown=shown_host(link.host), amount=int(link.carries))


def _judge(state: Trail, known: Known, watch: SessionWatch) -> Judged:
    windows = int(known.get(LEARNED, "0"))
    learning = not watch.get("allow") and windows < int(watch.get("learn_windows"))
    flags: list[Flag] = []
    if not learning and len(known) < KNOWN_MAX:
        flags = [_flag(cells) for host, cells in grouped(state).items() if host not in known]
    after = remembered(known, {one.value: "" for one in state.cells.values()})
    return Judged(tuple(flags), {**after, LEARNED: str(windows + int(state.totals.any()))})


def _flag(cells: list[Cell]) -> Flag:
    carried = sum(one.amount for one in cells)
    grave = ", with data in the address" if carried else ""
    sentence = f"The host {cells[0].shown} was addressed for the first time{grave}"
    level = Level.SEVERE if carried else Level.SIGHTING
    rule, title = ("carried", "Data sent to an unseen host") if carried else ("host", "Unseen host")
    return Flag(rule, title, sentence, level, 0.8, tuple(cells), f"[{cells[0].shown}]")


SUBJECT = Subject(
    name="unseen_host",
    title="Unseen host",
    category=Category.DATA_LEAKAGE,
    noun="unseen hosts",
    claims="A severe hit says that an answer or a call addressed a host for the first time, with data in the address.",
    parameters=(
        Parameter("allow", list, [], "hosts that may be addressed, with * and ?; with a list nothing is learned first"),
        Parameter("learn_windows", int, 24, "windows with messages after which hosts count as unseen", low=0),
    ),
    observe=_observe,
    judge=_judge,
    blind_spots=(
        "A host that is known can receive data just as well.",
        "Addresses that are built from parts, or by a program that a tool runs, are not seen.",
        f"Without `allow`, no more than {KNOWN_MAX:,} hosts are remembered; then nothing is flagged any more: give the list.",
        "What stands behind a redirect is not seen.",
    ),
    next_steps=(
        "Read the message: what was in the address, and where did the wording come from?",
        "Block the host at the proxy, and stop rendering images from hosts that are not listed.",
        "Look for findings of prompt injection in the same session.",
    ),
    sources=("OWASP LLM02:2025 Sensitive Information Disclosure", "MITRE ATLAS AML.T0086"),
    tags=("owasp.llm.LLM02", "atlas.AML.T0086"),
    remembers=True,
)
DETECTOR = kind(SUBJECT)
