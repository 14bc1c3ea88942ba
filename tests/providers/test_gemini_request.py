"""An OpenAI chat request in Gemini's form: everything but the conversation."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.errors import ErrorType, GatewayError
from app.core.json import Json
from tests.providers.gemini_given import NEW, OLD, WEATHER, lost, sent

SCHEMA: Json = {"type": "object", "properties": {"a": {"$ref": "#/$defs/A"}}, "$defs": {"A": {"const": 1}}}
CONFIG = "functionCallingConfig"


def test_a_question_is_one_content() -> None:
    assert sent() == {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}
    assert lost() == ()


def test_what_gemini_calls_otherwise_is_renamed() -> None:
    body = sent(
        max_completion_tokens=9, stop="END", temperature=1.5, top_p=0.5, top_k=3, seed=7, n=2, presence_penalty=0.1,
        frequency_penalty=0.2, logprobs=True, top_logprobs=2,
    )  # fmt: skip

    assert body["generationConfig"] == {
        "maxOutputTokens": 9, "stopSequences": ["END"], "temperature": 1.5, "topP": 0.5, "topK": 3, "seed": 7,
        "candidateCount": 2, "presencePenalty": 0.1, "frequencyPenalty": 0.2, "responseLogprobs": True, "logprobs": 2,
    }  # fmt: skip


def test_the_newer_name_of_the_limit_counts_and_the_older_one_does_too() -> None:
    assert sent(max_tokens=5)["generationConfig"] == {"maxOutputTokens": 5}
    assert sent(max_tokens=5, max_completion_tokens=6)["generationConfig"] == {"maxOutputTokens": 6}


@pytest.mark.parametrize("stop", [5, [1], {"a": "b"}])
def test_a_stop_that_is_no_text_is_refused(stop: Any) -> None:
    _refused("stop", stop=stop)


@pytest.mark.parametrize(
    ("tier", "expected", "dropped"),
    [("auto", None, ()), ("default", "standard", ()), ("flex", "flex", ()), ("scale", None, ("service_tier",))],
)
def test_tiers_are_googles(tier: str, expected: str | None, dropped: tuple[str, ...]) -> None:
    assert (sent(service_tier=tier).get("serviceTier"), lost(service_tier=tier)) == (expected, dropped)


def test_safety_settings_travel_as_they_are() -> None:
    settings = [{"category": "HARM_CATEGORY_HATE_SPEECH", "threshold": "BLOCK_NONE"}]

    assert sent(safety_settings=settings)["safetySettings"] == settings


@pytest.mark.parametrize("name", ["logit_bias", "functions", "audio", "web_search_options"])
def test_what_would_make_another_answer_is_refused(name: str) -> None:
    _refused(name, **{name: {"a": 1}})


def test_what_gemini_cannot_be_told_is_named() -> None:
    assert set(lost(user="u", store=True, parallel_tool_calls=False, made_up=1)) == {
        "user", "store", "parallel_tool_calls", "made_up",
    }  # fmt: skip


def test_some_json_and_a_schema_have_their_forms() -> None:
    assert sent(response_format={"type": "text"}).keys() == {"contents"}
    assert sent(response_format={"type": "json_object"})["generationConfig"] == {"responseMimeType": "application/json"}
    form = {"type": "json_schema", "json_schema": {"name": "x", "strict": True, "schema": SCHEMA}}
    assert sent(response_format=form)["generationConfig"] == {
        "responseMimeType": "application/json",
        "responseJsonSchema": {**SCHEMA, "$defs": {"A": {"enum": [1]}}},
    }


@pytest.mark.parametrize(
    ("form", "param"),
    [
        ({"type": "grammar"}, "response_format.type"),
        ({"type": "json_schema"}, "response_format.json_schema.schema"),
        ({"type": "json_schema", "json_schema": {"schema": "x"}}, "response_format.json_schema.schema"),
    ],
)
def test_a_form_that_is_none_is_refused(form: Json, param: str) -> None:
    _refused(param, response_format=form)


def test_tools_are_declared_with_their_schema_as_it_is() -> None:
    function = {**WEATHER["function"], "parameters": {"$schema": "http://s", **SCHEMA, "additionalProperties": False}}
    (tools,) = sent(tools=[{"type": "function", "function": function}])["tools"]

    assert tools["functionDeclarations"] == [
        {
            "name": "weather",
            "description": "How warm?",
            "parametersJsonSchema": {**SCHEMA, "$defs": {"A": {"enum": [1]}}, "additionalProperties": False},
        }
    ]


@pytest.mark.parametrize(
    "parameters", [None, {}, {"type": "object"}, {"type": "object", "properties": {}, "additionalProperties": False}]
)
def test_a_tool_without_arguments_has_no_schema(parameters: Json | None) -> None:
    (tools,) = sent(tools=[{"type": "function", "function": {"name": "now", "parameters": parameters}}])["tools"]

    assert tools == {"functionDeclarations": [{"name": "now"}]}


def test_keywords_that_gemini_cannot_read_are_left_out_but_not_properties_of_their_names() -> None:
    keywords = {"$schema": "s", "$id": "i", "$comment": "c", "strict": True, "cache_control": {}, "examples": [1]}
    schema = {
        "type": "object",
        **keywords,
        "properties": {"strict": {"type": "string", **keywords}, "const": {"const": "x"}, "$id": {"type": "string"}},
        "required": ["strict"],
    }
    (tools,) = sent(tools=[{"type": "function", "function": {"name": "f", "parameters": schema}}])["tools"]

    assert tools["functionDeclarations"][0]["parametersJsonSchema"] == {
        "type": "object",
        "properties": {"strict": {"type": "string"}, "const": {"enum": ["x"]}, "$id": {"type": "string"}},
        "required": ["strict"],
    }


def test_googles_own_tools_travel_beside_functions() -> None:
    assert sent(tools=[{"googleSearch": {}}, WEATHER, {"type": "x", "url_context": {}}])["tools"][:2] == [
        {"googleSearch": {}},
        {"url_context": {}},
    ]


@pytest.mark.parametrize("tool", [{"type": "custom", "custom": {}}, {"type": "function"}, {"run_this": {}}, "x"])
def test_any_other_tool_is_refused(tool: Any) -> None:
    _refused("tools[0].type", tools=[tool])


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (None, None),
        ("auto", {"mode": "AUTO"}),
        ("required", {"mode": "ANY"}),
        ("none", {"mode": "NONE"}),
        ({"type": "function", "function": {"name": "weather"}}, {"mode": "ANY", "allowedFunctionNames": ["weather"]}),
        (
            {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [WEATHER]}},
            {"mode": "ANY", "allowedFunctionNames": ["weather"]},
        ),
    ],
)
def test_who_may_choose_among_tools(choice: Any, expected: Json | None) -> None:
    body = sent(tools=[WEATHER], tool_choice=choice)

    assert body.get("toolConfig") == (None if expected is None else {CONFIG: expected})


def test_no_tools_and_a_choice_are_no_choice() -> None:
    assert sent(tools=[], tool_choice="none").keys() == {"contents"}


def test_tools_that_may_be_chosen_freely_are_the_only_ones_declared() -> None:
    other = {"type": "function", "function": {"name": "other"}}
    choice = {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [other]}}
    body = sent(tools=[WEATHER, other], tool_choice=choice)

    assert body["tools"] == [{"functionDeclarations": [{"name": "other"}]}]
    assert body["toolConfig"] == {CONFIG: {"mode": "AUTO"}}


def test_a_choice_that_is_none_is_refused() -> None:
    _refused("tool_choice", tools=[WEATHER], tool_choice="perhaps")


@pytest.mark.parametrize(
    ("model", "effort", "expected"),
    [
        (OLD, "none", {"thinkingBudget": 0}),
        (OLD, "minimal", {"thinkingBudget": 1024, "includeThoughts": True}),
        (OLD, "high", {"thinkingBudget": 24_576, "includeThoughts": True}),
        (OLD, "max", {"thinkingBudget": 24_576, "includeThoughts": True}),
        ("gemini-2.5-pro", "max", {"thinkingBudget": 32_768, "includeThoughts": True}),
        ("gemini-2.5-pro", "none", {"thinkingBudget": 128}),
        (NEW, "low", {"thinkingLevel": "LOW", "includeThoughts": True}),
        (NEW, "medium", {"thinkingLevel": "LOW", "includeThoughts": True}),
        (NEW, "max", {"thinkingLevel": "HIGH", "includeThoughts": True}),
        ("gemini-3.6-flash", "minimal", {"thinkingLevel": "MINIMAL", "includeThoughts": True}),
        ("models/gemini-3.6-flash", "none", {"thinkingLevel": "MINIMAL"}),
        ("google/gemini-3.6-flash-001", "minimal", {"thinkingLevel": "MINIMAL", "includeThoughts": True}),
        ("gemini-4-pro", "medium", {"thinkingLevel": "MEDIUM", "includeThoughts": True}),
        (OLD, None, None),
        (NEW, "default", None),
        ("gemini-2.0-flash", "high", None),
        ("gemma-3-27b-it", "high", None),
    ],
)
def test_an_effort_is_a_budget_or_a_level(model: str, effort: str | None, expected: Json | None) -> None:
    config = sent(model, reasoning_effort=effort).get("generationConfig", {})

    assert config.get("thinkingConfig") == expected


@pytest.mark.parametrize(("model", "effort"), [("gemini-2.0-flash", "high"), ("gemini-2.5-pro", "none"), (NEW, "none")])
def test_an_effort_that_the_model_cannot_make_is_named(model: str, effort: str) -> None:
    assert lost(model, reasoning_effort=effort) == ("reasoning_effort",)
    assert lost("gemini-2.0-flash", reasoning_effort="none") == ()


@pytest.mark.parametrize(
    ("model", "thinking", "expected"),
    [
        (OLD, {"type": "enabled", "budget_tokens": 5000}, {"thinkingBudget": 5000, "includeThoughts": True}),
        (OLD, {"type": "enabled", "budget_tokens": 99_999}, {"thinkingBudget": 24_576, "includeThoughts": True}),
        (OLD, {"type": "enabled"}, {"thinkingBudget": -1, "includeThoughts": True}),
        (OLD, {"type": "disabled"}, {"thinkingBudget": 0}),
        (NEW, {"type": "enabled", "budget_tokens": 30_000}, {"thinkingLevel": "HIGH", "includeThoughts": True}),
        (NEW, {"type": "enabled"}, {"includeThoughts": True}),
    ],
)
def test_anthropics_thinking_beside_openais_fields_is_understood(model: str, thinking: Json, expected: Json) -> None:
    assert sent(model, thinking=thinking)["generationConfig"]["thinkingConfig"] == expected


def test_an_effort_that_is_none_is_refused() -> None:
    _refused("reasoning_effort", reasoning_effort="enormous")


def _refused(param: str, **body: Any) -> None:
    with pytest.raises(GatewayError) as caught:
        sent(**body)
    assert (caught.value.type, caught.value.param) == (ErrorType.INVALID_REQUEST, param)
