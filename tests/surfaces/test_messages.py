"""The Messages language: what it checks, and how it puts events and errors."""

from __future__ import annotations

import json
from typing import Any

import anthropic
import pytest

from app.core.errors import ErrorType, GatewayError, invalid
from app.core.json import Json
from app.core.wire import Frame
from app.surfaces.messages import COUNT_TOKENS, MESSAGES
from tests.surfaces.messages_given import HELLO, request


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"max_tokens": None}, "max_tokens"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": True}, "max_tokens"),
        ({"messages": None}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": ["hi"]}, "messages[0]"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        ({"system": 7}, "system"),
        ({"tools": {}}, "tools"),
        ({"tools": "x"}, "tools"),
        ({"stop_sequences": "x"}, "stop_sequences"),
        ({"metadata": "x"}, "metadata"),
        ({"thinking": "x"}, "thinking"),
    ],
)
def test_what_no_provider_could_make_sense_of_is_refused_by_name(fields: Json, param: str) -> None:
    with pytest.raises(GatewayError) as caught:
        MESSAGES.check(request(**fields))
    assert caught.value.param == param
    assert caught.value.status == 400


def test_counting_needs_no_limit() -> None:
    COUNT_TOKENS.check({"model": "m", "messages": HELLO["messages"]})


def test_counting_does_not_stream() -> None:
    with pytest.raises(GatewayError, match="in one piece") as caught:
        COUNT_TOKENS.check({"model": "m", "messages": HELLO["messages"], "stream": True})
    assert caught.value.param == "stream"


def test_an_event_is_rendered_with_its_name() -> None:
    frame = Frame({"type": "ping"}, "ping")

    assert MESSAGES.render(frame) == b'event: ping\ndata: {"type":"ping"}\n\n'
    assert MESSAGES.done == b""


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (invalid("no"), "invalid_request_error"),
        (GatewayError(ErrorType.CLIENT_AUTHENTICATION, "no"), "authentication_error"),
        (GatewayError(ErrorType.PERMISSION, "no"), "permission_error"),
        (GatewayError(ErrorType.MODEL_NOT_FOUND, "no"), "not_found_error"),
        (invalid("no", status=413), "request_too_large"),
        (invalid("no", status=422), "invalid_request_error"),
        (GatewayError(ErrorType.RATE_LIMITED, "no"), "rate_limit_error"),
        (GatewayError(ErrorType.TIMEOUT, "no"), "timeout_error"),
        (GatewayError(ErrorType.OVERLOADED, "no"), "overloaded_error"),
        (GatewayError(ErrorType.SERVER_ERROR, "no"), "api_error"),
        (GatewayError(ErrorType.SATURATED, "no"), "api_error"),
        (GatewayError(ErrorType.AUTHENTICATION, "no"), "api_error"),
    ],
)
def test_every_error_has_anthropics_name_for_it(error: GatewayError, kind: str) -> None:
    assert MESSAGES.error(error, "req_1") == {
        "type": "error",
        "error": {"type": kind, "message": "no"},
        "request_id": "req_1",
    }


def test_an_error_inside_a_stream_is_an_event_of_its_own() -> None:
    head, data, *rest = MESSAGES.error_event(GatewayError(ErrorType.STREAM_INTERRUPTED, "cut"), "req_1").split(b"\n")

    assert head == b"event: error"
    assert json.loads(data.removeprefix(b"data: "))["error"] == {"type": "api_error", "message": "cut"}
    assert rest == [b"", b""]


def test_only_messages_travel_through_chat_and_only_counting_can_do_without_a_provider() -> None:
    assert MESSAGES.carried_by_chat
    assert not COUNT_TOKENS.carried_by_chat
    assert MESSAGES.unaided(HELLO) is None
    counted = COUNT_TOKENS.unaided(HELLO)
    assert counted is not None
    anthropic.types.MessageTokensCount.model_validate(counted.data, strict=True)


@pytest.mark.parametrize(
    ("fields", "tokens"),
    [
        ({"messages": [{"role": "user", "content": "a" * 400}]}, 104),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": "a" * 400}]}]}, 104),
        ({"messages": [{"role": "user", "content": "\u00e4" * 400}]}, 204),
        ({"messages": [{"role": "user", "content": "a" * 40}], "system": "b" * 40}, 24),
        (
            {
                "messages": [
                    {"role": "user", "content": [{"type": "image", "source": {"type": "base64", "data": "A" * 9999}}]}
                ]
            },
            1604,
        ),
        (
            {
                "messages": [
                    {
                        "role": "assistant",
                        "content": [
                            {"type": "thinking", "thinking": "a" * 40, "signature": "x" * 4000},
                            {"type": "redacted_thinking", "data": "x" * 4000},
                            {"type": "tool_use", "id": "a", "name": "abcd", "input": {"a": "b" * 30}},
                        ],
                    }
                ]
            },
            24,
        ),
        (
            {
                "messages": [
                    {"role": "user", "content": [{"type": "document", "source": {"type": "text", "data": "a" * 40}}]}
                ]
            },
            14,
        ),
        ({"messages": [{"role": "user", "content": "a"}], "tools": [{"name": "a" * 29}]}, 14),
    ],
)
def test_an_estimate_counts_text_by_its_bytes_and_images_flat(fields: dict[str, Any], tokens: int) -> None:
    counted = COUNT_TOKENS.unaided(fields)

    assert counted is not None
    assert counted.data == {"input_tokens": tokens}
