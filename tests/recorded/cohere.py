"""Cohere's recorded exchanges: what leads to such a request, what another one asks otherwise, what an answer says."""

from __future__ import annotations

import json
from typing import Any

from tests.recorded.events import events
from tests.recorded.leaves import MISSING, Allowed, compared
from tests.recorded.reading import Choice, Reading, Tokens, Tool
from tests.standin import Exchange, RequestRecord

Json = dict[str, Any]

_RENAMED = {"p": "top_p", "k": "top_k", "stop_sequences": "stop"}
_KEPT = (
    "temperature",
    "seed",
    "max_tokens",
    "frequency_penalty",
    "presence_penalty",
    "documents",
    "thinking",
    "stream",
)
_FINISH = {
    "COMPLETE": "stop",
    "STOP_SEQUENCE": "stop",
    "MAX_TOKENS": "length",
    "TOOL_CALL": "tool_calls",
    "ERROR_TOXIC": "content_filter",
}


def left_out(exchange: Exchange) -> str | None:
    return None


def to_chat(exchange: Exchange) -> Json:
    body = exchange.request.body
    made: Json = {"messages": [_message(each) for each in body["messages"]]}
    made |= {name: body[name] for name in _KEPT if name in body}
    made |= {ours: body[theirs] for theirs, ours in _RENAMED.items() if theirs in body}
    if "tools" in body:
        made["tools"] = body["tools"]
    if "tool_choice" in body:
        made["tool_choice"] = body["tool_choice"].lower()
    if form := body.get("response_format"):
        schema = form.get("json_schema")
        made["response_format"] = form if schema is None else _schema(schema)
    return made


def _schema(schema: Json) -> Json:
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}


def _message(message: Json) -> Json:
    made = dict(message)
    content = message.get("content")
    if isinstance(content, list):
        thoughts = [part["thinking"] for part in content if part["type"] == "thinking"]
        if thoughts:
            made["reasoning_content"] = "".join(thoughts)
        made["content"] = [_part(part) for part in content if part["type"] != "thinking"]
    if plan := made.pop("tool_plan", None):
        made["content"] = plan
    made.setdefault("content", None)
    return made


def _part(part: Json) -> Json:
    """A document that a tool gave is its text to whoever asks in OpenAI's language."""
    if part["type"] == "document":
        return {"type": "text", "text": json.dumps(part["document"]["data"])}
    return part


def _left_out(one: Any, other: Any) -> bool:
    return other is MISSING


ALLOWED = (
    Allowed(r"model", "held against the recording elsewhere"),
    Allowed(r"max_tokens", "Messages wants a limit where Cohere does not", lambda one, other: one is MISSING),
    Allowed(r"stream", "said in any case", lambda one, other: one is MISSING and other is False),
    Allowed(r"response_format\.type", "Messages has no word for json_object", _left_out),
    Allowed(r"messages\.\d+\.thinking", "Messages: told only to providers that want it back", _left_out),
    Allowed(r"messages\.\d+\.media\.\d+\.image_url\.detail", "Messages has no word for it", _left_out),
    Allowed(r"thinking(\..*)?", "Messages knows efforts, or a budget"),
)


def asked_otherwise(exchange: Exchange, sent: RequestRecord, dropped: set[str]) -> list[str]:
    recorded = exchange.request.body
    lost = [Allowed(rf"{name}(\..*)?", "the client was told", _left_out) for name in dropped if name]
    return compared(_meaning(recorded), _meaning(sent.json), (*ALLOWED, *lost), "cohere")


def _meaning(body: Json) -> Json:
    made = {name: value for name, value in body.items() if value not in (None, [])}
    made["messages"] = [_said(each) for each in body["messages"]]
    if "tools" in made:
        made["tools"] = [_tool(tool["function"]) for tool in made["tools"]]
    return made


def _said(message: Json) -> Json:
    content = message.get("content") or []
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    parts = [_part(part) for part in parts]
    texts = [part["text"] for part in parts if part["type"] == "text" and part["text"]]
    made: Json = {"role": message["role"], "text": "\n\n".join([*texts, *filter(None, [message.get("tool_plan")])])}
    made["media"] = [part for part in parts if part["type"] == "image_url"]
    if thoughts := [part["thinking"] for part in parts if part["type"] == "thinking"]:
        made["thinking"] = "".join(thoughts)
    if calls := message.get("tool_calls"):
        made["calls"] = [
            (call["id"], call["function"]["name"], json.loads(call["function"]["arguments"])) for call in calls
        ]
    if message["role"] == "tool":
        made["answers"] = message["tool_call_id"]
        made["text"] = made["text"].replace("\n\n", "\n")
    return made


def _tool(function: Json) -> Json:
    return {**function, "parameters": {"type": "object", "properties": {}, **(function.get("parameters") or {})}}


def reading(exchange: Exchange) -> Reading:
    recorded = exchange.response.body
    body = _folded(events(recorded)) if exchange.operation.endswith("_stream") else json.loads(recorded)
    message = body["message"]
    parts = message.get("content") or []
    tools = tuple(
        Tool(call["id"], call["function"]["name"], json.loads(call["function"]["arguments"] or "{}"))
        for call in message.get("tool_calls") or ()
    )
    choice = Choice(
        text=(message.get("tool_plan") or "") + "".join(part.get("text", "") for part in parts),
        reasoning="".join(part.get("thinking", "") for part in parts),
        tools=tools,
        finish=_FINISH.get(body["finish_reason"], "failed"),
    )
    return Reading((choice,), _tokens(body["usage"]))


def _tokens(usage: Json | None) -> Tokens | None:
    if not usage:
        return None
    counted = usage["tokens"]
    return Tokens(
        input=counted["input_tokens"],
        output=counted["output_tokens"],
        cached=usage.get("cached_tokens") or 0,
        reasoning=counted.get("reasoning_tokens") or 0,
    )


def _folded(stream: list[Json]) -> Json:
    parts: dict[int, Json] = {}
    calls: dict[int, Json] = {}
    plan, ended = "", {}
    for event in stream:
        said = event.get("delta", {}).get("message", {})
        match event["type"]:
            case "content-start" | "content-delta":
                part = parts.setdefault(event["index"], {})
                for name, text in said["content"].items():
                    part[name] = part.get(name, "") + text
            case "tool-plan-delta":
                plan += said["tool_plan"]
            case "tool-call-start":
                calls[event["index"]] = said["tool_calls"]
            case "tool-call-delta":
                calls[event["index"]]["function"]["arguments"] += said["tool_calls"]["function"]["arguments"]
            case "message-end":
                ended = event["delta"]
    message = {"content": list(parts.values()), "tool_plan": plan, "tool_calls": list(calls.values())}
    return {"message": message, "finish_reason": ended.get("finish_reason"), "usage": ended.get("usage")}
