"""What Converse answers, for a client of OpenAI's."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.errors import ErrorType, GatewayError
from app.core.json import Json, dumps
from app.core.provider import Cloud, Reader
from app.core.wire import Ask, Event, Frame, Operation
from app.providers import registry
from tests.providers.talk import ask, asking, calls_of, finishes_of, official, shown, text_of

BY = registry.build("bedrock", "bedrock", cloud=Cloud(region="us-east-1"), key="k")
USAGE: Json = {
    "inputTokens": 10,
    "outputTokens": 7,
    "totalTokens": 25,
    "cacheReadInputTokens": 5,
    "cacheWriteInputTokens": 3,
}
SIGNED: Json = {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "c2ln"}}}
USE: Json = {"toolUse": {"toolUseId": "t1", "name": "time", "input": {}}}
START = ("messageStart", {"role": "assistant", "p": "abc"})
METADATA = ("metadata", {"usage": USAGE, "metrics": {"latencyMs": 1}, "p": "abcdef"})


def body(*blocks: Json, reason: str = "end_turn") -> Json:
    message = {"role": "assistant", "content": list(blocks) or [{"text": "Hi"}]}
    return {"output": {"message": message}, "stopReason": reason, "usage": USAGE, "metrics": {"latencyMs": 1}}


def answered(given: Json) -> Frame:
    return official(BY.dialect.decode(ask(), BY, given), Operation.CHAT)


def message(given: Json) -> Json:
    data = answered(given).data
    assert data is not None
    said: Json = data["choices"][0]["message"]
    return said


def stop(reason: str = "end_turn") -> tuple[str, Json]:
    return "messageStop", {"stopReason": reason}


def delta(value: Json, index: int = 0) -> tuple[str, Json]:
    return "contentBlockDelta", {"contentBlockIndex": index, "delta": value, "p": "ab"}


def ended(index: int = 0) -> tuple[str, Json]:
    return "contentBlockStop", {"contentBlockIndex": index}


def tool(index: int, name: str) -> tuple[str, Json]:
    used = {"toolUse": {"toolUseId": f"t{index}", "name": name}}
    return "contentBlockStart", {"contentBlockIndex": index, "start": used}


def reader(of: Ask | None = None) -> Reader:
    return BY.dialect.reader(of or ask(stream=True), BY)


def feed(to: Reader, *events: tuple[str, Json]) -> list[Frame]:
    return [frame for name, data in events for frame in to.feed(Event(dumps(data), name.encode()))]


def streamed(*events: tuple[str, Json], of: Ask | None = None) -> list[Json]:
    return shown(feed(reader(of), START, *events))


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("guardrail_intervened", "content_filter"),
        ("content_filtered", "content_filter"),
        ("something_new", "stop"),
    ],
)
def test_reasons_are_told_in_openai_s_words_whole_and_streamed(theirs: str, ours: str) -> None:
    assert answered(body(reason=theirs)).finish == ours
    assert finishes_of(streamed(delta({"text": "Hi"}), stop(theirs), METADATA)) == [ours]


def test_tokens_of_the_cache_are_in_the_prompt_and_counted_once() -> None:
    frame = answered(body())
    assert frame.usage is not None
    assert (frame.usage.input, frame.usage.cached_input, frame.usage.cache_write_input) == (18, 5, 3)

    plain = (frame.data or {})["usage"]
    last = streamed(delta({"text": "Hi"}), stop(), METADATA, of=asking())[-1]
    assert plain == last["usage"]
    assert plain["total_tokens"] == plain["prompt_tokens"] + plain["completion_tokens"] == USAGE["totalTokens"]


def test_thinking_that_is_signed_comes_out_whole_for_the_next_turn() -> None:
    kept = [{"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}]
    redacted = [{"type": "redacted_thinking", "data": "cmVk"}]
    said = message(body(SIGNED, {"reasoningContent": {"redactedContent": "cmVk"}}, {"text": "Hi"}))
    chunks = streamed(
        delta({"reasoningContent": {"text": "H"}}),
        delta({"reasoningContent": {"text": "m."}}),
        delta({"reasoningContent": {"signature": "c2ln"}}),
        ended(),
        delta({"reasoningContent": {"redactedContent": "cmVk"}}, 1),
        ended(1),
        delta({"text": "Hi"}, 2),
        ended(2),
        stop(),
        METADATA,
    )

    assert (said["reasoning_content"], said["content"]) == ("Hm.", "Hi")
    assert (text_of(chunks, "reasoning_content"), text_of(chunks)) == ("Hm.", "Hi")
    assert said["thinking_blocks"] == kept + redacted
    told = [block for chunk in chunks for c in chunk["choices"] for block in c["delta"].get("thinking_blocks", ())]
    assert told == [{"index": 0, **kept[0]}, {"index": 1, **redacted[0]}]


def test_thinking_that_nobody_signed_is_text_and_no_more() -> None:
    said = message(body({"reasoningContent": {"reasoningText": {"text": "Hm."}}}, {"text": "Hi"}))

    assert said["reasoning_content"] == "Hm."
    assert "thinking_blocks" not in said


def test_calls_are_counted_apart_from_other_blocks_and_always_have_arguments() -> None:
    chunks = streamed(
        delta({"text": "I look."}),
        ended(),
        tool(1, "time"),
        ended(1),
        tool(2, "weather"),
        delta({"toolUse": {"input": ""}}, 2),
        delta({"toolUse": {"input": '{"city"'}}, 2),
        delta({"toolUse": {"input": ':"Köln"}'}}, 2),
        ended(2),
        stop("tool_use"),
        METADATA,
    )

    assert calls_of(chunks) == [("t1", "time", "{}"), ("t2", "weather", '{"city":"Köln"}')]
    assert finishes_of(chunks) == ["tool_calls"]
    assert sum("role" in choice["delta"] for chunk in chunks for choice in chunk["choices"]) == 1
    assert message(body(USE, reason="tool_use"))["tool_calls"][0]["function"]["arguments"] == "{}"


def test_text_with_citations_is_text() -> None:
    cited = {"citationsContent": {"content": [{"text": "Paris"}], "citations": []}}

    assert message(body({"text": "It is "}, cited))["content"] == "It is Paris"


def test_a_stream_is_complete_with_its_reason_and_over_with_its_counts() -> None:
    to = reader(asking())

    feed(to, START, delta({"text": "Hi"}), stop())
    assert (to.complete, to.done) == (True, False)
    frames = feed(to, METADATA)
    assert to.done
    assert frames[-1].last
    assert [frame.usage.input for frame in frames if frame.usage] == [18]


def test_usage_is_shown_to_whom_asked_alone() -> None:
    assert not any(chunk.get("usage") for chunk in streamed(delta({"text": "Hi"}), stop(), METADATA))


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("throttlingException", ErrorType.RATE_LIMITED),
        ("serviceUnavailableException", ErrorType.OVERLOADED),
        ("internalServerException", ErrorType.SERVER_ERROR),
        ("modelStreamErrorException", ErrorType.SERVER_ERROR),
        ("modelTimeoutException", ErrorType.TIMEOUT),
        ("validationException", ErrorType.INVALID_REQUEST),
        ("InternalError", ErrorType.SERVER_ERROR),
    ],
)
def test_an_exception_in_a_stream_is_raised_by_its_modelled_status(name: str, meant: ErrorType) -> None:
    """AWS's own SDK calls every one of them a 400; peers have turned them into a finish reason, or into nothing."""
    with pytest.raises(GatewayError) as caught:
        feed(reader(), START, (f"exception:{name}", {"message": "it broke"}))

    assert caught.value.type is meant
    assert "it broke" in caught.value.message


