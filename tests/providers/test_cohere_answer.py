"""What Cohere answers, for a client of OpenAI's."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.errors import ErrorType, GatewayError
from app.core.json import Json, dumps
from app.core.wire import Operation
from tests.providers.talk import (
    ask,
    asking,
    calls_of,
    decoded,
    feed,
    finishes_of,
    provider,
    reader,
    shown,
    streamed,
    text_of,
    whole,
)

USAGE: Json = {
    "billed_units": {"input_tokens": 5, "output_tokens": 3},
    "tokens": {"input_tokens": 305, "output_tokens": 114, "reasoning_tokens": 78},
    "cached_tokens": 144,
}
CALL: Json = {"id": "time_1", "type": "function", "function": {"name": "time", "arguments": ""}}
START: Json = {"type": "message-start", "id": "x", "delta": {"message": {"role": "assistant", "content": []}}}


def body(finish: str = "COMPLETE", **message: Any) -> Json:
    said = {"role": "assistant", "content": [{"type": "text", "text": "Hi"}], **message}
    return {"id": "x", "message": said, "finish_reason": finish, "usage": USAGE}


def delta(kind: str, name: str, value: Any, index: int = 0) -> Json:
    return {"type": kind, "index": index, "delta": {"message": {name: value}}}


def end(finish: str = "COMPLETE", **more: Any) -> Json:
    return {"type": "message-end", "delta": {"finish_reason": finish, "usage": USAGE, **more}}


def answered(given: Json) -> Json:
    data = whole(given, kind="cohere").data
    assert data is not None
    return data


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("COMPLETE", "stop"),
        ("STOP_SEQUENCE", "stop"),
        ("MAX_TOKENS", "length"),
        ("ERROR_TOXIC", "content_filter"),
        ("SOMETHING_NEW", "stop"),
    ],
)
def test_reasons_are_told_in_openai_s_words_whole_and_streamed(theirs: str, ours: str) -> None:
    assert answered(body(theirs))["choices"][0]["finish_reason"] == ours
    assert finishes_of(streamed(START, end(theirs), kind="cohere")) == [ours]


def test_tokens_are_counted_and_not_what_is_billed() -> None:
    frame = whole(body(), kind="cohere")

    assert frame.data is not None
    assert frame.usage is not None
    assert (frame.usage.input, frame.usage.output, frame.usage.cached_input) == (305, 114, 144)
    counted = frame.data["usage"]
    assert counted["total_tokens"] == counted["prompt_tokens"] + counted["completion_tokens"] == 419
    assert counted["completion_tokens_details"]["reasoning_tokens"] == 78


def test_the_plan_beside_calls_is_content_and_comes_back_as_such() -> None:
    """Peers have lost it in streams."""
    message = answered(body("TOOL_CALL", content=[], tool_plan="I look.", tool_calls=[CALL]))["choices"][0]["message"]
    chunks = streamed(
        START,
        delta("tool-plan-delta", "tool_plan", "I "),
        delta("tool-plan-delta", "tool_plan", "look."),
        delta("tool-call-start", "tool_calls", CALL),
        {"type": "tool-call-end", "index": 0},
        end("TOOL_CALL"),
        kind="cohere",
    )

    assert message["content"] == text_of(chunks) == "I look."
    assert message["tool_calls"][0]["function"] == {"name": "time", "arguments": "{}"}
    assert calls_of(chunks) == [("time_1", "time", "{}")]


def test_calls_are_counted_apart_from_contents_and_choices() -> None:
    """A peer gave the content's index out as the choice's."""
    thought = {"type": "thinking", "thinking": ""}
    chunks = streamed(
        START,
        delta("content-start", "content", thought, 0),
        delta("content-delta", "content", {"thinking": "Hm."}, 0),
        {"type": "content-end", "index": 0},
        delta("tool-call-start", "tool_calls", CALL, 0),
        delta("tool-call-delta", "tool_calls", {"function": {"arguments": '{"a"'}}, 0),
        delta("tool-call-delta", "tool_calls", {"function": {"arguments": ":1}"}}, 0),
        {"type": "tool-call-end", "index": 0},
        delta("tool-call-start", "tool_calls", {**CALL, "id": "time_2"}, 1),
        {"type": "tool-call-end", "index": 1},
        end("TOOL_CALL"),
        of=asking(),
        kind="cohere",
    )

    assert calls_of(chunks) == [("time_1", "time", '{"a":1}'), ("time_2", "time", "{}")]
    assert text_of(chunks, "reasoning_content") == "Hm."
    assert {choice["index"] for chunk in chunks for choice in chunk["choices"]} == {0}
    assert sum("role" in choice["delta"] for chunk in chunks for choice in chunk["choices"]) == 1
    assert finishes_of(chunks) == ["tool_calls"]


def test_citations_are_kept_beside_the_text() -> None:
    source = {"type": "document", "id": "doc-0"}
    cited = {"start": 0, "end": 2, "text": "Hi", "sources": [source]}
    chunks = streamed(START, delta("citation-start", "citations", cited), end(), kind="cohere")

    assert answered(body(citations=[cited]))["choices"][0]["message"]["citations"] == [cited]
    assert [c["delta"]["citations"] for chunk in chunks for c in chunk["choices"] if "citations" in c["delta"]] == [
        [{"index": 0, **cited}]
    ]


@pytest.mark.parametrize("reason", ["ERROR", "TIMEOUT"])
def test_a_failure_told_as_a_reason_is_a_failure(reason: str) -> None:
    with pytest.raises(GatewayError) as plain:
        decoded(body(reason), ask(), "cohere")
    with pytest.raises(GatewayError) as stream:
        feed(reader(kind="cohere"), START, end(reason, error="it broke", error_type="BROKEN"))

    assert plain.value.type is stream.value.type is ErrorType.SERVER_ERROR
    assert "it broke" in stream.value.message


def test_a_stream_is_complete_with_its_end_and_over_with_the_mark() -> None:
    to = reader(asking(), kind="cohere")

    feed(to, START)
    assert not to.complete
    feed(to, end())
    assert (to.complete, to.done) == (True, False)
    feed(to, b"[DONE]")
    assert to.done


def test_usage_is_shown_to_whom_asked_and_counted_in_any_case() -> None:
    frames = feed(reader(kind="cohere"), START, end())

    assert [frame.usage.input for frame in frames if frame.usage] == [305, 305]
    assert not any(chunk.get("usage") for chunk in shown(frames))


@pytest.mark.parametrize(
    "given", [{}, {"message": None}, {"message": {"content": "text"}}, {"message": {"tool_calls": [{}]}}]
)
def test_what_is_no_answer_is_said_to_be_none(given: Json) -> None:
    with pytest.raises(ValueError, match="not an answer"):
        decoded(given, ask(), "cohere")


@pytest.mark.parametrize("given", [{"type": "content-delta"}, {"type": "tool-call-start", "delta": {"message": {}}}])
def test_an_event_without_its_parts_is_malformed(given: Json) -> None:
    with pytest.raises(ValueError, match="not an event"):
        feed(reader(kind="cohere"), given)


@pytest.mark.parametrize(
    ("status", "said", "meant"),
    [
        (400, {"message": "too many tokens: size limit exceeded", "error_type": "TOO_MANY_TOKENS"}, "context_length"),
        (400, {"message": "too many tokens: total number of tokens cannot exceed 4081"}, "context_length"),
        (400, {"message": "invalid request: n"}, "invalid_request"),
        (401, {"message": "invalid api token"}, "authentication"),
        (402, {"message": "add a payment method"}, "quota_exceeded"),
        (404, {"message": "model 'x' was removed on April 4, 2026"}, "model_not_found"),
        (429, {"message": "You are using a Trial key, which is limited to 40 API calls / minute."}, "rate_limited"),
        (429, {"message": "You are using a Trial key, which is limited to 1000 API calls / month."}, "quota_exceeded"),
        (499, {"message": "streaming error"}, "server_error"),
        (503, {"message": "busy"}, "overloaded"),
    ],
)
def test_refusals_are_named(status: int, said: Json, meant: str) -> None:
    by = provider("cohere")

    assert by.dialect.decode_error(by, status, {}, dumps(said)).type == meant


@pytest.mark.parametrize("form", ["float", "int8"])
def test_vectors_of_the_kind_that_was_asked_for(form: str) -> None:
    asked = ask(Operation.EMBEDDINGS, input=["a", "b"], encoding_format=form)
    given = {"id": "x", "embeddings": {form: [[1, 2], [3, 4]]}, "meta": {"billed_units": {"input_tokens": 7}}}

    frame = decoded(given, asked, "cohere")

    assert frame.data is not None
    assert [item["embedding"] for item in frame.data["data"]] == [[1, 2], [3, 4]]
    assert frame.usage is not None
    assert frame.usage.input == 7


def test_no_vectors_are_no_answer() -> None:
    with pytest.raises(ValueError, match="no embeddings"):
        decoded({"embeddings": {}}, ask(Operation.EMBEDDINGS, input="a"), "cohere")
