"""Answers as OpenAI writes them: chat, completions, embeddings, moderations, models, errors."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Iterator
from typing import Any

from tests.standin.message import Part, Piece, Request
from tests.standin.plan import Plan, arguments_of, fragments, prompt_tokens, word, words_of

CREATED = 1_700_000_000
DONE = Piece(b"data: [DONE]\n\n", part=Part.DONE)
_FINISH = {"length": "length", "filter": "content_filter"}
_CODES = {
    400: ("invalid_request_error", None),
    401: ("invalid_request_error", "invalid_api_key"),
    403: ("invalid_request_error", "unsupported_country_region_territory"),
    404: ("invalid_request_error", "model_not_found"),
    413: ("invalid_request_error", "request_too_large"),
    429: ("requests", "rate_limit_exceeded"),
    503: ("server_error", "server_is_overloaded"),
}


def event(data: object, part: Part = Part.OTHER, words: int = 0) -> Piece:
    """One SSE event of JSON."""
    return Piece(b"data: " + json.dumps(data, ensure_ascii=False).encode() + b"\n\n", words, part)


def error(status: int, message: str, code: str | None = None, kind: str | None = None) -> dict[str, Any]:
    """The error object; type and code by status unless given."""
    default_kind, default_code = _CODES.get(status, ("invalid_request_error" if status < 500 else "server_error", None))
    return {"error": {"message": message, "type": kind or default_kind, "param": None, "code": code or default_code}}


def error_event(status: int, message: str) -> Piece:
    return event(error(status, message))


def content_event(request: Request, text: str) -> Piece:
    """One word of a stream."""
    if _is_legacy(request):
        return event(
            _chunk(request, [{"index": 0, "text": text, "finish_reason": None, "logprobs": None}]), Part.CONTENT, 1
        )
    return event(_chunk(request, [_choice({"content": text})]), Part.CONTENT, 1)


def plain(request: Request, plan: Plan) -> dict[str, Any]:
    """chat.completion or text_completion."""
    text = "".join(words_of(request, plan))
    answer = _envelope(request, "text_completion" if _is_legacy(request) else "chat.completion")
    if _is_legacy(request):
        choice = {"index": 0, "text": text, "finish_reason": _finish(plan), "logprobs": None}
    else:
        message: dict[str, Any] = {"role": "assistant", "content": text or None, "refusal": None}
        if plan.reasoning:
            message["reasoning_content"] = "".join(word(index) for index in range(plan.reasoning))
        if plan.tools:
            message["tool_calls"] = [
                {"id": _call_id(request, index), "type": "function", "function": _function(request, index)}
                for index in range(plan.tools)
            ]
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _finish(plan)}
    answer["choices"] = [choice]
    if plan.has_usage:
        answer["usage"] = usage(request, plan)
    return answer


def stream(request: Request, plan: Plan) -> Iterator[Piece]:
    """The events of a streamed answer, `[DONE]` included."""
    if not _is_legacy(request):
        empty = "" if words_of(request, plan) else None  # calls of tools come without a text
        yield event(_chunk(request, [_choice({"role": "assistant", "content": empty, "refusal": None})]), Part.START)
        for index in range(plan.reasoning):
            yield event(_chunk(request, [_choice({"reasoning_content": word(index)})]))
    for text in words_of(request, plan):
        yield content_event(request, text)
    for index in range(plan.tools):
        function = _function(request, index)
        for at, fragment in enumerate(fragments(function["arguments"])):
            call: dict[str, Any] = {"index": index, "function": {"arguments": fragment}}
            if at == 0:
                call = {"index": index, "id": _call_id(request, index), "type": "function", "function": function}
                call["function"] = {"name": function["name"], "arguments": ""}
            yield event(_chunk(request, [_choice({"tool_calls": [call]})]), Part.CONTENT)
    last: dict[str, Any] = _choice({}, _finish(plan))
    if _is_legacy(request):
        last = {"index": 0, "text": "", "finish_reason": _finish(plan), "logprobs": None}
    yield event(_chunk(request, [last]), Part.FINISH)
    if plan.has_usage and _wants_usage(request):
        yield event(_chunk(request, []) | {"usage": usage(request, plan)}, Part.USAGE)
    yield DONE


def usage(request: Request, plan: Plan) -> dict[str, Any]:
    prompt = prompt_tokens(request) + plan.cached
    completion = len(words_of(request, plan)) + plan.reasoning + plan.tools
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": plan.cached, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": plan.reasoning, "audio_tokens": 0},
    }


def embeddings(request: Request) -> dict[str, Any]:
    """Vectors of `dimensions` (8), as floats or base64, the same for the same text."""
    given = request.fields.get("input", "")
    inputs = given if isinstance(given, list) and not all(isinstance(one, int) for one in given) else [given]
    size = int(request.fields.get("dimensions") or 8)
    data = []
    for index, one in enumerate(inputs):
        seed = sum(json.dumps(one).encode())
        vector: Any = [((seed + at) % 17 - 8) / 16 for at in range(size)]
        if request.fields.get("encoding_format") == "base64":
            vector = base64.b64encode(struct.pack(f"<{size}f", *vector)).decode()
        data.append({"object": "embedding", "index": index, "embedding": vector})
    tokens = prompt_tokens(request)
    spent = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "data": data, "model": request.model, "usage": spent}


def moderations(request: Request) -> dict[str, Any]:
    """Everything that says 'bad' is flagged."""
    given = request.fields.get("input", "")
    results = []
    for one in given if isinstance(given, list) else [given]:
        is_bad = "bad" in json.dumps(one)
        names = (
            *("harassment", "harassment/threatening", "hate", "hate/threatening", "illicit", "illicit/violent"),
            *("self-harm", "self-harm/instructions", "self-harm/intent", "sexual", "sexual/minors"),
            *("violence", "violence/graphic"),
        )
        results.append(
            {
                "flagged": is_bad,
                "categories": {name: is_bad and name == "hate" for name in names},
                "category_scores": {name: 0.9 if is_bad and name == "hate" else 0.001 for name in names},
                "category_applied_input_types": {name: ["text"] for name in names},
            }
        )
    return {"id": f"modr-{_serial(request)}", "model": request.model, "results": results}


def models(names: tuple[str, ...]) -> dict[str, Any]:
    return {"object": "list", "data": [model(name) for name in names]}


def model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": CREATED, "owned_by": "stand-in"}


def _is_legacy(request: Request) -> bool:
    return request.path.endswith("/completions") and not request.path.endswith("/chat/completions")


def _wants_usage(request: Request) -> bool:
    options = request.fields.get("stream_options")
    return isinstance(options, dict) and options.get("include_usage") is True


def _serial(request: Request) -> str:
    return f"{request.connection}-{request.nth}"


def _envelope(request: Request, kind: str) -> dict[str, Any]:
    prefix = "cmpl" if _is_legacy(request) else "chatcmpl"
    return {"id": f"{prefix}-{_serial(request)}", "object": kind, "created": CREATED, "model": request.model}


def _chunk(request: Request, choices: list[dict[str, Any]]) -> dict[str, Any]:
    kind = "text_completion" if _is_legacy(request) else "chat.completion.chunk"
    chunk = _envelope(request, kind) | {"choices": choices}
    return chunk | {"usage": None} if _wants_usage(request) else chunk


def _choice(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}


def _finish(plan: Plan) -> str:
    return _FINISH.get(plan.finish, "tool_calls" if plan.tools else "stop")


def _call_id(request: Request, index: int) -> str:
    return f"call_{_serial(request)}_{index}"


def _function(request: Request, index: int) -> dict[str, str]:
    tools = request.fields.get("tools") or [{}]
    function = tools[index % len(tools)].get("function") or {}
    arguments = json.dumps(arguments_of(function, index), ensure_ascii=False)
    return {"name": function.get("name", f"tool_{index}"), "arguments": arguments}