def test_a_prompt_that_turns_out_too_long_in_a_stream_is_context_length() -> None:
    with pytest.raises(GatewayError) as caught:
        feed(reader(), ("exception:validationException", {"message": "Input is too long for requested model."}))

    assert caught.value.type is ErrorType.CONTEXT_LENGTH


@pytest.mark.parametrize("reason", ["malformed_model_output", "malformed_tool_use"])
def test_an_answer_that_bedrock_could_not_read_itself_is_a_failure(reason: str) -> None:
    for attempt in (lambda: answered(body(reason=reason)), lambda: feed(reader(), START, stop(reason))):
        with pytest.raises(GatewayError) as caught:
            attempt()
        assert caught.value.type is ErrorType.SERVER_ERROR


@pytest.mark.parametrize(
    "given",
    [{}, {"output": {}}, {"output": {"message": {"content": [{"toolUse": {}}]}}, "stopReason": "x", "usage": {}}],
)
def test_what_is_no_answer_is_said_to_be_none(given: Json) -> None:
    with pytest.raises(ValueError, match="not an answer"):
        BY.dialect.decode(ask(), BY, given)


@pytest.mark.parametrize("event", [("contentBlockDelta", {}), ("messageStop", {}), ("contentBlockStart", {"start": 1})])
def test_an_event_without_its_parts_is_malformed_and_an_unknown_one_is_not(event: tuple[str, Json]) -> None:
    with pytest.raises(ValueError, match="not an event"):
        feed(reader(), event)
    assert feed(reader(), ("somethingNew", {"x": 1}), delta({"image": {}})) == []


