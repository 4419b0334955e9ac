"""A batch of messages as the detectors of sessions see it: who did what, in which session, when, and where it stands."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from tocsin.detect.agents.trail import Occurred, Totals
from tocsin.detect.streams.buckets import buckets
from tocsin.detect.text.tally import digest
from tocsin.model.telemetry import ROW, SEGMENT

UNTRUSTED = ("tool", "retrieved")
"""Roles whose text comes from outside: results of tools, and documents."""
TRUSTED = ("user", "system")
COLUMNS = ("time", "role", "text", "tool_name", "tool_arguments", "session", "unit")
"""What every detector of sessions reads."""


class Call(NamedTuple):
    """A call of a tool: its row in the batch, the tool, its arguments as text, and where it happened."""

    row: int
    tool: str
    arguments: str
    at: Occurred


class Rows:
    """A batch; a session is the conversation, or the person where there is none, or the message itself where there is neither."""

    def __init__(self, batch: pa.RecordBatch, salt: bytes, count: int) -> None:
        self._batch, self._salt = batch, salt
        self.roles: list[str] = [role or "" for role in self.column("role")]
        self.texts: list[str] = [text or "" for text in self.column("text")]
        self._digests: dict[tuple[str, ...], str] = {}
        self._buckets = buckets(pa.array(self._owners, pa.string()), count, salt)
        self._count = count

    def column(self, name: str) -> list[Any]:
        """The column's values; nulls where the batch has no such column."""
        if name not in self._batch.schema.names:
            return [None] * self._batch.num_rows
        array = self._batch.column(name)
        return list((array.cast(pa.string()) if pa.types.is_dictionary(array.type) else array).to_pylist())

    def of(self, *roles: str) -> list[int]:
        """The rows of these roles."""
        return [row for row, role in enumerate(self.roles) if role in roles]

    def calls(self) -> Iterator[Call]:
        """The calls of tools: messages of the role `tool` or `assistant` that name a tool and have arguments."""
        names, arguments = self.column("tool_name"), self.column("tool_arguments")
        for row in self.of("tool", "assistant"):
            if names[row] and arguments[row] is not None:
                yield Call(row, names[row], arguments[row], self.at(row))

    def at(self, row: int) -> Occurred:
        """When and where the message was."""
        return Occurred(self.session(row), self._bucket_list[row], self._times[row], self._places[row])

    def session(self, row: int) -> str:
        """The keyed digest of the message's session."""
        return self.keyed("session", self._owners[row])

    def person(self, row: int) -> str:
        """The keyed digest of the message's person, or of its session where nobody is named."""
        return self.keyed("person", self._units[row] or self._owners[row])

    def keyed(self, *parts: str) -> str:
        """The keyed digest of something that was found; what comes again in the batch is digested once."""
        known = self._digests.get(parts)
        if known is None:
            known = self._digests[parts] = digest(self._salt, *parts)
        return known

    def totals(self, rows: list[int]) -> Totals:
        """int64[m]: these messages per bucket."""
        return np.bincount(self._buckets[np.array(rows, np.int64)], minlength=self._count).astype(np.int64)

    @cached_property
    def _units(self) -> list[str | None]:
        return self.column("unit")

    @cached_property
    def _owners(self) -> list[str]:
        named = zip(self.column("session"), self._units, strict=True)
        return [session or unit or "/".join(map(str, self._places[row])) for row, (session, unit) in enumerate(named)]

    @cached_property
    def _times(self) -> list[int]:
        if "time" not in self._batch.schema.names:
            return [0] * self._batch.num_rows
        array = self._batch.column("time").cast(pa.timestamp("us", "UTC")).cast(pa.int64())
        return [0 if time is None else time for time in array.to_pylist()]

    @cached_property
    def _places(self) -> list[tuple[str, int]]:
        segments = self._batch.column(SEGMENT).cast(pa.string()).to_pylist()
        return list(zip(segments, self._batch.column(ROW).to_pylist(), strict=True))

    @cached_property
    def _bucket_list(self) -> list[int]:
        return [int(bucket) for bucket in self._buckets]
