"""What was said in a span, in each way that traces of language models have said it.

1. `gen_ai.input.messages`, `gen_ai.output.messages`, `gen_ai.system_instructions`: JSON text, or structured (OpenTelemetry since 1.37);
2. an event a message: `gen_ai.user.message`, `gen_ai.choice`, ... on the span or as log records (1.28 to 1.36);
3. `gen_ai.prompt`, `gen_ai.completion` as text, and `gen_ai.prompt.<n>.content` with an index (before, and OpenLLMetry);
4. `llm.input_messages.<n>.message.content`, `retrieval.documents.<n>.document.content`, `input.value` (OpenInference).

SOURCE: OpenTelemetry semantic conventions for generative AI; OpenInference semantic conventions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from tocsin.adapters.telemetry.spans import Occurrence

Attributes = Mapping[str, Any]
TOOL_CALL = re.compile(r"tool_calls\.(\d+)\.(?:tool_call\.)?(?:function\.)?(name|arguments)")
ROLES = {"developer": "system", "human": "user", "ai": "assistant", "model": "assistant", "bot": "assistant"} | {
    "function": "tool",
    **{role: role for role in ("system", "user", "assistant", "tool", "retrieved")},
}


class Message(NamedTuple):
    """One row in the making: a message, a call of a tool, its result, or a document."""

    role: str
    text: str | None
    tool_name: str | None = None
    tool_arguments: str | None = None
    tool_server: str | None = None
    tool_definition: str | None = None


class Spoken(NamedTuple):
    """What went into the model and what came out, in order."""

    inputs: Sequence[Message]
    outputs: Sequence[Message]


def spoken(attributes: Attributes, events: Sequence[Occurrence], *, values: bool) -> Spoken:
    """The messages of a span, by the newest way in which it tells them; with `values`, also by bare `input.value`."""
    merged = dict(attributes)
    for event in events:
        merged |= {key: value for key, value in event.attributes.items() if key in CONTENT}
    inputs = _first(INPUTS, merged) or _of_events(events, answers=False)
    outputs = _first(OUTPUTS, merged) or _of_events(events, answers=True)
    if values:
        inputs = inputs or _loose(merged.get("input.value"), "user")
        outputs = outputs or _loose(merged.get("output.value"), "assistant")
    return Spoken(inputs, outputs)


def documents(attributes: Attributes) -> list[Message]:
    """The documents that a retrieval found."""
    found = [document.get("document.content") for document in _indexed(attributes, "retrieval.documents.")]
    told = _json(attributes.get("gen_ai.retrieval.documents"))
    found += [d.get("content", d.get("text")) for d in told if isinstance(d, dict)] if isinstance(told, list) else []
    return [Message("retrieved", _text(content)) for content in found if content is not None]


def tool_use(attributes: Attributes) -> Message:
    """The call of a tool and its result, from the tool's own span."""
    name = _present(attributes, "gen_ai.tool.name", "tool.name", "traceloop.entity.name")
    given = _present(
        attributes, "gen_ai.tool.call.arguments", "input.value", "tool.parameters", "traceloop.entity.input"
    )
    result = _present(attributes, "gen_ai.tool.call.result", "output.value", "traceloop.entity.output")
    server = _present(attributes, "mcp.server.name", "server.address") if "mcp.method.name" in attributes else None
    definition = _present(attributes, "gen_ai.tool.description", "tool.description")
    return Message("tool", _text(result), _text(name), _text(given), _text(server), _text(definition))


def _present(attributes: Attributes, *names: str) -> Any:
    return next((attributes[name] for name in names if attributes.get(name) is not None), None)


def _first(ways: Sequence[Callable[[Attributes], list[Message]]], attributes: Attributes) -> list[Message]:
    return next((told for way in ways if (told := way(attributes))), [])


def _structured_inputs(attributes: Attributes) -> list[Message]:
    rules = _json(attributes.get("gen_ai.system_instructions"))
    told = _message({"role": "system", "parts": rules} if isinstance(rules, list) else rules, "system")
    return [*told, *_listed(attributes.get("gen_ai.input.messages"), "user")]


def _structured_outputs(attributes: Attributes) -> list[Message]:
    return _listed(attributes.get("gen_ai.output.messages"), "assistant")


def _indexed_inputs(attributes: Attributes) -> list[Message]:
    return [m for told in _indexed(attributes, "gen_ai.prompt.") for m in _flat_message(told, "user")]


def _indexed_outputs(attributes: Attributes) -> list[Message]:
    return [m for told in _indexed(attributes, "gen_ai.completion.") for m in _flat_message(told, "assistant")]


def _plain_inputs(attributes: Attributes) -> list[Message]:
    return _loose(attributes.get("gen_ai.prompt"), "user")


def _plain_outputs(attributes: Attributes) -> list[Message]:
    return _loose(attributes.get("gen_ai.completion"), "assistant")


def _inference_inputs(attributes: Attributes) -> list[Message]:
    return [m for told in _indexed(attributes, "llm.input_messages.") for m in _flat_message(told, "user")]


def _inference_outputs(attributes: Attributes) -> list[Message]:
    return [m for told in _indexed(attributes, "llm.output_messages.") for m in _flat_message(told, "assistant")]


