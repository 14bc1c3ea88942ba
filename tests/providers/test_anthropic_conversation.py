"""Two turns with a tool and thinking: what the client was given in the first must be fit to be sent in the second."""

from __future__ import annotations

import json

import pytest
from openai.lib.streaming._deltas import accumulate_delta

from app.core.json import Json
from app.providers.anthropic_request import to_messages
from tests.providers.anthropic_given import (
    DIALECT,
    WEATHER,
    ask,
    block,
    deltas,
    ended,
    fed,
    message,
    provider,
    started,
    text,
    tool,
)

QUESTION = {"role": "user", "content": "Is it warmer in Rome or in Oslo?"}
THOUGHT = {"type": "thinking", "thinking": "Ask twice.", "signature": "sig"}
HIDDEN = {"type": "redacted_thinking", "data": "xyz"}
SAID = {"type": "text", "text": "Let me see."}
ROME = {"type": "tool_use", "id": "toolu_2", "name": "weather", "input": {"city": "Rome"}}
OSLO = {"type": "tool_use", "id": "toolu_3", "name": "weather", "input": {}}
CONTENT: list[Json] = [THOUGHT, HIDDEN, SAID, ROME, OSLO]


def plain() -> Json:
    """The assistant's message as a client has it after a plain call."""
    frame = DIALECT.decode(ask(), provider(), message(*CONTENT, reason="tool_use"))
    assert frame.data is not None
    said: Json = frame.data["choices"][0]["message"]
    return said


def streamed() -> Json:
    """The same after a stream, added up as OpenAI's SDK does."""
    frames = fed(
        [
            started(),
            *block(
                0,
                {"type": "thinking", "thinking": "", "signature": ""},
                {"type": "thinking_delta", "thinking": "Ask "},
                {"type": "thinking_delta", "thinking": "twice."},
                {"type": "signature_delta", "signature": "sig"},
            ),
            *block(1, HIDDEN),
            *text(2, "Let me ", "see."),
            *tool(3, "weather", '{"city":', '"Rome"}'),
            *tool(4, "weather"),
            *ended("tool_use"),
        ]
    )
    total: dict[object, object] = {}
    for delta in deltas(frames):
        total = accumulate_delta(total, json.loads(json.dumps(delta)))
    said: Json = json.loads(json.dumps(total))
    for call, id_ in zip(said["tool_calls"], ("toolu_2", "toolu_3"), strict=True):
        call["id"] = id_
    return said


@pytest.mark.parametrize("first_turn", [plain, streamed], ids=["plain", "streamed"])
@pytest.mark.parametrize("model", ["claude-sonnet-4-5", "claude-opus-4-8", "claude-fable-5"])
def test_thinking_and_calls_come_back_exactly_as_they_were_given(first_turn: object, model: str) -> None:
    assert callable(first_turn)
    said = first_turn()
    results = [{"role": "tool", "tool_call_id": call["id"], "content": "20 degrees"} for call in said["tool_calls"]]
    body = {"messages": [QUESTION, said, *results], "tools": [WEATHER], "reasoning_effort": "low", "max_tokens": 4000}

    made, dropped = to_messages(body, model)
    question, answer, outcome = made["messages"]
    assert question == {"role": "user", "content": [{"type": "text", "text": QUESTION["content"]}]}
    assert answer == {"role": "assistant", "content": CONTENT}
    assert outcome == {
        "role": "user",
        "content": [
            {"type": "tool_result", "tool_use_id": "toolu_2", "content": "20 degrees"},
            {"type": "tool_result", "tool_use_id": "toolu_3", "content": "20 degrees"},
        ],
    }
    assert made["thinking"]["type"] == ("enabled" if model == "claude-sonnet-4-5" else "adaptive")
    assert dropped == ()


def test_a_client_that_forgets_the_thinking_can_go_on_all_the_same() -> None:
    said = plain()
    del said["thinking_blocks"]
    result = {"role": "tool", "tool_call_id": "toolu_2", "content": "20 degrees"}

    made, dropped = to_messages(
        {"messages": [QUESTION, said, result], "tools": [WEATHER], "reasoning_effort": "low"}, "claude-sonnet-4-5"
    )
    assert [each["type"] for each in made["messages"][1]["content"]] == ["text", "tool_use", "tool_use"]
    assert "thinking" not in made
    assert dropped == ("reasoning_effort",)
