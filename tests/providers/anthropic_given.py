"""What the tests of the Anthropic dialect are given: asks, a provider, events in Anthropic's form."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from app.core.json import Json, dumps
from app.core.provider import Provider
from app.core.wire import Ask, Event, Frame, Operation
from app.providers.anthropic import ROWS

DIALECT = ROWS[0].dialect
WEATHER: Json = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def provider(**changes: Any) -> Provider:
    given: dict[str, Any] = {
        "name": "anthropic",
        "kind": "anthropic",
        "base_url": "https://api.anthropic.com/v1",
        "dialect": DIALECT,
        "headers": {"x-api-key": "sk-ant-of-ours"},
    }
    return Provider(**{**given, **changes})


def ask(operation: Operation = Operation.CHAT, body: Json | None = None, **changes: Any) -> Ask:
    given: dict[str, Any] = {"stream": False, "wants_usage": False, "created": 1_700_000_000}
    return Ask(operation=operation, body=body or {}, **{**given, **changes})


def event(kind: str, **data: Any) -> Event:
    return Event(dumps({"type": kind, **data}), kind.encode())


def started(**usage: int) -> Event:
    counts = {"input_tokens": 10, "output_tokens": 1, **usage}
    message = {"id": "msg_01", "type": "message", "role": "assistant", "model": "claude-x", "content": []}
    return event("message_start", message={**message, "stop_reason": None, "stop_sequence": None, "usage": counts})


def block(index: int, content_block: Json, *deltas: Json) -> list[Event]:
    return [
        event("content_block_start", index=index, content_block=content_block),
        *(event("content_block_delta", index=index, delta=delta) for delta in deltas),
        event("content_block_stop", index=index),
    ]


def text(index: int, *pieces: str) -> list[Event]:
    return block(index, {"type": "text", "text": ""}, *({"type": "text_delta", "text": piece} for piece in pieces))


def tool(index: int, name: str, *pieces: str) -> list[Event]:
    deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in ("", *pieces)]
    return block(index, {"type": "tool_use", "id": f"toolu_{index}", "name": name, "input": {}}, *deltas)


def ended(reason: str = "end_turn", **usage: Any) -> list[Event]:
    delta = {"stop_reason": reason, "stop_sequence": None}
    return [event("message_delta", delta=delta, usage={"output_tokens": 7, **usage}), event("message_stop")]


def fed(events: Iterable[Event], operation: Operation = Operation.CHAT, **changes: Any) -> list[Frame]:
    reader = DIALECT.reader(ask(operation, stream=True, **changes), provider())
    return [frame for each in events for frame in reader.feed(each)]


def chunks(frames: Iterable[Frame]) -> list[Json]:
    return [frame.data for frame in frames if frame.data is not None]


def deltas(frames: Iterable[Frame]) -> list[Json]:
    return [chunk["choices"][0]["delta"] for chunk in chunks(frames) if chunk["choices"]]


def message(*content: Json, reason: str = "end_turn", **usage: Any) -> Json:
    return {
        "id": "msg_01",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-5-20250929",
        "content": list(content),
        "stop_reason": reason,
        "stop_sequence": None,
        "usage": {"input_tokens": 10, "output_tokens": 7, **usage},
    }
