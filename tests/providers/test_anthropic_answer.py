"""Plain answers of Anthropic's, as they are and as chat completions."""

from __future__ import annotations

from typing import Any

import pytest
from anthropic.types import Message
from openai.types.chat import ChatCompletion
from pydantic import TypeAdapter

from app.core.json import Json, dumps
from app.core.usage import Usage
from app.core.wire import Frame, Operation
from tests.providers.anthropic_given import DIALECT, ask, message, provider

CHAT = TypeAdapter(ChatCompletion)
MESSAGE = TypeAdapter(Message)
HELLO: Json = {"type": "text", "text": "Hello"}


def completion(*content: Json, **fields: Any) -> Frame:
    frame = DIALECT.decode(ask(), provider(), message(*content, **fields))
    CHAT.validate_python(frame.data, strict=True)
    return frame


def passed(body: Json) -> Frame:
    frame = DIALECT.decode(ask(Operation.MESSAGES), provider(), body)
    MESSAGE.validate_json(dumps(frame.data), strict=True)
    return frame


def said(frame: Frame) -> Json:
    assert frame.data is not None
    found: Json = frame.data["choices"][0]["message"]
    return found


def test_an_answer_becomes_a_completion() -> None:
    frame = completion(HELLO)

    assert frame.data is not None
    assert frame.data["id"].startswith("chatcmpl-")
    assert frame.data["created"] == 1_700_000_000
    assert frame.data["model"] == "claude-sonnet-4-5-20250929"
    assert said(frame) == {"role": "assistant", "content": "Hello", "refusal": None}
    assert (frame.chars, frame.finish, frame.last) == (5, "stop", True)


def test_blocks_of_text_are_one_text_and_none_is_null() -> None:
    assert said(completion(HELLO, {"type": "text", "text": ", you"}))["content"] == "Hello, you"
    assert said(completion({"type": "tool_use", "id": "a", "name": "now", "input": {}}))["content"] is None


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("pause_turn", "stop"),
        ("tool_use", "tool_calls"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("refusal", "content_filter"),
        ("of_next_year", "stop"),
    ],
)
def test_every_reason_to_stop_is_said_in_openais_words(reason: str, finish: str) -> None:
    frame = completion(HELLO, reason=reason)

    assert frame.data is not None
    assert frame.data["choices"][0]["finish_reason"] == frame.finish == finish


def test_calls_carry_their_arguments_as_json_and_never_as_an_empty_string() -> None:
    frame = completion(
        {"type": "tool_use", "id": "a", "name": "weather", "input": {"city": "Rome"}},
        {"type": "tool_use", "id": "b", "name": "now", "input": {}},
        reason="tool_use",
    )
    assert said(frame)["tool_calls"] == [
        {"id": "a", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Rome"}'}},
        {"id": "b", "type": "function", "function": {"name": "now", "arguments": "{}"}},
    ]


def test_what_the_provider_ran_itself_is_no_call_of_the_clients() -> None:
    frame = completion(
        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "x"}},
        {"type": "web_search_tool_result", "tool_use_id": "s", "content": []},
        HELLO,
    )
    assert said(frame) == {"role": "assistant", "content": "Hello", "refusal": None}
    assert frame.chars == 5


def test_thinking_is_shown_as_reasoning_and_kept_whole_for_the_next_turn() -> None:
    thoughts = [
        {"type": "thinking", "thinking": "Hm", "signature": "sig"},
        {"type": "redacted_thinking", "data": "xyz"},
    ]
    frame = completion(*thoughts, HELLO)

    assert said(frame)["reasoning_content"] == "Hm"
    assert said(frame)["thinking_blocks"] == thoughts
    assert frame.chars == 7


def test_sources_on_the_web_are_annotations_at_their_place_in_the_text() -> None:
    source = {"type": "web_search_result_location", "url": "https://x.org", "title": "X", "cited_text": "..."}
    page = {"type": "page_location", "document_index": 0}
    frame = completion(HELLO, {"type": "text", "text": ", you", "citations": [source, page]})

    assert said(frame)["annotations"] == [
        {
            "type": "url_citation",
            "url_citation": {"url": "https://x.org", "title": "X", "start_index": 5, "end_index": 10},
        }
    ]


def test_tokens_of_the_cache_are_part_of_the_prompt_and_counted_once() -> None:
    frame = completion(
        HELLO,
        cache_read_input_tokens=100,
        cache_creation_input_tokens=1000,
        output_tokens_details={"thinking_tokens": 3},
    )
    assert frame.usage == Usage(1110, 7, cached_input=100, cache_write_input=1000, reasoning_output=3)
    assert frame.data is not None
    assert frame.data["usage"] == {
        "prompt_tokens": 1110,
        "completion_tokens": 7,
        "total_tokens": 1117,
        "prompt_tokens_details": {"cached_tokens": 100, "cache_write_tokens": 1000},
        "completion_tokens_details": {"reasoning_tokens": 3},
    }


def test_an_answer_of_several_rounds_costs_what_they_cost_together() -> None:
    rounds = [
        {"type": "compaction", "input_tokens": 5000, "output_tokens": 300},
        {"type": "message", "input_tokens": 10, "output_tokens": 7, "cache_read_input_tokens": 90},
    ]
    assert completion(HELLO, iterations=rounds).usage == Usage(5100, 307, cached_input=90)


def test_for_its_own_clients_an_answer_stays_as_it_is() -> None:
    body = message({**HELLO, "made_up": 1}, made_up=2)
    body["container"] = None

    frame = passed(body)
    assert frame.data is body
    assert (frame.chars, frame.finish, frame.usage) == (5, "stop", Usage(10, 7))


def test_what_the_official_types_require_is_put_in_where_a_server_leaves_it_out() -> None:
    body = message({"type": "thinking", "thinking": "Hm"}, HELLO, server_tool_use={"web_search_requests": 3})
    body |= {"stop_reason": "eos", "usage": {**body["usage"], "service_tier": "on_demand"}}
    del body["stop_sequence"]

    data = passed(body).data
    assert data is not None
    assert data["content"][0]["signature"] == ""
    assert data["stop_reason"] == "end_turn"
    assert data["usage"]["server_tool_use"] == {"web_search_requests": 3, "web_fetch_requests": 0}
    assert "service_tier" not in data["usage"]


def test_the_name_of_the_model_is_a_text_whatever_the_provider_gives() -> None:
    frame = DIALECT.decode(ask(body={"model": "fast"}), provider(), {**message(HELLO), "model": {}})

    assert frame.data is not None
    assert frame.data["model"] == "fast"


def test_a_count_of_tokens_stays_as_it_is() -> None:
    frame = DIALECT.decode(ask(Operation.COUNT_TOKENS), provider(), {"input_tokens": 12})

    assert frame.data == {"input_tokens": 12}
    assert frame.usage is None


@pytest.mark.parametrize("operation", [Operation.CHAT, Operation.MESSAGES, Operation.COUNT_TOKENS])
@pytest.mark.parametrize(
    "body",
    [
        {},
        {"type": "message"},
        {"type": "message", "content": [{}], "usage": {}},
        {"type": "error", "error": {}},
        {"input_tokens": True},
    ],
)
def test_what_is_no_answer_is_not_taken_for_one(operation: Operation, body: Json) -> None:
    with pytest.raises(ValueError, match=r"not an answer|not a message|no count"):
        DIALECT.decode(ask(operation), provider(), body)
