"""What holds for every answer, whatever was asked and whatever a provider said."""

from __future__ import annotations

import json

from app.core.json import Json
from app.upstream.sse import Splitter
from tests.fuzz.house import Shown
from tests.recorded.official import refused

#: What a client may be told of its own request.
OF_REQUESTS = frozenset({200, 400, 401, 403, 404, 405, 413, 415, 429})

#: What may be told of a provider that answers anything: its own 4xx, and the 502 family.
OF_ANSWERS = frozenset({*range(400, 500), 200, 502, 503, 504, 529}) - {401, 402}

_ANTHROPIC = "/v1/messages"
_OFFICIAL = {
    "/v1/chat/completions": "chat",
    "/v1/completions": "completions",
    "/v1/embeddings": "embeddings",
    "/v1/moderations": "moderations",
    "/v1/responses": "responses",
    "/v1/messages": "messages",
    "/v1/messages/count_tokens": "count_tokens",
}


class Wrong(AssertionError):
    """The gateway did what it must never do."""


def check(path: str, shown: Shown, allowed: frozenset[int], *, official: bool = True) -> None:
    """Raises Wrong. `official`: whether what is answered must be what the SDKs' own types say."""
    if shown.status not in allowed:
        raise Wrong(f"status {shown.status}: {shown.body[:300]!r}")
    for name, value in shown.headers.items():
        if any(ord(c) < 32 or ord(c) > 126 for c in name + value):
            raise Wrong(f"header {name!r} is {value!r}")
    if "x-request-id" not in shown.headers:
        raise Wrong("no x-request-id")
    kind = shown.headers.get("content-type", "")
    if kind == "application/json":
        body = _json(shown.body)
        if shown.status == 200:
            _answered(path, body, official)
        else:
            _explained(path, shown.status, body)
            if shown.status in (429, 503, 529) and not shown.headers.get("retry-after", "").isdecimal():
                raise Wrong(f"Retry-After is {shown.headers.get('retry-after')!r}")
    elif kind.startswith("text/event-stream") and shown.status == 200:
        _streamed(path, shown.body, official)
    else:
        raise Wrong(f"{kind!r} with status {shown.status}")


def _json(raw: bytes) -> Json:
    try:
        body = json.loads(raw)  # what echoes a request may nest deeper than what the gateway itself reads
    except ValueError as error:
        raise Wrong(f"no JSON: {raw[:300]!r}") from error
    if not isinstance(body, dict):
        raise Wrong(f"no object: {raw[:300]!r}")
    return body


def _answered(path: str, body: Json, official: bool) -> None:
    if "error" in body and body["error"] and path != "/v1/responses":
        raise Wrong(f"an error with status 200: {body!r}")
    if official and (name := _OFFICIAL.get(path)) and (problems := refused(name, body)):
        raise Wrong("; ".join(problems))


def _explained(path: str, status: int, body: Json) -> None:
    error = body.get("error")
    if not isinstance(error, dict) or not isinstance(error.get("message"), str) or not error["message"]:
        raise Wrong(f"no error object: {body!r}")
    if not isinstance(error.get("type"), str):
        raise Wrong(f"an error without type: {body!r}")
    if path.startswith(_ANTHROPIC):
        if body.get("type") != "error" or not isinstance(body.get("request_id"), str):
            raise Wrong(f"no error of Anthropic's: {body!r}")
        return
    if set(error) != {"message", "type", "param", "code"} or not isinstance(error["code"], str):
        raise Wrong(f"no error of OpenAI's: {body!r}")
    if not isinstance(error["param"], str | None):
        raise Wrong(f"param is {error['param']!r}")


def _streamed(path: str, raw: bytes, official: bool) -> None:
    """It ends as its language ends a whole one, or in an error; never in both, and never in neither."""
    splitter = Splitter(longest=1 << 30)
    events = splitter.feed(raw)
    if splitter.rest():
        raise Wrong(f"a stream ends inside an event: {raw[-300:]!r}")
    if not events:
        raise Wrong("an empty stream")
    done = [event.data == b"[DONE]" for event in events]
    datas = [_json(event.data) for event, is_done in zip(events, done, strict=True) if not is_done]
    failed = [data.get("type") == "error" or (path != "/v1/responses" and bool(data.get("error"))) for data in datas]
    if path.startswith(_ANTHROPIC):
        ends = [data.get("type") == "message_stop" for data in datas]
    elif path == "/v1/responses":
        ends = [data.get("type") in _LAST for data in datas]
    else:
        ends = done
    if sum(ends) + sum(failed) != 1 or not (ends[-1] or failed[-1]):
        raise Wrong(f"{sum(ends)} ends and {sum(failed)} errors in a stream that ends with {raw[-300:]!r}")
    if not official:
        return
    name = _OFFICIAL[path] + "_stream"
    for data, is_failure in zip(datas, failed, strict=True):
        if not is_failure and (problems := refused(name, data)):
            raise Wrong("; ".join(problems) + f" in {data!r}")


_LAST = ("response.completed", "response.incomplete", "response.failed")
