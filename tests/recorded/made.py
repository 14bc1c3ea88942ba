"""Exchanges that nobody has recorded, made from the providers' published schemas and kept apart from the recordings.

Sources: the error pages and API references of OpenAI, Anthropic, Mistral and Groq; vLLM's protocol module; the types of
openai 3.54 and anthropic 2.12. Google's are in `made_gemini.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.recorded import made_gemini, made_natives, made_responses
from tests.recorded.corpus import Case, Way
from tests.standin import Exchange
from tests.standin.recording import RecordedRequest, RecordedResponse

Json = dict[str, Any]

_URLS = {
    "anthropic": "https://api.anthropic.com/v1/messages",
    "openai": "https://api.openai.com/v1/chat/completions",
    "mistral": "https://api.mistral.ai/v1/chat/completions",
    "vllm": "http://localhost:8000/v1/chat/completions",
}
_MODELS = {"anthropic": "claude-haiku-4-5", "openai": "gpt-4o", "mistral": "mistral-small", "vllm": "some/model"}


def cases(way: Way) -> list[Case]:
    """All of them; those that have no form in the other language are only asked in their own."""
    elsewhere = (*made_responses.exchanges(), *made_gemini.exchanges(), *made_natives.exchanges())
    made = [*_refusals(), *_broken(), *_answers(), *elsewhere]
    return [Case(each, way, None) for each in made if way is Way.OWN or "own_language_only" not in each.features]


def _refusals() -> Iterator[Exchange]:
    """`made-<provider>-<error_type>-<status>`: the error_type is what the client must be told."""
    large = {"type": "request_too_large", "message": "Request exceeds the maximum allowed number of bytes."}
    for error_type, status, error in (
        ("too_large", 413, large),
        ("overloaded", 529, {"type": "overloaded_error", "message": "Overloaded"}),
        ("server_error", 500, {"type": "api_error", "message": "Internal server error"}),
        ("rate_limited", 429, {"type": "rate_limit_error", "message": "This request would exceed your rate limit."}),
        ("quota_exceeded", 402, {"type": "billing_error", "message": "Your credit balance is too low."}),
        ("server_error", 504, {"type": "timeout_error", "message": "The request timed out."}),
    ):
        body = {"type": "error", "error": error, "request_id": "req_011CSHoEeqs5C35K2UUqR7Fy"}
        yield _exchange("anthropic", f"{error_type}-{status}", _json(body), status=status)
        yield _exchange("anthropic", f"{error_type}-{status}", _json(body), status=status, stream=True)
    failed = {"message": "The server had an error while processing your request.", "type": "server_error"}
    full = {"message": "You exceeded your current quota.", "type": "insufficient_quota", "code": "insufficient_quota"}
    busy = {"message": "The engine is currently overloaded.", "type": "server_error"}
    for error_type, status, error in (
        ("server_error", 500, failed),
        ("overloaded", 503, busy),
        ("quota_exceeded", 429, full),
    ):
        body = {"error": {"param": None, "code": None, **error}}
        yield _exchange("openai", f"{error_type}-{status}", _json(body), status=status)
    page = b"<html><head><title>413 Request Entity Too Large</title></head><body>nginx</body></html>"
    yield _exchange("openai", "invalid_request-413", page, status=413, kind="text/html")
    detail = {"detail": [{"loc": ["body", "temperature"], "msg": "Input should be less than 2", "type": "less_than"}]}
    refused = {"object": "error", "message": detail, "type": "invalid_request_error", "param": None, "code": None}
    yield _exchange("mistral", "invalid_request-422", _json(refused), status=422)
    older = {"object": "error", "message": "bad", "type": "BadRequestError", "param": None, "code": 400}
    yield _exchange("vllm", "invalid_request-400-older", _json(older), status=400)
    newer = {"error": {"message": "bad", "type": "BadRequestError", "param": None, "code": 400}}
    yield _exchange("vllm", "invalid_request-400-newer", _json(newer), status=400)


def _broken() -> Iterator[Exchange]:
    overloaded = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    head, text = _anthropic_head(), _anthropic_text("Half of an ans")
    features = ("breaks_off",)
    yield _exchange("anthropic", "midstream", _named([head, *text[:2], overloaded]), stream=True, features=features)
    yield _exchange("anthropic", "cut", _named([head, *text[:2]]), stream=True, features=features)
    features = ("error_before_content",)
    yield _exchange("anthropic", "overloaded-early", _named([head, overloaded]), stream=True, features=features)
    failed = {"error": {"message": "The server had an error", "type": "server_error", "param": None, "code": None}}
    features = ("breaks_off",)
    first = [_chunk({"role": "assistant", "content": ""}), _chunk({"content": "Half of an ans"})]
    yield _exchange("openai", "midstream", _events([*first, failed], done=True), stream=True, features=features)
    yield _exchange("openai", "cut", _events(first), stream=True, features=features)
    features = ("error_before_content",)
    yield _exchange("openai", "server_error-early", _events([first[0], failed]), stream=True, features=features)


def _answers() -> Iterator[Exchange]:
    token = {"token": "Hi", "logprob": -0.31725305, "bytes": [72, 105]}
    logprobs = {"content": [{**token, "top_logprobs": [token]}], "refusal": None}
    message: Json = {"role": "assistant", "content": "Hi", "refusal": None, "annotations": []}
    choice = {"index": 0, "message": message, "logprobs": logprobs, "finish_reason": "stop"}
    head = {"id": "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT", "created": 1741569952, "model": "gpt-4o-2024-08-06"}
    body = {**head, "object": "chat.completion", "choices": [choice], "usage": _usage(19, 1)}
    asked = {"logprobs": True, "top_logprobs": 1}
    features = ("own_language_only",)
    yield _exchange("openai", "logprobs", _json(body), request=asked, features=features)
    chunks = [_chunk({"content": "Hi"}, logprobs=logprobs), _chunk({}, finish="stop")]
    yield _exchange("openai", "logprobs", _events(chunks, done=True), stream=True, request=asked, features=features)
    calls = [("call_a", "weather", '{"city": "Bonn"}'), ("call_b", "time", '{"city": "Köln"}')]
    yield _exchange("openai", "interleaved", _events(list(_interleaved(calls)), done=True), stream=True)
    for reason in ("refusal", "pause_turn", "model_context_window_exceeded"):
        end = [_anthropic_end(reason), {"type": "message_stop"}]
        stream = _named([_anthropic_head(), *_anthropic_text("Hm"), *end])
        yield _exchange("anthropic", reason, stream, stream=True)


def _interleaved(calls: list[tuple[str, str, str]]) -> Iterator[Json]:
    """Parallel calls whose fragments alternate, which the grammar allows."""
    for at, (name, function, _) in enumerate(calls):
        begun = {"index": at, "id": name, "type": "function", "function": {"name": function, "arguments": ""}}
        yield _chunk({"tool_calls": [begun]})
    for half in (slice(0, 7), slice(7, None)):
        for at, (_, _, arguments) in enumerate(calls):
            yield _chunk({"tool_calls": [{"index": at, "function": {"arguments": arguments[half]}}]})
    yield _chunk({}, finish="tool_calls")
    yield {**_chunk({}), "choices": [], "usage": _usage(50, 30)}


def _usage(prompt: int, completion: int) -> Json:
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def _chunk(delta: Json, *, finish: str | None = None, logprobs: Json | None = None) -> Json:
    choice = {"index": 0, "delta": delta, "logprobs": logprobs, "finish_reason": finish}
    head = {"id": "chatcmpl-123", "object": "chat.completion.chunk", "created": 1694268190, "model": "gpt-4o-mini"}
    return {**head, "system_fingerprint": "fp_44709d6fcb", "choices": [choice]}


def _anthropic_head() -> Json:
    usage = {"input_tokens": 25, "output_tokens": 1, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0}
    message = {"id": "msg_1nZdL29xx5MUA1yADyHTEsnR8uuvGzszyY", "type": "message", "role": "assistant", "content": []}
    stop = {"stop_reason": None, "stop_sequence": None, "stop_details": None}
    return {"type": "message_start", "message": {**message, "model": "claude-haiku-4-5", **stop, "usage": usage}}


def _anthropic_text(text: str) -> list[Json]:
    return [
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}},
        {"type": "content_block_stop", "index": 0},
    ]


def _anthropic_end(reason: str) -> Json:
    delta = {"stop_reason": reason, "stop_sequence": None, "stop_details": None}
    return {"type": "message_delta", "delta": delta, "usage": {"output_tokens": 15}}


def _json(body: Json) -> bytes:
    return json.dumps(body).encode()


def _events(chunks: list[Json], *, done: bool = False) -> bytes:
    told = [json.dumps(chunk, ensure_ascii=False) for chunk in chunks] + (["[DONE]"] if done else [])
    return "".join(f"data: {text}\n\n" for text in told).encode()


def _named(events: list[Json]) -> bytes:
    return "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events).encode()


def _exchange(
    provider: str,
    name: str,
    body: bytes,
    *,
    status: int = 200,
    stream: bool = False,
    kind: str = "application/json",
    request: Json | None = None,
    features: tuple[str, ...] = (),
) -> Exchange:
    operation = ("messages" if provider == "anthropic" else "chat") + ("_stream" if stream else "")
    asked: Json = {"model": _MODELS[provider], "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1024}
    if stream:
        asked["stream"] = True
        kind = "text/event-stream" if status == 200 else kind
    return Exchange(
        id=f"made-{provider}-{name}{'-stream' if stream else ''}",
        provider=provider,
        operation=operation,
        model=_MODELS[provider],
        features=features,
        fidelity={},
        request=RecordedRequest("POST", _URLS[provider], (), {**asked, **(request or {})}),
        response=RecordedResponse(status, (("content-type", kind),), body),
    )
