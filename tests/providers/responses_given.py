"""What the tests of passed through responses are given: a response, the events that make it up, and who asked."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.errors import GatewayError
from app.core.json import Json
from app.core.wire import Ask, Frame, Operation
from tests.providers.talk import ask, feed, reader
from tests.recorded.official import refused

TEXT = {"type": "output_text", "text": "Hi", "annotations": [], "logprobs": []}
MESSAGE = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [TEXT]}
RESPONSE: Json = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1,
    "status": "completed",
    "model": "gpt-x-2026",
    "output": [MESSAGE],
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
    "usage": {
        "input_tokens": 10,
        "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 3},
        "output_tokens": 5,
        "output_tokens_details": {"reasoning_tokens": 2},
        "total_tokens": 15,
    },
}
CREATED: Json = {
    "type": "response.created",
    "sequence_number": 0,
    "response": {**RESPONSE, "status": "in_progress", "output": [], "usage": None},
}
ADDED: Json = {
    "type": "response.output_item.added",
    "sequence_number": 1,
    "output_index": 0,
    "item": {**MESSAGE, "status": "in_progress", "content": []},
}
DELTA: Json = {
    "type": "response.output_text.delta",
    "sequence_number": 2,
    "item_id": "msg_1",
    "output_index": 0,
    "content_index": 0,
    "delta": "Hi",
    "logprobs": [],
}
COMPLETED: Json = {"type": "response.completed", "sequence_number": 3, "response": RESPONSE}


def asking(*, stream: bool = False, **body: Any) -> Ask:
    return ask(Operation.RESPONSES, stream=stream, input="Hello", **body)


def streamed(*events: Json | bytes) -> list[Frame]:
    frames = feed(reader(asking(stream=True)), *events)
    assert [problem for frame in frames for problem in refused("responses_stream", frame.data)] == []
    return frames


def failed(*events: Json) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        feed(reader(asking(stream=True)), *events)
    return caught.value
