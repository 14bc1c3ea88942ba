"""Anthropic's answers as they were recorded: streams folded into messages, messages read."""

from __future__ import annotations

import json
from typing import Any

from tests.recorded.reading import Choice, Reading, Tool
from tests.recorded.usage import anthropic_tokens

Json = dict[str, Any]

#: Why the model stopped, in OpenAI's words.
FINISH = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "content_filter",
}


def read_message(message: Json) -> Reading:
    """What a message says. Tools that Anthropic runs itself are none that the client has to run."""
    blocks = message["content"]
    choice = Choice(
        text="".join(block["text"] for block in blocks if block["type"] == "text"),
        reasoning="".join(block["thinking"] for block in blocks if block["type"] == "thinking"),
        tools=tuple(Tool(b["id"], b["name"], b["input"]) for b in blocks if b["type"] == "tool_use"),
        finish=FINISH.get(message["stop_reason"], message["stop_reason"]),
    )
    return Reading((choice,), anthropic_tokens(message.get("usage")))


def fold_message(events: list[Json]) -> Json:
    """The message that the events of a stream make up; usage is cumulative, so the last word on each count holds."""
    message: Json = {}
    partial: dict[int, str] = {}
    for event in events:
        match event["type"]:
            case "message_start":
                message = {**event["message"], "content": []}
            case "content_block_start":
                message["content"].append(dict(event["content_block"]))
            case "content_block_delta":
                _grow(message["content"][event["index"]], event["delta"], partial, event["index"])
            case "content_block_stop":
                if text := partial.get(event["index"]):
                    message["content"][event["index"]]["input"] = json.loads(text)
            case "message_delta":
                message.update(event["delta"])
                counts = {name: count for name, count in event["usage"].items() if count is not None}
                message["usage"] = {**message["usage"], **counts}
    return message


def _grow(block: Json, delta: Json, partial: dict[int, str], index: int) -> None:
    match delta["type"]:
        case "text_delta":
            block["text"] += delta["text"]
        case "thinking_delta":
            block["thinking"] += delta["thinking"]
        case "signature_delta":
            block["signature"] = delta["signature"]
        case "citations_delta":
            block["citations"] = [*(block.get("citations") or ()), delta["citation"]]
        case "input_json_delta":
            partial[index] = partial.get(index, "") + delta["partial_json"]
