"""The bytes of an event: what is stored is what is hashed, and nothing is ever re-encoded."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from tocsin.model.errors import Refused
from tocsin.model.event import Event

FORMAT = 1


class Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=False):
    """The stored form of an event, fields in this order."""

    format: int
    stream: str
    version: int
    kind: str
    at: datetime
    author: str
    data: dict[str, Any]


_encoder = msgspec.json.Encoder(order="sorted")
_decoder = msgspec.json.Decoder(Envelope)


def encode(stream: str, version: int, event: Event) -> bytes:
    """The bytes to store: JSON with sorted keys. Raises AssertionError for data that JSON cannot hold, NaN included."""
    data = _finite(msgspec.to_builtins(dict(event.data)))
    envelope = Envelope(FORMAT, stream, version, event.kind, event.at.astimezone(UTC), event.author, data)
    return _encoder.encode(envelope)


def decode(data: bytes) -> Envelope:
    """The event in these bytes. Raises Refused when they are not an event."""
    try:
        return _decoder.decode(data)
    except msgspec.DecodeError as error:
        raise Refused(f"an event cannot be read: {error}", remedy="run `tocsin verify` to learn which one") from error


def _finite(value: Any) -> Any:
    """The value, after a check that no number in it is NaN or infinite: JSON would store those as null."""
    if isinstance(value, float) and not (-float("inf") < value < float("inf")):
        raise AssertionError("an event may not hold NaN or infinity")
    if isinstance(value, dict):
        for item in value.values():
            _finite(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _finite(item)
    return value
