"""OTLP/JSON trace and log requests as spans with plain attributes. Only what is asked for is decoded; a bad span is named.

SOURCE: opentelemetry-proto, trace/v1 and logs/v1, with the JSON mapping of the OTLP specification.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import msgspec

from tocsin.adapters.telemetry.chunks import Bad, shown

REMEDY = "write OTLP/JSON, one request a line"
ERROR_CODES = (2, "STATUS_CODE_ERROR")
NANOS_MAX = 2**63 - 1


class _Camel(msgspec.Struct, rename="camel", gc=False):
    """The JSON mapping's names."""


class _Value(_Camel):
    string_value: str | None = None
    bool_value: bool | None = None
    int_value: int | str | None = None
    double_value: float | str | None = None
    array_value: _Values | None = None
    kvlist_value: _Pairs | None = None
    bytes_value: str | None = None


class _Pair(_Camel):
    key: str
    value: _Value | None = None


class _Values(_Camel):
    values: list[_Value] | None = None


class _Pairs(_Camel):
    values: list[_Pair] | None = None


class _Resource(_Camel):
    attributes: list[_Pair] | None = None


class _Event(_Camel):
    name: str = ""
    time_unix_nano: int | str = 0
    attributes: list[_Pair] | None = None


class _Status(_Camel):
    code: int | str = 0
    message: str = ""


class _Span(_Camel):
    trace_id: str = ""
    span_id: str = ""
    name: str = ""
    start_time_unix_nano: int | str = 0
    end_time_unix_nano: int | str = 0
    attributes: list[_Pair] | None = None
    events: list[_Event] | None = None
    status: _Status | None = None


class _Record(_Camel):
    trace_id: str = ""
    span_id: str = ""
    time_unix_nano: int | str = 0
    observed_time_unix_nano: int | str = 0
    event_name: str = ""
    attributes: list[_Pair] | None = None
    body: _Value | None = None


class _Scope(_Camel):
    spans: list[msgspec.Raw] | None = None
    log_records: list[msgspec.Raw] | None = None


class _Entry(_Camel):
    resource: _Resource | None = None
    scope_spans: list[_Scope] | None = None
    scope_logs: list[_Scope] | None = None


class Request(_Camel):
    """An ExportTraceServiceRequest or ExportLogsServiceRequest."""

    resource_spans: list[_Entry] | None = None
    resource_logs: list[_Entry] | None = None


class Occurrence(NamedTuple):
    """An event of a span, or a log record."""

    name: str
    attributes: Mapping[str, Any]
    body: Any


class Span(NamedTuple):
    """A span with its values as Python values; times are nanoseconds since 1970, None where there is none."""

    trace: str
    id: str
    start: int | None
    end: int | None
    attributes: Mapping[str, Any]
    events: Sequence[Occurrence]
    resource: Mapping[str, Any]
    error: str | None
    raw: bytes


_request = msgspec.json.Decoder(Request)
_document = msgspec.json.Decoder(Request | list[Request])
_span = msgspec.json.Decoder(_Span)
_record = msgspec.json.Decoder(_Record)


def request(raw: bytes) -> Request:
    """The request on a line. Raises msgspec.DecodeError or RecursionError."""
    found = _request.decode(raw)
    if found.resource_spans is None and found.resource_logs is None:
        raise msgspec.DecodeError("it has neither resourceSpans nor resourceLogs")
    return found


def document(raw: bytes) -> list[Request]:
    """The requests of a document of one piece. Raises msgspec.DecodeError or RecursionError."""
    found = _document.decode(raw)
    return found if isinstance(found, list) else [found]


