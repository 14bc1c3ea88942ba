"""A Responses request as a chat request, field by field."""

from __future__ import annotations

from typing import Any

import pytest
from openai.types.chat.completion_create_params import CompletionCreateParams
from pydantic import TypeAdapter

from app.core.errors import ErrorType, GatewayError
from app.core.wire import Operation
from tests.surfaces.responses_given import HELLO, WEATHER, chat, translation

SCHEMA = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}


def refused(**fields: Any) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        chat(**fields)
    assert caught.value.type is ErrorType.INVALID_REQUEST
    return caught.value


def test_a_question_becomes_a_chat_request() -> None:
    made = translation(HELLO)

    assert made.ask.operation is Operation.CHAT
    assert made.ask.body == {"model": "fast", "messages": [{"role": "user", "content": "Hello"}]}
    assert made.dropped == ()


def test_a_streams_usage_is_always_asked_for() -> None:
    assert translation(stream=True).ask.wants_usage


def test_instructions_become_the_first_message() -> None:
    assert chat(instructions="Be brief.")["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hello"},
    ]


def test_fields_that_mean_the_same_are_carried() -> None:
    given = {"temperature": 0.5, "top_p": 0.9, "user": "u", "service_tier": "flex", "prompt_cache_key": "k"}
    made = chat(max_output_tokens=99, **given)

    assert {name: made[name] for name in given} == given
    assert made["max_completion_tokens"] == 99


def test_tools_become_functions() -> None:
    made = chat(tools=[WEATHER, {"type": "function", "name": "now"}], parallel_tool_calls=False)

    assert made["tools"] == [
        {
            "type": "function",
            "function": {
                "name": "weather",
                "description": "The weather in a city.",
                "parameters": WEATHER["parameters"],
                "strict": True,
            },
        },
        {"type": "function", "function": {"name": "now", "parameters": {"type": "object", "properties": {}}}},
    ]
    assert made["parallel_tool_calls"] is False


def test_without_tools_nothing_is_said_of_them() -> None:
    assert chat(tools=[], tool_choice="auto", parallel_tool_calls=True) == chat()


@pytest.mark.parametrize("kind", ["web_search", "file_search", "code_interpreter", "mcp", "custom", "computer_use"])
def test_a_tool_that_its_provider_would_run_is_refused_by_its_place(kind: str) -> None:
    error = refused(tools=[WEATHER, {"type": kind, "name": "x"}])

    assert (error.param, error.code) == ("tools[1].type", "unsupported_value")
    assert kind in error.message


@pytest.mark.parametrize("mode", ["none", "auto", "required"])
def test_a_choice_by_a_word_is_the_same_word(mode: str) -> None:
    assert chat(tools=[WEATHER], tool_choice=mode)["tool_choice"] == mode


def test_a_named_choice_is_named() -> None:
    made = chat(tools=[WEATHER], tool_choice={"type": "function", "name": "weather"})

    assert made["tool_choice"] == {"type": "function", "function": {"name": "weather"}}


def test_tools_that_are_not_allowed_are_not_shown() -> None:
    allowed = {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "weather"}]}
    made = chat(tools=[{**WEATHER, "name": "other"}, WEATHER], tool_choice=allowed)

    assert made["tool_choice"] == "required"
    assert [tool["function"]["name"] for tool in made["tools"]] == ["weather"]


@pytest.mark.parametrize(
    "choice",
    [
        "some",
        {"type": "web_search"},
        {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "mcp", "server_label": "x"}]},
        {"type": "allowed_tools"},
    ],
)
def test_another_choice_is_refused(choice: Any) -> None:
    assert refused(tools=[WEATHER], tool_choice=choice).param == "tool_choice"


def test_a_format_becomes_a_response_format() -> None:
    schema = {"type": "json_schema", "name": "a", "description": "d", "schema": SCHEMA, "strict": True}

    assert "response_format" not in chat(text={"format": {"type": "text"}})
    assert chat(text={"format": {"type": "json_object"}})["response_format"] == {"type": "json_object"}
    assert chat(text={"format": schema})["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "a", "description": "d", "schema": SCHEMA, "strict": True},
    }


