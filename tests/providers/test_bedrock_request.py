"""A chat request on its way to Converse."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.errors import GatewayError
from app.core.json import Json, loads
from app.core.provider import Cloud
from app.core.wire import Framing, UpstreamRequest
from app.providers import registry
from tests.providers.talk import ask

CLAUDE = "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"
NOVA = "us.amazon.nova-2-lite-v1:0"
LLAMA = "meta.llama3-3-70b-instruct-v1:0"
BY = registry.build("bedrock", "bedrock", cloud=Cloud(region="eu-central-1"), key="k")
WEATHER: Json = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
CALLS = [
    {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Köln"}'}},
    {"id": "c2", "type": "function", "function": {"name": "time", "arguments": ""}},
]
LOOP: list[Json] = [
    {"role": "user", "content": "Weather and time?"},
    {"role": "assistant", "content": None, "tool_calls": CALLS},
    {"role": "tool", "tool_call_id": "c1", "content": "rain"},
    {"role": "tool", "tool_call_id": "c2", "content": "noon"},
    {"role": "user", "content": "And?"},
]


def sent(model: str = CLAUDE, **body: Any) -> UpstreamRequest:
    return BY.dialect.encode(ask(**body), BY, model)


def refused(**body: Any) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        sent(**body)
    return caught.value


def user(*parts: Json) -> list[Json]:
    return [{"role": "user", "content": list(parts)}]


def test_the_host_hangs_on_the_region_and_the_path_on_the_model() -> None:
    arn = "arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/abc"
    plain = sent(arn)
    stream = BY.dialect.encode(ask(stream=True), BY, CLAUDE)

    assert plain.url == (
        "https://bedrock-runtime.eu-central-1.amazonaws.com/model/"
        "arn%3Aaws%3Abedrock%3Aeu-central-1%3A123456789012%3Aapplication-inference-profile%2Fabc/converse"
    )
    assert stream.url.endswith("/eu.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse-stream")
    assert stream.framing is Framing.AWS
    assert not {"model", "stream"} & {*plain.body, *stream.body}


def test_fields_get_converse_s_names() -> None:
    request = sent(LLAMA, max_tokens=9, temperature=0.5, top_p=0.9, stop=["END", " "])

    assert request.body == {
        "messages": [{"role": "user", "content": [{"text": "Hello"}]}],
        "inferenceConfig": {"maxTokens": 9, "temperature": 0.5, "topP": 0.9, "stopSequences": ["END"]},
    }
    assert request.dropped == ("stop",)


def test_all_results_of_one_turn_stand_in_one_message_before_what_the_user_says() -> None:
    """Peers have sent a message for each of them, which Bedrock refuses."""
    body = sent(messages=LOOP, tools=[WEATHER]).body

    assert [message["role"] for message in body["messages"]] == ["user", "assistant", "user"]
    assert body["messages"][1]["content"] == [
        {"toolUse": {"toolUseId": "c1", "name": "weather", "input": {"city": "Köln"}}},
        {"toolUse": {"toolUseId": "c2", "name": "time", "input": {}}},
    ]
    assert body["messages"][2]["content"] == [
        {"toolResult": {"toolUseId": "c1", "content": [{"text": "rain"}]}},
        {"toolResult": {"toolUseId": "c2", "content": [{"text": "noon"}]}},
        {"text": "And?"},
    ]


def test_a_result_without_a_word_is_still_a_result() -> None:
    body = sent(messages=[*LOOP[:2], {"role": "tool", "tool_call_id": "c1", "content": ""}]).body

    assert body["messages"][-1]["content"][0]["toolResult"]["content"] == [{"json": {}}]


def test_tools_that_a_conversation_has_used_stay_declared() -> None:
    """Bedrock refuses a conversation with calls in it and no tools beside."""
    tools = sent(messages=LOOP).body["toolConfig"]["tools"]

    assert [tool["toolSpec"]["name"] for tool in tools] == ["weather", "time"]


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        (None, None),
        ("auto", {"auto": {}}),
        ("required", {"any": {}}),
        ({"type": "function", "function": {"name": "weather"}}, {"tool": {"name": "weather"}}),
    ],
)
def test_who_may_choose_among_tools(choice: Any, told: Json | None) -> None:
    assert sent(tools=[WEATHER], tool_choice=choice).body["toolConfig"].get("toolChoice") == told


def test_no_tool_may_be_called_where_none_is_offered() -> None:
    """Converse has no word for `none`, and peers that leave it out let the model choose."""
    fresh = sent(tools=[WEATHER], tool_choice="none")
    under_way = sent(messages=LOOP, tools=[WEATHER], tool_choice="none")

    assert "toolConfig" not in fresh.body
    assert fresh.dropped == ()
    assert under_way.dropped == ("tool_choice",)


def test_ids_of_other_providers_become_ids_that_bedrock_takes_in_both_places() -> None:
    long = "call|" + "x" * 80
    call = {**CALLS[0], "id": long}
    said = [
        LOOP[0],
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": long, "content": "x"},
    ]
    messages = sent(messages=said).body["messages"]

    used, answered = messages[1]["content"][0]["toolUse"], messages[2]["content"][0]["toolResult"]
    assert used["toolUseId"] == answered["toolUseId"]
    assert len(used["toolUseId"]) == 64
    assert "|" not in used["toolUseId"]


def test_instructions_lead_and_later_ones_stay_where_they_are() -> None:
    messages = [
        {"role": "system", "content": "One."},
        {"role": "developer", "content": [{"type": "text", "text": "Two."}]},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello"},
        {"role": "system", "content": "Three."},
        {"role": "user", "content": "Go"},
    ]
    body = sent(messages=messages).body

    assert body["system"] == [{"text": "One."}, {"text": "Two."}]
    assert body["messages"][-1] == {"role": "user", "content": [{"text": "Three."}, {"text": "Go"}]}


def test_images_and_documents_travel_as_data_whatever_the_url_s_parameters() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/jpg;charset=utf-8;base64,AAAA"}}
    file = {
        "type": "file",
        "file": {"filename": "Q3/report (final).v2.pdf", "file_data": "data:application/pdf;base64,QQ=="},
    }
    blocks = sent(messages=user({"type": "text", "text": "?"}, image, file)).body["messages"][0]["content"]

    assert blocks[1] == {"image": {"format": "jpeg", "source": {"bytes": "AAAA"}}}
    document = blocks[2]["document"]
    assert (document["format"], document["source"]) == ("pdf", {"bytes": "QQ=="})
    assert document["name"] == "Q3 report (final) v2"


@pytest.mark.parametrize(
    ("part", "param"),
    [
        ({"type": "image_url", "image_url": {"url": "https://x/y.png"}}, "image_url.url"),
        (
            {"type": "image_url", "image_url": {"url": "data:image/bmp;base64,AA"}},
            "image_url.url",
        ),
        ({"type": "file", "file": {"file_id": "f"}}, "file.file_data"),
        ({"type": "input_audio", "input_audio": {}}, "type"),
    ],
)
def test_what_converse_has_no_form_for_is_refused_by_its_place(part: Json, param: str) -> None:
    assert refused(messages=user(part)).param == f"messages[0].content[0].{param}"


def test_cache_marks_become_cache_points_for_models_that_cache() -> None:
    mark = {"type": "ephemeral"}
    messages = [
        {"role": "system", "content": [{"type": "text", "text": "Long.", "cache_control": {**mark, "ttl": "1h"}}]},
        *user({"type": "text", "text": "Hi", "cache_control": mark}),
    ]
    asked: Json = {"messages": messages, "tools": [{**WEATHER, "cache_control": mark}]}
    cached, uncached = sent(**asked), sent(LLAMA, **asked)

    assert cached.body["system"] == [{"text": "Long."}, {"cachePoint": {"type": "default", "ttl": "1h"}}]
    assert cached.body["messages"][0]["content"] == [{"text": "Hi"}, {"cachePoint": {"type": "default"}}]
    assert cached.body["toolConfig"]["tools"][-1] == {"cachePoint": {"type": "default"}}
    assert cached.dropped == ()
    assert "cachePoint" not in str(uncached.body)
    assert uncached.dropped == ("cache_control",)


def test_signed_thinking_goes_back_before_everything_else_in_its_turn() -> None:
    thoughts = [
        {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
        {"type": "redacted_thinking", "data": "cmVk"},
        {"type": "thinking", "thinking": "unsigned", "signature": ""},
        {"type": "thinking", "thinking": "Google's", "signature": "google:c2ln"},
    ]
    said = {**LOOP[1], "content": "I look.", "thinking_blocks": thoughts}
    body = sent(messages=[LOOP[0], said, *LOOP[2:]], reasoning_effort="low", max_tokens=4000).body

    assert body["messages"][1]["content"][:3] == [
        {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "c2ln"}}},
        {"reasoningContent": {"redactedContent": "cmVk"}},
        {"text": "I look."},
    ]
    assert body["additionalModelRequestFields"] == {"thinking": {"type": "enabled", "budget_tokens": 1024}}


def test_a_turn_that_began_without_thinking_goes_on_without() -> None:
    request = sent(messages=LOOP[:4], reasoning_effort="low")

    assert "additionalModelRequestFields" not in request.body
    assert request.dropped == ("reasoning_effort",)


@pytest.mark.parametrize(
    ("model", "effort", "own", "dropped"),
    [
        ("global.anthropic.claude-opus-4-6-v1", "max", {"type": "adaptive", "display": "summarized"}, ()),
        (NOVA, "xhigh", {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "high"}}, ()),
        (NOVA, "none", {"reasoningConfig": {"type": "disabled"}}, ()),
        ("openai.gpt-oss-120b-1:0", "minimal", {"reasoning_effort": "low"}, ()),
        ("openai.gpt-oss-120b-1:0", "none", None, ()),
        (LLAMA, "high", None, ("reasoning_effort",)),
        ("amazon.nova-pro-v1:0", "high", None, ("reasoning_effort",)),
    ],
)
def test_each_maker_is_told_how_much_to_think_in_its_own_words(
    model: str, effort: str, own: Json | None, dropped: tuple[str, ...]
) -> None:
    request = sent(model, reasoning_effort=effort)
    told = request.body.get("additionalModelRequestFields")

    assert (told["thinking"] if told and "thinking" in told else told) == own
    assert request.dropped == dropped


def test_top_k_is_each_maker_s_own() -> None:
    assert sent(top_k=5).body["additionalModelRequestFields"] == {"top_k": 5}
    assert sent(NOVA, top_k=5).body["additionalModelRequestFields"] == {"inferenceConfig": {"topK": 5}}
    assert sent(LLAMA, top_k=5).dropped == ("top_k",)


def test_what_the_client_says_in_bedrock_s_own_words_travels_and_wins() -> None:
    guardrail = {"guardrailIdentifier": "g", "guardrailVersion": "1"}
    body = sent(top_k=5, guardrailConfig=guardrail, additionalModelRequestFields={"top_k": 9, "x": 1}).body

    assert body["guardrailConfig"] == guardrail
    assert body["additionalModelRequestFields"] == {"top_k": 9, "x": 1}


def test_a_schema_is_told_as_text_and_closed_for_claude() -> None:
    schema: Json = {"type": "object", "properties": {"a": {"type": "string", "minLength": 2}}}
    form = {"type": "json_schema", "json_schema": {"name": "city", "schema": schema}}
    claude = sent(response_format=form).body["outputConfig"]["textFormat"]["structure"]["jsonSchema"]
    others = sent(LLAMA, response_format=form).body["outputConfig"]["textFormat"]["structure"]["jsonSchema"]

    assert claude["name"] == "city"
    assert loads(claude["schema"])["additionalProperties"] is False
    assert loads(others["schema"]) == schema


def test_whom_it_is_for_and_how_soon() -> None:
    request = sent(user="u-1", metadata={"team": "a", "bad": "é"}, service_tier="flex")

    assert request.body["requestMetadata"] == {"team": "a", "user": "u-1"}
    assert request.body["serviceTier"] == {"type": "flex"}
    assert request.dropped == ("metadata",)
    assert sent(service_tier="scale").dropped == ("service_tier",)


def test_a_beginning_to_go_on_from_does_not_end_in_white_space() -> None:
    messages = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Once upon \n"}]

    assert sent(messages=messages).body["messages"][-1]["content"] == [{"text": "Once upon"}]


def test_what_would_change_the_answer_is_refused_and_the_rest_is_told() -> None:
    assert refused(n=2).param == "n"
    assert refused(response_format={"type": "json_object"}).param == "response_format"
    assert refused(documents=[]).param == "documents"
    assert sent(seed=1, parallel_tool_calls=False, made_up=1).dropped == ("seed", "parallel_tool_calls", "made_up")
