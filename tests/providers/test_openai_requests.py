"""A request travels as it came, but for the model's name, the key, and what a provider calls by another name."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from app.core.errors import ErrorType, GatewayError
from app.core.json import Json
from app.core.wire import Operation, UpstreamRequest
from app.providers import registry
from app.providers.quirks import nine
from tests.providers.talk import ask, provider

USER: Json = {"role": "user", "content": "Hello"}


def sent(kind: str = "openai", operation: Operation = Operation.CHAT, **body: Any) -> UpstreamRequest:
    of = ask(operation, **body)
    before = copy.deepcopy(of.body)
    by = provider(kind)
    request = by.dialect.encode(of, by, "their-model")
    assert of.body == before, "the ask was changed"
    return request


def test_only_the_model_is_replaced() -> None:
    body: Json = {
        "messages": [USER],
        "temperature": 0.5,
        "n": 1,
        "top_k": 40,
        "chat_template_kwargs": {"enable": False},
    }
    request = sent(**body)

    assert request.body == {**body, "model": "their-model"}
    assert (request.url, request.stream, request.dropped) == ("https://api.example/v1/chat/completions", False, ())
    assert request.headers["authorization"] == "Bearer sk-the-house-key"


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        (None, {"include_usage": True}),
        ({"include_usage": False}, {"include_usage": True}),
        ({"include_obfuscation": False}, {"include_obfuscation": False, "include_usage": True}),
    ],
)
def test_usage_is_asked_for_in_every_stream(given: Json | None, asked: Json) -> None:
    by = provider()
    options = {} if given is None else {"stream_options": given}
    of = ask(stream=True, **options)  # type: ignore[arg-type] # fields of the body

    assert by.dialect.encode(of, by, "m").body["stream_options"] == asked


def test_usage_is_not_asked_for_where_it_comes_anyway() -> None:
    by = provider("groq")

    assert "stream_options" not in by.dialect.encode(ask(stream=True), by, "m").body


def test_who_has_no_such_operation_says_so() -> None:
    by = provider("groq")

    with pytest.raises(GatewayError, match="groq has no embeddings, only chat") as caught:
        by.dialect.encode(ask(Operation.EMBEDDINGS, input="x"), by, "m")
    assert caught.value.type is ErrorType.MODEL_NOT_FOUND


def test_mistral_gets_its_own_names_and_none_that_it_refuses() -> None:
    request = sent("mistral", seed=7, max_completion_tokens=9, user="u", store=None, safe_prompt=True, logit_bias={})

    assert request.body.items() >= {"random_seed": 7, "max_tokens": 9, "safe_prompt": True}.items()
    assert not request.body.keys() & {"seed", "max_completion_tokens", "user", "store", "logit_bias"}
    assert request.dropped == ("user", "logit_bias")


def test_mistral_gets_ids_of_nine_letters_and_digits_that_still_match() -> None:
    call = {"id": "call_abcdefghijklmnopqrstuvwx", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    kept = {**call, "id": "abcDEF123"}
    history = [
        USER,
        {"role": "assistant", "content": None, "tool_calls": [call, kept]},
        {"role": "tool", "tool_call_id": call["id"], "content": "1"},
        {"role": "tool", "tool_call_id": kept["id"], "content": "2"},
    ]
    _, answer, first, second = sent("mistral", messages=history).body["messages"]

    assert [each["id"] for each in answer["tool_calls"]] == [first["tool_call_id"], second["tool_call_id"]]
    assert second["tool_call_id"] == "abcDEF123"
    assert len(first["tool_call_id"]) == 9
    assert first["tool_call_id"].isalnum()
    assert nine("call_1") == nine("call_1") != nine("call_2")


def test_openai_gets_no_id_of_more_than_forty_characters() -> None:
    """vLLM's have 45, and a conversation that began there may go on here."""
    long, short = "chatcmpl-tool-0123456789abcdef0123456789abcdef", "call_1"
    history = [
        {"role": "assistant", "tool_calls": [{"id": long}, {"id": short}]},
        {"role": "tool", "tool_call_id": long, "content": "1"},
        {"role": "tool", "tool_call_id": short, "content": "2"},
    ]
    answer, first, second = sent("openai", messages=history).body["messages"]

    assert answer["tool_calls"] == [{"id": first["tool_call_id"]}, {"id": short}]
    assert len(first["tool_call_id"]) <= 40
    assert second is history[2]
    assert sent("vllm", messages=history).body["messages"] is history


def test_mistral_is_asked_for_vectors_in_its_own_words() -> None:
    body = sent("mistral", Operation.EMBEDDINGS, input="x", dimensions=256).body

    assert (body["output_dimension"], "dimensions" in body) == (256, False)


