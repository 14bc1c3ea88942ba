"""From a recorded OpenAI chat request, the Anthropic Messages request that leads to it.

An inverse of what the gateway does, written from the two languages and not from the gateway. What Messages has no word
for is left out here; `meaning_chat.py` says which differences that may make.
"""

from __future__ import annotations

import json
from typing import Any

Json = dict[str, Any]

MAX_TOKENS = 4096  # Messages wants a limit; most recorded requests have none


def to_messages(body: Json) -> Json:
    """The request body for /v1/messages; the model is left to the caller."""
    system, rest = _leading_system(body["messages"])
    made: Json = {
        "max_tokens": body.get("max_completion_tokens") or body.get("max_tokens") or MAX_TOKENS,
        "messages": _turns(rest),
    }
    if system:
        made["system"] = system
    for ours, theirs in (("temperature",) * 2, ("top_p",) * 2, ("top_k",) * 2, ("stream",) * 2):
        if body.get(theirs) is not None:
            made[ours] = body[theirs]
    if stop := body.get("stop"):
        made["stop_sequences"] = [stop] if isinstance(stop, str) else stop
    if body.get("user"):
        made["metadata"] = {"user_id": body["user"]}
    _add_tools(made, body)
    _add_output(made, body)
    return made


def _leading_system(messages: list[Json]) -> tuple[list[Json], list[Json]]:
    system: list[Json] = []
    at = 0
    while at < len(messages) and messages[at]["role"] in ("system", "developer"):
        system += _blocks(messages[at]["content"])
        at += 1
    return system, messages[at:]


def _turns(messages: list[Json]) -> list[Json]:
    """Results of tools are the user's blocks; those that follow each other stand in one turn."""
    turns: list[Json] = []
    for message in messages:
        if message["role"] == "tool":
            block = {
                "type": "tool_result",
                "tool_use_id": message["tool_call_id"],
                "content": _blocks(message["content"]),
            }
            if turns and turns[-1]["role"] == "user" and _is_result(turns[-1]["content"]):
                turns[-1]["content"].append(block)
            else:
                turns.append({"role": "user", "content": [block]})
        elif message["role"] == "assistant":
            turns.append({"role": "assistant", "content": _assistant(message)})
        else:
            role = "system" if message["role"] == "developer" else message["role"]
            content = message["content"]
            turns.append({"role": role, "content": content if isinstance(content, str) else _blocks(content)})
    return turns


def _is_result(content: Any) -> bool:
    return isinstance(content, list) and content[-1]["type"] == "tool_result"


def _assistant(message: Json) -> list[Json]:
    blocks: list[Json] = []
    blocks += message.get("thinking_blocks") or ()
    if thought := message.get("reasoning_content") or message.get("reasoning"):
        blocks.append({"type": "thinking", "thinking": thought, "signature": ""})
    blocks += _blocks(message.get("content"))
    for call in message.get("tool_calls") or ():
        if extra := call.get("extra_content"):  # Google's signature, as the gateway has given it out
            blocks.append({"type": "redacted_thinking", "data": f"google:{extra['google']['thought_signature']}"})
        arguments = call["function"].get("arguments")
        given = json.loads(arguments or "{}") if isinstance(arguments, str | None) else arguments
        blocks.append({"type": "tool_use", "id": call["id"], "name": call["function"]["name"], "input": given})
    return blocks


def _blocks(content: Any) -> list[Json]:
    if not isinstance(content, list):
        return [{"type": "text", "text": content}] if content else []
    return [_block(part) for part in content]


def _block(part: Json) -> Json:
    marked = {"cache_control": part["cache_control"]} if "cache_control" in part else {}
    match part["type"]:
        case "text":
            return {"type": "text", "text": part["text"], **marked}
        case "thinking":  # Mistral's
            thought = "".join(piece["text"] for piece in part["thinking"])
            return {"type": "thinking", "thinking": thought, "signature": ""}
        case "image_url":
            image = part["image_url"]  # Mistral takes the bare URL too
            return {"type": "image", "source": _source(image if isinstance(image, str) else image["url"]), **marked}
        case "file":
            file = part["file"]
            titled = {"title": file["filename"]} if file.get("filename") else {}
            return {"type": "document", "source": _source(file["file_data"]), **titled, **marked}
    raise ValueError(f"no block for {part['type']}")


def _source(url: str) -> Json:
    if not url.startswith("data:"):
        return {"type": "url", "url": url}
    head, _, data = url.removeprefix("data:").partition(",")
    return {"type": "base64", "media_type": head.partition(";")[0], "data": data}


def _add_tools(made: Json, body: Json) -> None:
    if body.get("tools"):
        made["tools"] = [_tool(tool) for tool in body["tools"]]
    choice = body.get("tool_choice")
    parallel = body.get("parallel_tool_calls")
    if isinstance(choice, dict):
        made["tool_choice"] = {"type": "tool", "name": choice["function"]["name"]}
    elif choice:
        made["tool_choice"] = {"type": {"required": "any"}.get(choice, choice)}
    elif parallel is not None:
        made["tool_choice"] = {"type": "auto"}
    if parallel is not None and made["tool_choice"]["type"] != "none":
        made["tool_choice"]["disable_parallel_tool_use"] = not parallel


def _tool(tool: Json) -> Json:
    function = tool["function"]
    made = {"name": function["name"], "input_schema": function.get("parameters") or {"type": "object"}}
    kept = {name: function[name] for name in ("description", "strict") if function.get(name) is not None}
    marked = {"cache_control": tool["cache_control"]} if "cache_control" in tool else {}
    return {**made, **kept, **marked}


def _add_output(made: Json, body: Json) -> None:
    output: Json = {}
    effort = body.get("reasoning_effort")
    if effort == "none":
        made["thinking"] = {"type": "disabled"}
    elif effort in ("low", "medium", "high"):
        made["thinking"] = {"type": "adaptive"}
        output["effort"] = effort
    form = body.get("response_format") or {}
    if form.get("type") == "json_schema":
        output["format"] = {"type": "json_schema", "schema": form["json_schema"]["schema"]}
    if output:
        made["output_config"] = output
