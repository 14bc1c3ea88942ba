"""OpenAI's endpoints refuse what no provider could read, and answer in the words of the official SDK."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.errors import RULES, ErrorType, GatewayError, invalid
from app.core.json import Json, loads
from app.core.wire import Frame
from app.surfaces.openai import OPENAI_LANGUAGES

CHAT = OPENAI_LANGUAGES["/v1/chat/completions"]
TEXT = OPENAI_LANGUAGES["/v1/completions"]
EMBEDDINGS = OPENAI_LANGUAGES["/v1/embeddings"]
MODERATIONS = OPENAI_LANGUAGES["/v1/moderations"]

USER: Json = {"role": "user", "content": "Hello"}


def chat(**body: Any) -> Json:
    return {"model": "m", "messages": [USER], **body}


@pytest.mark.parametrize(
    "body",
    [
        chat(),
        chat(messages=[{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "of their own"}]}]),
        chat(messages=[{"role": "assistant", "content": None, "tool_calls": [{"id": "call_1"}]}]),
        chat(messages=[{"role": "assistant"}, {"role": "ipython", "content": ""}]),
        chat(stream=True, stream_options={"include_usage": True}),
        chat(stream=None, n=None, tools=None, max_tokens=None, stop=None),
        chat(temperature=1, top_p=0.5, stop=["a", "b"], tools=[{"type": "of their own"}], tool_choice={"type": "x"}),
        chat(top_k=5, extra={"deep": [1]}, max_tokens=0),
    ],
)
def test_what_a_provider_may_understand_passes(body: Json) -> None:
    CHAT.check(body)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"model": "m"}, "messages"),
        (chat(messages=None), "messages"),
        (chat(messages="Hello"), "messages"),
        (chat(messages=[]), "messages"),
        (chat(messages=["Hello"]), "messages[0]"),
        (chat(messages=[USER, {"content": "Hello"}]), "messages[1].role"),
        (chat(messages=[{"role": 7}]), "messages[0].role"),
        (chat(messages=[{"role": "user", "content": 7}]), "messages[0].content"),
        (chat(messages=[{"role": "user", "content": {"type": "text"}}]), "messages[0].content"),
        (chat(messages=[{"role": "user", "content": ["a"]}]), "messages[0].content[0]"),
        (chat(messages=[{"role": "user", "content": [{"text": "a"}]}]), "messages[0].content[0].type"),
        (chat(messages=[{"role": "assistant", "tool_calls": {}}]), "messages[0].tool_calls"),
        (chat(messages=[{"role": "assistant", "tool_calls": ["x"]}]), "messages[0].tool_calls"),
        (chat(stream="yes"), "stream"),
        (chat(stream=1), "stream"),
        (chat(stream_options=True), "stream_options"),
        (chat(n=0), "n"),
        (chat(n=1.0), "n"),
        (chat(n=True), "n"),
        (chat(max_tokens="9"), "max_tokens"),
        (chat(max_tokens=-1), "max_tokens"),
        (chat(max_completion_tokens=1.5), "max_completion_tokens"),
        (chat(temperature="hot"), "temperature"),
        (chat(temperature=True), "temperature"),
        (chat(tools={}), "tools"),
        (chat(tools=["f"]), "tools"),
        (chat(tool_choice=7), "tool_choice"),
        (chat(stop=[1]), "stop"),
        (chat(response_format="json"), "response_format"),
    ],
)
def test_what_no_provider_understands_is_refused_by_its_name(body: Json, param: str) -> None:
    with pytest.raises(GatewayError) as caught:
        CHAT.check(body)

    assert (caught.value.type, caught.value.status, caught.value.param) == (ErrorType.INVALID_REQUEST, 400, param)


@pytest.mark.parametrize("language", [EMBEDDINGS, MODERATIONS], ids=["embeddings", "moderations"])
@pytest.mark.parametrize(
    ("body", "param"),
    [({}, "input"), ({"input": None}, "input"), ({"input": []}, "input"), ({"input": 7}, "input")],
)
def test_there_must_be_an_input(language: Any, body: Json, param: str) -> None:
    for given in ("x", ["x", "y"], [1, 2], [[1], [2]], [{"type": "text"}]):
        language.check({"input": given})

    with pytest.raises(GatewayError) as caught:
        language.check(body)
    assert caught.value.param == param


def test_embeddings_do_not_stream() -> None:
    EMBEDDINGS.check({"input": "x", "stream": False})

    with pytest.raises(GatewayError, match="does not stream"):
        EMBEDDINGS.check({"input": "x", "stream": True})


@pytest.mark.parametrize("prompt", ["x", ["x"], [1, 2], [[1]], None])
def test_a_prompt_has_many_forms(prompt: Any) -> None:
    TEXT.check({"prompt": prompt})
    TEXT.check({})


def test_a_prompt_is_no_object() -> None:
    with pytest.raises(GatewayError, match="'prompt' must be a string or an array"):
        TEXT.check({"prompt": {}})


@pytest.mark.parametrize(
    ("options", "wants"),
    [(None, False), ({}, False), ({"include_usage": False}, False), ({"include_usage": True}, True)],
)
def test_usage_is_for_who_asks(options: Json | None, wants: bool) -> None:
    assert CHAT.wants_usage(chat(stream_options=options)) is wants


def test_a_frame_is_one_line_of_data() -> None:
    assert CHAT.render(Frame({"content": "a\nb\u2028"})) == b'data: {"content":"a\\nb\xe2\x80\xa8"}\n\n'
    assert CHAT.done == b"data: [DONE]\n\n"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        *((status, "invalid_request_error") for status in (400, 404, 413, 422)),
        (401, "authentication_error"),
        (403, "permission_error"),
        (429, "rate_limit_error"),
        *((status, "api_error") for status in (500, 502, 503, 504)),
    ],
)
def test_the_type_of_an_error_follows_its_status(status: int, kind: str) -> None:
    assert CHAT.error(GatewayError(ErrorType.INTERNAL, "m", status=status), "call_1")["error"]["type"] == kind


def test_an_error_has_four_keys_always() -> None:
    assert CHAT.error(invalid("no such field", "n"), "call_1") == {
        "error": {"message": "no such field", "type": "invalid_request_error", "param": "n", "code": "invalid_request"}
    }
    for error_type in RULES:
        told = CHAT.error(GatewayError(error_type, "m"), "call_1")["error"]
        assert told.keys() == {"message", "type", "param", "code"}


def test_an_error_inside_a_stream_is_the_same_object_as_an_event() -> None:
    error = GatewayError(ErrorType.STREAM_INTERRUPTED, "broke off")
    event = CHAT.error_event(error, "call_1")

    assert (event[:6], event[-2:]) == (b"data: ", b"\n\n")
    assert loads(event[6:-2]) == CHAT.error(error, "call_1")
