"""Conversations in the making: messages that tests give to the detectors of sessions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from tests.core.detect.samples import detector, placed, window
from tocsin.model.finding import Finding

TYPES = {
    "time": pa.timestamp("us", "UTC"),
    "cost": pa.float64(),
    "tokens_in": pa.int64(),
    "tokens_out": pa.int64(),
}
NAMES = (
    *("time", "role", "text", "tool_name", "tool_arguments", "tool_server", "tool_definition", "session", "unit"),
    *("tokens_in", "tokens_out", "cost", "error"),
)


def message(role: str, text: str | None = None, session: str = "s1", **more: Any) -> dict[str, Any]:
    """A message; a call of a tool is one with `tool_name` and `tool_arguments`."""
    return {"role": role, "text": text, "session": session, **more}


def call(tool: str, arguments: str = "{}", session: str = "s1", **more: Any) -> dict[str, Any]:
    """A call of a tool."""
    return message("tool", None, session, tool_name=tool, tool_arguments=arguments, **more)


def talk(*messages: dict[str, Any], first: int = 0) -> pa.RecordBatch:
    """The messages as a batch, a second apart unless they say when."""
    rows = [{"time": (first + place) * 1_000_000, **one} for place, one in enumerate(messages)]
    columns = {name: pa.array([row.get(name) for row in rows], TYPES.get(name, pa.string())) for name in NAMES}
    return placed(columns, first)


def judged(kind: str, *windows: Sequence[dict[str, Any]], **parameters: Any) -> list[list[Finding]]:
    """The findings of each window."""
    watcher = detector(kind, **parameters)
    sequence, told = watcher.begin(), []
    for index, messages in enumerate(windows):
        state = watcher.observe(watcher.zero(), talk(*messages, first=1000 * index))
        evaluated = watcher.evaluate(sequence, state, window(index, len(messages)))
        sequence = watcher.sequence_from_bytes(watcher.sequence_to_bytes(evaluated.sequence))
        told.append(list(evaluated.findings))
    return told


def found(kind: str, *messages: dict[str, Any], **parameters: Any) -> list[Finding]:
    """The findings of one window with these messages."""
    return judged(kind, messages, **parameters)[0]
