"""From a recorded Anthropic Messages request, the OpenAI chat request that leads to it.

An inverse of what the gateway does, written from the two languages and not from the gateway. What only Anthropic has a
word for goes by its own name where OpenAI clients send it so (`thinking`, `thinking_blocks`, `top_k`, cache marks,
Anthropic's own tools); `meaning_messages.py` says which differences remain.
"""

from __future__ import annotations

import json
from typing import Any

Json = dict[str, Any]


def to_chat(body: Json) -> Json:
    """The request body for /v1/chat/completions; the model is left to the caller."""
    made: Json = {"messages": [*_system(body.get("system")), *_messages(body["messages"])]}
    for name in ("max_tokens", "temperature", "top_p", "top_k", "thinking", "cache_control", "stream"):
        if name in body:
            made[name] = body[name]
    if body.get("stream"):
        made["stream_options"] = {"include_usage": True}
    if stops := body.get("stop_sequences"):
        made["stop"] = stops
    if user := (body.get("metadata") or {}).get("user_id"):
        made["user"] = user
    if tier := body.get("service_tier"):
        made["service_tier"] = {"standard_only": "default"}.get(tier, tier)
    _add_tools(made, body)
    form = body.get("output_format") or (body.get("output_config") or {}).get("format")
    if form:
        schema = {"name": "answer", "strict": True, "schema": form["schema"]}
        made["response_format"] = {"type": "json_schema", "json_schema": schema}
    if effort := (body.get("output_config") or {}).get("effort"):
        made["reasoning_effort"] = effort
    return made


def _system(system: Any) -> list[Json]:
    if not system:
        return []
    return [{"role": "system", "content": system if isinstance(system, str) else [_part(block) for block in system]}]


def _messages(turns: list[Json]) -> list[Json]:
    made: list[Json] = []
    for turn in turns:
        content = turn["content"]
        if isinstance(content, str):
            made.append({"role": turn["role"], "content": content})
        elif turn["role"] == "assistant":
            made.append(_assistant(content))
        else:
            made += [_result(block) for block in content if block["type"] == "tool_result"]
            if rest := [_part(block) for block in content if block["type"] != "tool_result"]:
                made.append({"role": turn["role"], "content": rest})
    return made


def _assistant(blocks: list[Json]) -> Json:
    message: Json = {"role": "assistant", "content": None}
    if texts := [_part(block) for block in blocks if block["type"] == "text"]:
        message["content"] = texts
    if thoughts := [block for block in blocks if block["type"] in ("thinking", "redacted_thinking")]:
        message["thinking_blocks"] = thoughts
    calls = [block for block in blocks if block["type"] == "tool_use"]
    if calls:
        message["tool_calls"] = [_call(block) for block in calls]
    if calls and "cache_control" in calls[-1]:
        message["cache_control"] = calls[-1]["cache_control"]
    return message


def _call(block: Json) -> Json:
    function = {"name": block["name"], "arguments": json.dumps(block["input"])}
    return {"id": block["id"], "type": "function", "function": function}


def _result(block: Json) -> Json:
    content = block.get("content") or ""
    told = content if isinstance(content, str) else [_part(inner) for inner in content]
    marked = {"cache_control": block["cache_control"]} if "cache_control" in block else {}
    return {"role": "tool", "tool_call_id": block["tool_use_id"], "content": told, **marked}


def _part(block: Json) -> Json:
    marked = {"cache_control": block["cache_control"]} if "cache_control" in block else {}
    match block["type"]:
        case "text":
            return {"type": "text", "text": block["text"], **marked}
        case "image":
            return {"type": "image_url", "image_url": {"url": _url(block["source"])}, **marked}
        case "document":
            named = {"filename": block["title"]} if block.get("title") else {}
            return {"type": "file", "file": {"file_data": _url(block["source"]), **named}, **marked}
    raise ValueError(f"no part for {block['type']}")


def _url(source: Json) -> str:
    match source["type"]:
        case "url":
            return str(source["url"])
        case "base64":
            return f"data:{source['media_type']};base64,{source['data']}"
        case "text":
            return f"data:{source['media_type']},{source['data']}"
    raise ValueError(f"no URL for {source['type']}")


def _add_tools(made: Json, body: Json) -> None:
    if "tools" in body:
        made["tools"] = [_tool(tool) for tool in body["tools"]]
    choice = body.get("tool_choice")
    if not choice:
        return
    if choice["type"] == "tool":
        made["tool_choice"] = {"type": "function", "function": {"name": choice["name"]}}
    else:
        made["tool_choice"] = {"any": "required"}.get(choice["type"], choice["type"])
    if "disable_parallel_tool_use" in choice:
        made["parallel_tool_calls"] = not choice["disable_parallel_tool_use"]


def _tool(tool: Json) -> Json:
    if tool.get("type") not in (None, "custom"):
        return tool  # one that Anthropic runs: its type carries its version
    function = {"name": tool["name"], "parameters": tool["input_schema"]}
    for name in ("description", "strict"):
        if tool.get(name) is not None:
            function[name] = tool[name]
    marked = {"cache_control": tool["cache_control"]} if "cache_control" in tool else {}
    return {"type": "function", "function": function, **marked}
