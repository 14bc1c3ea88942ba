"""Chat completions as Messages."""

from __future__ import annotations

from typing import Any

import pytest
from anthropic.types import Message

from app.core.json import Json, dumps
from app.core.usage import Usage
from app.core.wire import Frame
from tests.surfaces.messages_given import WEATHER, call, completion, official, request, translation


def answer(frame: Frame, **fields: Any) -> Json:
    made = translation(request(**fields)).whole(frame)
    official(Message).validate_json(dumps(made.data), strict=True)
    assert made.last
    assert (made.chars, made.usage) == (frame.chars, frame.usage)
    assert made.data is not None
    return made.data


def test_a_completion_becomes_a_message() -> None:
    made = answer(completion(content="Hello", usage=Usage(10, 5)))

    assert made.pop("id").startswith("msg_01")
    assert made == {
        "type": "message",
        "role": "assistant",
        "model": "gpt-4.1-2025-04-14",
        "content": [{"type": "text", "text": "Hello"}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": 10,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": 5,
        },
    }


def test_tokens_of_the_cache_are_no_part_of_the_input() -> None:
    usage = Usage(1000, 50, cached_input=700, cache_write_input=200, reasoning_output=30)

    assert answer(completion(content="Hello", usage=usage))["usage"] == {
        "input_tokens": 100,
        "cache_creation_input_tokens": 200,
        "cache_read_input_tokens": 700,
        "output_tokens": 50,
        "output_tokens_details": {"thinking_tokens": 30},
    }
    odd = answer(completion(content="Hello", usage=Usage(347, 18, cached_input=403)))["usage"]
    assert (odd["input_tokens"], odd["cache_read_input_tokens"]) == (0, 347)
    assert answer(completion(content="Hello"))["usage"] == {"input_tokens": 0, "output_tokens": 0}


def test_thinking_comes_first_then_text_then_calls() -> None:
    made = answer(
        completion(
            "tool_calls",
            content="Let me see",
            reasoning_content="Hm",
            tool_calls=[call("a", "weather", '{"city":"Rome"}'), call("b", "weather", "")],
        )
    )
    assert made["content"] == [
        {"type": "thinking", "thinking": "Hm", "signature": ""},
        {"type": "text", "text": "Let me see"},
        {"type": "tool_use", "id": "a", "name": "weather", "input": {"city": "Rome"}},
        {"type": "tool_use", "id": "b", "name": "weather", "input": {}},
    ]
    assert made["stop_reason"] == "tool_use"


def test_signed_thinking_keeps_its_signature() -> None:
    thoughts = [
        {"type": "thinking", "thinking": "Hm", "signature": "sig"},
        {"type": "redacted_thinking", "data": "xyz"},
    ]
    made = answer(completion(content="Hi", reasoning_content="Hm", thinking_blocks=thoughts))

    assert made["content"][:2] == thoughts


@pytest.mark.parametrize(
    ("finish", "reason"),
    [
        ("stop", "end_turn"),
        ("length", "max_tokens"),
        ("tool_calls", "tool_use"),
        ("function_call", "tool_use"),
        ("content_filter", "refusal"),
    ],
)
def test_every_finish_is_said_in_anthropics_words(finish: str, reason: str) -> None:
    assert answer(completion(finish, content="Hi"))["stop_reason"] == reason


def test_a_call_counts_for_more_than_the_reason_that_came_with_it() -> None:
    """With a named tool OpenAI says `stop` over a call."""
    assert answer(completion("stop", tool_calls=[call("a", "weather", "{}")]))["stop_reason"] == "tool_use"


def test_a_refusal_is_text_and_a_reason() -> None:
    made = answer(completion("stop", refusal="I cannot"))

    assert made["content"] == [{"type": "text", "text": "I cannot"}]
    assert made["stop_reason"] == "refusal"


def test_a_stop_sequence_is_named_where_the_provider_names_it() -> None:
    made = answer(completion("stop", content="Hi", choice={"stop_reason": "END"}))

    assert (made["stop_reason"], made["stop_sequence"]) == ("stop_sequence", "END")
    assert answer(completion("stop", content="Hi", choice={"stop_reason": 128_009}))["stop_reason"] == "end_turn"


def test_bad_arguments_are_shown_and_never_pass_for_none() -> None:
    made = answer(completion("tool_calls", tool_calls=[call("a", "delete_files", '{"path":')]))

    assert made["content"][0]["input"] == {"INVALID_JSON": '{"path":'}


def test_tools_get_back_the_names_that_were_cut() -> None:
    name = "n" * 100
    tools = [{**WEATHER, "name": name}]
    cut = translation(request(tools=tools)).ask.body["tools"][0]["function"]["name"]

    assert (
        answer(completion("tool_calls", tool_calls=[call("a", cut, "{}")]), tools=tools)["content"][0]["name"] == name
    )
