"""OTLP/JSON traces of language models and agents -> interactions: one request a line, or a document of one piece.

Its columns are those of the interactions table. Further ones can be mapped: `attributes.<key>` of the span, `resource.<key>`.
A row's line is that of its request; in a document of one piece, it is the number of its span.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import chain
from typing import Any, BinaryIO, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa

from tocsin.adapters.telemetry.chunks import Bad, Chunk, Reader, column, only_bad, shown
from tocsin.adapters.telemetry.conversations import Message, documents, spoken, tool_use
from tocsin.adapters.telemetry.lines import BOM, Block, blocks, sound
from tocsin.adapters.telemetry.seen import Seen
from tocsin.adapters.telemetry.spans import REMEDY, Span, document, request, spans
from tocsin.model.errors import BadInput, Place
from tocsin.model.telemetry import INTERACTIONS

DOCUMENT_BYTES_MAX = 64 << 20
DOCUMENT_ROWS = 16_384
MODELS = ("chat", "text_completion", "generate_content", "LLM", "completion")
TOOLS = ("execute_tool", "TOOL", "tool")
WRAPPERS = ("invoke_agent", "create_agent", "invoke_workflow", "AGENT", "CHAIN", "workflow", "agent", "task")
OPERATION = ("gen_ai.operation.name", "openinference.span.kind", "llm.request.type", "traceloop.span.kind")
SESSION = ("gen_ai.conversation.id", "session.id", "traceloop.association.properties.session_id")
UNIT = ("user.id", "enduser.id", "traceloop.association.properties.user_id")
MODEL = ("gen_ai.response.model", "gen_ai.request.model", "llm.model_name")
TOKENS_IN = ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.token_count.prompt")
TOKENS_OUT = ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "llm.token_count.completion")
COST = ("llm.cost.total", "gen_ai.usage.cost")
OWN = {known.name: known.type for known in INTERACTIONS}

Row = dict[str, Any]
Found = tuple[int, Span | Bad]


def read(stream: BinaryIO, name: str, wanted: AbstractSet[str]) -> Iterator[Chunk]:
    """The rows of the requests. Raises BadInput for a document of one piece that is broken or too long."""
    rows = _Rows(wanted, Seen())
    pieces = blocks(stream)
    first = next(pieces, None)
    if first is None:
        return
    if _is_document(first.data):
        yield from rows.chunks(_of_document(first, pieces, name))
        return
    for block in chain((first,), pieces):
        yield from rows.chunks(_of_lines(block))


def _is_document(data: bytes) -> bool:
    """Whether the lines are no requests of their own."""
    lines = [line for line in data.split(b"\n") if line.strip()]
    return bool(lines) and not any(_readable(line) for line in lines)


def _readable(line: bytes) -> bool:
    try:
        request(line)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def _of_document(first: Block, rest: Iterator[Block], name: str) -> Iterator[Found]:
    data = first.data
    for block in rest:
        data += block.data
        if len(data) > DOCUMENT_BYTES_MAX:
            what = f"an OTLP document of more than {DOCUMENT_BYTES_MAX >> 20} MiB in one piece"
            raise BadInput.at(Place(name), what, REMEDY)
    try:
        requests = document(data)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadInput.at(Place(name), f"not an OTLP document: {error}", REMEDY) from error
    yield from spans(requests, None)


def _of_lines(block: Block) -> Iterator[Found]:
    data, bad = sound(block)
    yield from ((problem.line, problem) for problem in bad)
    for line, raw in enumerate(data.split(b"\n"), start=block.first_line):
        if not raw or raw.isspace():
            continue
        try:
            found = request(raw)
        except (msgspec.DecodeError, RecursionError) as error:
            yield line, Bad(line, f"not an OTLP request: {error}", REMEDY, shown(raw), "not an OTLP request")
            continue
        yield from spans([found], line)


class _Told(NamedTuple):
    line: int
    row: Row
    span: Span


class _Rows:
    """Spans as rows of the interactions table."""

    def __init__(self, wanted: AbstractSet[str], seen: Seen) -> None:
        self.seen = seen
        self.extra = sorted(name for name in wanted if name not in OWN)

    def chunks(self, found: Iterator[Found]) -> Iterator[Chunk]:
        """The rows of the spans, in chunks."""
        told: list[_Told] = []
        bad: list[Bad] = []
        for line, span in found:
            if isinstance(span, Bad):
                bad.append(span)
            else:
                told += [_Told(line, row, span) for row in self._rows(span)]
            if len(told) >= DOCUMENT_ROWS:
                yield self._chunk(told, bad)
                told, bad = [], []
        if told or bad:
            yield self._chunk(told, bad)

    def _chunk(self, told: Sequence[_Told], bad: Sequence[Bad]) -> Chunk:
        if not told:
            return only_bad(bad)
        columns = {name: _typed(name, [one.row.get(name) for one in told]) for name in OWN}
        names = [*OWN, *dict.fromkeys(f"attributes.{key}" for one in told[:100] for key in one.span.attributes)]
        for name in self.extra:
            kind, _, key = name.partition(".")
            values = [(one.span.resource if kind == "resource" else one.span.attributes).get(key) for one in told]
            if kind in ("resource", "attributes") and any(value is not None for value in values):
                columns[name] = column(values)
        lines = np.array([one.line for one in told], np.int64)
        return Chunk(columns, lines, tuple(bad), names, lambda index: shown(told[index].span.raw))

    def _rows(self, span: Span) -> Iterator[Row]:
        """The messages of the span that are new, each with an id of its own; what the call cost stands with its last row."""
        operation = _text(_of(span, OPERATION))
        session = _text(_of(span, SESSION)) or span.trace or None
        before, after = self._messages(span, operation, session or "")
        call = _call(span)
        shared = {"session": session, "unit": _text(_of(span, UNIT)), "model": _text(_of(span, MODEL))}
        start, end = span.start or span.end, span.end or span.start
        rows = [{"time": start, **shared, **_said(message)} for message in before]
        rows += [{"time": end, **shared, **_said(message)} for message in after]
        if after:
            rows[-1] |= call
        for number, row in enumerate(rows):
            yield row | {"id": f"{span.trace}/{span.id}/{number}" if span.id else None}

    def _messages(self, span: Span, operation: str | None, session: str) -> tuple[list[Message], list[Message]]:
        """What is told at the span's start, and at its end."""
        if operation in TOOLS:
            return [], [tool_use(span.attributes)]
        repeats, model = operation in WRAPPERS, operation in MODELS or (operation is None and _of_a_model(span))
        told = spoken(span.attributes, span.events, values=model)
        said: Counter[Message] = Counter()
        before = list(self.seen.new_inputs(session, told.inputs, said, repeats=repeats))
        after = list(self.seen.new_outputs(session, told.outputs, said, repeats=repeats))
        found = documents(span.attributes)
        if model and not after:
            after = [Message("assistant", None)]
        return before, [*found, *after]


