"""Tool identity: a tool whose definition changed after it was in use, one that another server offers under its name, a new one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tocsin.detect.agents.rows import COLUMNS, Rows
from tocsin.detect.agents.trail import Cell, Trail, cell, grouped
from tocsin.detect.agents.watching import KNOWN_MAX, Flag, Judged, Known, SessionWatch, Subject, kind, remembered
from tocsin.model.detector import Parameter
from tocsin.model.finding import Category, Level

LEARNED = "#"


def _observe(rows: Rows, watch: SessionWatch) -> tuple[list[int], Iterable[Cell]]:  # noqa: ARG001 - the signature of all
    named = [row for row, name in enumerate(rows.column("tool_name")) if name]
    return named, _cells(rows, named)


def _cells(rows: Rows, named: list[int]) -> Iterator[Cell]:
    names, servers, definitions = (rows.column(name) for name in ("tool_name", "tool_server", "tool_definition"))
    for row in named:
        tool, server, at = rows.keyed("tool", names[row]), rows.keyed("server", servers[row] or ""), rows.at(row)
        yield cell("name", tool, at._replace(owner=""), value=tool, shown=names[row])
        if servers[row]:
            yield cell("server", tool, at._replace(owner=""), value=server, shown=names[row])
        if definitions[row]:
            value = rows.keyed("definition", definitions[row])
            yield cell("definition", tool, at._replace(owner=server), value=value, shown=names[row])


def _judge(state: Trail, known: Known, watch: SessionWatch) -> Judged:
    windows = int(known.get(LEARNED, "0"))
    learning = windows < int(watch.get("learn_windows"))
    after, flags = dict(known), list[Flag]()
    for tool, cells in grouped(state).items():
        for one in sorted(cells, key=lambda cell: (cell.kind != "name", cell.kind, cell.first, cell.value)):
            name = f"{tool}:{one.kind}:{one.owner}"
            if after.get(name) == one.value:
                continue
            if not learning and (name in after or (one.kind == "name" and len(after) < KNOWN_MAX)):
                flags.append(_flag(one))
            after = dict(remembered(after, {name: one.value}))
    return Judged(tuple(flags), {**after, LEARNED: str(windows + int(state.totals.any()))})


def _flag(one: Cell) -> Flag:
    name = one.shown
    if one.kind == "name":
        return Flag(
            "new", "New tool", f"The tool {name} was used for the first time", Level.SIGHTING, 1.0, (one,), f"[{name}]"
        )
    if one.kind == "server":
        sentence = f"The tool {name} was answered by another server than before"
        return Flag("server", "Tool from another server", sentence, Level.SEVERE, 1.0, (one,), f"[{name}]")
    sentence = f"The definition of the tool {name} changed after it had been in use"
    return Flag("definition", "Changed definition of a tool", sentence, Level.SEVERE, 1.0, (one,), f"[{name}]")


SUBJECT = Subject(
    name="tool_identity",
    title="Tool identity",
    category=Category.ADVERSARIAL_ATTACK,
    noun="tools with another identity",
    claims="A severe hit says that a tool's definition or server is another than when it was first used.",
    parameters=(Parameter("learn_windows", int, 1, "windows with calls after which tools count as new", low=0),),
    observe=_observe,
    judge=_judge,
    blind_spots=(
        "A tool whose behaviour changes behind the same definition looks the same.",
        "Without the columns `tool_definition` and `tool_server` only new names of tools are seen.",
        f"No more than {KNOWN_MAX:,} names, servers and definitions are remembered; beyond, nothing is new.",
        "A release that changes definitions on purpose is flagged as well: record the release, and decide.",
    ),
    next_steps=(
        "Compare the definition with the one that was reviewed; do not let agents use the tool until somebody has.",
        "Ask the operator of the server what changed, by a channel that does not pass through it.",
        "Read the sessions that used the tool since the change.",
    ),
    sources=("OWASP LLM03:2025 Supply Chain", "Model Context Protocol specification 2025-06-18, tools"),
    tags=("owasp.llm.LLM03", "atlas.AML.T0010"),
    required=("role", "tool_name"),
    columns=(*COLUMNS, "tool_server", "tool_definition"),
    remembers=True,
)
DETECTOR = kind(SUBJECT)
