"""What OpenAI's Responses API is to the gateway: sound requests, answers, errors, streams."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.errors import ErrorType, GatewayError
from app.core.json import Json, loads
from app.core.wire import Frame
from app.surfaces import LANGUAGES
from app.surfaces.responses import RESPONSES
from tests.recorded.official import refused
from tests.surfaces.responses_given import HELLO


def unsound(**fields: Any) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        RESPONSES.check({**HELLO, **fields})
    assert (caught.value.type, caught.value.status) == (ErrorType.INVALID_REQUEST, 400)
    return caught.value


def told(error: GatewayError, *after: Frame) -> Json:
    head, data, *rest = RESPONSES.error_event(error, "req_1", after).split(b"\n")
    assert (head, rest) == (b"event: error", [b"", b""])
    event: Json = loads(data.removeprefix(b"data: "))
    assert refused("responses_stream", event) == []
    return event


def test_it_is_spoken_at_its_path() -> None:
    assert LANGUAGES["/v1/responses"] is RESPONSES


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("input", 5),
        ("max_output_tokens", 0),
        ("temperature", "hot"),
        ("tools", {}),
        ("tools", ["x"]),
        ("tool_choice", 1),
        ("parallel_tool_calls", "yes"),
        ("reasoning", "high"),
        ("text", []),
        ("include", [1]),
        ("metadata", []),
        ("metadata", {"a": 5}),
        ("store", "no"),
        ("background", 1),
        ("previous_response_id", 7),
    ],
)
def test_a_field_of_the_wrong_type_is_named(field: str, value: Any) -> None:
    assert unsound(**{field: value}).param == field


def test_an_item_that_is_no_object_is_named_by_its_place() -> None:
    assert unsound(input=[{"role": "user", "content": "Hi"}, "Hi"]).param == "input[1]"


def test_an_input_is_needed_unless_the_provider_has_it() -> None:
    assert unsound(input=None).param == "input"
    for field, value in (("previous_response_id", "resp_1"), ("conversation", "conv_1"), ("prompt", {"id": "pmpt_1"})):
        RESPONSES.check({"model": "m", field: value})


def test_an_answer_that_would_have_to_be_fetched_later_is_refused() -> None:
    assert unsound(background=True).param == "background"
    RESPONSES.check({**HELLO, "background": True, "stream": True})
    RESPONSES.check({**HELLO, "background": False})


def test_errors_are_openais() -> None:
    error = GatewayError(ErrorType.INVALID_REQUEST, "too hot", param="temperature", code="decimal_above_max_value")

    assert RESPONSES.error(error, "req_1") == {
        "error": {
            "message": "too hot",
            "type": "invalid_request_error",
            "param": "temperature",
            "code": "decimal_above_max_value",
        }
    }


@pytest.mark.parametrize(
    ("chats", "theirs"),
    [
        ("messages[2].content", "input[2].content"),
        ("max_completion_tokens", "max_output_tokens"),
        ("reasoning_effort", "reasoning.effort"),
        ("response_format", "text.format"),
        ("input[0]", "input[0]"),
        (None, None),
    ],
)
def test_a_field_of_chat_is_named_as_the_client_named_it(chats: str | None, theirs: str | None) -> None:
    error = GatewayError(ErrorType.INVALID_REQUEST, "no", param=chats)

    assert RESPONSES.error(error, "req_1")["error"]["param"] == theirs


def test_an_error_in_a_stream_is_an_event_of_the_official_form_that_the_sdk_raises_for() -> None:
    last = Frame({"type": "response.output_text.delta", "sequence_number": 7}, "response.output_text.delta")
    error = GatewayError(ErrorType.STREAM_INTERRUPTED, "cut")

    assert told(error, last) == {
        "type": "error",
        "code": "stream_interrupted",
        "message": "cut",
        "param": None,
        "sequence_number": 8,
        "error": {"message": "cut", "type": "api_error", "param": None, "code": "stream_interrupted"},
    }
    assert told(error)["sequence_number"] == 0
    assert told(error, last, Frame(None))["sequence_number"] == 8


def test_its_streams_end_without_a_done_and_do_not_go_on_elsewhere() -> None:
    assert RESPONSES.done == b""
    assert RESPONSES.delivered() is None
    assert RESPONSES.carried_by_chat
    assert RESPONSES.unaided(HELLO) is None
    assert RESPONSES.render(Frame({"type": "x"}, "x")) == b'event: x\ndata: {"type":"x"}\n\n'
