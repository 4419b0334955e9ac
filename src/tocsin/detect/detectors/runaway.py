"""Runaway agents: sessions that go beyond a limit on calls, repeats, failures, delegations, tokens or cost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tocsin.detect.agents.names import matches
from tocsin.detect.agents.rows import COLUMNS, Rows
from tocsin.detect.agents.spent import Limit, beyond, spent
from tocsin.detect.agents.trail import Cell, Trail, cell
from tocsin.detect.agents.watching import Judged, Known, SessionWatch, Subject, kind
from tocsin.model.detector import Parameter
from tocsin.model.finding import Category

LIMITS = (
    Limit("call", "identical_max", "The same call of a tool again and again", "identical calls"),
    Limit("calls", "calls_max", "More calls of tools in a session than are allowed", "calls"),
    Limit("failures", "failures_max", "More failed calls in a session than are allowed", "failed calls"),
    Limit("delegations", "delegations_max", "More delegations in a session than are allowed", "delegations"),
    Limit("tokens", "tokens_max", "More tokens in a session than are allowed", "tokens"),
    Limit("cost", "cost_max", "More cost in a session than is allowed", "of cost"),
)


def _observe(rows: Rows, watch: SessionWatch) -> tuple[list[int], Iterable[Cell]]:
    return rows.of("assistant", "tool"), (*_calls(rows, watch), *spent(rows, rows.session))


def _calls(rows: Rows, watch: SessionWatch) -> Iterator[Cell]:
    failed = rows.column("error")
    delegating = tuple(watch.get("delegation_tools"))
    for call in rows.calls():
        session = call.at.owner
        yield cell("call", session, call.at, value=rows.keyed(call.tool, call.arguments), shown=call.tool)
        yield cell("calls", session, call.at, value="calls")
        if failed[call.row]:
            yield cell("failures", session, call.at, value="failures", shown=call.tool)
        if matches(call.tool, delegating):
            yield cell("delegations", session, call.at, value="delegations", shown=call.tool)


def _judge(state: Trail, known: Known, watch: SessionWatch) -> Judged:
    return Judged(beyond(state, LIMITS, watch, "A session"), known)


SUBJECT = Subject(
    name="runaway",
    title="Runaway agent",
    category=Category.AGENT_MISUSE,
    noun="sessions beyond a limit",
    claims="A severe hit says that a session went beyond a limit of the policy within one window; the count is exact.",
    parameters=(
        Parameter("identical_max", int, 20, "identical calls (tool and arguments) in a session and window", low=1),
        Parameter("calls_max", int, 200, "calls of tools in a session and window", low=1),
        Parameter("failures_max", int, 50, "failed calls in a session and window", low=1),
        Parameter("delegations_max", int, 20, "calls of `delegation_tools` in a session and window", low=1),
        Parameter("delegation_tools", list, ["*delegate*", "*subagent*", "*handoff*"], "names of tools, with * and ?"),
        Parameter("tokens_max", int, 2_000_000, "tokens read and written in a session and window", low=1),
        Parameter("cost_max", float, 50.0, "cost of a session and window, in the currency of the telemetry", low=0),
    ),
    observe=_observe,
    judge=_judge,
    blind_spots=(
        "A session that spreads its calls over many windows stays below limits per window.",
        "Loops whose arguments differ each time count as calls, not as identical ones.",
        "With very many busy sessions in a window some are not judged; the statistics say how much was not kept.",
    ),
    next_steps=(
        "Stop the session, or pause the agent if sessions keep running away.",
        "Read the first calls of the session: what made it repeat itself?",
        "Look for findings of prompt injection in the same session: a document may have asked for it.",
    ),
    sources=("OWASP LLM10:2025 Unbounded Consumption", "OWASP LLM06:2025 Excessive Agency"),
    tags=("owasp.llm.LLM10", "owasp.llm.LLM06"),
    columns=(*COLUMNS, "tokens_in", "tokens_out", "cost", "error"),
)
DETECTOR = kind(SUBJECT)
