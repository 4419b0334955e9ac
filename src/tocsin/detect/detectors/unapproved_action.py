"""Actions without approval: calls of tools that need somebody's consent, in sessions in which nobody gave it before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tocsin.detect.agents.names import matches
from tocsin.detect.agents.rows import Rows
from tocsin.detect.agents.trail import Cell, Trail, cell, grouped
from tocsin.detect.agents.watching import KNOWN_MAX, Flag, Judged, Known, SessionWatch, Subject, kind
from tocsin.model.detector import Parameter
from tocsin.model.finding import Category, Level


def _observe(rows: Rows, watch: SessionWatch) -> tuple[list[int], Iterable[Cell]]:
    return [call.row for call in rows.calls()], _cells(rows, watch)


def _cells(rows: Rows, watch: SessionWatch) -> Iterator[Cell]:
    actions, approvals = tuple(watch.get("actions")), tuple(watch.get("approvals"))
    for call in rows.calls():
        if matches(call.tool, approvals):
            yield cell("approval", call.at.owner, call.at, value="approval")
        elif matches(call.tool, actions):
            value = rows.keyed(call.tool, call.arguments)
            yield cell("action", call.at.owner, call.at, value=value, shown=call.tool)


def _judge(state: Trail, known: Known, watch: SessionWatch) -> Judged:  # noqa: ARG001 - the signature of all judges
    flags: list[Flag] = []
    approved: dict[str, str] = {}
    for session, cells in grouped(state).items():
        given = [one.first for one in cells if one.kind == "approval"]
        if given:
            approved[session] = ""
        if session not in known:
            flags += [
                _flag(one) for one in cells if one.kind == "action" and not any(first <= one.first for first in given)
            ]
    carried = {session: "" for session in sorted(known) if session not in approved}
    kept = dict([*approved.items(), *carried.items()][:KNOWN_MAX])
    return Judged(tuple(flags), kept)


def _flag(action: Cell) -> Flag:
    sentence = f"{action.shown} was called without an approval before it in the session"
    return Flag("action", "Action without approval", sentence, Level.SEVERE, 1.0, (action,), f"[{action.shown}]")


SUBJECT = Subject(
    name="unapproved_action",
    title="Action without approval",
    category=Category.AGENT_MISUSE,
    noun="actions without approval",
    claims="A severe hit says that a call that needs approval stands in a session without an approval before it.",
    parameters=(
        Parameter("actions", list, [], "tools that need approval, with * and ?; none: nothing is watched"),
        Parameter("approvals", list, ["*approval*", "*approve*", "human_*"], "tools whose call is an approval"),
    ),
    observe=_observe,
    judge=_judge,
    blind_spots=(
        "One approval covers the rest of its session: what was approved is not compared with what was done.",
        "Approvals that are no calls of a tool, or are logged elsewhere, are not seen.",
        f"Approvals of earlier windows are remembered for {KNOWN_MAX:,} sessions.",
    ),
    next_steps=(
        "Find out what the action did, and undo it where that is possible.",
        "Check whether the approval was skipped by the agent or by its configuration.",
        "Look for findings of prompt injection in the same session.",
    ),
    sources=("OWASP LLM06:2025 Excessive Agency", "Regulation (EU) 2024/1689, Art. 14"),
    tags=("owasp.llm.LLM06",),
)
DETECTOR = kind(SUBJECT)
