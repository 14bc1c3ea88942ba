"""Answers as Anthropic writes them: messages, count_tokens, models, errors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.standin.message import Part, Piece, Request
from tests.standin.plan import Plan, arguments_of, fragments, prompt_tokens, word, words_of

_FINISH = {"length": "max_tokens", "filter": "refusal", "sequence": "stop_sequence", "pause": "pause_turn"}
_KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}


def event(data: dict[str, Any], part: Part = Part.OTHER, words: int = 0) -> Piece:
    """One SSE event, named by the type of its data."""
    body = json.dumps(data, ensure_ascii=False).encode()
    return Piece(b"event: " + data["type"].encode() + b"\ndata: " + body + b"\n\n", words, part)


def error(status: int, message: str, kind: str | None = None) -> dict[str, Any]:
    default = "invalid_request_error" if status < 500 else "api_error"
    described = {"type": kind or _KINDS.get(status, default), "message": message}
    return {"type": "error", "error": described, "request_id": "req_standin"}


def error_event(status: int, message: str) -> Piece:
    return event(error(status, message))


def content_event(text: str, index: int = 0) -> Piece:
    """One word of a stream."""
    return _delta(index, {"type": "text_delta", "text": text}, words=1)


def plain(request: Request, plan: Plan) -> dict[str, Any]:
    """The message object."""
    message = _envelope(request)
    text = "".join(words_of(request, plan))
    content: list[dict[str, Any]] = []
    if plan.reasoning:
        content.append({"type": "thinking", "thinking": _thinking(plan), "signature": "c2lnbmF0dXJl"})
    if text:
        content.append({"type": "text", "text": text, "citations": None})
    content += [_tool_use(request, index) for index in range(plan.tools)]
    usage = _usage(request, plan, _output_tokens(request, plan))
    return message | {
        "content": content,
        "stop_reason": _finish(plan),
        "stop_sequence": _sequence(plan),
        "usage": usage,
    }


def stream(request: Request, plan: Plan) -> Iterator[Piece]:
    """The events of a streamed message, a ping among them."""
    yield event(
        {"type": "message_start", "message": _envelope(request) | {"usage": _usage(request, plan, 1)}}, Part.START
    )
    index = 0
    if plan.reasoning:
        yield _block_start(index, {"type": "thinking", "thinking": "", "signature": ""})
        for at in range(plan.reasoning):
            yield _delta(index, {"type": "thinking_delta", "thinking": word(at)}, Part.OTHER)
        yield _delta(index, {"type": "signature_delta", "signature": "c2lnbmF0dXJl"}, Part.OTHER)
        yield event({"type": "content_block_stop", "index": index})
        index += 1
    words = words_of(request, plan)
    if words:
        yield _block_start(index, {"type": "text", "text": ""})
        yield event({"type": "ping"})
        for text in words:
            yield content_event(text, index)
        yield event({"type": "content_block_stop", "index": index})
        index += 1
    for tool in range(plan.tools):
        used = _tool_use(request, tool)
        yield _block_start(index, used | {"input": {}})
        for fragment in fragments(json.dumps(used["input"], ensure_ascii=False)):
            yield _delta(index, {"type": "input_json_delta", "partial_json": fragment})
        yield event({"type": "content_block_stop", "index": index})
        index += 1
    last: dict[str, Any] = {"type": "message_delta"}
    last["delta"] = {"stop_reason": _finish(plan), "stop_sequence": _sequence(plan)}
    last["usage"] = _usage(request, plan, _output_tokens(request, plan))
    yield event(last, Part.FINISH)
    yield event({"type": "message_stop"}, Part.DONE)


def count_tokens(request: Request) -> dict[str, Any]:
    return {"input_tokens": prompt_tokens(request)}


def models(names: tuple[str, ...]) -> dict[str, Any]:
    return {
        "data": [model(name) for name in names],
        "has_more": False,
        "first_id": names[0] if names else None,
        "last_id": names[-1] if names else None,
    }


def model(name: str) -> dict[str, Any]:
    return {
        "type": "model",
        "id": name,
        "display_name": name.title(),
        "created_at": "2025-01-01T00:00:00Z",
        "lifecycle": "active",
    }


def _block_start(index: int, block: dict[str, Any]) -> Piece:
    return event({"type": "content_block_start", "index": index, "content_block": block})


def _delta(index: int, delta: dict[str, Any], part: Part = Part.CONTENT, words: int = 0) -> Piece:
    return event({"type": "content_block_delta", "index": index, "delta": delta}, part, words)


def _envelope(request: Request) -> dict[str, Any]:
    return {
        "id": f"msg_{request.connection}_{request.nth}",
        "type": "message",
        "role": "assistant",
        "model": request.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
    }


def _usage(request: Request, plan: Plan, output: int) -> dict[str, Any]:
    """Cached tokens stand beside the input tokens, not among them."""
    return {
        "input_tokens": prompt_tokens(request),
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": plan.cached,
        "output_tokens": output,
    }


def _output_tokens(request: Request, plan: Plan) -> int:
    return len(words_of(request, plan)) + plan.reasoning + plan.tools


def _thinking(plan: Plan) -> str:
    return "".join(word(index) for index in range(plan.reasoning))


def _finish(plan: Plan) -> str:
    return _FINISH.get(plan.finish, "tool_use" if plan.tools else "end_turn")


def _sequence(plan: Plan) -> str | None:
    return "STOP" if plan.finish == "sequence" else None


def _tool_use(request: Request, index: int) -> dict[str, Any]:
    tools = request.fields.get("tools") or [{}]
    tool = tools[index % len(tools)]
    identity = f"toolu_{request.connection}_{request.nth}_{index}"
    name = tool.get("name", f"tool_{index}")
    return {"type": "tool_use", "id": identity, "name": name, "input": arguments_of(tool, index)}
