"""Two turns with tools and thinking: what a client was given in the first must be fit to be sent in the second."""

from __future__ import annotations

import json

import pytest

from app.core.json import Json
from tests.surfaces.messages_given import (
    HELLO,
    WEATHER,
    call,
    chunk,
    completion,
    folded,
    request,
    streamed,
    translation,
)

ARGUMENTS = '{"city":"Rome"}'


def plain() -> list[Json]:
    """The blocks that a client has after a plain call."""
    calls = [call("call_1", "weather", ARGUMENTS), call("call_2", "weather", "{}")]
    frame = translation(HELLO).whole(
        completion("tool_calls", content="Let me see.", reasoning_content="Ask twice.", tool_calls=calls)
    )
    assert frame.data is not None
    blocks: list[Json] = json.loads(json.dumps(frame.data["content"]))
    return blocks


def in_a_stream() -> list[Json]:
    """The same after a stream, as Anthropic's SDK adds it up."""
    frames = streamed(
        chunk(reasoning_content="Ask "),
        chunk(reasoning_content="twice."),
        chunk(content="Let me see."),
        chunk(tool_calls=[{"index": 0, **call("call_1", "weather", "")}]),
        chunk(tool_calls=[{"index": 0, "function": {"arguments": ARGUMENTS}}]),
        chunk(tool_calls=[{"index": 1, **call("call_2", "weather", "{}")}]),
        chunk("tool_calls"),
    )
    return [block.model_dump(exclude_none=True) for block in folded(frames).content]


@pytest.mark.parametrize("first_turn", [plain, in_a_stream], ids=["plain", "streamed"])
def test_calls_and_results_come_back_as_chat_gave_them(first_turn: object) -> None:
    assert callable(first_turn)
    said = first_turn()
    results = [
        {"type": "tool_result", "tool_use_id": block["id"], "content": [{"type": "text", "text": "warm"}]}
        for block in said
        if block["type"] == "tool_use"
    ]
    messages = [
        {"role": "user", "content": "Rome or Oslo?"},
        {"role": "assistant", "content": said},
        {"role": "user", "content": results},
    ]
    made = translation(request(messages=messages, tools=[WEATHER], model="deepseek-chat")).ask.body

    assert made["messages"] == [
        {"role": "user", "content": "Rome or Oslo?"},
        {
            "role": "assistant",
            "content": "Let me see.",
            "reasoning_content": "Ask twice.",
            "tool_calls": [call("call_1", "weather", ARGUMENTS), call("call_2", "weather", "{}")],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "warm"},
        {"role": "tool", "tool_call_id": "call_2", "content": "warm"},
    ]
