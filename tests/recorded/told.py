"""What the gateway's own answers say, read by the letter of the official types and no other way."""

from __future__ import annotations

import json
from typing import Any

from tests.recorded.anthropic_answer import read_message
from tests.recorded.reading import Choice, Reading, Tokens, Tool

Json = dict[str, Any]


def read_completion(body: Json) -> Reading:
    """A chat completion, or what the official SDK folded a stream into."""
    choices = body["choices"]
    if [choice["index"] for choice in choices] != list(range(len(choices))):
        raise ValueError(f"choices are numbered {[choice['index'] for choice in choices]}")
    return Reading(tuple(_choice(each) for each in choices), tokens(body.get("usage")))


def _choice(choice: Json) -> Choice:
    message = choice["message"]
    function = message.get("function_call")
    return Choice(
        text=message.get("content") or "",
        reasoning=message.get("reasoning_content") or "",
        refusal=message.get("refusal") or "",
        tools=tuple(_tool(call) for call in message.get("tool_calls") or ()),
        function=Tool(None, function["name"], json.loads(function["arguments"])) if function else None,
        finish=choice["finish_reason"],
    )


def _tool(call: Json) -> Tool:
    if call["type"] == "custom":
        return Tool(call["id"], call["custom"]["name"], call["custom"]["input"], custom=True)
    return Tool(call["id"], call["function"]["name"], json.loads(call["function"]["arguments"]))


def tokens(usage: Json | None) -> Tokens | None:
    """Raises ValueError where the sums are wrong."""
    if usage is None:
        return None
    of_prompt = usage.get("prompt_tokens_details") or {}
    of_completion = usage.get("completion_tokens_details") or {}
    completion = usage.get("completion_tokens") or 0  # embeddings have none
    if usage["total_tokens"] != usage["prompt_tokens"] + completion:
        raise ValueError(f"the total is not the sum: {usage}")
    return Tokens(
        input=usage["prompt_tokens"],
        output=completion,
        cached=of_prompt.get("cached_tokens") or 0,
        written=of_prompt.get("cache_write_tokens") or 0,
        reasoning=of_completion.get("reasoning_tokens") or 0,
    )


def read_official_message(message: Json) -> Reading:
    """Anthropic's form has one way of saying things; its reader serves both sides."""
    return read_message(message)
