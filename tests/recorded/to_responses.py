"""From an OpenAI chat request, the Responses request that leads to it.

An inverse of what the gateway does, written from the two languages and not from the gateway; but for signed thoughts,
whose place in an item is the gateway's own affair: they stand there as it would have given them out in the turn before.
What Responses has no word for (stop, seed, penalties ...) is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from app.surfaces.responses_reasoning import sealed

Json = dict[str, Any]

_ALIKE = ("temperature", "top_p", "stream", "user", "parallel_tool_calls")


def to_responses(body: Json) -> Json:
    """The request body for /v1/responses; the model is left to the caller."""
    made: Json = {"input": [item for message in body["messages"] for item in _items(message)]}
    for name in _ALIKE:
        if body.get(name) is not None:
            made[name] = body[name]
    if limit := body.get("max_completion_tokens") or body.get("max_tokens"):
        made["max_output_tokens"] = limit
    if effort := body.get("reasoning_effort"):
        made["reasoning"] = {"effort": effort}
    if form := body.get("response_format"):
        made["text"] = {"format": {"type": form["type"], **_schema(form)}}
    if tools := body.get("tools"):
        made["tools"] = [{"type": "function", **tool["function"]} for tool in tools]
    choice = body.get("tool_choice")
    if isinstance(choice, dict):
        made["tool_choice"] = {"type": "function", "name": choice["function"]["name"]}
    elif choice:
        made["tool_choice"] = {"any": "required"}.get(choice, choice)  # Mistral's word
    return made


def _schema(form: Json) -> Json:
    """Responses wants a name where some providers do not."""
    return {"name": "answer", **form["json_schema"]} if "json_schema" in form else {}


def _items(message: Json) -> Iterator[Json]:
    role, content = message["role"], message.get("content")
    if role == "tool":
        yield {
            "type": "function_call_output",
            "call_id": message["tool_call_id"],
            "output": _content(content, "input_text"),
        }
    elif role == "assistant":
        yield from _assistant(message)
    else:
        yield {"role": role, "content": _content(content, "input_text")}


def _assistant(message: Json) -> Iterator[Json]:
    blocks = message.get("thinking_blocks") or []
    thought = message.get("reasoning_content") or message.get("reasoning") or ""
    if blocks or thought:
        item: Json = {"type": "reasoning", "id": "rs_1", "summary": []}
        item["content"] = [{"type": "reasoning_text", "text": thought}] if thought else []
        yield item | ({"encrypted_content": sealed(blocks)} if blocks else {})
    content = _content(message.get("content"), "output_text")
    if content:
        yield {"type": "message", "role": "assistant", "id": "msg_1", "status": "completed", "content": content}
    for call in message.get("tool_calls") or ():
        function = call["function"]
        given = {"name": function["name"], "arguments": function.get("arguments") or "{}"}
        extra = {"extra_content": call["extra_content"]} if "extra_content" in call else {}
        yield {"type": "function_call", "id": "fc_1", "call_id": call["id"], **given, **extra}


def _content(content: Any, text: str) -> Any:
    if not isinstance(content, list):
        return content or ""
    return [part for each in content for part in _part(each, text)]


def _part(part: Json, text: str) -> Iterator[Json]:
    match part["type"]:
        case "text":
            yield {"type": text, "text": part["text"]}
        case "image_url":
            image = part["image_url"]  # Mistral takes the bare URL too
            yield {"type": "input_image", "image_url": image if isinstance(image, str) else image["url"]}
        case "file":
            file = part["file"]
            yield {"type": "input_file", **{name: file[name] for name in ("file_data", "filename") if file.get(name)}}
        case "input_audio":
            yield part
