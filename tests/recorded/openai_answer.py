"""Chat answers of providers that speak OpenAI's language, as they were recorded: folded where streamed, and read.

Written from what the recordings hold. Each provider's way of straying is met here, so that what the gateway gives out,
which may not stray, can be held against it.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from unittest.mock import ANY

from tests.recorded.reading import Choice, Reading, Tool
from tests.recorded.usage import counts_beside, openai_tokens

Json = dict[str, Any]

#: Words of one provider for what OpenAI's language calls otherwise.
_FINISH = {"eos": "stop", "model_length": "length"}


def read_chat(body: Json, provider: str, model: str | None) -> Reading:
    """What a recorded answer, or a folded stream, says."""
    beside = counts_beside(provider, model)
    choices = sorted(body["choices"], key=lambda choice: choice.get("index", 0))
    return Reading(tuple(_choice(each) for each in choices), openai_tokens(body.get("usage"), beside=beside))


def completed(reading: Reading) -> Reading:
    """The same of a stream that came to its end: one that forgot to say why it ended is taken at its word."""
    made = [replace(each, finish=each.finish or ("tool_calls" if each.tools else "stop")) for each in reading.choices]
    return Reading(tuple(made), reading.tokens)


def _choice(choice: Json) -> Choice:
    message = choice.get("message") or {}  # Azure leaves it out where it filtered everything
    text, thought = _content(message.get("content"))
    function = message.get("function_call")
    finish = choice.get("finish_reason") or None
    return Choice(
        text=text,
        reasoning=thought or message.get("reasoning_content") or message.get("reasoning") or "",
        refusal=message.get("refusal") or "",
        tools=tuple(_tool(call) for call in message.get("tool_calls") or ()),
        function=Tool(None, function["name"], parsed(function["arguments"])) if function else None,
        finish=_FINISH.get(str(finish), finish),
    )


def _content(content: Any) -> tuple[str, str]:
    """Text and thoughts: Mistral's reasoning models answer with a list of both."""
    if not isinstance(content, list):
        return content or "", ""
    text = "".join(part["text"] for part in content if part["type"] == "text")
    thoughts = (part["thinking"] for part in content if part["type"] == "thinking")
    return text, "".join(piece["text"] for pieces in thoughts for piece in pieces if piece["type"] == "text")


def _tool(call: Json) -> Tool:
    if "custom" in call:
        return Tool(call.get("id"), call["custom"]["name"], call["custom"]["input"], custom=True)
    return Tool(
        call.get("id") if call.get("id") != "" else ANY,
        call["function"]["name"],
        parsed(call["function"].get("arguments")),
    )


def parsed(arguments: Any) -> Any:
    """Nothing means no arguments; what is no JSON is read as it stands."""
    if not arguments:
        return {}
    if not isinstance(arguments, str):
        return arguments
    try:
        return json.loads(arguments)
    except ValueError:
        return arguments


def fold_chat(events: list[Json]) -> Json:
    """The answer that the events of a stream make up. An event that is an error adds nothing but its usage."""
    choices: dict[int, Json] = {}
    body: Json = {}
    for event in events:
        for name in ("id", "created", "model", "service_tier", "system_fingerprint"):
            if event.get(name):
                body.setdefault(name, event[name])
        body["usage"] = event.get("usage") or (event.get("x_groq") or {}).get("usage") or body.get("usage")
        for choice in event.get("choices") or ():
            _grow(choices.setdefault(choice.get("index", 0), {"message": {}, "finish_reason": None}), choice)
    body["choices"] = [{"index": index, **choices[index]} for index in sorted(choices)]
    return body


def _grow(whole: Json, choice: Json) -> None:
    whole["finish_reason"] = whole["finish_reason"] or choice.get("finish_reason")  # Together says it again, otherwise
    delta = choice.get("delta") or {}
    message = whole["message"]
    for name in ("content", "reasoning", "reasoning_content", "refusal"):
        piece = delta.get(name)
        if piece:
            message[name] = _joined(message.get(name), piece)
    if call := delta.get("function_call"):
        _add_function(message.setdefault("function_call", {"name": "", "arguments": ""}), call)
    for at, call in enumerate(delta.get("tool_calls") or ()):
        _add_call(message.setdefault("tool_calls", []), call, at)


def _joined(so_far: Any, piece: Any) -> Any:
    """Strings run on; Mistral's lists too, and where both kinds occur the string is a text part."""
    if isinstance(so_far, list) or isinstance(piece, list):
        return _listed(so_far) + _listed(piece)
    return (so_far or "") + piece


def _listed(content: Any) -> list[Any]:
    if isinstance(content, list):
        return content
    return [{"type": "text", "text": content}] if content else []


def _add_call(calls: list[Json], piece: Json, at: int) -> None:
    """A fragment belongs to the call of its index; without one, to the place that it has in its own list."""
    index = piece.get("index")
    if index is None:
        index = at
    while len(calls) <= index:
        calls.append({"id": None, "function": {"name": "", "arguments": ""}})
    call = calls[index]
    call["id"] = piece.get("id") or call["id"]
    if custom := piece.get("custom"):
        call.pop("function", None)
        whole = call.setdefault("custom", {"name": "", "input": ""})
        whole["name"] = custom.get("name") or whole["name"]
        whole["input"] += custom.get("input") or ""
    elif function := piece.get("function"):
        _add_function(call["function"], function)


def _add_function(whole: Json, piece: Json) -> None:
    whole["name"] = piece.get("name") or whole["name"]
    arguments = piece.get("arguments") or ""
    whole["arguments"] += arguments if isinstance(arguments, str) else json.dumps(arguments)
