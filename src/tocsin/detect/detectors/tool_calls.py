"""Tool calls: how often the assistant's session turns to a tool, or to certain tools."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from tocsin.detect.streams.measure import Amounts, Measure, of_texts
from tocsin.detect.streams.watch import kind, limit_of
from tocsin.model.detector import Parameter
from tocsin.model.finding import Category


def _amounts(batch: pa.RecordBatch, parameters: Mapping[str, Any]) -> Amounts:
    called = of_texts(batch, "role", "tool".__eq__)[1]
    tools = frozenset(parameters["tools"])
    if tools:
        called &= of_texts(batch, "tool_name", tools.__contains__)[1]
    counts = of_texts(batch, "role", frozenset(("assistant", "tool")).__contains__)[1]
    return Amounts(counts, called.astype(float))


MEASURE = Measure(
    name="tool_calls",
    category=Category.AGENT_MISUSE,
    table="interactions",
    noun="share of tool calls",
    columns=lambda _: ("role", "tool_name"),
    amounts=_amounts,
    direction="both",
    harm="The agent acts through its tools more (or less) often than it did.",
    blind_spots=(
        "What a call does is not looked at: one harmful call changes no rate.",
        "A call and its result are both messages of role tool: what counts is the change.",
    ),
    next_steps=(
        "List the calls by tool and by session since the date of the change.",
        "Look for findings of prompt injection in the same sessions.",
    ),
    tags=("owasp.llm.LLM06",),
)

DETECTOR = kind(
    MEASURE,
    "Tool calls",
    "An alarm says: the share of messages that are tool calls is above or below the limit or what it was at first.",
    limit_of("the share of tool calls that is normal"),
    Parameter("tools", list, [], "count these tools only; default: all"),
    required=("role", "tool_name"),
)