@pytest.mark.parametrize(
    ("status", "kind", "words", "meant"),
    [
        (400, "ValidationException", "The provided model identifier is invalid.", "model_not_found"),
        (400, "ValidationException", "Invocation with on-demand throughput isn’t supported.", "model_not_found"),
        (
            400,
            "ValidationException",
            "input length and `max_tokens` exceed context limit: 9 > 8",
            "context_length",
        ),
        (400, "ValidationException", "Input Tokens Exceeded: Number of input tokens exceeds", "context_length"),
        (400, "ValidationException", "messages: roles must alternate", "invalid_request"),
        (400, "ServiceQuotaExceededException", "too much", "rate_limited"),
        (403, "ExpiredTokenException", "The security token included in the request is expired", "authentication"),
        (403, "UnrecognizedClientException", "The security token is invalid.", "authentication"),
        (403, "InvalidSignatureException", "Signature expired: 2026 is now earlier than 2027", "authentication"),
        (
            403,
            "AccessDeniedException",
            "Please make sure your API Key is valid.",
            "authentication",
        ),
        (403, "AccessDeniedException", "You don't have access to the model.", "model_not_found"),
        (404, "ResourceNotFoundException", "This model version has reached the end of its life.", "model_not_found"),
        (408, "ModelTimeoutException", "slow", "timeout"),
        (424, "ModelErrorException", "the model failed", "server_error"),
        (429, "ThrottlingException", "Too many requests", "rate_limited"),
        (429, "ModelNotReadyException", "not ready", "rate_limited"),
        (500, "InternalServerException", "oops", "server_error"),
        (503, "ServiceUnavailableException", "busy", "overloaded"),
    ],
)
def test_refusals_are_named_by_their_exception(status: int, kind: str, words: str, meant: str) -> None:
    headers = {"x-amzn-errortype": f"{kind}:http://internal.amazon.com/coral/com.amazon.bedrock/"}

    assert BY.dialect.decode_error(BY, status, headers, dumps({"message": words})).type == meant


@pytest.mark.parametrize("said", [{"Message": "no access"}, {"message": "no access"}])
def test_a_message_is_found_however_it_is_spelt(said: Json) -> None:
    assert "no access" in BY.dialect.decode_error(BY, 403, {}, dumps(said)).message


def test_an_exception_s_name_may_be_in_the_body_alone() -> None:
    said: Any = {"__type": "com.amazon.coral.service#ExpiredTokenException", "message": "x"}

    assert BY.dialect.decode_error(BY, 400, {}, dumps(said)).type is ErrorType.AUTHENTICATION


def test_what_was_signed_is_not_repeated_to_the_caller() -> None:
    """AWS answers a wrong signature with the whole of it, session token included."""
    told = "The request signature we calculated does not match.\n\nThe Canonical String should have been\n'POST\n"
    said = {"message": f"{told}x-amz-security-token:IQoJb3JpZ2luX2VjEJr+/=\n"}
    error = BY.dialect.decode_error(BY, 403, {"x-amzn-errortype": "InvalidSignatureException"}, dumps(said))

    assert error.message.endswith("The request signature we calculated does not match.")
