"""What an OpenAI chat request asks for: two that ask for the same come out equal; and what may differ all the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.recorded.leaves import MISSING, Allowed, compared

Json = dict[str, Any]

#: Ways of saying nothing: what a field is taken for when it is not there.
_DEFAULTS: Json = {
    "stream": False,
    "n": 1,
    "tool_choice": "auto",
    "parallel_tool_calls": True,
}


def _left_out(one: Any, other: Any) -> bool:
    return other is MISSING


def _added(one: Any, other: Any) -> bool:
    return one is MISSING


#: Fields for which Messages has no word.
_NO_WORD = (
    "seed",
    "random_seed",
    "presence_penalty",
    "frequency_penalty",
    "repetition_penalty",
    "min_p",
    "logit_bias",
    "logprobs",
    "echo",
    "store",
    "service_tier",
    "safe_prompt",
    "safety_model",
    "reasoning_format",
    "reasoning",
    "thinking",
    "clear_thinking",
    "enable_thinking",
    "provider",
    "web_search_options",
)

ALLOWED = (
    Allowed(r"model", "held against the recording elsewhere"),
    Allowed(r"max_tokens", "Messages wants a limit where OpenAI does not", _added),
    Allowed(r"stream_options(\..*)?", "usage is always asked for, shown only to who asked"),
    Allowed(rf"({'|'.join(_NO_WORD)})(\..*)?", "Messages has no word for it", _left_out),
    Allowed(r"reasoning_effort", "default: Messages says nothing then", lambda one, other: one == "default"),
    Allowed(
        r"response_format\.type",
        "Messages has no word for json_object",
        lambda one, other: one == "json_object" and other is MISSING,
    ),
    Allowed(r"response_format\.json_schema\.(name|description)", "the gateway's own name: Messages has none"),
    Allowed(r"response_format\.json_schema\.strict", "Messages knows strict schemas only"),
    Allowed(r"messages\.\d+\.(name|prefix|annotations|tool_calls)", "Messages has no word for it", _left_out),
    Allowed(r"messages\.\d+\.thinking", "told only to providers that take it back", _left_out),
    Allowed(r"messages\.\d+\.content\.\d+\.cache_control(\..*)?", "only Anthropic's models take marks", _left_out),
    Allowed(r"tools\.\d+\.cache_control(\..*)?", "only Anthropic's models take marks", _left_out),
)


#: Fields that may be missing where the client was told so, by what the client called them.
_TOLD_LOST = {"top_k": ("top_k",), "reasoning_effort": ("thinking", "output_config")}


def asked_otherwise(recorded: Json, sent: Json, provider: str, dropped: set[str]) -> list[str]:
    """What `sent` asks otherwise than `recorded`, a line each. `dropped`: what the client was told is lost."""
    excused = [
        Allowed(name, "the client was told", _left_out)
        for name, theirs in _TOLD_LOST.items()
        if dropped.intersection(theirs)
    ]
    return compared(meaning(recorded), meaning(sent), (*ALLOWED, *excused), provider)


def meaning(body: Json) -> Json:
    made = {name: value for name, value in body.items() if value not in (None, [], _DEFAULTS.get(name))}
    made["messages"] = _merged(list(_images_after([_message(each) for each in body["messages"]])))
    for name in ("max_completion_tokens", "max_tokens"):
        if made.get(name):
            made["max_tokens"] = made.pop(name)
    for name in ("safety_identifier", "user"):
        if made.get(name):
            made["user"] = made.pop(name)
    if isinstance(made.get("stop"), str):
        made["stop"] = [made["stop"]]
    choice = made.get("tool_choice")
    if isinstance(choice, dict):
        made["tool_choice"] = {"type": "function", **choice}
    elif choice == "any":  # Mistral's word
        made["tool_choice"] = "required"
    if "tools" in made:
        made["tools"] = [_tool(tool) for tool in made["tools"]]
    if made.get("response_format") == {"type": "text"}:
        del made["response_format"]
    return made


def _message(message: Json) -> Json:
    role = "system" if message["role"] == "developer" else message["role"]
    made = {name: value for name, value in message.items() if value not in (None, [], "")}
    made.update(role=role, content=_parts(message.get("content")))
    for name in ("reasoning", "reasoning_content"):
        if made.get(name):
            made["thinking"] = made.pop(name)
    if thoughts := [part["text"] for part in made["content"] if part["type"] == "thinking"]:
        made["thinking"] = "".join(thoughts)
        made["content"] = [part for part in made["content"] if part["type"] != "thinking"]
    if calls := message.get("tool_calls"):
        made["tool_calls"] = [_call(call) for call in calls]
    return made


def _parts(content: Any) -> list[Json]:
    if not isinstance(content, list):
        return [{"type": "text", "text": content}] if content else []
    made = []
    for part in content:
        if part["type"] == "thinking":
            made.append({"type": "thinking", "text": "".join(piece["text"] for piece in part["thinking"])})
        elif part["type"] == "image_url":
            image = part["image_url"]
            made.append({"type": "image_url", "url": image if isinstance(image, str) else image["url"]})
        else:
            made.append({name: value for name, value in part.items() if value is not None})
    return made


def _images_after(messages: list[Json]) -> Iterator[Json]:
    """Images in the results of tools stand in a user's message after them: few providers take them where they were."""
    images: list[Json] = []
    for message in messages:
        if images and message["role"] != "tool":
            yield {"role": "user", "content": images}
            images = []
        if message["role"] == "tool":
            images += [part for part in message["content"] if part["type"] == "image_url"]
            message["content"] = [part for part in message["content"] if part["type"] != "image_url"]
        yield message
    if images:
        yield {"role": "user", "content": images}


def _merged(messages: list[Json]) -> list[Json]:
    """Messages of one role that follow each other say together what one would; so do texts within one."""
    made: list[Json] = []
    for message in messages:
        if made and message["role"] == made[-1]["role"] == "system":
            made[-1]["content"] += message["content"]
        else:
            made.append(message)
    for message in made:
        if message["role"] in ("system", "assistant", "tool"):
            message["content"] = _joined(message["content"])
    return made


def _joined(parts: list[Json]) -> list[Json]:
    """Adjacent plain texts as one; how they are set apart (a space, a line) is nobody's word."""
    made: list[Json] = []
    for part in parts:
        if part["type"] == "text":
            text = part["text"].strip()
            if made and made[-1]["type"] == "text":
                made[-1]["text"] += "\n\n" + text
            else:
                made.append({**part, "text": text})
        else:
            made.append(part)
    return made


def _call(call: Json) -> Json:
    function = call["function"]
    arguments = function.get("arguments")
    told = json.loads(arguments or "{}") if isinstance(arguments, str | None) else arguments
    return {"id": call["id"], "name": function["name"], "arguments": told}


def _tool(tool: Json) -> Json:
    function = tool.get("function") or {}
    told = {name: value for name, value in function.items() if value not in (None, "", False, {})}
    schema = {"type": "object", "properties": {}, **(function.get("parameters") or {})}
    marked = {"cache_control": tool["cache_control"]} if "cache_control" in tool else {}
    return {**told, "parameters": schema, **marked}
