"""A stream that fails after its 200 says so, and never looks complete."""

from __future__ import annotations

import pytest

from app.core.errors import ErrorType, GatewayError
from app.core.json import Json, NotJson, dumps
from app.core.wire import Event
from app.providers.openai_faults import NoAnswer
from tests.providers.talk import chunk, feed, finishes_of, reader, shown, text_of

USAGE: Json = {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}


@pytest.mark.parametrize(
    "said",
    [b"{", b"[]", b"null", b"7", b'"text"', b"{}", b'{"choices": null}', b'{"choices": [1]}', b'{"object": "other"}'],
)
def test_what_is_no_chunk_is_malformed(said: bytes) -> None:
    stream = reader()
    feed(stream, chunk({"content": "a"}))

    with pytest.raises((NotJson, NoAnswer)):
        stream.feed(Event(said))
    assert text_of(shown(feed(stream, chunk({"content": "b"}), chunk({}, "stop")))) == "b"


def test_an_error_in_mid_stream_is_raised_with_its_meaning() -> None:
    """Groq: `event: error`, with the status that it should have had."""
    stream = reader()
    feed(stream, chunk({"content": "maybe"}))
    said = {"error": {"message": "model did not call a tool", "code": "tool_use_failed", "status_code": 400}}

    with pytest.raises(GatewayError, match="did not call a tool") as caught:
        stream.feed(Event(dumps(said), b"error"))
    assert (caught.value.type, caught.value.status, caught.value.code) == (
        ErrorType.INVALID_REQUEST,
        400,
        "tool_use_failed",
    )
    assert not stream.complete


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ({"error": {"message": "boom", "type": "server_error", "code": None}}, ErrorType.SERVER_ERROR),
        ({"error": {"message": "slow down", "code": "rate_limit_exceeded"}}, ErrorType.RATE_LIMITED),
        ({"error": {"message": "bad gateway", "code": 502}}, ErrorType.SERVER_ERROR),
        ({"error": {"message": "busy", "code": 503}}, ErrorType.OVERLOADED),
        ({"error": "the model has crashed"}, ErrorType.SERVER_ERROR),
        (
            {"object": "error", "error": {"message": "too long", "code": "context_length_exceeded"}},
            ErrorType.CONTEXT_LENGTH,
        ),
        (chunk({}, "error"), ErrorType.SERVER_ERROR),
        (chunk({}, "insufficient_system_resource"), ErrorType.SERVER_ERROR),
        ({**chunk({"content": ""}, "error"), "error": {"code": 502, "message": "upstream"}}, ErrorType.SERVER_ERROR),
    ],
)
def test_each_way_of_failing_has_its_meaning(said: Json, meant: ErrorType) -> None:
    stream = reader()
    feed(stream, chunk({"content": "a"}))

    with pytest.raises(GatewayError) as caught:
        feed(stream, said)
    assert (caught.value.type, caught.value.provider) == (meant, "openai")


def test_an_error_that_has_no_shape_is_still_one() -> None:
    with pytest.raises(GatewayError, match="overheated"):
        reader().feed(Event(b'{"message": "overheated"}', b"error"))


def test_an_error_after_the_finish_reason_takes_nothing_back() -> None:
    """OpenRouter: the answer had ended for length, then came usage and "Token limit reached"."""
    frames = feed(
        reader(),
        chunk({"content": "a"}, "length"),
        chunk({"content": ""}, usage=USAGE, error={"code": 400, "message": "Token limit reached"}),
        b"[DONE]",
    )

    assert any(frame.usage for frame in frames)
    assert finishes_of(shown(frames)) == ["length"]
    assert not any("error" in each for each in shown(frames))
