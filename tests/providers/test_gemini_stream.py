"""Gemini's streams as chat chunks."""

from __future__ import annotations

import json
from typing import Any

import pytest
from openai.lib.streaming._deltas import accumulate_delta

from app.core.errors import ErrorType, GatewayError
from app.core.json import Json, dumps
from app.core.usage import Usage
from tests.providers.gemini_given import answer, called, provider, read, streamed
from tests.providers.talk import ask, asking, calls_of, feed, finishes_of, text_of

HEL, LO = answer({"text": "Hel"}, reason=None), answer({"text": "lo"})


def folded(chunks: list[Json]) -> Json:
    """The deltas as the official SDK adds them up."""
    total: dict[object, object] = {}
    for chunk in chunks:
        for choice in chunk["choices"]:
            total = accumulate_delta(total, json.loads(json.dumps(choice["delta"])))
    return total  # type: ignore[return-value]  # JSON objects have string keys


def test_a_stream_says_its_role_once_then_text_then_why_it_ended_then_what_it_took() -> None:
    chunks = streamed(HEL, LO)

    assert [c["choices"][0]["delta"] for c in chunks[:-1]] == [
        {"role": "assistant", "content": "", "refusal": None},
        {"content": "Hel"},
        {"content": "lo"},
        {},
    ]
    assert finishes_of(chunks) == ["stop"]
    assert len({c["id"] for c in chunks}) == 1
    assert {c["model"] for c in chunks} == {"gemini-2.5-flash"}
    assert (chunks[-1]["choices"], chunks[-1]["usage"]["total_tokens"]) == ([], 17)
    assert all(c["usage"] is None for c in chunks[:-1])


def test_usage_is_known_to_the_books_and_shown_to_who_asked() -> None:
    """Each event counts all so far: the last one stands, and nothing is added up."""
    frames = read(HEL, answer({"text": "lo"}, usage={"promptTokenCount": 10, "candidatesTokenCount": 9}), of=ask())

    assert all("usage" not in frame.data for frame in frames if frame.data)
    assert [frame.usage for frame in frames if frame.usage][-1] == Usage(10, 9)
    assert frames[0].usage is None
    assert any(frame.usage == Usage(10, 7) for frame in frames)  # early, should the client leave
    assert [frame.last for frame in frames].index(True) == len(frames) - 1


def test_counts_stand_where_a_later_event_says_nothing_of_them() -> None:
    late = answer({"text": "", "thoughtSignature": "bGF0ZQ=="}, reason=None)
    del late["usageMetadata"]

    assert streamed(HEL, LO, late)[-1]["usage"]["total_tokens"] == 17


def test_thoughts_in_a_stream_are_counted_and_told() -> None:
    counts = {"promptTokenCount": 1, "candidatesTokenCount": 2, "thoughtsTokenCount": 3, "totalTokenCount": 6}
    chunks = streamed(answer({"text": "Hm", "thought": True}, reason=None), answer({"text": "Hi"}, usage=counts))

    assert (text_of(chunks, "reasoning_content"), text_of(chunks)) == ("Hm", "Hi")
    assert chunks[-1]["usage"]["completion_tokens"] == 5
    assert chunks[-1]["usage"]["completion_tokens_details"] == {"reasoning_tokens": 3}


def test_calls_come_whole_and_are_numbered_over_the_whole_stream() -> None:
    chunks = streamed(answer(called("a", x=1), called("b"), reason=None), answer(called("c", y="ü")))

    calls = calls_of(chunks)
    assert [(name, json.loads(arguments)) for _, name, arguments in calls] == [
        ("a", {"x": 1}),
        ("b", {}),
        ("c", {"y": "ü"}),
    ]
    assert len({call_id for call_id, _, _ in calls}) == 3
    assert finishes_of(chunks) == ["tool_calls"]


def test_a_call_without_arguments_is_an_empty_object_in_a_stream_too() -> None:
    assert calls_of(streamed(answer({"functionCall": {"name": "now"}})))[0][2] == "{}"


def test_signatures_survive_the_sdks_adding_up() -> None:
    chunks = streamed(
        answer(called("f", "Y2FsbA=="), reason=None), answer({"text": "", "thoughtSignature": "dGV4dA=="})
    )

    total = folded(chunks)
    assert total["tool_calls"][0]["extra_content"] == {"google": {"thought_signature": "Y2FsbA=="}}
    assert total["extra_content"] == {"google": {"thought_signature": "dGV4dA=="}}


