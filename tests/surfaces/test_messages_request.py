"""A Messages request as a chat request, field by field."""

from __future__ import annotations

from typing import Any

import pytest
from openai.types.chat.completion_create_params import CompletionCreateParams

from app.core.errors import ErrorType, GatewayError
from app.core.json import Json
from app.core.wire import Operation
from tests.surfaces.messages_given import WEATHER, chat, official, request, translation

LONG = "a_tool_whose_name_is_longer_than_the_sixty_four_characters_that_openai_takes"


def refused(**fields: Any) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        chat(**fields)
    assert caught.value.type is ErrorType.INVALID_REQUEST
    return caught.value


def test_a_question_becomes_a_chat_request() -> None:
    made = translation(request())

    assert made.ask.operation is Operation.CHAT
    assert made.ask.body == {
        "model": "fast",
        "messages": [{"role": "user", "content": "Hello"}],
        "max_completion_tokens": 100,
    }
    assert made.dropped == ()


def test_a_streams_usage_is_always_asked_for() -> None:
    assert translation(request(stream=True), stream=True).ask.wants_usage


def test_the_system_prompt_becomes_the_first_message() -> None:
    blocks = [{"type": "text", "text": "A", "cache_control": {"type": "ephemeral"}}, {"type": "text", "text": "B"}]

    assert chat(system="A")["messages"][0] == {"role": "system", "content": "A"}
    assert chat(system=blocks)["messages"][0] == {"role": "system", "content": "A\n\nB"}


def test_tools_become_functions() -> None:
    made = chat(tools=[{**WEATHER, "strict": True, "cache_control": {"type": "ephemeral"}}])

    assert made["tools"] == [
        {
            "type": "function",
            "function": {
                "name": "weather",
                "description": "The weather in a city.",
                "parameters": WEATHER["input_schema"],
                "strict": True,
            },
        }
    ]


@pytest.mark.parametrize(
    ("choice", "made"),
    [
        ({"type": "auto"}, {"tool_choice": "auto"}),
        ({"type": "any"}, {"tool_choice": "required"}),
        ({"type": "none"}, {"tool_choice": "none"}),
        ({"type": "tool", "name": "weather"}, {"tool_choice": {"type": "function", "function": {"name": "weather"}}}),
        (
            {"type": "auto", "disable_parallel_tool_use": True},
            {"tool_choice": "auto", "parallel_tool_calls": False},
        ),
    ],
)
def test_every_tool_choice_has_its_counterpart(choice: Json, made: Json) -> None:
    assert chat(tools=[WEATHER], tool_choice=choice).items() >= made.items()


def test_a_choice_without_tools_asks_for_nothing() -> None:
    assert "tool_choice" not in chat(tool_choice={"type": "auto"})


def test_long_names_are_cut_alike_in_every_turn() -> None:
    messages = [
        {"role": "user", "content": "?"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": LONG, "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "content": "x"}]},
    ]
    choice = {"type": "tool", "name": LONG}
    made = chat(messages=messages, tools=[{**WEATHER, "name": LONG}, WEATHER], tool_choice=choice)

    name = made["tools"][0]["function"]["name"]
    assert len(name) == 64
    assert made["messages"][1]["tool_calls"][0]["function"]["name"] == name
    assert made["tool_choice"]["function"]["name"] == name
    assert made["tools"][1]["function"]["name"] == "weather"


@pytest.mark.parametrize("kind", ["web_search_20250305", "code_execution_20260120", "computer_20250124"])
def test_tools_that_only_anthropic_has_are_refused(kind: str) -> None:
    error = refused(tools=[WEATHER, {"type": kind, "name": "it"}])

    assert error.param == "tools[1].type"
    assert kind in error.message


def test_what_means_the_same_travels_under_openais_name() -> None:
    made = chat(temperature=0.5, top_p=0.9, stop_sequences=["END"], metadata={"user_id": "u-1"}, stream=True)

    assert made["temperature"] == 0.5
    assert made["top_p"] == 0.9
    assert made["stop"] == ["END"]
    assert made["user"] == "u-1"
    assert made["stream"] is True
    assert len(chat(metadata={"user_id": "u" * 200})["user"]) == 64


@pytest.mark.parametrize(
    ("fields", "effort"),
    [
        ({"thinking": {"type": "enabled", "budget_tokens": 1024}}, "low"),
        ({"thinking": {"type": "enabled", "budget_tokens": 10_000}}, "medium"),
        ({"thinking": {"type": "enabled", "budget_tokens": 31_999}}, "high"),
        ({"thinking": {"type": "adaptive"}}, "medium"),
        ({"thinking": {"type": "adaptive"}, "output_config": {"effort": "xhigh"}}, "xhigh"),
        ({"output_config": {"effort": "low"}}, "low"),
        ({"thinking": {"type": "disabled"}}, "none"),
        ({}, None),
    ],
)
def test_thinking_becomes_an_effort(fields: Json, effort: str | None) -> None:
    assert chat(model="gpt-5.1", **fields).get("reasoning_effort") == effort


@pytest.mark.parametrize(
    ("model", "effort"), [("qwen/qwen3-32b", "none"), ("o3", None), ("gpt-5-mini", None), ("fast", None)]
)
def test_only_models_that_can_be_told_not_to_think_are(model: str, effort: str | None) -> None:
    made = translation(request(model=model, thinking={"type": "disabled"}))

    assert made.ask.body.get("reasoning_effort") == effort
    assert made.dropped == ()


def test_models_that_cannot_think_are_not_told_to() -> None:
    made = translation(request(model="openai/gpt-4.1", thinking={"type": "adaptive"}))

    assert "reasoning_effort" not in made.ask.body
    assert made.dropped == ("thinking",)


def test_a_schema_for_the_answer_is_strict_where_openai_takes_it_as_strict() -> None:
    closed = {
        "type": "object",
        "properties": {"a": {"type": "string"}},
        "required": ["a"],
        "additionalProperties": False,
    }
    form = chat(output_config={"format": {"type": "json_schema", "schema": closed}})["response_format"]
    assert form == {"type": "json_schema", "json_schema": {"name": "answer", "schema": closed, "strict": True}}

    for loose in ({**closed, "required": []}, {"type": "array", "items": {**closed, "additionalProperties": True}}):
        form = chat(output_format={"type": "json_schema", "schema": loose})["response_format"]
        assert "strict" not in form["json_schema"]


def test_what_only_fine_tunes_the_answer_is_dropped_and_named() -> None:
    made = translation(request(top_k=5, service_tier="standard_only", made_up=1))

    assert made.dropped == ("top_k", "service_tier", "made_up")
    assert "top_k" not in made.ask.body


@pytest.mark.parametrize("field", ["container", "mcp_servers", "inference_geo"])
def test_what_nobody_else_can_do_is_refused_by_name(field: str) -> None:
    assert refused(**{field: ["x"]}).param == field


def test_a_request_with_everything_is_one_that_openais_sdk_would_send() -> None:
    made = chat(
        model="gpt-5.1",
        system=[{"type": "text", "text": "A"}],
        tools=[WEATHER],
        tool_choice={"type": "any", "disable_parallel_tool_use": True},
        thinking={"type": "enabled", "budget_tokens": 2000},
        stop_sequences=["END"],
        metadata={"user_id": "u"},
        output_config={"format": {"type": "json_schema", "schema": {"type": "object"}}},
        temperature=1,
        stream=True,
    )
    official(CompletionCreateParams).validate_python(made)