INPUTS = (_structured_inputs, _indexed_inputs, _plain_inputs, _inference_inputs)
OUTPUTS = (_structured_outputs, _indexed_outputs, _plain_outputs, _inference_outputs)
CONTENT = frozenset(
    f"gen_ai.{name}" for name in ("input.messages", "output.messages", "system_instructions", "prompt", "completion")
)


def _of_events(events: Sequence[Occurrence], *, answers: bool) -> list[Message]:
    """The messages that events tell, one each."""
    told: list[Message] = []
    for event in events:
        kind = event.name.removeprefix("gen_ai.").removesuffix(".message")
        if not event.name.startswith("gen_ai.") or (kind == "choice") is not answers:
            continue
        content = event.body if isinstance(event.body, dict) else dict(event.attributes)
        content = _json(content.get("gen_ai.event.content")) or content
        if kind == "choice":
            inner = _json(content.get("message"))
            told += _message(inner if isinstance(inner, dict) else content, "assistant")
        elif kind in ROLES:
            told += _message({**content, "role": kind}, kind)
    return told


def _indexed(attributes: Attributes, prefix: str) -> list[dict[str, Any]]:
    """What stands under `prefix<n>.`, in order of n."""
    found: dict[int, dict[str, Any]] = {}
    for key, value in attributes.items():
        if key.startswith(prefix):
            index, _, rest = key[len(prefix) :].partition(".")
            if index.isdecimal() and len(index) < 10 and rest:
                found.setdefault(int(index), {})[rest.removeprefix("message.")] = value
    return [found[index] for index in sorted(found)]


def _flat_message(told: Mapping[str, Any], role: str) -> list[Message]:
    """A message whose parts are attributes of their own."""
    contents = [part.get("message_content.text") for part in _indexed(told, "contents.")]
    content = told.get("content", "\n".join(str(text) for text in contents if text is not None) or None)
    calls: dict[str, dict[str, Any]] = {}
    for key, value in told.items():
        match = TOOL_CALL.fullmatch(key)
        if match:
            calls.setdefault(match[1], {})[match[2]] = value
    return _message({"role": told.get("role", role), "content": content, "tool_calls": list(calls.values())}, role)


def _loose(value: Any, role: str) -> list[Message]:
    """Text that may be JSON of one or more messages."""
    told = _json(value)
    if isinstance(told, dict) and isinstance(told.get("messages"), list):
        told = told["messages"]
    if isinstance(told, list) and told and all(isinstance(m, dict) and ("role" in m or "content" in m) for m in told):
        return [message for each in told for message in _message(each, role)]
    if isinstance(told, dict) and ("content" in told or "parts" in told):
        return _message(told, role)
    return [] if value is None else [Message(role, _text(value))]


def _listed(value: Any, role: str) -> list[Message]:
    told = _json(value)
    if isinstance(told, list):
        return [message for each in told for message in _message(each, role)]
    return _message(told, role)


def _message(told: Any, role: str) -> list[Message]:
    """A message as rows: its text first, then each call of a tool and each result."""
    if not isinstance(told, dict):
        return [] if told is None else [Message(role, _text(told))]
    role = ROLES.get(str(told.get("role", role)).lower(), role)
    body = (
        _json(told["content"])
        if isinstance(told.get("content"), str) and _parts_like(told["content"])
        else told.get("content")
    )
    parts = told.get("parts") if isinstance(told.get("parts"), list) else body if isinstance(body, list) else None
    texts = [_text(told.get("content"))] if parts is None else [_part_text(part) for part in parts]
    text = "\n".join(text for text in texts if text is not None) if any(t is not None for t in texts) else None
    name = _text(told.get("name")) if role == "tool" else None
    rows = [Message(role, text, name)] if text is not None else []
    calls = _json(told.get("tool_calls"))
    for call in [*(calls if isinstance(calls, list) else ()), *(parts or ())]:
        rows += _call(call)
    return rows


def _parts_like(text: str) -> bool:
    """Whether the text is JSON of parts rather than what somebody wrote."""
    return text.startswith('[{"type"')


def _part_text(part: Any) -> str | None:
    if not isinstance(part, dict):
        return _text(part)
    if part.get("type", "text") in ("text", "reasoning", "input_text", "output_text"):
        return _text(part.get("content", part.get("text")))
    return None


def _call(call: Any) -> list[Message]:
    """A call of a tool, or its result, among the parts of a message."""
    if not isinstance(call, dict):
        return []
    if call.get("type") in ("tool_call_response", "tool_result"):
        result = _present(call, "response", "result", "content")
        return [Message("tool", _text(result), _text(call.get("name")))]
    inner: dict[str, Any] = call["function"] if isinstance(call.get("function"), dict) else call
    if inner.get("name") is None or call.get("type", "function") not in ("function", "tool_call", "tool_use"):
        return []
    return [Message("tool", None, _text(inner["name"]), _text(_present(inner, "arguments", "input")))]


def _json(value: Any) -> Any:
    """The value of JSON text; what is not JSON stays as it is."""
    if not isinstance(value, str) or not value.lstrip().startswith(("{", "[")):
        return value
    try:
        return msgspec.json.decode(value)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        return value


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else msgspec.json.encode(value).decode()
