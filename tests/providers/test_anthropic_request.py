"""A chat request in Anthropic's form, field by field."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.errors import ErrorType, GatewayError
from app.core.json import Json
from app.providers.anthropic_request import to_messages
from tests.providers.anthropic_given import WEATHER

HELLO = [{"role": "user", "content": "Hello"}]


def sent(model: str = "claude-sonnet-4-5", **fields: Any) -> Json:
    return to_messages({"model": "fast", "messages": HELLO, **fields}, model)[0]


def lost(model: str = "claude-sonnet-4-5", **fields: Any) -> tuple[str, ...]:
    return to_messages({"model": "fast", "messages": HELLO, **fields}, model)[1]


def refused(**fields: Any) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        sent(**fields)
    assert caught.value.type is ErrorType.INVALID_REQUEST
    assert caught.value.status == 400
    return caught.value


def test_a_question_needs_no_more_than_model_messages_and_a_limit() -> None:
    assert sent() == {
        "model": "claude-sonnet-4-5",
        "max_tokens": 64_000,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}],
    }


@pytest.mark.parametrize(
    ("model", "limit"),
    [
        ("claude-3-haiku-20240307", 4_096),
        ("claude-3-5-sonnet-20241022", 8_192),
        ("claude-sonnet-4-20250514", 64_000),
        ("claude-opus-4-1-20250805", 32_000),
        ("claude-opus-4-6", 128_000),
        ("anthropic/claude-opus-4.6", 128_000),
        ("eu.anthropic.claude-sonnet-4-5-20250929-v1:0", 64_000),
        ("claude-of-next-year", 128_000),
        ("somebody-elses-model", 8_192),
    ],
)
def test_without_a_limit_the_model_may_answer_as_long_as_it_can(model: str, limit: int) -> None:
    assert sent(model)["max_tokens"] == limit


def test_without_a_limit_the_configured_length_counts_more_than_our_table() -> None:
    body = {"messages": [{"role": "user", "content": "Hi"}]}
    assert to_messages(body, "claude-opus-4-6", 777)[0]["max_tokens"] == 777
    assert to_messages({**body, "max_tokens": 5}, "claude-opus-4-6", 777)[0]["max_tokens"] == 5


def test_both_names_of_the_limit_are_understood_and_the_newer_one_wins() -> None:
    assert sent(max_tokens=5)["max_tokens"] == 5
    assert sent(max_tokens=5, max_completion_tokens=6)["max_tokens"] == 6
    assert refused(max_tokens="many").param == "max_tokens"


def test_a_stop_word_travels_as_a_list() -> None:
    """Sent unwrapped, it is a 400."""
    assert sent(stop="END")["stop_sequences"] == ["END"]
    assert sent(stop=["A", "\n"])["stop_sequences"] == ["A"]
    assert lost(stop=["A", "\n"]) == ("stop",)


def test_a_tool_travels_with_its_schema_and_one_without_parameters_gets_an_empty_one() -> None:
    bare = {"type": "function", "function": {"name": "now"}}

    assert sent(tools=[WEATHER, bare])["tools"] == [
        {
            "name": "weather",
            "description": "The weather in a city.",
            "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        },
        {"name": "now", "input_schema": {"type": "object", "properties": {}}},
    ]


def test_a_strict_tool_stays_strict_where_the_model_can_be() -> None:
    strict = {"type": "function", "function": {**WEATHER["function"], "strict": True}}

    made = sent(tools=[strict])["tools"][0]
    assert made["strict"] is True
    assert made["input_schema"]["additionalProperties"] is False
    assert "strict" not in sent("claude-sonnet-4-0", tools=[strict])["tools"][0]
    assert lost("claude-sonnet-4-0", tools=[strict]) == ("tools.function.strict",)


def test_anthropics_own_tools_travel_as_they_are_and_other_kinds_are_refused() -> None:
    search = {"type": "web_search_20250305", "name": "web_search", "max_uses": 3}

    assert sent(tools=[search])["tools"] == [search]
    assert refused(tools=[WEATHER, {"type": "custom", "custom": {"name": "x"}}]).param == "tools[1].type"


@pytest.mark.parametrize(
    ("choice", "made"),
    [
        ("auto", {"type": "auto"}),
        ("required", {"type": "any"}),
        ("none", {"type": "none"}),
        ({"type": "function", "function": {"name": "weather"}}, {"type": "tool", "name": "weather"}),
    ],
)
def test_every_tool_choice_has_its_counterpart(choice: Any, made: Json) -> None:
    assert sent(tools=[WEATHER], tool_choice=choice)["tool_choice"] == made


def test_one_call_at_a_time_needs_a_choice_to_be_said_with() -> None:
    one: Json = {"tools": [WEATHER], "parallel_tool_calls": False}

    assert sent(**one)["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}
    assert sent(**one, tool_choice="required")["tool_choice"] == {"type": "any", "disable_parallel_tool_use": True}
    assert sent(**one, tool_choice="none")["tool_choice"] == {"type": "none"}
    assert "tool_choice" not in sent(parallel_tool_calls=False, tool_choice="auto")


def test_allowed_tools_are_the_only_ones_that_are_offered() -> None:
    other = {"type": "function", "function": {"name": "other"}}
    allowed = {"mode": "required", "tools": [{"type": "function", "function": {"name": "weather"}}]}

    made = sent(tools=[other, WEATHER], tool_choice={"type": "allowed_tools", "allowed_tools": allowed})
    assert [tool["name"] for tool in made["tools"]] == ["weather"]
    assert made["tool_choice"] == {"type": "any"}


def test_a_schema_for_the_answer_travels_without_what_anthropic_refuses() -> None:
    schema = {
        "type": "object",
        "properties": {
            "age": {"type": "integer", "minimum": 0},
            "tags": {"type": "array", "items": {"type": "string"}},
        },
        "required": ["age"],
    }
    form = {"type": "json_schema", "json_schema": {"name": "person", "strict": True, "schema": schema}}

    assert sent(response_format=form)["output_config"]["format"] == {
        "type": "json_schema",
        "schema": {
            "type": "object",
            "properties": {
                "age": {"type": "integer", "description": "{minimum: 0}"},
                "tags": {"type": "array", "items": {"type": "string"}},
            },
            "required": ["age"],
            "additionalProperties": False,
        },
    }


def test_json_without_a_schema_is_refused_and_plain_text_asks_for_nothing() -> None:
    assert refused(response_format={"type": "json_object"}).param == "response_format"
    assert "output_config" not in sent(response_format={"type": "text"})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("n", 2),
        ("logprobs", True),
        ("top_logprobs", 3),
        ("logit_bias", {"50256": -100}),
        ("functions", [{"name": "old"}]),
        ("audio", {"voice": "alloy", "format": "wav"}),
        ("modalities", ["text", "audio"]),
        ("web_search_options", {}),
    ],
)
def test_what_would_change_the_answer_is_refused_by_name(field: str, value: Any) -> None:
    error = refused(**{field: value})
    assert error.param == field
    assert error.provider is None


def test_neutral_values_are_passed_over_in_silence() -> None:
    neutral: Json = {
        "n": 1,
        "logprobs": False,
        "top_logprobs": None,
        "logit_bias": {},
        "presence_penalty": 0,
        "store": False,
    }
    assert lost(**neutral) == ()


def test_what_only_fine_tunes_the_answer_is_dropped_and_named() -> None:
    assert lost(seed=7, frequency_penalty=0.5, metadata={"a": "b"}, prompt_cache_key="k", made_up=1) == (
        "seed",
        "frequency_penalty",
        "metadata",
        "prompt_cache_key",
        "made_up",
    )


def test_temperatures_above_one_become_one_and_say_so() -> None:
    assert sent(temperature=1.7)["temperature"] == 1
    assert lost(temperature=1.7) == ("temperature",)
    assert sent(temperature=0)["temperature"] == 0
    assert lost(temperature=0) == ()


def test_models_get_of_the_sampling_parameters_what_they_take() -> None:
    given = {"temperature": 0.3, "top_p": 0.9, "top_k": 40}

    assert sent("claude-sonnet-4-0", **given).items() >= given.items()
    assert "top_p" not in sent("claude-sonnet-4-5", **given)
    assert lost("claude-sonnet-4-5", **given) == ("top_p",)
    assert given.keys().isdisjoint(sent("claude-opus-4-7", **given))
    assert lost("claude-opus-4-7", **given) == ("temperature", "top_p", "top_k")


def test_the_user_travels_unless_it_tells_who_somebody_is() -> None:
    assert sent(user="u-1")["metadata"] == {"user_id": "u-1"}
    assert sent(user="u-1", safety_identifier="s-1")["metadata"] == {"user_id": "s-1"}
    assert "metadata" not in sent(user="ann@example.org")
    assert lost(user="ann@example.org") == ("user",)


def test_service_tiers_travel_where_they_have_a_counterpart() -> None:
    assert sent(service_tier="default")["service_tier"] == "standard_only"
    assert lost(service_tier="flex") == ("service_tier",)


def test_cache_marks_travel_on_parts_messages_and_tools() -> None:
    mark = {"type": "ephemeral"}
    made = sent(
        messages=[
            {"role": "system", "content": [{"type": "text", "text": "Long rules", "cache_control": mark}]},
            {"role": "user", "content": "Hello", "cache_control": mark},
        ],
        tools=[{**WEATHER, "cache_control": mark}],
    )
    assert made["system"][0]["cache_control"] == mark
    assert made["messages"][0]["content"][0]["cache_control"] == mark
    assert made["tools"][0]["cache_control"] == mark
