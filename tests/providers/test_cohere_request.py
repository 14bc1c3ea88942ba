"""A chat request on its way to Cohere."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.errors import GatewayError
from app.core.json import Json
from app.core.wire import Operation, UpstreamRequest
from tests.providers.talk import ask, provider

WEATHER: Json = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
TIME: Json = {"type": "function", "function": {"name": "time", "strict": True}}


def sent(model: str = "command-a-plus-05-2026", **body: Any) -> UpstreamRequest:
    cohere = provider("cohere", base_url="https://api.cohere.com")
    return cohere.dialect.encode(ask(**body), cohere, model)


def refused(**body: Any) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        sent(**body)
    return caught.value


@pytest.mark.parametrize(
    "base_url", ["https://api.cohere.com", "https://api.cohere.com/v1", "https://api.cohere.com/v2"]
)
def test_the_version_of_the_api_hangs_on_the_operation_and_not_on_the_base_url(base_url: str) -> None:
    cohere = provider("cohere", base_url=base_url)

    assert cohere.dialect.encode(ask(), cohere, "m").url == "https://api.cohere.com/v2/chat"


def test_fields_get_cohere_s_names() -> None:
    request = sent(max_completion_tokens=9, stop="END", top_p=0.5, top_k=40, seed=7, temperature=0.2)

    assert request.body == {
        "model": "command-a-plus-05-2026",
        "messages": [{"role": "user", "content": "Hello"}],
        "max_tokens": 9,
        "stop_sequences": ["END"],
        "p": 0.5,
        "k": 40,
        "seed": 7,
        "temperature": 0.2,
        "stream": False,
    }
    assert request.dropped == ()


def test_a_value_out_of_cohere_s_range_becomes_the_nearest_and_the_client_is_told() -> None:
    request = sent(temperature=1.7, frequency_penalty=-1)

    assert (request.body["temperature"], request.body["frequency_penalty"]) == (1, 0)
    assert request.dropped == ("temperature", "frequency_penalty")


def test_the_neutral_top_p_of_openai_is_said_as_nearly_as_cohere_can_without_a_word() -> None:
    request = sent(top_p=1)

    assert request.body["p"] == 0.99
    assert request.dropped == ()


def test_text_beside_calls_is_the_plan_and_reasoning_goes_before_it() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": ""}}
    said = {"role": "assistant", "content": "I look.", "tool_calls": [call], "reasoning_content": "Hm."}
    result = {"role": "tool", "tool_call_id": "c1", "content": "rain", "name": "weather"}

    _, assistant, tool = sent(messages=[{"role": "user", "content": "?"}, said, result]).body["messages"]

    assert assistant == {
        "role": "assistant",
        "content": [{"type": "thinking", "thinking": "Hm."}],
        "tool_plan": "I look.",
        "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}],
    }
    assert tool == {"role": "tool", "tool_call_id": "c1", "content": "rain"}


def test_a_model_that_does_not_think_is_not_shown_thoughts_nor_told_to_think() -> None:
    said = {"role": "assistant", "content": "Hi", "reasoning_content": "Hm."}
    request = sent("command-r-08-2024", messages=[said], reasoning_effort="high")

    assert request.body["messages"] == [{"role": "assistant", "content": "Hi"}]
    assert "thinking" not in request.body
    assert request.dropped == ("reasoning_effort",)


@pytest.mark.parametrize(
    ("asked", "thinking"),
    [
        ({"reasoning_effort": "none"}, {"type": "disabled"}),
        ({"reasoning_effort": "low"}, {"type": "enabled", "token_budget": 1024}),
        ({"reasoning_effort": "max"}, {"type": "enabled"}),
        ({"thinking": {"type": "enabled", "token_budget": 300}}, {"type": "enabled", "token_budget": 300}),
        ({"thinking": {"type": "enabled", "budget_tokens": 300}}, {"type": "enabled", "token_budget": 300}),
        ({"thinking": {"type": "disabled"}}, {"type": "disabled"}),
    ],
)
def test_how_much_to_think_can_be_said_in_three_languages(asked: Json, thinking: Json) -> None:
    assert sent(**asked).body["thinking"] == thinking


@pytest.mark.parametrize(
    ("choice", "told", "names"),
    [
        (None, None, ["weather", "time"]),
        ("auto", None, ["weather", "time"]),
        ("none", "NONE", ["weather", "time"]),
        ("required", "REQUIRED", ["weather", "time"]),
        ({"type": "function", "function": {"name": "time"}}, "REQUIRED", ["time"]),
    ],
)
def test_a_named_tool_is_the_only_one_and_required(choice: Any, told: str | None, names: list[str]) -> None:
    body = sent(tools=[WEATHER, TIME], tool_choice=choice).body

    assert body.get("tool_choice") == told
    assert [tool["function"]["name"] for tool in body["tools"]] == names


def test_cohere_is_strict_with_all_tools_or_with_none() -> None:
    assert sent(tools=[TIME]).body["strict_tools"] is True
    mixed = sent(tools=[TIME, WEATHER])
    assert "strict_tools" not in mixed.body
    assert mixed.dropped == ("tools.function.strict",)


def test_a_schema_and_any_json_are_both_told() -> None:
    schema: Json = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
    form = {"type": "json_schema", "json_schema": {"name": "x", "strict": True, "schema": schema}}

    assert sent(response_format=form).body["response_format"] == {"type": "json_object", "json_schema": schema}
    assert sent(response_format={"type": "json_object"}).body["response_format"] == {"type": "json_object"}


def test_images_keep_their_detail() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA==", "detail": "low"}}
    content = [{"type": "text", "text": "What is it?"}, image]

    assert sent(messages=[{"role": "user", "content": content}]).body["messages"][0]["content"] == content


def test_documents_to_answer_from_travel() -> None:
    documents = [{"id": "1", "data": {"text": "The sky is green."}}]

    assert sent(documents=documents).body["documents"] == documents


def test_what_would_change_the_answer_is_refused_and_the_rest_is_told() -> None:
    assert refused(n=2).param == "n"
    assert refused(logprobs=True).param == "logprobs"
    audio = {"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}
    assert refused(messages=[{"role": "user", "content": [audio]}]).param == "messages[0].content[0].type"
    assert sent(user="u", parallel_tool_calls=False, made_up=1).dropped == ("user", "parallel_tool_calls", "made_up")


def test_an_embedding_is_asked_for_in_cohere_s_words() -> None:
    cohere = provider("cohere", base_url="https://api.cohere.com")
    asked = ask(Operation.EMBEDDINGS, input="one", dimensions=256, encoding_format="base64", user="u")
    request = cohere.dialect.encode(asked, cohere, "embed-v4.0")

    assert request.url.endswith("/v2/embed")
    assert request.body == {
        "model": "embed-v4.0",
        "texts": ["one"],
        "input_type": "search_document",
        "embedding_types": ["float"],
        "output_dimension": 256,
    }
    assert request.dropped == ("user",)


@pytest.mark.parametrize("tokens", [[1, 2], [[1], [2]]])
def test_openai_s_tokens_mean_nothing_to_cohere(tokens: list[Any]) -> None:
    cohere = provider("cohere")
    with pytest.raises(GatewayError) as caught:
        cohere.dialect.encode(ask(Operation.EMBEDDINGS, input=tokens), cohere, "embed-v4.0")

    assert caught.value.param == "input"
