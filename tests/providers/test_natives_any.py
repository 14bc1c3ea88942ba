"""Whatever a client asks or a provider says, Cohere's and Bedrock's dialects never fail by a bug of their own."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.errors import GatewayError
from app.core.json import Json, dumps
from app.core.provider import Cloud, Provider
from app.core.wire import Ask, Event, Frame, Operation
from app.providers import registry
from tests.providers.talk import ask, asking, official, shown
from tests.providers.test_anthropic_any_input import BODIES, MESSAGES, VALUES
from tests.providers.test_openai_any_answer import broken

COHERE = registry.build("cohere", "cohere", key="k")
BEDROCK = registry.build("bedrock", "bedrock", cloud=Cloud(region="us-east-1"), key="k")

USE: Json = {"toolUse": {"toolUseId": "t", "name": "f", "input": {"a": 1}}}
THOUGHT: Json = {"reasoningContent": {"reasoningText": {"text": "a", "signature": "s"}}}
BLOCKS: list[Json] = [THOUGHT, {"reasoningContent": {"redactedContent": "r"}}, {"text": "b"}, USE]
COUNTS: Json = {"inputTokens": 1, "outputTokens": 2, "totalTokens": 3, "cacheReadInputTokens": 1}
CONVERSED: Json = {
    "output": {"message": {"role": "assistant", "content": BLOCKS}},
    "stopReason": "tool_use",
    "usage": COUNTS,
}
CALL: Json = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
USAGE: Json = {"tokens": {"input_tokens": 1.0, "output_tokens": 2, "reasoning_tokens": 1}, "cached_tokens": 1}
CHATTED: Json = {
    "id": "x",
    "message": {
        "role": "assistant",
        "content": [{"type": "thinking", "thinking": "a"}, {"type": "text", "text": "b"}],
        "tool_plan": "p",
        "tool_calls": [CALL],
        "citations": [{"start": 0, "end": 1, "text": "b", "sources": []}],
    },
    "finish_reason": "TOOL_CALL",
    "usage": USAGE,
}
FRAMES: list[tuple[bytes, Json]] = [
    (b"messageStart", {"role": "assistant"}),
    (b"contentBlockDelta", {"contentBlockIndex": 0, "delta": {"reasoningContent": {"text": "a"}}}),
    (b"contentBlockDelta", {"contentBlockIndex": 0, "delta": {"reasoningContent": {"signature": "s"}}}),
    (b"contentBlockDelta", {"contentBlockIndex": 0, "delta": {"reasoningContent": {"redactedContent": "s"}}}),
    (b"contentBlockStop", {"contentBlockIndex": 0}),
    (b"contentBlockDelta", {"contentBlockIndex": 1, "delta": {"text": "b"}}),
    (b"contentBlockStart", {"contentBlockIndex": 2, "start": {"toolUse": {"toolUseId": "t", "name": "f"}}}),
    (b"contentBlockDelta", {"contentBlockIndex": 2, "delta": {"toolUse": {"input": "{"}}}),
    (b"messageStop", {"stopReason": "tool_use"}),
    (b"metadata", {"usage": COUNTS}),
]
EVENTS: list[Json] = [
    {"type": "message-start", "delta": {"message": {"role": "assistant"}}},
    {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"thinking": "a"}}}},
    {"type": "content-delta", "index": 1, "delta": {"message": {"content": {"text": "b"}}}},
    {"type": "tool-plan-delta", "delta": {"message": {"tool_plan": "p"}}},
    {"type": "tool-call-start", "index": 0, "delta": {"message": {"tool_calls": CALL}}},
    {"type": "tool-call-delta", "index": 0, "delta": {"message": {"tool_calls": {"function": {"arguments": "x"}}}}},
    {"type": "tool-call-end", "index": 0},
    {"type": "citation-start", "index": 0, "delta": {"message": {"citations": {"start": 0}}}},
    {"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": USAGE}},
]
VECTORS: Json = {"embeddings": {"float": [[1.0, 2.0]]}, "meta": {"billed_units": {"input_tokens": 1}}}
RANKS: Json = {"id": "x", "results": [{"index": 0, "relevance_score": 0.5}], "meta": {}, "usage": {"total_tokens": 1}}


@pytest.mark.parametrize("by", [COHERE, BEDROCK], ids=lambda by: by.name)
@settings(deadline=None, max_examples=150)
@given(body=BODIES, messages=MESSAGES, tools=VALUES)
def test_any_chat_is_translated_or_refused(by: Provider, body: Json, messages: Any, tools: Any) -> None:
    for given_tools in ({}, {"tools": tools}):
        asked = Ask(
            operation=Operation.CHAT,
            body={"model": "m", "messages": messages, **body, **given_tools},
            stream=False,
            wants_usage=False,
        )
        with contextlib.suppress(GatewayError):
            assert dumps(by.dialect.encode(asked, by, "m").body)


@pytest.mark.parametrize(
    ("by", "operation", "sound"),
    [
        (COHERE, Operation.CHAT, CHATTED),
        (BEDROCK, Operation.CHAT, CONVERSED),
        (COHERE, Operation.EMBEDDINGS, VECTORS),
        (BEDROCK, Operation.EMBEDDINGS, VECTORS),
        (COHERE, Operation.RERANK, RANKS),
    ],
)
@settings(deadline=None, max_examples=150)
@given(data=st.data())
def test_any_answer_is_official_or_none(by: Provider, operation: Operation, sound: Json, data: st.DataObject) -> None:
    of = ask(operation, input="a", query="q", documents=["a"])
    try:
        frame = by.dialect.decode(of, by, data.draw(broken(sound)))
    except (GatewayError, ValueError):
        return
    if operation is not Operation.RERANK:
        official(frame, operation)


def _broken_frames() -> st.SearchStrategy[Event]:
    return st.sampled_from(FRAMES).flatmap(
        lambda each: st.one_of(st.just(each[1]), broken(each[1])).map(lambda data: Event(dumps(data), each[0]))
    )


def _broken_events() -> st.SearchStrategy[Event]:
    return st.sampled_from(EVENTS).flatmap(
        lambda each: st.one_of(st.just(each), broken(each)).map(lambda data: Event(dumps(data)))
    )


@settings(deadline=None, max_examples=150)
@given(st.lists(_broken_frames(), max_size=12))
def test_any_stream_of_bedrock(events: list[Event]) -> None:
    _check(BEDROCK, events)


@settings(deadline=None, max_examples=150)
@given(st.lists(_broken_events(), max_size=12))
def test_any_stream_of_cohere(events: list[Event]) -> None:
    _check(COHERE, [*events, Event(b"[DONE]")])


def _check(by: Provider, events: list[Event]) -> None:
    stream = by.dialect.reader(asking(), by)
    frames: list[Frame] = []
    for event in events:
        with contextlib.suppress(ValueError):
            try:
                frames += stream.feed(event)
            except GatewayError:
                break
    assert len({each["id"] for each in shown(frames)}) <= 1


@pytest.mark.parametrize("by", [COHERE, BEDROCK], ids=lambda by: by.name)
@settings(deadline=None, max_examples=150)
@given(status=st.integers(300, 599), body=st.one_of(st.binary(max_size=40), VALUES.map(dumps)))
def test_any_refusal_is_named(by: Provider, status: int, body: bytes) -> None:
    assert by.dialect.decode_error(by, status, {}, body).provider == by.name