def test_what_comes_after_the_reason_is_told_before_it() -> None:
    """A signature has been seen in an event of its own, behind the one with the finish reason."""
    late = answer({"text": "", "thoughtSignature": "bGF0ZQ=="}, reason=None)
    chunks = streamed(HEL, LO, late)

    assert folded(chunks)["extra_content"] == {"google": {"thought_signature": "bGF0ZQ=="}}
    assert [bool(c["choices"] and c["choices"][0]["finish_reason"]) for c in chunks][-2:] == [True, False]
    assert finishes_of(chunks) == ["stop"]


def test_several_answers_are_told_apart_and_end_one_by_one() -> None:
    other: Json = {"content": {"parts": [{"text": "Bye"}]}, "finishReason": "MAX_TOKENS", "index": 1}
    both = {**HEL, "candidates": [HEL["candidates"][0], other]}
    chunks = streamed(both, LO, of=asking(n=2))

    found = [(c["index"], c["finish_reason"]) for chunk in chunks for c in chunk["choices"] if c["finish_reason"]]
    assert found == [(0, "stop"), (1, "length")]


def test_a_stream_is_complete_when_every_answer_has_ended() -> None:
    by = provider()
    reader = by.dialect.reader(asking(n=2), by)
    complete = []
    for each in (HEL, LO, {"candidates": [{"content": {"parts": [{"text": "x"}]}, "index": 1}]}):
        feed(reader, each)
        complete.append(reader.complete)

    assert complete == [False, True, False]


@pytest.mark.parametrize("reason", ["MALFORMED_FUNCTION_CALL", "OTHER"])
def test_a_model_that_goes_wrong_is_an_error_before_content_and_an_end_after_it(reason: str) -> None:
    with pytest.raises(GatewayError) as caught:
        read(answer(reason=reason))
    assert caught.value.type is ErrorType.INVALID_RESPONSE
    assert finishes_of(streamed(HEL, answer(reason=reason))) == ["stop"]


def test_a_filter_in_mid_stream_is_the_finish_reason() -> None:
    assert finishes_of(streamed(HEL, answer(reason="RECITATION"))) == ["content_filter"]


def test_a_prompt_that_was_blocked_is_an_error_before_anything_was_said() -> None:
    with pytest.raises(GatewayError) as caught:
        read({"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 8}})
    assert (caught.value.type, caught.value.status) == (ErrorType.CONTENT_FILTER, 400)


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ({"code": 503, "status": "UNAVAILABLE", "message": "busy"}, ErrorType.OVERLOADED),
        ({"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "slow down"}, ErrorType.RATE_LIMITED),
        ({"code": 500, "status": "INTERNAL", "message": "oh"}, ErrorType.SERVER_ERROR),
        ({"message": "of no kind"}, ErrorType.SERVER_ERROR),
    ],
)
def test_an_error_in_mid_stream_is_raised_and_never_an_end(error: Json, expected: ErrorType, wrapped: bool) -> None:
    body: Any = {"error": error}
    by = provider()
    reader = by.dialect.reader(asking(), by)
    feed(reader, HEL)

    with pytest.raises(GatewayError) as caught:
        feed(reader, dumps([body] if wrapped else body))
    assert (caught.value.type, reader.complete) == (expected, False)


@pytest.mark.parametrize(
    "event", [b"", b"{", b"5", b'"x"', b'{"candidates": [5]}', b'{"candidates": [{"content": {"parts": 5}}]}']
)
def test_an_event_that_is_none_is_malformed(event: bytes) -> None:
    by = provider()
    with pytest.raises(ValueError, match=r"."):
        feed(by.dialect.reader(asking(), by), event)


def test_pages_are_cited_once_with_the_whole_text() -> None:
    grounding = {
        "groundingChunks": [{"web": {"uri": "https://a", "title": "A"}}],
        "groundingSupports": [{"segment": {"endIndex": 5}, "groundingChunkIndices": [0]}],
    }
    last = answer({"text": "lo"})
    last["candidates"][0]["groundingMetadata"] = grounding

    (found,) = folded(streamed(HEL, last))["annotations"]
    assert found["url_citation"] == {"url": "https://a", "title": "A", "start_index": 0, "end_index": 5}
