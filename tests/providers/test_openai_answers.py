"""Whatever accent a provider answers in, the answer leaves as an official one."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.errors import ErrorType, GatewayError
from app.core.json import Json
from app.core.usage import Usage
from app.core.wire import Operation
from app.providers.openai_faults import NoAnswer
from tests.providers.talk import CREATED, ask, completion, provider, whole


def message_of(body: Json) -> Json:
    frame = whole(body)
    assert frame.data is not None
    message: Json = frame.data["choices"][0]["message"]
    return message


def assistant(**said: Any) -> Json:
    return {"role": "assistant", "content": None, **said}


def test_a_conforming_answer_travels_unchanged() -> None:
    body = completion(assistant(content="Hi", refusal=None, annotations=[], extra=1), service_tier="default", theirs={})
    frame = whole(body)

    assert frame.data == body
    assert (frame.chars, frame.finish, frame.usage, frame.last) == (2, "stop", Usage(input=5, output=7), True)


def test_what_is_missing_at_the_top_is_made_up() -> None:
    data = whole({"choices": [{"message": {"content": "Hi"}}]}).data or {}

    assert data["id"].startswith("chatcmpl-")
    assert (data["object"], data["created"], data["model"]) == ("chat.completion", CREATED, "public")
    assert data["choices"] == [{"message": {"role": "assistant", "content": "Hi"}, "index": 0, "finish_reason": "stop"}]


def test_a_call_without_arguments_has_an_empty_object() -> None:
    calls = [
        {"id": "call_1", "type": "function", "function": {"name": "now", "arguments": given}} for given in ("", None)
    ]

    told = message_of(completion(assistant(tool_calls=calls), "tool_calls"))["tool_calls"]
    assert [call["function"]["arguments"] for call in told] == ["{}", "{}"]


def test_missing_types_and_ids_of_calls_are_filled_in() -> None:
    function = {"name": "roll", "arguments": {"sides": 6}}
    (call,) = message_of(completion(assistant(tool_calls=[{"function": function}]), "tool_calls"))["tool_calls"]

    assert (call["type"], call["function"]["arguments"]) == ("function", '{"sides":6}')
    assert call["id"].startswith("call_")


def test_a_custom_call_travels_as_it_is() -> None:
    call = {"id": "call_1", "type": "custom", "custom": {"name": "shell", "input": "ls"}}

    assert message_of(completion(assistant(tool_calls=[call]), "tool_calls"))["tool_calls"] == [call]


def test_an_empty_list_of_calls_is_none() -> None:
    """vLLM; clients ask whether the key is there."""
    assert "tool_calls" not in message_of(completion(assistant(content="Hi", tool_calls=[])))


def test_thoughts_inside_a_list_of_content_are_told_from_text() -> None:
    content = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}], "closed": True},
        {"type": "text", "text": "144"},
        {"type": "reference", "reference_ids": [1]},
        {"type": "text", "text": "!"},
    ]
    message = message_of(completion(assistant(content=content)))

    assert (message["content"], message["reasoning_content"]) == ("144!", "Hm.")


def test_reasoning_is_shown_under_both_names() -> None:
    message = message_of(completion(assistant(content="4", reasoning="2 + 2")))

    assert message["reasoning"] == message["reasoning_content"] == "2 + 2"


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("eos", "stop"), ("model_length", "length"), (None, "stop"), ("", "stop"), ("odd", "stop"), ("length", "length")],
)
def test_finish_reasons_are_those_of_the_official_types(theirs: str | None, ours: str) -> None:
    assert whole(completion(assistant(content="Hi"), theirs)).finish == ours


def test_calls_with_the_finish_reason_stop_keep_it() -> None:
    """OpenAI itself, where one call was demanded by name."""
    call = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}

    assert whole(completion(assistant(tool_calls=[call]), "stop")).finish == "stop"
    assert whole(completion(assistant(tool_calls=[call]), None)).finish == "tool_calls"


def test_a_choice_that_was_blocked_has_an_empty_message() -> None:
    """Azure leaves it out."""
    body = completion({}, "content_filter")
    del body["choices"][0]["message"]

    assert message_of(body) == {"role": "assistant", "content": None, "refusal": None}


def test_citations_stay_and_other_annotations_go() -> None:
    cited = {"type": "url_citation", "url_citation": {"url": "u", "title": "t", "start_index": 0, "end_index": 1}}
    file = {"type": "file", "file": {"hash": "h"}}

    assert message_of(completion(assistant(content="Hi", annotations=[cited, file])))["annotations"] == [cited]


TOKEN: Json = {"token": "a", "logprob": -1, "bytes": [97], "top_logprobs": [{"token": "a", "logprob": -1.0}]}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"content": [TOKEN], "refusal": None}, {"content": [TOKEN], "refusal": None}),
        (
            {"content": [{"token": "a", "logprob": -1}]},
            {"content": [{"token": "a", "logprob": -1, "top_logprobs": []}]},
        ),
        ({"tokens": ["a"], "token_logprobs": [-1.0]}, {"tokens": ["a"], "token_logprobs": [-1.0]}),
        ({"content": ["a"]}, None),
        ({"content": [{"token": 1}]}, None),
        ([1], None),
    ],
    ids=["OpenAI", "no others", "Together", "texts", "numbers", "list"],
)
def test_log_probabilities_of_another_shape_are_left_out(given: Any, told: Json | None) -> None:
    body = completion(assistant(content="a"))
    body["choices"][0]["logprobs"] = given

    assert (whole(body).data or {})["choices"][0]["logprobs"] == told


def test_service_tiers_are_those_of_the_official_types() -> None:
    tiers = [
        (whole(completion(assistant(), service_tier=tier)).data or {}).get("service_tier")
        for tier in ("on_demand", "x")
    ]

    assert tiers == ["default", None]


@pytest.mark.parametrize(
    ("raw", "usage", "completion_tokens"),
    [
        ({"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}, Usage(5, 7), 7),
        (
            {
                "prompt_tokens": 5,
                "completion_tokens": 7,
                "total_tokens": 112,
                "completion_tokens_details": {"reasoning_tokens": 100},
            },
            Usage(5, 107, reasoning_output=100),
            107,
        ),
        ({"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 32}, Usage(5, 27), 27),
        (
            {
                "prompt_tokens": 5,
                "completion_tokens": 7,
                "total_tokens": 387,
                "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 375},
            },
            Usage(380, 7),
            7,
        ),
        ({"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 1}, Usage(5, 7), 7),
        ({"prompt_tokens": 11, "total_tokens": 11}, Usage(11, 0), 0),
        (
            {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12, "prompt_cache_hit_tokens": 4},
            Usage(5, 7, cached_input=4),
            7,
        ),
        (
            {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12, "cached_tokens": 4, "reasoning_tokens": 3},
            Usage(5, 7, cached_input=4, reasoning_output=3),
            7,
        ),
        (
            {
                "prompt_tokens": 5,
                "completion_tokens": 7,
                "total_tokens": 12,
                "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 1},
            },
            Usage(5, 7, cached_input=4, cache_write_input=1),
            7,
        ),
    ],
    ids=[
        "plain",
        "xAI",
        "Gemini",
        "Mistral, spoken to",
        "wrong total",
        "no completion",
        "DeepSeek",
        "Together",
        "OpenRouter",
    ],
)
def test_a_total_is_the_sum_of_its_parts(raw: Json, usage: Usage, completion_tokens: int) -> None:
    frame = whole(completion(assistant(content="Hi"), usage=raw))
    told = (frame.data or {})["usage"]

    assert frame.usage == usage
    assert told["completion_tokens"] == completion_tokens
    assert told["total_tokens"] == told["prompt_tokens"] + told["completion_tokens"]


@pytest.mark.parametrize(
    "body",
    [
        [],
        "text",
        {},
        {"choices": []},
        {"choices": None},
        {"choices": [1]},
        {"choices": [{"index": 0}]},
        {"choices": [{"message": "Hi"}]},
        {"choices": [{"message": {"content": 7}}]},
    ],
)
def test_what_is_no_answer_is_refused(body: Any) -> None:
    by = provider()

    with pytest.raises(NoAnswer):
        by.dialect.decode(ask(), by, body)


@pytest.mark.parametrize(
    ("body", "meant"),
    [
        ({"error": {"message": "boom", "code": 502}}, ErrorType.SERVER_ERROR),
        ({"error": {"message": "Provider returned error", "code": 429}}, ErrorType.RATE_LIMITED),
        ({"error": "boom"}, ErrorType.SERVER_ERROR),
        (completion(assistant(), "error"), ErrorType.SERVER_ERROR),
        ({"choices": [{"error": {"message": "boom", "code": 503}, "message": {}}]}, ErrorType.OVERLOADED),
    ],
)
def test_an_error_inside_a_200_has_its_meaning(body: Json, meant: ErrorType) -> None:
    with pytest.raises(GatewayError) as caught:
        whole(body)

    assert (caught.value.type, caught.value.provider) == (meant, "openai")


def test_a_text_completion_takes_its_names_from_the_official_types() -> None:
    """Together."""
    body = {"object": "text.completion", "choices": [{"text": "Hi", "finish_reason": "eos"}], "prompt": []}
    frame = whole(body, ask(Operation.COMPLETIONS, prompt="x"))
    data = frame.data or {}

    assert (data["object"], data["choices"][0]["finish_reason"], frame.chars) == ("text_completion", "stop", 2)
    assert data["id"].startswith("cmpl-")
