"""Clients: one call, and what it looked like from outside."""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass
from typing import Any

import requests

from tests.metrics.truth.kinds import KEYS, Kind

PROMPT = "call {number} has five words"  # tokens, as the stand-in counts them
ALWAYS = "this has five words, too"


@dataclass(frozen=True)
class Seen:
    """`code` is None where the whole answer came; `began` and `ended` are monotonic."""

    kind: Kind
    began: float
    ended: float
    lost: bool = False  # the connection broke, or was refused
    left: bool = False
    code: str | None = None
    http: int = 0
    provider: str | None = None
    attempts: int = 0
    cache: str = ""
    input: int = 0
    output: int = 0
    content: bool = False
    guess: int = 0  # tokens that the prompt is taken for where nobody counts them


def call(session: requests.Session, url: str, kind: Kind, number: int) -> Seen:
    began = time.monotonic()
    headers = {"Authorization": f"Bearer {KEYS[kind.tenant] if kind.name != 'stranger' else 'gk-nobody'}"}
    body = _body(kind, number)
    try:
        with session.post(
            url + kind.path,
            data=body,
            headers={**headers, "Content-Type": "application/json"},
            stream=kind.stream,
            timeout=60,
        ) as answer:
            return _seen(kind, began, answer, guess=math.ceil(len("user" + PROMPT.format(number=number)) / 4))
    except requests.RequestException:
        return Seen(kind, began, time.monotonic(), lost=True)


def _body(kind: Kind, number: int) -> bytes:
    if kind.name == "notjson":
        return b'{"model": '
    model = {"unknown": f"model-{number}", "surrogate": "SURROGATE", "stranger": "plain"}.get(kind.name, kind.name)
    said = ALWAYS if kind.name == "cached" else PROMPT.format(number=number)
    body: dict[str, Any] = {"model": model, "max_tokens": 500, **kind.more}
    if "input" not in kind.more:
        body |= {"messages": [{"role": "user", "content": said}], "stream": kind.stream}
        if kind.stream:
            body["stream_options"] = {"include_usage": True}
    return json.dumps(body).replace("SURROGATE", "bad\\ud800").encode()


def _seen(kind: Kind, began: float, answer: requests.Response, guess: int) -> Seen:
    found: dict[str, Any] = {
        "guess": guess,
        "http": answer.status_code,
        "provider": answer.headers.get("x-gateway-provider"),
        "attempts": int(answer.headers.get("x-gateway-attempts", 0)),
        "cache": answer.headers.get("x-gateway-cache", ""),
    }
    if answer.status_code == 200 and kind.stream:
        found |= _read(kind, answer)
    else:
        body = answer.json()
        if answer.status_code != 200:
            found["code"] = body["error"].get("code") or body["error"]["type"]
        else:
            found |= _usage(body.get("usage") or {})
    return Seen(kind, began, time.monotonic(), **found)


def _read(kind: Kind, answer: requests.Response) -> dict[str, Any]:
    found: dict[str, Any] = {"code": "never ended"}
    for line in answer.iter_lines(chunk_size=1 if kind.leaves else 512):
        if line == b"data: [DONE]":
            found["code"] = None
        elif line.startswith(b"data: "):
            event = json.loads(line[6:])
            if "error" in event:
                found["code"] = event["error"]["code"]
            found |= _usage(event.get("usage") or {})
            if any(choice["delta"].get("content") for choice in event.get("choices") or ()):
                found["content"] = True
                if kind.leaves:
                    return {**found, "left": True}
    return found


def _usage(usage: dict[str, Any]) -> dict[str, int]:
    if not usage:
        return {}
    return {
        "input": usage.get("prompt_tokens") or usage.get("input_tokens") or 0,
        "output": usage.get("completion_tokens") or usage.get("output_tokens") or 0,
    }
