"""Small sets of patterns, and texts that are hard on an engine."""

from __future__ import annotations

from typing import Any

from tocsin.detect.text.patterns import Pattern, Patterns


def pattern(name: str, expression: str, **changes: Any) -> Pattern:
    """A pattern of a generic kind."""
    fields: dict[str, Any] = {
        "title": name,
        "kind": "secret",
        "validator": "none",
        "precedence": "specific",
        "roles": ("user", "assistant"),
        "confidence": 0.9,
        "severe_in": (),
        "mask": name,
        "tags": (),
    }
    return Pattern(name, expression=expression, **fields | changes)


def patterns(*items: Pattern) -> Patterns:
    """A set."""
    return Patterns(items)
