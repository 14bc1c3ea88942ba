"""The messages of a chat request as Anthropic's turns."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.errors import GatewayError
from app.core.json import Json
from app.providers.anthropic_request import to_messages
from tests.providers.anthropic_given import WEATHER

PNG = "iVBORw0KGgo="


def sent(*messages: Json, model: str = "claude-sonnet-4-5", **fields: Any) -> Json:
    return to_messages({"model": "fast", "messages": list(messages), **fields}, model)[0]


def user(content: Any) -> Json:
    return {"role": "user", "content": content}


def calls(*ids: str, **fields: Any) -> Json:
    made = [{"id": id_, "type": "function", "function": {"name": "weather", "arguments": "{}"}} for id_ in ids]
    return {"role": "assistant", "content": None, "tool_calls": made, **fields}


def result(id_: str, content: Any = "fine") -> Json:
    return {"role": "tool", "tool_call_id": id_, "content": content}


def kinds(message: Json) -> list[str]:
    return [block["type"] for block in message["content"]]


def test_the_first_instructions_are_the_system_prompt() -> None:
    made = sent({"role": "system", "content": "A"}, {"role": "developer", "content": "B"}, user("Hello"))

    assert made["system"] == [{"type": "text", "text": "A"}, {"type": "text", "text": "B"}]
    assert [message["role"] for message in made["messages"]] == ["user"]


def test_later_instructions_stay_where_they_are() -> None:
    """Moved to the front they would change the cached beginning of every later request."""
    conversation = (user("Hi"), {"role": "system", "content": "Be brief."})

    older = sent(*conversation)
    assert older["messages"] == [{"role": "user", "content": [_text("Hi"), _text("Be brief.")]}]
    newer = sent(*conversation, model="claude-opus-4-8")
    assert newer["messages"][1] == {"role": "system", "content": [_text("Be brief.")]}
    assert "system" not in newer


def test_an_instruction_where_no_model_takes_one_becomes_the_users_word() -> None:
    made = sent(
        user("Hi"),
        {"role": "assistant", "content": "Hello"},
        {"role": "system", "content": "Be brief."},
        user("Go on"),
        model="claude-opus-4-8",
    )
    assert made["messages"][2] == {"role": "user", "content": [_text("Be brief."), _text("Go on")]}


def test_instructions_alone_are_a_question() -> None:
    made = sent({"role": "system", "content": "Tell a joke."})

    assert made["messages"] == [{"role": "user", "content": [_text("Tell a joke.")]}]
    assert "system" not in made


def test_the_results_of_parallel_calls_are_one_turn_of_the_user() -> None:
    made = sent(user("Where is it warm?"), calls("a", "b"), result("a"), result("b"), user("Well?"), tools=[WEATHER])

    assert [message["role"] for message in made["messages"]] == ["user", "assistant", "user"]
    assert kinds(made["messages"][2]) == ["tool_result", "tool_result", "text"]


def test_results_stand_first_whatever_came_between() -> None:
    made = sent(user("?"), calls("a", "b"), result("a"), user("Hurry"), result("b"), tools=[WEATHER])

    assert kinds(made["messages"][2]) == ["tool_result", "tool_result", "text"]


def test_no_text_follows_a_call_in_a_turn() -> None:
    made = sent(user("?"), calls("a", content="Let me see"), result("a"), tools=[WEATHER])

    assert kinds(made["messages"][1]) == ["text", "tool_use"]


@pytest.mark.parametrize(
    ("arguments", "given"),
    [
        ('{"city":"Rome"}', {"city": "Rome"}),
        ("", {}),
        (None, {}),
        ("{}", {}),
        ('{"city":', {"INVALID_JSON": '{"city":'}),
        ('"Rome"', {"INVALID_JSON": '"Rome"'}),
    ],
)
def test_arguments_travel_as_an_object(arguments: str | None, given: Json) -> None:
    call = {"id": "a", "type": "function", "function": {"name": "weather", "arguments": arguments}}
    made = sent(user("?"), {"role": "assistant", "tool_calls": [call]}, result("a"), tools=[WEATHER])

    assert made["messages"][1]["content"][0]["input"] == given


def test_ids_are_made_of_what_anthropic_takes_in_call_and_result_alike() -> None:
    made = sent(user("?"), calls("call:1.a"), result("call:1.a"), tools=[WEATHER])

    assert made["messages"][1]["content"][0]["id"] == "call_1_a"
    assert made["messages"][2]["content"][0]["tool_use_id"] == "call_1_a"


def test_tools_that_were_used_are_declared_even_where_none_is_offered() -> None:
    made = sent(user("?"), calls("a"), result("a"))

    assert [tool["name"] for tool in made["tools"]] == ["weather"]
    assert made["tool_choice"] == {"type": "none"}


def test_blocks_without_content_are_left_out() -> None:
    made = sent(
        user([{"type": "text", "text": ""}, {"type": "text", "text": "Hi"}]), {"role": "assistant", "content": ""}
    )

    assert made["messages"] == [{"role": "user", "content": [_text("Hi")]}]


def test_a_beginning_of_the_answer_does_not_end_in_white_space() -> None:
    made = sent(user("Count"), {"role": "assistant", "content": "One, two, "})

    assert made["messages"][1]["content"] == [_text("One, two,")]


@pytest.mark.parametrize(
    ("url", "block"),
    [
        ("https://x.org/a.png", {"type": "image", "source": {"type": "url", "url": "https://x.org/a.png"}}),
        (
            f"data:image/png;base64,{PNG}",
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
        ),
        (
            f"data:image/jpg;charset=utf-8;base64,{PNG}",
            {"type": "image", "source": {"type": "base64", "media_type": "image/jpeg", "data": PNG}},
        ),
        (
            f"data:application/pdf;base64,{PNG}",
            {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": PNG}},
        ),
    ],
)
def test_images_travel_by_address_or_by_value_whatever_their_parameters(url: str, block: Json) -> None:
    assert sent(user([{"type": "image_url", "image_url": {"url": url}}]))["messages"][0]["content"] == [block]


@pytest.mark.parametrize("url", ["data:image/tiff;base64,AA", "gs://bucket/a.png", "data:image/png,raw", "nonsense", 7])
def test_images_that_anthropic_would_refuse_are_refused_by_their_place(url: Any) -> None:
    with pytest.raises(GatewayError) as caught:
        sent(user([{"type": "text", "text": "?"}, {"type": "image_url", "image_url": {"url": url}}]))
    assert caught.value.param == "messages[0].content[1].image_url.url"


def test_files_travel_as_documents() -> None:
    data = {"file_data": f"data:application/pdf;base64,{PNG}", "filename": "a.pdf"}
    plain = {"file_data": "data:text/plain;base64,SGk="}
    made = sent(user([{"type": "file", "file": each} for each in (data, {"file_id": "file_1"}, plain)]))

    assert made["messages"][0]["content"] == [
        {
            "type": "document",
            "source": {"type": "base64", "media_type": "application/pdf", "data": PNG},
            "title": "a.pdf",
        },
        {"type": "document", "source": {"type": "file", "file_id": "file_1"}},
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "Hi"}},
    ]


def test_sound_is_refused_by_its_place() -> None:
    with pytest.raises(GatewayError) as caught:
        sent(user([{"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}]))
    assert caught.value.param == "messages[0].content[0].type"


def test_a_result_may_show_an_image_and_may_be_empty() -> None:
    shown = [{"type": "text", "text": "see"}, {"type": "image_url", "image_url": {"url": "https://x.org/a.png"}}]
    made = sent(user("?"), calls("a", "b"), result("a", shown), result("b", ""), tools=[WEATHER])

    first, second = made["messages"][2]["content"]
    assert [part["type"] for part in first["content"]] == ["text", "image"]
    assert second == {"type": "tool_result", "tool_use_id": "b"}


def test_signed_thinking_comes_back_before_everything_else_in_its_turn() -> None:
    thoughts = [
        {"index": 0, "type": "thinking", "thinking": "Hm", "signature": "sig"},
        {"index": 1, "type": "redacted_thinking", "data": "xyz"},
    ]
    made = sent(
        user("?"),
        calls("a", content="Let me see", thinking_blocks=thoughts, reasoning_content="Hm"),
        result("a"),
        tools=[WEATHER],
        reasoning_effort="low",
    )
    assert made["messages"][1]["content"][:2] == [
        {"type": "thinking", "thinking": "Hm", "signature": "sig"},
        {"type": "redacted_thinking", "data": "xyz"},
    ]
    assert kinds(made["messages"][1])[2:] == ["text", "tool_use"]
    assert made["thinking"]["type"] == "enabled"


def test_openrouters_form_of_signed_thinking_is_understood_and_other_peoples_signatures_are_not_sent() -> None:
    details = [
        {"type": "reasoning.text", "text": "Hm", "signature": "sig", "format": "anthropic-claude-v1"},
        {"type": "reasoning.encrypted", "data": "xyz", "format": "google-gemini-v1"},
    ]
    made = sent(user("?"), calls("a", reasoning_details=details), result("a"), tools=[WEATHER], reasoning_effort="low")

    assert kinds(made["messages"][1]) == ["thinking", "tool_use"]


def test_unsigned_thinking_is_left_out() -> None:
    unsigned = [{"type": "thinking", "thinking": "Hm", "signature": ""}]
    turn = {"role": "assistant", "content": "Hi", "reasoning_content": "Hm", "thinking_blocks": unsigned}

    assert kinds(sent(user("?"), turn, user("!"), model="claude-opus-4-6")["messages"][1]) == ["text"]


def test_a_turn_that_began_without_thinking_goes_on_without() -> None:
    """Anthropic refuses thinking in the middle of a tool loop whose first answer does not begin with it."""
    body = {"messages": [user("?"), calls("a"), result("a")], "tools": [WEATHER], "reasoning_effort": "low"}

    made, lost = to_messages(body, "claude-sonnet-4-5")
    assert "thinking" not in made
    assert lost == ("reasoning_effort",)
    adaptive, lost = to_messages(body, "claude-opus-4-6")
    assert adaptive["thinking"]["type"] == "adaptive"
    assert lost == ()


@pytest.mark.parametrize(
    ("messages", "param"),
    [
        ([], "messages"),
        (["hi"], "messages[0]"),
        ([{"role": "function", "name": "f", "content": "x"}], "messages[0].role"),
        ([{"role": "user", "content": 7}], "messages[0].content"),
        ([{"role": "user", "content": ["hi"]}], "messages[0].content[0]"),
        ([{"role": "tool", "content": "x"}], "messages[0].tool_call_id"),
        ([{"role": "assistant", "tool_calls": [{"id": "a"}]}], "messages[0].tool_calls[0]"),
        ([{"role": "assistant", "function_call": {"name": "f"}}], "messages[0].function_call"),
    ],
)
def test_what_cannot_be_told_is_refused_by_its_place(messages: Any, param: str) -> None:
    with pytest.raises(GatewayError) as caught:
        to_messages({"messages": messages}, "claude-sonnet-4-5")
    assert caught.value.param == param


def _text(words: str) -> Json:
    return {"type": "text", "text": words}
