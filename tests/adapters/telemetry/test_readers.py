"""What every reader promises, on bytes that were made for it and on bytes that were not."""

from __future__ import annotations

import json
from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.adapters.telemetry import otlp
from tests.adapters.telemetry.reading import whole
from tocsin.adapters.telemetry.chunks import RAW_MAX, Reader
from tocsin.adapters.telemetry.mapping import mapped, plan
from tocsin.content.discovery import declared
from tocsin.model.errors import BadInput
from tocsin.model.policy import ColumnMapping, TelemetryMapping

READERS: dict[str, Reader] = declared("tocsin.adapters.telemetry.readers", "READER")
ROWS = [
    {"time": f"2026-11-01T10:00:{n:02d}Z", "role": "user", "text": f'say "{n}",\nplease', "tokens_in": n}
    for n in range(20)
]
WANTED = ("time", "role", "text", "tokens_in")


def _parquet() -> bytes:
    sink = BytesIO()
    pq.write_table(pa.Table.from_pylist(ROWS), sink)
    return sink.getvalue()


def _csv() -> bytes:
    quoted = ('"' + str(value).replace('"', '""') + '"' for row in ROWS for value in row.values())
    values = list(quoted)
    lines = [",".join(WANTED), *(",".join(values[n : n + 4]) for n in range(0, len(values), 4))]
    return "\n".join(lines).encode()


CALL = {
    "gen_ai.operation.name": "chat",
    "gen_ai.input.messages": json.dumps([{"role": "user", "parts": [{"type": "text", "content": "Hi"}]}]),
    "gen_ai.output.messages": json.dumps([{"role": "assistant", "parts": [{"type": "tool_call", "name": "f"}]}]),
}
MADE = {
    "jsonl": b"".join(json.dumps(row).encode() + b"\n" for row in ROWS),
    "csv": _csv(),
    "parquet": _parquet(),
    "otlp": otlp.lines(
        otlp.request(otlp.span(CALL), otlp.span(CALL, 1)), otlp.logs(otlp.record("gen_ai.user.message", "Hi"))
    ),
}


def test_every_reader_has_bytes_made_for_it() -> None:
    assert set(MADE) == set(READERS)


@pytest.mark.parametrize("name", sorted(READERS))
def test_a_reader_is_the_surest_of_its_own_bytes(name: str) -> None:
    sure = {reader.name: reader.recognizes("log", MADE[name][:4_096]) for reader in READERS.values()}
    assert max(sure, key=lambda reader: sure[reader]) == name


@pytest.mark.parametrize("name", sorted(READERS))
def test_its_own_bytes_are_read_without_a_bad_row(name: str) -> None:
    found = whole(READERS[name], MADE[name], *WANTED)
    assert found.lines
    assert not found.bad
    assert set(found.columns) >= set(WANTED)
    assert all(len(values) == len(found.lines) for values in found.columns.values())
    assert READERS[name].doc


@pytest.mark.parametrize("name", sorted(READERS))
def test_reading_twice_gives_the_same(name: str) -> None:
    assert whole(READERS[name], MADE[name], *WANTED) == whole(READERS[name], MADE[name], *WANTED)


def _survives(reader: Reader, data: bytes) -> None:
    """Chunks that fit the mapping, or BadInput, and nothing else."""
    columns = {name: ColumnMapping(column=name) for name in WANTED}
    where = plan(TelemetryMapping("interactions", columns), canonical=reader.canonical)
    try:
        for chunk in reader.read(BytesIO(data), "log", where.wanted()):
            assert all(len(column) == len(chunk.lines) for column in chunk.columns.values())
            assert all(bad.line >= 1 and len(bad.raw) <= RAW_MAX for bad in chunk.bad)
            result = mapped(chunk, where)
            assert result.rows.num_rows + len(result.bad) == len(chunk.lines)
            result.rows.validate(full=True)
    except BadInput:
        return


QUICK = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize("name", sorted(READERS))
@QUICK
@given(data=st.binary(max_size=300))
def test_any_bytes_are_survived(name: str, data: bytes) -> None:
    _survives(READERS[name], data)


@pytest.mark.parametrize("name", sorted(READERS))
@QUICK
@given(at=st.integers(0, 10_000), cut=st.integers(0, 60), put=st.binary(max_size=12))
def test_bytes_changed_at_any_place_are_survived(name: str, at: int, cut: int, put: bytes) -> None:
    data = MADE[name]
    at %= len(data)
    _survives(READERS[name], data[:at] + put + data[at + cut :])


@pytest.mark.parametrize("name", sorted(READERS))
@QUICK
@given(keep=st.integers(0, 10_000))
def test_a_file_cut_off_anywhere_is_survived(name: str, keep: int) -> None:
    _survives(READERS[name], MADE[name][: keep % len(MADE[name])])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["role", "content", "parts", "type", "name"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@QUICK
@given(values=st.lists(st.dictionaries(st.sampled_from(WANTED), JSON, max_size=4), max_size=6))
def test_objects_of_any_shape_are_survived(values: list[dict[str, object]]) -> None:
    _survives(READERS["jsonl"], b"".join(json.dumps(value).encode() + b"\n" for value in values))


NAMES = """
gen_ai.input.messages gen_ai.output.messages gen_ai.system_instructions gen_ai.prompt gen_ai.prompt.0.content
gen_ai.completion.1.role gen_ai.completion.0.tool_calls.0.name gen_ai.tool.name gen_ai.tool.call.arguments
gen_ai.retrieval.documents retrieval.documents.0.document.content input.value llm.input_messages.0.message.content
llm.output_messages.0.message.contents.0.message_content.text session.id user.id gen_ai.usage.input_tokens llm.cost.total
gen_ai.response.model error.type openinference.span.kind gen_ai.operation.name
"""
KEYS = st.sampled_from(NAMES.split())
KINDS = st.sampled_from(["chat", "execute_tool", "invoke_agent", "LLM", "TOOL", "RETRIEVER", "AGENT", "other"])


@QUICK
@given(
    attributes=st.dictionaries(KEYS, JSON.filter(lambda v: v is not None) | JSON.map(json.dumps), max_size=6),
    kind=KINDS,
)
def test_spans_with_attributes_of_any_shape_are_survived(attributes: dict[str, object], kind: str) -> None:
    span = otlp.span({"gen_ai.operation.name": kind} | attributes, events=[otlp.event("gen_ai.choice", attributes)])
    _survives(READERS["otlp"], otlp.lines(otlp.request(span)))
