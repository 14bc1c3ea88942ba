"""Gemini's answers as they were recorded: streams put together, and read."""

from __future__ import annotations

import json
from typing import Any
from unittest.mock import ANY

from tests.recorded.events import events
from tests.recorded.reading import Choice, Reading, Tokens, Tool
from tests.standin import Exchange

Json = dict[str, Any]

_FINISH = {"STOP": "stop", 1: "stop", "MAX_TOKENS": "length", 2: "length", "SAFETY": "content_filter"}


def _answers(exchange: Exchange) -> list[Json]:
    """Plain answers are a stream of one; errors are none."""
    recorded = exchange.response.body
    found = events(recorded) if exchange.operation.endswith("_stream") else [json.loads(recorded)]
    return [each for each in found if isinstance(each, dict) and "error" not in each]


def reading(exchange: Exchange) -> Reading:
    candidates: dict[int, Json] = {}
    counts: Json = {}
    for answer in _answers(exchange):
        counts = answer.get("usageMetadata") or counts
        for candidate in answer.get("candidates") or ():
            whole = candidates.setdefault(candidate.get("index", 0), {"parts": [], "reason": None})
            whole["parts"] += (candidate.get("content") or {}).get("parts") or ()
            whole["reason"] = candidate.get("finishReason") or whole["reason"]
    return Reading(tuple(_choice(candidates[at]) for at in sorted(candidates)), _tokens(counts))


def _choice(candidate: Json) -> Choice:
    parts = candidate["parts"]
    tools = tuple(
        Tool(
            part["functionCall"].get("id") or ANY, part["functionCall"]["name"], part["functionCall"].get("args") or {}
        )
        for part in parts
        if "functionCall" in part
    )
    finish = _FINISH.get(candidate["reason"])  # none in a stream that broke off
    return Choice(
        text="".join(part.get("text") or "" for part in parts if not part.get("thought")),
        reasoning="".join(part.get("text") or "" for part in parts if part.get("thought")),
        tools=tools,
        finish="tool_calls" if tools and finish == "stop" else finish,
    )


def _tokens(counts: Json) -> Tokens | None:
    if "totalTokenCount" not in counts and "candidatesTokenCount" not in counts:
        return None
    thoughts = counts.get("thoughtsTokenCount", 0)
    return Tokens(
        input=counts.get("promptTokenCount", 0) + counts.get("toolUsePromptTokenCount", 0),
        output=counts.get("candidatesTokenCount", 0) + thoughts,
        cached=counts.get("cachedContentTokenCount", 0),
        reasoning=thoughts,
    )


def signatures(exchange: Exchange) -> list[str]:
    """Those of the calls in an answer, in their order: what must come back with them in the next turn."""
    return [
        part["thoughtSignature"]
        for answer in _answers(exchange)
        for candidate in answer.get("candidates") or ()
        for part in (candidate.get("content") or {}).get("parts") or ()
        if "functionCall" in part and "thoughtSignature" in part
    ]
