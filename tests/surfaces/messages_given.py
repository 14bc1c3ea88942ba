"""What the tests of the Messages surface are given: requests, chat answers and chunks, and Anthropic's own reader."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from anthropic.lib.streaming._messages import accumulate_event
from anthropic.types import RawMessageStreamEvent
from pydantic import TypeAdapter

from app.core.json import Json, dumps
from app.core.language import Translation
from app.core.usage import Usage
from app.core.wire import Ask, Frame, Operation
from app.surfaces import MESSAGES

HELLO: Json = {"model": "fast", "max_tokens": 100, "messages": [{"role": "user", "content": "Hello"}]}
WEATHER: Json = {
    "name": "weather",
    "description": "The weather in a city.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
}


def request(**fields: Any) -> Json:
    return {**HELLO, **fields}


def translation(body: Json = HELLO, *, stream: bool = False) -> Translation:
    MESSAGES.check(body)
    return MESSAGES.through_chat(Ask(operation=Operation.MESSAGES, body=body, stream=stream, wants_usage=stream))


def chat(**fields: Any) -> Json:
    """The chat request that is made of a Messages request."""
    return translation(request(**fields)).ask.body


def call(id_: str, name: str, arguments: str, **fields: Any) -> Json:
    return {"id": id_, "type": "function", "function": {"name": name, "arguments": arguments}, **fields}


def completion(finish: str = "stop", usage: Usage | None = None, choice: Json | None = None, **said: Any) -> Frame:
    message = {"role": "assistant", "content": None, "refusal": None, **said}
    data = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-4.1-2025-04-14",
        "choices": [{"index": 0, "message": message, "finish_reason": finish, **(choice or {})}],
    }
    return Frame(data, chars=5, finish=finish, usage=usage, last=True)


def chunk(finish: str | None = None, choice: Json | None = None, **delta: Any) -> Frame:
    """A chunk, counted as a dialect counts it."""
    chars = sum(len(delta.get(name) or "") for name in ("content", "reasoning_content", "refusal"))
    for each in delta.get("tool_calls") or ():
        chars += len(each["function"].get("name") or "") + len(each["function"].get("arguments") or "")
    made = [{"index": 0, "delta": delta, "finish_reason": finish, **(choice or {})}]
    return Frame(_chunk(made), chars=chars, finish=finish)


def usage_chunk(usage: Usage, *, shown: bool = True) -> Frame:
    return Frame(_chunk([]) if shown else None, usage=usage)


def _chunk(choices: list[Json]) -> Json:
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4.1", "choices": choices}


FIRST: Json = {"role": "assistant", "content": "", "refusal": None}


def streamed(*frames: Frame, body: Json = HELLO) -> list[Frame]:
    """The events that are made of these chunks."""
    way_back = translation(body, stream=True)
    return [*(made for frame in frames for made in way_back.feed(frame)), *way_back.end()]


def shown(frames: Iterable[Frame]) -> list[Json]:
    return [frame.data for frame in frames if frame.data is not None]


def kinds(frames: Iterable[Frame]) -> list[str]:
    return [data["type"] for data in shown(frames)]


@cache
def official(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def folded(frames: Iterable[Frame]) -> Any:
    """The Message that Anthropic's own SDK makes of the events, each checked against its type and its place."""
    snapshot, buffers = None, dict[int, bytes]()
    open_, count = None, 0
    for frame in frames:
        if frame.data is None:
            continue
        kind = frame.data["type"]
        assert frame.event == kind
        if kind == "content_block_start":
            assert open_ is None, "blocks never interleave"
            assert frame.data["index"] == count
            open_, count = frame.data["content_block"]["type"], count + 1
        elif kind == "content_block_delta":
            assert frame.data["index"] == count - 1
            assert open_ is not None
        elif kind == "content_block_stop":
            open_ = None
        elif kind == "message_delta":
            assert open_ is None
        event = official(RawMessageStreamEvent).validate_json(dumps(frame.data), strict=True)
        snapshot = accumulate_event(event=event, current_snapshot=snapshot, json_bufs=buffers)
    return snapshot
