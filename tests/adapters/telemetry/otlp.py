"""OTLP/JSON requests for tests: Python values in, the protocol's JSON mapping out."""

from __future__ import annotations

import json
from typing import Any

START = 1_793_527_200_000_000_000
TRACE, SPAN = "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174"


def value(plain: Any) -> dict[str, Any]:
    """A value as AnyValue; integers are text, as the JSON mapping of 64-bit numbers says."""
    if isinstance(plain, bool):
        return {"boolValue": plain}
    if isinstance(plain, int):
        return {"intValue": str(plain)}
    if isinstance(plain, float):
        return {"doubleValue": plain}
    if isinstance(plain, list):
        return {"arrayValue": {"values": [value(member) for member in plain]}}
    if isinstance(plain, dict):
        return {"kvlistValue": {"values": pairs(plain)}}
    return {"stringValue": plain}


def pairs(plain: dict[str, Any]) -> list[dict[str, Any]]:
    """Attributes."""
    return [{"key": key, "value": value(member)} for key, member in plain.items()]


def span(attributes: dict[str, Any], number: int = 0, **fields: Any) -> dict[str, Any]:
    """A span of 250 ms that begins `number` seconds after `START`."""
    start = START + number * 1_000_000_000
    return {
        "traceId": TRACE,
        "spanId": f"{int(SPAN, 16) + number:016x}",
        "name": "chat",
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(start + 250_000_000),
        "attributes": pairs(attributes),
    } | fields


def event(name: str, attributes: dict[str, Any]) -> dict[str, Any]:
    """An event of a span."""
    return {"name": name, "timeUnixNano": str(START), "attributes": pairs(attributes)}


def record(name: str, body: Any, number: int = 0) -> dict[str, Any]:
    """A log record of the first span."""
    at = str(START + number)
    return {"traceId": TRACE, "spanId": SPAN, "timeUnixNano": at, "eventName": name, "body": value(body)}


def request(*spans: dict[str, Any], resource: dict[str, Any] | None = None) -> dict[str, Any]:
    """An ExportTraceServiceRequest."""
    return {
        "resourceSpans": [{"resource": {"attributes": pairs(resource or {})}, "scopeSpans": [{"spans": list(spans)}]}]
    }


def logs(*records: dict[str, Any]) -> dict[str, Any]:
    """An ExportLogsServiceRequest."""
    return {"resourceLogs": [{"resource": {}, "scopeLogs": [{"logRecords": list(records)}]}]}


def lines(*requests: dict[str, Any]) -> bytes:
    """The requests, one a line."""
    return b"".join(json.dumps(each).encode() + b"\n" for each in requests)