def _of_a_model(span: Span) -> bool:
    """Whether a span that does not say what it is calls a model: early traces name only the vendor and the model."""
    return any(key.startswith(("gen_ai.request.", "gen_ai.usage.", "llm.")) for key in span.attributes)


def _call(span: Span) -> Row:
    """What the call took and cost, and how it failed."""
    took = (span.end - span.start) / 1e6 if span.start and span.end and span.end > span.start else None
    tokens = {"tokens_in": _of(span, TOKENS_IN), "tokens_out": _of(span, TOKENS_OUT)}
    return tokens | {"latency_ms": took, "cost": _of(span, COST), "error": span.error}


def _said(message: Message) -> Row:
    return {
        "role": message.role,
        "text": message.text,
        "tool_name": message.tool_name,
        "tool_arguments": message.tool_arguments,
        "tool_server": message.tool_server,
        "tool_definition": message.tool_definition,
    }


def _of(span: Span, names: Sequence[str]) -> Any:
    """The first of the attributes that the span or its resource has."""
    places: tuple[Mapping[str, Any], ...] = (span.attributes, span.resource)
    return next((place[name] for place in places for name in names if place.get(name) is not None), None)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _typed(name: str, values: list[Any]) -> pa.Array:
    return pa.array(values, pa.timestamp("ns", "UTC")) if name == "time" else column(values)


def _recognizes(name: str, head: bytes) -> int:  # noqa: ARG001 - the content is certain
    start = head.removeprefix(BOM).lstrip()
    return 3 if start.startswith((b"{", b"[")) and (b'"resourceSpans"' in head or b'"resourceLogs"' in head) else 0


READER = Reader(
    name="otlp",
    recognizes=_recognizes,
    read=read,
    doc="OTLP/JSON traces and logs of language models and agents: OpenTelemetry GenAI and OpenInference attributes",
    canonical=True,
    sparse=True,
    table="interactions",
)