@pytest.mark.parametrize(
    ("form", "param"),
    [
        ({"type": "grammar"}, "text.format.type"),
        ({"type": "json_schema", "schema": {}}, "text.format.name"),
        ({"type": "json_schema", "name": "a"}, "text.format.schema"),
        ({"type": "json_schema", "name": "a", "schema": {}, "strict": "yes"}, "text.format.strict"),
        ({"type": "json_schema", "name": "a", "schema": {}, "description": 5}, "text.format.description"),
    ],
)
def test_a_format_that_is_none_is_refused(form: Any, param: str) -> None:
    assert refused(text={"format": form}).param == param


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({"text": {"verbosity": "endless"}}, "text.verbosity"),
        ({"reasoning": {"effort": 5}}, "reasoning.effort"),
        ({"tools": [{**WEATHER, "description": 5}]}, "tools[0].description"),
        ({"tools": [{**WEATHER, "strict": "yes"}]}, "tools[0].strict"),
        ({"tools": [{**WEATHER, "name": ""}]}, "tools[0].name"),
        ({"tools": [{**WEATHER, "parameters": []}]}, "tools[0].parameters"),
        ({"tool_choice": "some"}, "tool_choice"),
        ({"instructions": ["x"]}, "instructions"),
    ],
)
def test_what_could_not_even_be_repeated_in_the_answer_is_refused(given: Any, param: str) -> None:
    assert refused(**given).param == param


def test_effort_and_verbosity_are_said_in_chats_words() -> None:
    made = chat(reasoning={"effort": "high", "summary": "auto"}, text={"verbosity": "low"})

    assert (made["reasoning_effort"], made["verbosity"]) == ("high", "low")


def test_probabilities_of_tokens_are_asked_for_as_chat_asks_for_them() -> None:
    assert chat(include=["message.output_text.logprobs"])["logprobs"] is True
    assert chat(top_logprobs=3)["top_logprobs"] == 3
    assert chat(top_logprobs=3)["logprobs"] is True
    assert chat(include=["reasoning.encrypted_content"]) == chat()


@pytest.mark.parametrize(
    ("field", "value", "instead"),
    [
        ("previous_response_id", "resp_1", "send the whole conversation in input"),
        ("conversation", "conv_1", "send the whole conversation in input"),
        ("prompt", {"id": "pmpt_1"}, "send the text of the prompt"),
        ("background", True, "leave it out"),
        ("moderation", {"model": "m"}, ""),
    ],
)
def test_what_needs_the_providers_own_state_is_refused_with_what_to_do_instead(
    field: str, value: Any, instead: str
) -> None:
    with pytest.raises(GatewayError) as caught:
        translation({**HELLO, "stream": True, field: value})
    assert (caught.value.param, caught.value.code, caught.value.status) == (field, "unsupported_value", 400)
    assert instead in caught.value.message


def test_what_changes_nothing_of_the_answer_is_dropped_by_name() -> None:
    made = translation(store=True, truncation="auto", max_tool_calls=3, made_up=1)

    assert set(made.dropped) == {"store", "truncation", "max_tool_calls", "made_up"}
    assert made.ask.body == chat()


def test_what_the_sdk_says_by_itself_is_not_told() -> None:
    assert translation(store=False, truncation="disabled", background=False, metadata={"a": "b"}).dropped == ()


def test_what_is_made_is_an_official_chat_request() -> None:
    made = chat(
        instructions="Be brief.",
        tools=[WEATHER],
        tool_choice="auto",
        parallel_tool_calls=True,
        text={"format": {"type": "json_schema", "name": "a", "schema": SCHEMA}, "verbosity": "low"},
        reasoning={"effort": "low"},
        top_logprobs=2,
        max_output_tokens=10,
    )

    TypeAdapter(CompletionCreateParams).validate_python(made)
