"""What must hold of any answer, whoever gave it: errors, streams, forms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.recorded.ask import Answer
from tests.recorded.events import ends_done
from tests.recorded.house import KEY, PROVIDER_KEY
from tests.recorded.official import refused
from tests.recorded.refusals import Refusal

Json = dict[str, Any]


def refusal_problems(answer: Answer, expected: Refusal) -> list[str]:
    """An error with its status, as the SDK raises it."""
    if answer.error is None:
        return [f"expected {expected}, but the call succeeded with {answer.status}"]
    body = answer.json
    error = body.get("error", {})
    anthropic = expected.code is None
    told = [
        _unless("status", answer.status, expected.status),
        _unless("type", error.get("type"), expected.type),
        _unless("the SDK's status", getattr(answer.error, "status_code", None), expected.status),
        _unless(
            "keys of the error", set(error), {"type", "message"} if anthropic else {"message", "type", "param", "code"}
        ),
        _unless("content type", answer.headers.get("content-type"), "application/json"),
    ]
    if anthropic:
        told += [
            _unless("type of the body", body.get("type"), "error"),
            _unless("request_id", "request_id" in body, True),
        ]
    else:
        told.append(_unless("code", error.get("code"), expected.code))
    told += [
        _unless("Retry-After", answer.headers.get("retry-after", "").isdecimal(), expected.retries_told),
        _unless("a message", bool(error.get("message")), True),
        _unless("a key in the message", any(key in answer.body.decode() for key in (KEY, PROVIDER_KEY)), False),
    ]
    return [problem for problem in told if problem]


def _unless(what: str, found: object, expected: object) -> str:
    return "" if found == expected else f"{what}: expected {expected!r}, found {found!r}"


def success_problems(answer: Answer, provider: str, model: str, *, stream: bool) -> list[str]:
    """A 200 that the SDK took without complaint, with the gateway's own headers and none of the provider's."""
    if answer.error is not None:
        return [f"the SDK raised {type(answer.error).__name__}: {str(answer.error)[:500]}"]
    expected = {
        "content-type": "text/event-stream; charset=utf-8" if stream else "application/json",
        "x-gateway-provider": provider,
        "x-gateway-model": model,
        "x-gateway-attempts": "1",
        "x-gateway-cache": "bypass",
        "x-content-type-options": "nosniff",
        **({"x-accel-buffering": "no", "cache-control": "no-cache"} if stream else {}),
    }
    found = {name: value for name, value in answer.headers.items() if name not in _VARIES}
    told = [] if answer.status == 200 else [f"status {answer.status}"]
    ids = [answer.headers.get(name) for name in ("x-request-id", "request-id")]  # the second is Anthropic's name
    if not ids[0] or ids[1] not in (None, ids[0]):
        told.append(f"request ids: {ids}")
    return told if found == expected else [*told, f"headers: expected {expected}, found {found}"]


_VARIES = ("content-length", "request-id", "x-request-id", "x-gateway-dropped")


def chunk_problems(answer: Answer, *, kind: str, wants_usage: bool) -> list[str]:
    """The grammar of an OpenAI stream: official chunks of one answer, usage last and only if wanted, then [DONE]."""
    chunks = answer.events
    told = [problem for chunk in chunks for problem in refused(kind, chunk)]
    if not ends_done(answer.body):
        told.append("the stream does not end with [DONE]")
    if len(ids := {chunk["id"] for chunk in chunks}) != 1:
        told.append(f"{len(ids)} ids in one stream: {ids}")
    with_usage = [at for at, chunk in enumerate(chunks) if chunk.get("usage")]
    if not wants_usage and with_usage:
        told.append(f"usage in chunks {with_usage}, though nobody asked")
    if wants_usage and any(at != len(chunks) - 1 for at in with_usage):
        told.append(f"usage in chunks {with_usage} of {len(chunks)}: it belongs into the last alone")
    calls = [call for chunk in chunks for c in chunk["choices"] for call in c.get("delta", {}).get("tool_calls") or ()]
    if nulls := [call for call in calls if None in (*call.values(), *(call.get("function") or {}).values())]:
        told.append(f"{len(nulls)} fragments of calls hold nulls, which clients take for a name: {nulls[0]}")
    finishes = [choice["index"] for chunk in chunks for choice in chunk["choices"] if choice.get("finish_reason")]
    if len(finishes) != len(set(finishes)):
        told.append(f"finish reasons for choices {finishes}: one each")
    return told


def event_problems(answer: Answer) -> list[str]:
    """The grammar of an Anthropic stream: official events, blocks one after the other, closed before the next."""
    told = []
    open_block: int | None = None
    blocks = 0
    order = [event["type"] for event in answer.events if event["type"] != "ping"]
    if order[:1] != ["message_start"] or order[-2:] != ["message_delta", "message_stop"]:
        told.append(f"a stream from {order[:1]} to {order[-2:]}")
    if answer.headers.get("content-type", "").partition(";")[0] != "text/event-stream":
        told.append("not an event stream")
    for event in answer.events:
        told += refused("messages_stream", event)
        match event["type"]:
            case "content_block_start":
                if open_block is not None or event["index"] != blocks:
                    told.append(f"block {event['index']} starts; open is {open_block}, next is {blocks}")
                open_block, blocks = event["index"], blocks + 1
            case "content_block_delta" | "content_block_stop":
                if event["index"] != open_block:
                    told.append(f"{event['type']} of block {event['index']}; open is {open_block}")
                if event["type"] == "content_block_stop":
                    open_block = None
    return told


def guarded(check: Callable[[], list[str]]) -> list[str]:
    """Problems, where a reader that takes nothing but the official form finds another one too."""
    try:
        return check()
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        return [f"cannot be read: {error!r}"]