def spans(requests: Sequence[Request], line: int | None) -> Iterator[tuple[int, Span | Bad]]:
    """The spans of the requests, log records of one span together, each with `line` or else its number from 1."""
    number = 0
    for entry in (entry for found in requests for entry in found.resource_spans or ()):
        resource = _plain_pairs(entry.resource.attributes if entry.resource else None)
        for raw in (raw for scope in entry.scope_spans or () for raw in scope.spans or ()):
            number += 1
            yield line or number, _spanned(bytes(raw), resource, line or number)
    for entry in (entry for found in requests for entry in found.resource_logs or ()):
        resource = _plain_pairs(entry.resource.attributes if entry.resource else None)
        raws = [bytes(raw) for scope in entry.scope_logs or () for raw in scope.log_records or ()]
        yield from _logged(raws, resource, line, number)
        number += len(raws)


def _spanned(raw: bytes, resource: Mapping[str, Any], line: int) -> Span | Bad:
    try:
        span = _span.decode(raw)
        events = [Occurrence(e.name, _plain_pairs(e.attributes), None) for e in span.events or ()]
        attributes = _plain_pairs(span.attributes)
        start, end = _nanos(span.start_time_unix_nano), _nanos(span.end_time_unix_nano)
    except (ValueError, RecursionError) as error:
        return _bad(raw, line, error)
    failed = _failure(attributes, events, span.status)
    return Span(span.trace_id, span.span_id, start, end, attributes, events, resource, failed, raw)


def _logged(
    raws: Sequence[bytes], resource: Mapping[str, Any], line: int | None, number: int
) -> Iterator[tuple[int, Span | Bad]]:
    records: list[tuple[int, bytes, _Record]] = []
    for place, raw in enumerate(raws, start=number + 1):
        try:
            records.append((line or place, raw, _record.decode(raw)))
        except (ValueError, RecursionError) as error:
            yield line or place, _bad(raw, line or place, error)
    for (trace, span), group in groupby(records, key=lambda r: (r[2].trace_id, r[2].span_id)):
        members = list(group)
        first, raw, record = members[0]
        try:
            events = [_occurrence(member) for _, _, member in members]
            at = _nanos(record.time_unix_nano) or _nanos(record.observed_time_unix_nano)
        except (ValueError, RecursionError) as error:
            yield first, _bad(raw, first, error)
            continue
        yield first, Span(trace, span, at, at, {}, events, resource, None, raw)


def _occurrence(record: _Record) -> Occurrence:
    attributes = _plain_pairs(record.attributes)
    return Occurrence(record.event_name or str(attributes.get("event.name", "")), attributes, _plain(record.body))


def _bad(raw: bytes, line: int, error: Exception) -> Bad:
    why = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
    return Bad(line, f"not an OTLP span: {why}", REMEDY, shown(raw), "not an OTLP span")


def _failure(attributes: Mapping[str, Any], events: Sequence[Occurrence], status: _Status | None) -> str | None:
    """The type of the error, if the span failed."""
    if attributes.get("error.type"):
        return str(attributes["error.type"])
    if status is None or status.code not in ERROR_CODES:
        return None
    thrown = [event.attributes["exception.type"] for event in events if "exception.type" in event.attributes]
    return str(thrown[-1]) if thrown else status.message or "error"


def _nanos(value: int | str) -> int | None:
    """The instant, or None where it says nothing. Raises ValueError for text that is no number."""
    number = int(value)
    return number if 0 < number <= NANOS_MAX else None


def _plain_pairs(pairs: Sequence[_Pair] | None) -> dict[str, Any]:
    return {pair.key: _plain(pair.value) for pair in pairs or ()}


def _plain(value: _Value | None) -> Any:
    """The value as text, number, flag, list or mapping. Raises ValueError for text that should be a number."""
    if value is None:
        return None
    if value.string_value is not None:
        return value.string_value
    if value.int_value is not None:
        return int(value.int_value)
    if value.double_value is not None:
        return float(value.double_value)
    if value.array_value is not None:
        return [_plain(member) for member in value.array_value.values or ()]
    if value.kvlist_value is not None:
        return _plain_pairs(value.kvlist_value.values)
    return value.bool_value if value.bool_value is not None else value.bytes_value