def test_reasoning_in_the_history_goes_only_to_who_takes_it() -> None:
    said = {"role": "assistant", "content": "4", "reasoning": "2 + 2", "reasoning_content": "2 + 2", "refusal": None}
    by_kind = {kind: sent(kind, messages=[USER, said]) for kind in ("openai", "groq", "mistral", "deepseek")}

    assert by_kind["openai"].body["messages"] == [USER, said]
    assert by_kind["deepseek"].body["messages"] == [USER, said]
    assert by_kind["groq"].body["messages"][1] == {"role": "assistant", "content": "4", "reasoning": "2 + 2"}
    assert by_kind["mistral"].body["messages"][1] == {"role": "assistant", "content": "4"}
    assert by_kind["mistral"].dropped == ("messages[].reasoning", "messages[].reasoning_content")


def test_groq_gets_no_nulls_and_no_names() -> None:
    """It refuses `function_call: null`; null content beside calls it takes."""
    history = [
        {**USER, "name": "ann"},
        {"role": "assistant", "content": None, "function_call": None, "tool_calls": [{"id": "call_1"}]},
    ]
    request = sent("groq", messages=history, service_tier="default")

    assert request.body["messages"] == [USER, {"role": "assistant", "content": None, "tool_calls": [{"id": "call_1"}]}]
    assert (request.body["service_tier"], request.dropped) == ("on_demand", ("messages[].name",))


@pytest.mark.parametrize(("name", "value"), [("n", 2), ("logprobs", True), ("top_logprobs", 5)])
def test_groq_refuses_what_would_change_the_answer(name: str, value: Any) -> None:
    with pytest.raises(GatewayError, match=name) as caught:
        sent("groq", **{name: value})

    assert (caught.value.type, caught.value.status, caught.value.param) == (ErrorType.INVALID_REQUEST, 400, name)


def test_a_refused_field_that_asks_for_nothing_is_passed_over() -> None:
    request = sent("groq", n=1, logprobs=False, top_logprobs=None)

    assert not request.body.keys() & {"n", "logprobs", "top_logprobs"}
    assert request.dropped == ()


def test_the_developer_is_the_system_to_who_knows_no_developer() -> None:
    told = {"role": "developer", "content": "Be brief"}

    assert sent("openai", messages=[told]).body["messages"] == [told]
    assert sent("deepseek", messages=[told]).body["messages"] == [{**told, "role": "system"}]


def test_perplexity_is_asked_for_bytes_at_another_path() -> None:
    request = sent("perplexity", Operation.EMBEDDINGS, input="x", encoding_format="base64")

    assert (request.url, request.body["encoding_format"]) == ("https://api.example/v1/embeddings", "base64_int8")


# Where it goes


@pytest.mark.parametrize(
    ("base_url", "version", "url"),
    [
        (
            "https://r.openai.azure.com",
            None,
            "https://r.openai.azure.com/openai/deployments/my%20gpt/chat/completions?api-version=2024-10-21",
        ),
        (
            "https://r.openai.azure.com/openai/",
            "2025-01-01",
            "https://r.openai.azure.com/openai/deployments/my%20gpt/chat/completions?api-version=2025-01-01",
        ),
        ("https://r.openai.azure.com/openai/v1/", None, "https://r.openai.azure.com/openai/v1/chat/completions"),
        (
            "https://r.openai.azure.com/openai/v1",
            "preview",
            "https://r.openai.azure.com/openai/v1/chat/completions?api-version=preview",
        ),
        (
            "https://r.services.ai.azure.com/models",
            None,
            "https://r.services.ai.azure.com/models/chat/completions?api-version=2024-05-01-preview",
        ),
    ],
)
def test_azure_has_three_families_of_urls(base_url: str, version: str | None, url: str) -> None:
    by = registry.build("azure", "azure", base_url=base_url, key="k", api_version=version)
    request = by.dialect.encode(ask(), by, "my gpt")

    assert (request.url, request.headers, request.body["model"]) == (url, {"api-key": "k"}, "my gpt")


@pytest.mark.parametrize(
    ("kind", "base_url", "url"),
    [
        ("openai", None, "https://api.openai.com/v1/chat/completions"),
        ("openai", "http://h:1", "http://h:1/v1/chat/completions"),
        ("openai", "http://h:1/", "http://h:1/v1/chat/completions"),
        ("openai", "http://h:1/v1/", "http://h:1/v1/chat/completions"),
        ("openai", "http://h:1/mine", "http://h:1/mine/chat/completions"),
        ("groq", "http://h:1", "http://h:1/openai/v1/chat/completions"),
        ("deepseek", None, "https://api.deepseek.com/chat/completions"),
        ("compatible", "http://h:1", "http://h:1/v1/chat/completions"),
        ("simulated", None, "simulated:/chat/completions"),
    ],
)
def test_a_base_url_is_what_the_official_sdk_takes(kind: str, base_url: str | None, url: str) -> None:
    by = registry.build("mine", kind, base_url=base_url)

    assert by.dialect.encode(ask(), by, "m").url == url
