"""Tainted actions: what an agent sends, calls or deletes is named by a document or a tool's result, and not by the user.

A value (address, host, account, file) is untrusted when it first stands in a tool's result or a document of the session, and is not
said by the user or the system. A call of a sink with an untrusted value in its arguments, after the value came in, is a flow.
With attack wording in the session before it, the flow is severe; without, it is a sighting: to answer a mail is a flow, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tocsin.detect.agents.names import matches
from tocsin.detect.agents.rows import TRUSTED, UNTRUSTED, Rows
from tocsin.detect.agents.trail import Cell, Trail, cell, grouped
from tocsin.detect.agents.values import NOUNS, values
from tocsin.detect.agents.watching import Flag, Judged, Known, SessionWatch, Subject, kind
from tocsin.detect.text.engine import scan
from tocsin.model.detector import Parameter
from tocsin.model.finding import Category, Level

SINKS = (
    *("*send*", "*mail*", "*post*", "*http*", "*fetch*", "*request*", "*upload*", "*transfer*", "*pay*", "*purchase*"),
    *("*delete*", "*remove*", "*exec*", "*shell*", "*bash*", "*run*", "*write*", "*webhook*", "*publish*", "*share*"),
    *("*invite*", "*forward*", "*browse*", "*navigate*"),
)


def _observe(rows: Rows, watch: SessionWatch) -> tuple[list[int], Iterable[Cell]]:
    return [call.row for call in rows.calls()], (*_said(rows), *_attacks(rows, watch), *_sunk(rows, watch))


def _said(rows: Rows) -> Iterator[Cell]:
    """What came in, and what the user or the system said."""
    for names, source in ((UNTRUSTED, "untrusted"), (TRUSTED, "trusted")):
        places = rows.of(*names)
        for place, value in values([rows.texts[row] for row in places]):
            at = rows.at(places[place])
            yield cell(source, at.owner, at, value=rows.keyed("value", value.text))


def _attacks(rows: Rows, watch: SessionWatch) -> Iterator[Cell]:
    """Attack wording in what came in."""
    outside = rows.of(*UNTRUSTED)
    patterns = watch.content["patterns"]
    for hit in scan([rows.texts[row] for row in outside], patterns).hits:
        row = outside[hit.row]
        if rows.roles[row] in patterns.items[hit.pattern].roles:
            at = rows.at(row)
            yield cell("attack", at.owner, at, value="attack")


def _sunk(rows: Rows, watch: SessionWatch) -> Iterator[Cell]:
    """The values in the arguments of sinks."""
    sinks = tuple(watch.get("sinks"))
    calls = [call for call in rows.calls() if matches(call.tool, sinks)]
    for place, value in values([call.arguments for call in calls]):
        at, shown = calls[place].at, f"[{calls[place].tool}: {NOUNS[value.kind]}]"
        yield cell("sink", at.owner, at, value=rows.keyed("value", value.text), shown=shown)


def _judge(state: Trail, known: Known, watch: SessionWatch) -> Judged:  # noqa: ARG001 - the signature of all judges
    flags = tuple(flag for cells in grouped(state).values() for flag in _flows(cells))
    return Judged(flags, known)


def _flows(cells: list[Cell]) -> Iterator[Flag]:
    came = {one.value: one for one in cells if one.kind == "untrusted"}
    said = {one.value for one in cells if one.kind == "trusted"}
    attacked = min((one.first for one in cells if one.kind == "attack"), default=None)
    for sink in (one for one in cells if one.kind == "sink"):
        source = came.get(sink.value)
        if source is None or sink.value in said or source.first >= sink.last:
            continue
        grave = attacked is not None and attacked <= sink.last
        after = " after attack wording had come in" if grave else ""
        sentence = f"A call ({sink.shown[1:-1]}) took its target from a document or a tool's result{after}"
        level = Level.SEVERE if grave else Level.SIGHTING
        yield Flag(
            "flow", "Action on a target that came from outside", sentence, level, 0.9, (sink, source), sink.shown
        )


SUBJECT = Subject(
    name="tainted_action",
    title="Tainted action",
    category=Category.AGENT_MISUSE,
    noun="calls on targets from outside",
    claims="A severe hit: attack wording came in, and a later call of the session took its target from outside. An alarm: the share of "
    "such calls rose above what is tolerated.",
    parameters=(Parameter("sinks", list, list(SINKS), "tools whose calls act on the world, with * and ?"),),
    observe=_observe,
    judge=_judge,
    blind_spots=(
        "Values are addresses, hosts, accounts and files; a free text that is passed on is no value.",
        "A value that is changed on the way (encoded, split, translated) is another value.",
        "What came in in an earlier window of the same session is not remembered.",
        "Windows judge by the times of messages: a call and its result in one message share one time.",
    ),
    next_steps=(
        "Stop the session and read the document or result that the target came from.",
        "Find out what the call did: who received what?",
        "Take the document out of the index, or the tool out of use, until it is clean.",
    ),
    sources=(
        "OWASP LLM01:2025 Prompt Injection",
        "MITRE ATLAS AML.T0051.001",
        "Greshake et al., arXiv:2302.12173",
        "Debenedetti et al., arXiv:2503.18813",
    ),
    tags=("owasp.llm.LLM01", "owasp.llm.LLM06", "atlas.AML.T0051.001"),
    content={"patterns": lambda patterns: patterns.of("injection")},
)
DETECTOR = kind(SUBJECT)
