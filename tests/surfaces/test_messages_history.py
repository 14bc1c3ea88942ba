"""The messages of a Messages request as chat messages."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.errors import GatewayError
from app.core.json import Json
from tests.surfaces.messages_given import chat

IMAGE: Json = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}
IMAGE_URL: Json = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}


def sent(*messages: Json, model: str = "fast") -> list[Json]:
    made: list[Json] = chat(messages=list(messages), model=model)["messages"]
    return made


def user(*content: Json) -> Json:
    return {"role": "user", "content": list(content)}


def assistant(*content: Json) -> Json:
    return {"role": "assistant", "content": list(content)}


def text(words: str) -> Json:
    return {"type": "text", "text": words}


def use(id_: str, **input_: Any) -> Json:
    return {"type": "tool_use", "id": id_, "name": "weather", "input": input_}


def result(id_: str, content: Any, **fields: Any) -> Json:
    return {"type": "tool_result", "tool_use_id": id_, "content": content, **fields}


def test_results_are_messages_of_their_own_before_the_rest_of_the_turn() -> None:
    made = sent(
        user(text("?")),
        assistant(text("Let me "), text("see."), use("a", city="Rome"), use("b")),
        user(result("a", "warm"), result("b", [text("cold"), text("wet")]), text("Well?")),
    )
    assert made[1:] == [
        {
            "role": "assistant",
            "content": "Let me see.",
            "tool_calls": [
                {"id": "a", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Rome"}'}},
                {"id": "b", "type": "function", "function": {"name": "weather", "arguments": "{}"}},
            ],
        },
        {"role": "tool", "tool_call_id": "a", "content": "warm"},
        {"role": "tool", "tool_call_id": "b", "content": "cold\nwet"},
        {"role": "user", "content": "Well?"},
    ]


def test_a_result_that_is_an_error_says_so_and_one_without_content_is_empty() -> None:
    error, empty = sent(user(result("a", "no such city", is_error=True), {"type": "tool_result", "tool_use_id": "b"}))

    assert error["content"] == "Error: no such city"
    assert empty["content"] == ""


def test_images_in_results_follow_in_a_message_of_the_users() -> None:
    """Tool messages are text in chat; OpenAI and Azure refuse images in them."""
    made = sent(user(result("a", [IMAGE]), result("b", "fine"), text("And?")))

    assert [message["role"] for message in made] == ["tool", "tool", "user"]
    assert isinstance(made[0]["content"], str)
    assert made[0]["content"]
    assert made[2]["content"] == [IMAGE_URL, text("And?")]


def test_images_and_documents_travel_as_chat_has_them() -> None:
    pdf = {"type": "base64", "media_type": "application/pdf", "data": "AAAA"}
    made = sent(
        user(
            IMAGE,
            {"type": "image", "source": {"type": "url", "url": "https://x.org/a.png"}},
            {"type": "document", "source": pdf, "title": "a.pdf"},
            {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "plain"}},
            {"type": "document", "source": {"type": "content", "content": [text("inner"), IMAGE]}},
            {"type": "search_result", "source": "https://x.org", "title": "X", "content": [text("found")]},
        )
    )
    assert made[0]["content"] == [
        IMAGE_URL,
        {"type": "image_url", "image_url": {"url": "https://x.org/a.png"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,AAAA"}},
        text("plain"),
        text("inner"),
        IMAGE_URL,
        text("X\nhttps://x.org\n\nfound"),
    ]


def test_earlier_thinking_goes_to_models_that_want_it_back_and_to_no_others() -> None:
    turn = assistant(
        {"type": "thinking", "thinking": "Hm", "signature": "sig"},
        {"type": "redacted_thinking", "data": "xyz"},
        use("a"),
    )
    assert "reasoning_content" not in sent(turn, model="gpt-5.1")[0]
    assert sent(turn, model="deepseek-reasoner")[0]["reasoning_content"] == "Hm"
    assert sent(turn)[0]["content"] is None


def test_a_turn_of_thinking_alone_is_left_out() -> None:
    assert sent(user(text("?")), assistant({"type": "thinking", "thinking": "Hm", "signature": ""})) == [
        {"role": "user", "content": "?"}
    ]


def test_instructions_in_the_middle_stay_there() -> None:
    made = sent(user(text("?")), {"role": "system", "content": [text("Be brief.")]})

    assert made[1] == {"role": "system", "content": "Be brief."}


@pytest.mark.parametrize(
    ("message", "param"),
    [
        (user({"type": "container_upload", "file_id": "f"}), "messages[0].content[0].type"),
        (
            user(text("?"), {"type": "image", "source": {"type": "file", "file_id": "f"}}),
            "messages[0].content[1].source.type",
        ),
        (user({"type": "image"}), "messages[0].content[0].source"),
        (user({"type": "text"}), "messages[0].content[0].text"),
        (user(result("a", [{"type": "tool_reference"}])), "messages[0].content[0].content[0].type"),
        (assistant({"type": "server_tool_use", "id": "s", "name": "x", "input": {}}), "messages[0].content[0].type"),
        (assistant({"type": "tool_use", "id": "a"}), "messages[0].content[0].name"),
        ({"role": "user", "content": ["hi"]}, "messages[0].content[0]"),
        ({"role": "system", "content": [IMAGE]}, "messages[0].content[0].type"),
    ],
)
def test_what_chat_has_no_form_for_is_refused_by_its_place(message: Json, param: str) -> None:
    with pytest.raises(GatewayError) as caught:
        sent(message)
    assert caught.value.param == param
