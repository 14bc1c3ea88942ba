"""Responses that nobody has recorded: what goes wrong in one, made from OpenAI's API reference and its SDK's types."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.standin import Exchange
from tests.standin.recording import RecordedRequest, RecordedResponse

Json = dict[str, Any]

_URL = "https://api.openai.com/v1/responses"
_BUSY = {"code": "server_is_overloaded", "message": "The engine is currently overloaded."}
_FAILED = {"code": "server_error", "message": "The model failed to generate a response."}
_SLOW = {"code": "rate_limit_exceeded", "message": "Rate limit reached."}


def exchanges() -> Iterator[Exchange]:
    """`made-openai-<what the client must be told>-<what happened>`."""
    begun, half = _begun(), _half()
    first, broken = ("error_before_content", "own_language_only"), ("breaks_off", "own_language_only")
    yield _stream("server_error-failed-early", [*begun, _failed(2, _FAILED)], first)
    yield _stream("rate_limited-failed-early", [*begun, _failed(2, _SLOW)], first)
    yield _stream("overloaded-error-early", [*begun, _error(2, _BUSY)], first)
    yield _stream("overloaded-nested-error-early", [*begun, {"type": "error", "error": _BUSY}], first)
    yield _stream("midstream-failed", [*half, _failed(5, _FAILED)], broken)
    yield _stream("midstream-error", [*half, _error(5, _FAILED)], broken)
    yield _stream("cut-response", half, broken)
    failed = {**_response("failed"), "error": _FAILED}
    yield _exchange("server_error-failed-plain", json.dumps(failed).encode(), first)


def _begun() -> list[Json]:
    response = _response("in_progress")
    return [
        {"type": "response.created", "sequence_number": 0, "response": response},
        {"type": "response.in_progress", "sequence_number": 1, "response": response},
    ]


def _half() -> list[Json]:
    message: Json = {"type": "message", "id": "msg_1", "role": "assistant", "status": "in_progress", "content": []}
    part = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
    here = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    return [
        *_begun(),
        {"type": "response.output_item.added", "sequence_number": 2, "output_index": 0, "item": message},
        {"type": "response.content_part.added", "sequence_number": 3, **here, "part": part},
        {
            "type": "response.output_text.delta",
            "sequence_number": 4,
            **here,
            "delta": "Half of an ans",
            "logprobs": [],
        },
    ]


def _failed(number: int, error: Json) -> Json:
    return {
        "type": "response.failed",
        "sequence_number": number,
        "response": {**_response("failed"), "error": error},
    }


def _error(number: int, error: Json) -> Json:
    return {"type": "error", "sequence_number": number, "param": None, **error}


def _response(status: str) -> Json:
    return {
        "id": "resp_67ccd2bed1ec8190b14f964abc0542670bb6a6b452d3795b",
        "object": "response",
        "created_at": 1741476542,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "model": "gpt-4.1-2025-04-14",
        "output": [],
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": None,
    }


def _stream(name: str, events: list[Json], features: tuple[str, ...]) -> Exchange:
    body = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events).encode()
    return _exchange(name, body, features, stream=True)


def _exchange(name: str, body: bytes, features: tuple[str, ...], *, stream: bool = False) -> Exchange:
    asked: Json = {"model": "gpt-4.1", "input": "Hi", **({"stream": True} if stream else {})}
    kind = "text/event-stream" if stream else "application/json"
    return Exchange(
        id=f"made-openai-{name}",
        provider="openai",
        operation="responses_stream" if stream else "responses",
        model="gpt-4.1",
        features=features,
        fidelity={},
        request=RecordedRequest("POST", _URL, (), asked),
        response=RecordedResponse(200, (("content-type", kind),), body),
    )
