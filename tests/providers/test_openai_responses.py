"""Responses that are passed through: where to, what of a request travels, and what is put right in an answer."""

from __future__ import annotations

import pytest

from app.core.errors import ErrorType, GatewayError
from app.core.ids import thought_id
from app.core.json import Json
from app.core.usage import Usage
from app.core.wire import Operation
from app.providers.openai_faults import NoAnswer
from tests.providers.responses_given import RESPONSE, asking, failed, streamed
from tests.providers.talk import ask, provider, whole


def shown(body: Json) -> Json:
    made: Json = whole(body, asking()).data or {}
    return made


def test_an_answer_comes_through_as_it_is() -> None:
    frame = whole(RESPONSE, asking())

    assert frame.data == RESPONSE
    assert (frame.chars, frame.finish, frame.usage) == (2, "stop", Usage(10, 5, 4, 3, 2))


def test_a_request_travels_unchanged_but_for_the_model() -> None:
    body = {"previous_response_id": "resp_0", "store": True, "x": {"kept": None}, "stream_options": {"a": 1}}
    by = provider()
    sent = by.dialect.encode(asking(stream=True, **body), by, "gpt-x")

    assert sent.url == "https://api.example/v1/responses"
    assert sent.body == {"input": "Hello", "model": "gpt-x", "stream": True, **body}
    assert sent.dropped == ()


def test_what_the_gateway_gave_out_for_another_provider_is_left_out() -> None:
    call = {"type": "function_call", "call_id": "a", "name": "now", "arguments": "{}"}
    own = {"type": "reasoning", "id": "rs_1", "summary": []}
    given = [{"type": "reasoning", "id": thought_id(), "summary": []}, own, {**call, "extra_content": {"google": {}}}]
    by = provider()
    sent = by.dialect.encode(ask(Operation.RESPONSES, input=given), by, "gpt-x")

    assert sent.body["input"] == [own, call]
    assert sent.dropped == ("input[].reasoning", "input[].extra_content")
    assert len(given) == 3


@pytest.mark.parametrize(
    ("base", "version", "url"),
    [
        ("https://r.openai.azure.com", None, "https://r.openai.azure.com/openai/v1/responses"),
        ("https://r.openai.azure.com", "2024-10-21", "https://r.openai.azure.com/openai/v1/responses"),
        ("https://r.openai.azure.com/openai", "preview", "https://r.openai.azure.com/openai/v1/responses"),
        (
            "https://r.openai.azure.com",
            "2025-03-01-preview",
            "https://r.openai.azure.com/openai/responses?api-version=2025-03-01-preview",
        ),
        ("https://r.openai.azure.com/openai/v1", None, "https://r.openai.azure.com/openai/v1/responses"),
        ("https://r.services.ai.azure.com/models", None, "https://r.services.ai.azure.com/openai/v1/responses"),
        (
            "https://r.services.ai.azure.com/models",
            "2025-05-01-preview",
            "https://r.services.ai.azure.com/openai/v1/responses",
        ),
    ],
)
def test_every_family_of_azure_has_a_place_for_them(base: str, version: str | None, url: str) -> None:
    by = provider("azure", base, api_version=version)

    assert by.dialect.encode(asking(), by, "prod").url == url


@pytest.mark.parametrize(
    "missing", ["parallel_tool_calls", "tool_choice", "tools", "id", "object", "created_at", "model"]
)
def test_what_is_required_and_missing_is_filled_in(missing: str) -> None:
    body = {name: value for name, value in RESPONSE.items() if name != missing}

    assert shown(body)[missing] is not None


def test_what_the_request_asked_for_is_repeated_where_the_provider_does_not() -> None:
    body = {name: value for name, value in RESPONSE.items() if name not in ("tools", "tool_choice")}
    tools = [{"type": "function", "name": "now", "parameters": None, "strict": None}]
    frame = whole(body, asking(tools=tools, tool_choice="none"))

    assert frame.data is not None
    assert (frame.data["tools"], frame.data["tool_choice"]) == (tools, "none")


def test_details_of_usage_that_a_provider_does_not_know_are_none() -> None:
    made = shown({**RESPONSE, "usage": {"input_tokens": 3, "output_tokens": 2}})

    assert made["usage"] == {
        "input_tokens": 3,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": 2,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 5,
    }


def test_parts_and_items_that_lack_what_is_required_get_it() -> None:
    made = shown(
        {
            **RESPONSE,
            "output": [
                {"type": "reasoning", "id": "rs_1"},
                {"type": "message", "content": [{"type": "output_text", "text": "Hi"}]},
                {"type": "function_call", "call_id": "a", "name": "now"},
            ],
        }
    )

    assert [item["type"] for item in made["output"]] == ["reasoning", "message", "function_call"]
    assert made["output"][1]["content"][0]["annotations"] == []


@pytest.mark.parametrize("body", [{}, {"output": None}, {"output": "Hi"}])
def test_a_body_without_output_is_no_answer(body: Json) -> None:
    with pytest.raises(NoAnswer):
        whole(body, asking())


@pytest.mark.parametrize(
    ("error", "named"),
    [
        ({"code": "server_error", "message": "no"}, ErrorType.SERVER_ERROR),
        ({"code": "rate_limit_exceeded", "message": "no"}, ErrorType.RATE_LIMITED),
        ({"code": "invalid_prompt", "message": "no"}, ErrorType.CONTENT_FILTER),
        ({"code": "invalid_image_url", "message": "no"}, ErrorType.INVALID_REQUEST),
        (None, ErrorType.SERVER_ERROR),
    ],
)
def test_a_response_that_failed_is_a_failure(error: Json | None, named: ErrorType) -> None:
    body = {**RESPONSE, "status": "failed", "error": error, "output": []}

    with pytest.raises(GatewayError) as caught:
        whole(body, asking())
    assert (caught.value.type, caught.value.provider) == (named, "openai")
    assert failed({"type": "response.failed", "sequence_number": 1, "response": body}).type is named


@pytest.mark.parametrize(
    ("details", "finish"),
    [({"reason": "max_output_tokens"}, "length"), ({"reason": "content_filter"}, "content_filter"), (None, "length")],
)
def test_an_incomplete_answer_is_an_answer(details: Json | None, finish: str) -> None:
    body = {**RESPONSE, "status": "incomplete", "incomplete_details": details}

    assert whole(body, asking()).finish == finish
    last = streamed({"type": "response.incomplete", "sequence_number": 0, "response": body})[-1]
    assert (last.finish, last.last) == (finish, True)


@pytest.mark.parametrize("kind", ["openai", "azure", "deepseek", "openrouter", "xai"])
def test_who_speaks_responses_is_asked_in_them(kind: str) -> None:
    assert Operation.RESPONSES in provider(kind).dialect.native


@pytest.mark.parametrize("kind", ["compatible", "simulated", "anthropic", "groq", "mistral", "vllm"])
def test_everybody_else_is_asked_in_chat(kind: str) -> None:
    assert Operation.RESPONSES not in provider(kind).dialect.native
