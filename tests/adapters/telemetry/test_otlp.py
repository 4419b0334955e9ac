"""Traces of language models and agents as rows, in each way that they have been written."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.adapters.telemetry import otlp
from tests.adapters.telemetry.reading import Whole, whole
from tocsin.adapters.telemetry.readers import otlp as reader
from tocsin.adapters.telemetry.readers.otlp import OWN, READER
from tocsin.model.errors import BadInput

CALL = {"name": "search", "arguments": '{"q": "loan"}'}
ANSWER = {"role": "assistant", "text": "Here it is."}


def told(*requests: dict[str, Any], wanted: tuple[str, ...] = ()) -> Whole:
    return whole(READER, otlp.lines(*requests), *OWN, *wanted)


def said(*requests: dict[str, Any]) -> list[dict[str, Any]]:
    """Roles, texts and tools only."""
    keep = ("role", "text", "tool_name", "tool_arguments")
    return [{key: row[key] for key in keep if key in row} for row in told(*requests).rows()]


USER = {"role": "user", "text": "Find my loan"}
SYSTEM = {"role": "system", "text": "Be kind."}
TOOL_CALL = {"role": "tool", "tool_name": "search", "tool_arguments": '{"q": "loan"}'}

MESSAGES = {
    "gen_ai.operation.name": "chat",
    "gen_ai.system_instructions": json.dumps([{"type": "text", "content": "Be kind."}]),
    "gen_ai.input.messages": json.dumps(
        [{"role": "user", "parts": [{"type": "text", "content": "Find my loan"}]}],
    ),
    "gen_ai.output.messages": json.dumps(
        [
            {
                "role": "assistant",
                "parts": [
                    {"type": "text", "content": "Here it is."},
                    {"type": "tool_call", "id": "c1", "name": "search", "arguments": {"q": "loan"}},
                ],
                "finish_reason": "tool_call",
            }
        ]
    ),
}
STRUCTURED = MESSAGES | {
    name: json.loads(str(MESSAGES[name]))
    for name in ("gen_ai.system_instructions", "gen_ai.input.messages", "gen_ai.output.messages")
}
INDEXED = {
    "gen_ai.system": "openai",
    "llm.request.type": "chat",
    "gen_ai.prompt.0.role": "system",
    "gen_ai.prompt.0.content": "Be kind.",
    "gen_ai.prompt.1.role": "user",
    "gen_ai.prompt.1.content": "Find my loan",
    "gen_ai.completion.0.role": "assistant",
    "gen_ai.completion.0.content": "Here it is.",
    "gen_ai.completion.0.tool_calls.0.id": "c1",
    "gen_ai.completion.0.tool_calls.0.name": "search",
    "gen_ai.completion.0.tool_calls.0.arguments": '{"q": "loan"}',
}
PLAIN = {
    "gen_ai.operation.name": "chat",
    "gen_ai.prompt": json.dumps(
        [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Find my loan"}]
    ),
    "gen_ai.completion": json.dumps(
        [
            {
                "role": "assistant",
                "content": "Here it is.",
                "tool_calls": [{"id": "c1", "type": "function", "function": CALL}],
            }
        ]
    ),
}
INFERENCE = {
    "openinference.span.kind": "LLM",
    "llm.input_messages.0.message.role": "system",
    "llm.input_messages.0.message.content": "Be kind.",
    "llm.input_messages.1.message.role": "user",
    "llm.input_messages.1.message.contents.0.message_content.type": "text",
    "llm.input_messages.1.message.contents.0.message_content.text": "Find my loan",
    "llm.output_messages.0.message.role": "assistant",
    "llm.output_messages.0.message.content": "Here it is.",
    "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "search",
    "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": '{"q": "loan"}',
    "input.value": "not looked at, as there are messages",
}
CHAT = {"gen_ai.operation.name": "chat"}
EVENTS = [
    otlp.event("gen_ai.system.message", {"content": "Be kind."}),
    otlp.event("gen_ai.user.message", {"content": "Find my loan"}),
    otlp.event(
        "gen_ai.choice", {"index": 0, "message": {"content": "Here it is.", "tool_calls": [{"function": CALL}]}}
    ),
]
CONTENT_EVENTS = [
    otlp.event("gen_ai.content.prompt", {"gen_ai.prompt": PLAIN["gen_ai.prompt"]}),
    otlp.event("gen_ai.content.completion", {"gen_ai.completion": PLAIN["gen_ai.completion"]}),
]
DETAILS = [
    otlp.event(
        "gen_ai.client.inference.operation.details", {k: v for k, v in MESSAGES.items() if k != "gen_ai.operation.name"}
    )
]
LOGS = [
    otlp.record("gen_ai.system.message", {"content": "Be kind."}),
    otlp.record("gen_ai.user.message", {"content": "Find my loan"}, 1),
    otlp.record("gen_ai.choice", {"message": {"content": "Here it is.", "tool_calls": [{"function": CALL}]}}, 2),
]


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(otlp.request(otlp.span(MESSAGES)), id="messages-as-json"),
        pytest.param(otlp.request(otlp.span(STRUCTURED)), id="messages-as-values"),
        pytest.param(otlp.request(otlp.span(INDEXED)), id="indexed"),
        pytest.param(otlp.request(otlp.span(PLAIN)), id="prompt-and-completion"),
        pytest.param(otlp.request(otlp.span(INFERENCE)), id="openinference"),
        pytest.param(otlp.request(otlp.span(CHAT, events=EVENTS)), id="event-a-message"),
        pytest.param(otlp.request(otlp.span(CHAT, events=CONTENT_EVENTS)), id="content-events"),
        pytest.param(otlp.request(otlp.span(CHAT, events=DETAILS)), id="details-event"),
        pytest.param(otlp.logs(*LOGS), id="log-records"),
    ],
)
def test_every_generation_tells_the_same_conversation(request_: dict[str, Any]) -> None:
    rows = said(request_)
    arguments = [json.loads(row.pop("tool_arguments")) for row in rows if "tool_arguments" in row]
    assert rows == [SYSTEM, USER, ANSWER, {"role": "tool", "tool_name": "search"}]
    assert arguments == [{"q": "loan"}]


def test_the_span_gives_session_unit_model_and_what_the_call_took() -> None:
    attributes = MESSAGES | {
        "gen_ai.conversation.id": "conv-7",
        "user.id": "u-1",
        "gen_ai.request.model": "m",
        "gen_ai.response.model": "m-2026-01",
        "gen_ai.usage.input_tokens": 12,
        "gen_ai.usage.output_tokens": 34,
        "error.type": "timeout",
    }
    rows = told(otlp.request(otlp.span(attributes))).rows()
    assert {row["session"] for row in rows} == {"conv-7"}
    assert {row["unit"] for row in rows} == {"u-1"}
    assert {row["model"] for row in rows} == {"m-2026-01"}
    assert [row.get("tokens_out") for row in rows] == [None, None, None, 34]
    last = rows[-1]
    assert (last["tokens_in"], last["latency_ms"], last["error"]) == (12, 250.0, "timeout")
    assert [row["time"].isoformat() for row in rows[1:3]] == [
        "2026-11-01T10:00:00+00:00",
        "2026-11-01T10:00:00.250000+00:00",
    ]
    assert len({row["id"] for row in rows}) == len(rows)


def test_openinference_session_user_tokens_and_cost() -> None:
    attributes = INFERENCE | {
        "session.id": "s",
        "llm.model_name": "m",
        "llm.token_count.prompt": 3,
        "llm.cost.total": 0.25,
    }
    last = told(otlp.request(otlp.span(attributes), resource={"user.id": "from the resource"})).rows()[-1]
    assert (last["session"], last["model"], last["tokens_in"], last["cost"]) == ("s", "m", 3, 0.25)
    assert last["unit"] == "from the resource"


def test_without_a_conversation_id_the_trace_is_the_session() -> None:
    assert told(otlp.request(otlp.span(MESSAGES))).columns["session"][0] == otlp.TRACE


def test_times_may_be_numbers_too() -> None:
    span = otlp.span(MESSAGES, startTimeUnixNano=otlp.START, endTimeUnixNano=otlp.START + 1_000_000)
    assert told(otlp.request(span)).rows()[-1]["latency_ms"] == 1.0


def test_a_call_without_content_still_tells_what_it_took() -> None:
    rows = told(otlp.request(otlp.span(CHAT | {"gen_ai.usage.output_tokens": 5}))).rows()
    assert [(row["role"], row.get("text"), row["tokens_out"]) for row in rows] == [("assistant", None, 5)]


def test_an_early_span_that_names_only_its_model_is_a_call() -> None:
    rows = told(otlp.request(otlp.span({"gen_ai.system": "openai", "gen_ai.request.model": "gpt"}))).rows()
    assert [(row["role"], row["model"]) for row in rows] == [("assistant", "gpt")]


@pytest.mark.parametrize(
    "attributes",
    [
        {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "search",
            "gen_ai.tool.call.arguments": '{"q": "loan"}',
            "gen_ai.tool.call.result": "3 found",
        },
        {
            "openinference.span.kind": "TOOL",
            "tool.name": "search",
            "input.value": '{"q": "loan"}',
            "output.value": "3 found",
        },
    ],
)
def test_a_tool_span_is_a_tool_row_with_arguments_and_result(attributes: dict[str, Any]) -> None:
    assert said(otlp.request(otlp.span(attributes))) == [TOOL_CALL | {"text": "3 found"}]


def test_a_tool_span_tells_its_server_and_definition() -> None:
    attributes = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search"}
    described = attributes | {"gen_ai.tool.description": "finds loans", "server.address": "tools.test"}
    (plain,) = told(otlp.request(otlp.span(described))).rows()
    assert (plain["tool_definition"], plain.get("tool_server")) == ("finds loans", None)
    (row,) = told(otlp.request(otlp.span(described | {"mcp.method.name": "tools/call"}))).rows()
    assert row["tool_server"] == "tools.test"


def test_a_failed_tool_says_how() -> None:
    thrown = otlp.event("exception", {"exception.type": "ConnectionError"})
    span = otlp.span(
        {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search"}, events=[thrown], status={"code": 2}
    )
    assert told(otlp.request(span)).rows()[0]["error"] == "ConnectionError"


@pytest.mark.parametrize("status", [{"code": "STATUS_CODE_ERROR"}, {"code": 2, "message": "rate limit"}])
def test_a_failed_call_without_an_exception_says_its_status(status: dict[str, Any]) -> None:
    assert told(otlp.request(otlp.span(CHAT, status=status))).rows()[0]["error"] == status.get("message", "error")


@pytest.mark.parametrize(
    "attributes",
    [
        {"openinference.span.kind": "RETRIEVER", "retrieval.documents.0.document.content": "Fees are 3 %"}
        | {"retrieval.documents.0.document.id": "d1", "retrieval.documents.1.document.content": "Offices"},
        {"gen_ai.operation.name": "retrieval"}
        | {"gen_ai.retrieval.documents": json.dumps([{"id": "d1", "content": "Fees are 3 %"}, {"content": "Offices"}])},
    ],
)
def test_documents_found_are_retrieved_rows(attributes: dict[str, Any]) -> None:
    assert said(otlp.request(otlp.span(attributes))) == [
        {"role": "retrieved", "text": "Fees are 3 %"},
        {"role": "retrieved", "text": "Offices"},
    ]


def test_indexes_are_numbers_not_text() -> None:
    attributes = {"openinference.span.kind": "RETRIEVER"} | {
        f"retrieval.documents.{n}.document.content": str(n) for n in (10, 9, 100, 1)
    }
    assert [row["text"] for row in said(otlp.request(otlp.span(attributes)))] == ["1", "9", "10", "100"]


def test_bare_values_are_told_when_a_model_has_no_messages() -> None:
    attributes = {"openinference.span.kind": "LLM", "input.value": "Find my loan", "output.value": "Here it is."}
    assert said(otlp.request(otlp.span(attributes))) == [USER, ANSWER]


def test_bare_values_may_be_a_request_as_json() -> None:
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "Find my loan"}]})
    attributes = {"openinference.span.kind": "LLM", "input.value": body, "output.value": "Here it is."}
    assert said(otlp.request(otlp.span(attributes))) == [USER, ANSWER]


def test_a_tool_result_among_the_messages_is_a_tool_row() -> None:
    parts = [{"type": "tool_call_response", "id": "c1", "response": {"found": 3}}]
    attributes = CHAT | {"gen_ai.input.messages": json.dumps([{"role": "tool", "parts": parts}])}
    assert said(otlp.request(otlp.span(attributes)))[0] == {"role": "tool", "text": '{"found":3}'}


def test_unusual_names_of_roles_are_understood() -> None:
    messages = [{"role": "developer", "content": "Be kind."}, {"role": "human", "content": "Find my loan"}]
    assert said(otlp.request(otlp.span(CHAT | {"gen_ai.input.messages": json.dumps(messages)})))[:2] == [SYSTEM, USER]


def _turn(number: int, *inputs: tuple[str, str], answer: str) -> dict[str, Any]:
    told_before = json.dumps([{"role": role, "content": text} for role, text in inputs])
    return otlp.span(
        CHAT | {"gen_ai.input.messages": told_before, "gen_ai.output.messages": json.dumps([{"content": answer}])},
        number,
    )


def test_the_history_that_each_call_repeats_is_told_once() -> None:
    first = _turn(0, ("system", "Be kind."), ("user", "Hi"), answer="Hello")
    second = _turn(1, ("system", "Be kind."), ("user", "Hi"), ("assistant", "Hello"), ("user", "Bye"), answer="Bye")
    assert [row["text"] for row in said(otlp.request(first), otlp.request(second))] == [
        "Be kind.",
        "Hi",
        "Hello",
        "Bye",
        "Bye",
    ]


def test_what_is_said_twice_in_a_conversation_is_told_twice() -> None:
    first = _turn(0, ("user", "yes"), answer="Sure?")
    second = _turn(1, ("user", "yes"), ("assistant", "Sure?"), ("user", "yes"), answer="Sure?")
    assert [row["text"] for row in said(otlp.request(first, second))] == ["yes", "Sure?", "yes", "Sure?"]


def test_calls_without_history_repeat_nothing() -> None:
    calls = [_turn(n, ("system", "Be kind."), ("user", "attack"), answer="No.") for n in range(3)]
    assert [row["text"] for row in said(otlp.request(*calls))] == ["Be kind.", *["attack", "No."] * 3]


def test_an_agent_span_does_not_repeat_its_children() -> None:
    agent = MESSAGES | {"gen_ai.operation.name": "invoke_agent"}
    assert said(otlp.request(otlp.span(MESSAGES, 0), otlp.span(agent, 1))) == said(otlp.request(otlp.span(MESSAGES, 0)))


def test_an_agent_span_alone_tells_its_messages() -> None:
    agent = MESSAGES | {"gen_ai.operation.name": "invoke_agent"}
    assert [row["role"] for row in said(otlp.request(otlp.span(agent)))] == ["system", "user", "assistant", "tool"]


def test_other_conversations_keep_their_own_history() -> None:
    rows = said(
        otlp.request(otlp.span(MESSAGES | {"session.id": "a"}, 0)),
        otlp.request(otlp.span(MESSAGES | {"session.id": "b"}, 1)),
    )
    assert [row["role"] for row in rows].count("system") == 2


def test_spans_of_other_things_give_no_rows() -> None:
    assert told(otlp.request(otlp.span({"http.request.method": "GET"}), otlp.span({"db.system": "sqlite"}))).lines == []


def test_more_columns_come_from_attributes_of_span_and_resource() -> None:
    request_ = otlp.request(otlp.span(MESSAGES | {"tenant": "north"}), resource={"service.name": "chat-app"})
    found = told(request_, wanted=("attributes.tenant", "resource.service.name", "attributes.nothing"))
    assert found.columns["attributes.tenant"] == ["north"] * 4
    assert found.columns["resource.service.name"] == ["chat-app"] * 4
    assert "attributes.nothing" not in found.columns


def test_rows_carry_the_line_of_their_request() -> None:
    assert (
        told(otlp.request(otlp.span(INFERENCE, 0)), otlp.request(otlp.span(PLAIN | {"session.id": "x"}, 1))).lines
        == [1] * 4 + [2] * 4
    )


@pytest.mark.parametrize("indent", [None, 2])
def test_a_document_of_one_piece_is_read(indent: int | None) -> None:
    data = json.dumps([otlp.request(otlp.span(MESSAGES, 0)), otlp.request(otlp.span(CHAT, 1))], indent=indent).encode()
    found = whole(READER, data, *OWN)
    assert found.lines == [1, 1, 1, 1, 2]
    assert READER.recognizes("trace.json", data[:4096]) == 3


def test_a_document_over_many_lines_is_read() -> None:
    data = json.dumps(otlp.request(otlp.span(MESSAGES)), indent=1).encode()
    assert len(whole(READER, data, *OWN).lines) == 4


@pytest.mark.parametrize("cut", [10, 200])
def test_a_document_that_is_cut_off_is_refused(cut: int) -> None:
    data = json.dumps(otlp.request(otlp.span(MESSAGES)), indent=1).encode()
    with pytest.raises(BadInput, match="not an OTLP document"):
        whole(READER, data[:-cut], *OWN)


def test_a_document_that_is_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "DOCUMENT_BYTES_MAX", 1_000)
    monkeypatch.setattr("tocsin.adapters.telemetry.lines.BLOCK_BYTES", 500)
    data = json.dumps(otlp.request(otlp.span(MESSAGES), otlp.span(INDEXED)), indent=1).encode()
    with pytest.raises(BadInput, match="in one piece"):
        whole(READER, data, *OWN)


def test_a_line_that_is_cut_off_is_named_and_the_rest_is_read() -> None:
    data = otlp.lines(otlp.request(otlp.span(MESSAGES)), otlp.request(otlp.span(INDEXED, 1)))[:-40]
    found = whole(READER, data, *OWN)
    assert found.lines == [1] * 4
    assert [(bad.line, bad.kind) for bad in found.bad] == [(2, "not an OTLP request")]


@pytest.mark.parametrize(
    "fields",
    [
        {"startTimeUnixNano": "soon"},
        {"attributes": [{"key": "gen_ai.usage.input_tokens", "value": {"intValue": "many"}}]},
        {"attributes": "none"},
        {"events": [{"name": 7}]},
    ],
)
def test_a_broken_span_is_named_and_its_neighbours_are_read(fields: dict[str, Any]) -> None:
    found = told(otlp.request(otlp.span(MESSAGES) | fields, otlp.span(CHAT, 1)))
    assert len(found.lines) == 1
    assert [(bad.line, bad.kind) for bad in found.bad] == [(1, "not an OTLP span")]
    assert found.bad[0].raw.startswith('{"traceId"')


def test_a_span_without_a_time_comes_without_one() -> None:
    found = told(otlp.request(otlp.span(CHAT, startTimeUnixNano="0", endTimeUnixNano=0)))
    assert found.columns["time"] == [None]


def test_values_that_nest_endlessly_are_named() -> None:
    deep = b'{"resourceSpans":' + b'[{"x":' * 3_000 + b"1" + b"}]" * 3_000 + b"}\n"
    assert whole(READER, deep + otlp.lines(otlp.request(otlp.span(CHAT))), *OWN).lines == [2]


@pytest.mark.parametrize("text", ['[{"role":', "{not json", "[1, 2]", '{"a": 1}', "\x00", ""])
def test_text_that_only_looks_like_json_stays_text(text: str) -> None:
    assert said(otlp.request(otlp.span(CHAT | {"gen_ai.prompt": text})))[0]["text"].replace(" ", "") == text.replace(
        " ", ""
    )


@pytest.mark.parametrize(
    "messages",
    [[None], [1], ["text"], [{"role": 3}], [{"role": "user", "parts": [None, 5, {"type": 9}]}], {"role": "user"}, 5],
)
def test_odd_messages_do_no_harm(messages: Any) -> None:
    rows = said(otlp.request(otlp.span(CHAT | {"gen_ai.input.messages": json.dumps(messages)})))
    assert all(row["role"] in ("user", "assistant") for row in rows)


def test_the_oldest_messages_are_forgotten_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tocsin.adapters.telemetry.seen.REMEMBERED_MAX", 2)
    calls = [_turn(n, ("system", "Be kind."), ("user", f"attack {n}"), answer="No.") for n in range(2)]
    assert [row["text"] for row in said(otlp.request(*calls))].count("Be kind.") == 2


def test_a_file_without_anything_gives_nothing() -> None:
    assert whole(READER, b"", *OWN).lines == []
    assert READER.recognizes("a.jsonl", b'{"text": "hello"}') == 0
