"""The columns of telemetry: one schema for predictions, one for interactions.

Two open families extend the predictions table per system: `group.<name>` (text, the attributes that fairness compares)
and `feature.<name>` (number or text). Stored rows also carry where they stand, so that a finding can name them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

Table = Literal["predictions", "interactions"]
Type = Literal["time", "text", "category", "number", "flag", "count"]
"""time: timestamp[us, UTC]; text: string; category: dictionary<int32, string>; number: float64; flag: bool; count: int64."""

GROUP = "group."
FEATURE = "feature."
SEGMENT = "_segment"
ROW = "_row"
"""Added when a segment is read: the segment's id (category) and the row's number in it (count, from 0)."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of telemetry. A required column may not be null."""

    name: str
    type: Type
    required: bool = False
    doc: str = ""


PREDICTIONS: tuple[Column, ...] = (
    Column("time", "time", True, "when the prediction was made"),
    Column("id", "text", False, "the row's own id; a second row with the same id is quarantined"),
    Column("model_version", "category", False, "the release of the model that answered"),
    Column("unit", "text", False, "the person, account or session; guarantees that ignore repeated users are false"),
    Column("score", "number", False, "the model's output"),
    Column("decision", "flag", False, "what was decided: true is the positive decision"),
    Column("label", "flag", False, "what turned out to be true"),
)

ROLES = ("system", "user", "assistant", "tool", "retrieved")

INTERACTIONS: tuple[Column, ...] = (
    Column("time", "time", True, "when the message was seen"),
    Column("id", "text", False, "the message's own id; a second row with the same id is quarantined"),
    Column("session", "text", False, "the conversation or trace"),
    Column("unit", "text", False, "the person or account"),
    Column("role", "category", True, "system, user, assistant, tool (a call or its result) or retrieved (a document)"),
    Column("text", "text", False, "the message"),
    Column("tool_name", "category", False, "the tool called"),
    Column("tool_arguments", "text", False, "the arguments of the call, as JSON text"),
    Column("tool_server", "category", False, "the server that offers the tool, e.g. that of a Model Context Protocol"),
    Column("tool_definition", "text", False, "the tool's description and schema as the model was given them"),
    Column("model", "category", False, "the model and its version"),
    Column("tokens_in", "count", False, "tokens read"),
    Column("tokens_out", "count", False, "tokens written"),
    Column("latency_ms", "number", False, "time to answer in milliseconds"),
    Column("cost", "number", False, "cost in the currency of the deployment"),
    Column("error", "text", False, "the error's type when the call failed"),
)

TABLES: dict[Table, tuple[Column, ...]] = {"predictions": PREDICTIONS, "interactions": INTERACTIONS}


@dataclass(frozen=True, slots=True)
class Segment:
    """An immutable Parquet file of rows of one system: `id` is the hex SHA-256 of the file's bytes."""

    id: str
    system: str
    table: Table
    rows: int
    first: datetime
    last: datetime
    late: bool = False
    """Whether its rows are predictions that were stored before and now have their label: only what reads labels counts them."""


class TelemetryStore(Protocol):
    """Reads segments. The list of segments comes from the ledger; a file that the ledger does not know is never read."""

    def batches(self, segments: Sequence[Segment], columns: Sequence[str], rows_max: int = 65_536) -> Iterator[Any]:
        """Record batches of the named columns plus `_segment` and `_row`, segment by segment, in stored order.

        A column that a segment lacks comes as nulls.

        Raises:
            Refused: a segment's bytes no longer match its id.
        """
        ...


@dataclass(frozen=True, slots=True)
class Windowing:
    """How a stream is cut: every `rows` rows in order of time, or every `every` of time from the epoch. Exactly one is set."""

    rows: int | None = None
    every: timedelta | None = None

    def __post_init__(self) -> None:
        if (self.rows is None) == (self.every is None):
            raise AssertionError("a window is cut either by rows or by time")


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """A closed window: its number in the stream (from 0) and the instants of its first row and of its end."""

    index: int
    start: datetime
    end: datetime
    rows: int = 0
