"""Answers as OpenAI's Responses API writes them: a response, or the typed events that make one up."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.standin.message import Part, Piece, Request
from tests.standin.openai import CREATED, error
from tests.standin.plan import Plan, arguments_of, fragments, prompt_tokens, word, words_of

_INCOMPLETE = {"length": "max_output_tokens", "filter": "content_filter"}
_PARTS = {
    "response.output_text.delta": Part.CONTENT,
    "response.function_call_arguments.delta": Part.CONTENT,
    "response.created": Part.START,
    "response.completed": Part.FINISH,
    "response.incomplete": Part.FINISH,
}


def event(data: dict[str, Any], words: int = 0) -> Piece:
    """One SSE event, named by the type of its data."""
    body = json.dumps(data, ensure_ascii=False).encode()
    part = _PARTS.get(data["type"], Part.OTHER)
    return Piece(b"event: " + data["type"].encode() + b"\ndata: " + body + b"\n\n", words, part)


def error_event(status: int, message: str) -> Piece:
    told = error(status, message)["error"]
    return event({"type": "error", "code": told["code"], "message": message, "param": None, "sequence_number": 99})


def content_event(text: str, number: int = 99) -> Piece:
    """One word of a stream."""
    return event({**_delta("output_text", "msg", 0, text), "content_index": 0, "logprobs": [], **_numbered(number)}, 1)


def plain(request: Request, plan: Plan) -> dict[str, Any]:
    """The response object."""
    return _response(request, plan, _items(request, plan), over=True)


def stream(request: Request, plan: Plan) -> Iterator[Piece]:
    """All events of a streamed response, numbered."""
    for number, data in enumerate(_events(request, plan)):
        yield event({**data, **_numbered(number)}, words=int(data["type"] == "response.output_text.delta"))


def _events(request: Request, plan: Plan) -> Iterator[dict[str, Any]]:
    begun = _response(request, plan, [], over=False)
    yield {"type": "response.created", "response": begun}
    yield {"type": "response.in_progress", "response": begun}
    items = _items(request, plan)
    for place, item in enumerate(items):
        bare = {**item, "status": "in_progress"} | {name: [] for name in ("content", "summary") if name in item}
        bare |= {"arguments": ""} if "arguments" in item else {}
        yield {"type": "response.output_item.added", "output_index": place, "item": bare}
        yield from _inside(request, plan, place, item)
        yield {"type": "response.output_item.done", "output_index": place, "item": item}
    whole = _response(request, plan, items, over=True)
    yield {"type": f"response.{whole['status']}", "response": whole}


def _inside(request: Request, plan: Plan, place: int, item: dict[str, Any]) -> Iterator[dict[str, Any]]:
    here = {"item_id": item["id"], "output_index": place}
    match item["type"]:
        case "reasoning":
            (part,) = item["summary"]
            here["summary_index"] = 0
            yield {"type": "response.reasoning_summary_part.added", **here, "part": {**part, "text": ""}}
            for index in range(plan.reasoning):
                yield {"type": "response.reasoning_summary_text.delta", **here, "delta": word(index)}
            yield {"type": "response.reasoning_summary_text.done", **here, "text": part["text"]}
            yield {"type": "response.reasoning_summary_part.done", **here, "part": part}
        case "message":
            (part,) = item["content"]
            here["content_index"] = 0
            yield {"type": "response.content_part.added", **here, "part": {**part, "text": ""}}
            for text in words_of(request, plan):
                yield {"type": "response.output_text.delta", **here, "delta": text, "logprobs": []}
            yield {"type": "response.output_text.done", **here, "text": part["text"], "logprobs": []}
            yield {"type": "response.content_part.done", **here, "part": part}
        case _:
            for fragment in fragments(item["arguments"])[1:]:
                yield {"type": "response.function_call_arguments.delta", **here, "delta": fragment}
            yield {
                "type": "response.function_call_arguments.done",
                **here,
                "name": item["name"],
                "arguments": item["arguments"],
            }


def _items(request: Request, plan: Plan) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    if plan.reasoning:
        thought = "".join(word(index) for index in range(plan.reasoning))
        summary = [{"type": "summary_text", "text": thought}]
        items.append({"type": "reasoning", "id": "rs_0", "summary": summary, "encrypted_content": "b3BhcXVl"})
    if text := "".join(words_of(request, plan)):
        part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
        message = {"type": "message", "id": f"msg_{len(items)}", "role": "assistant", "status": "completed"}
        items.append({**message, "content": [part]})
    return items + [_call(request, index) for index in range(plan.tools)]


def _call(request: Request, index: int) -> dict[str, Any]:
    tools = request.fields.get("tools") or [{}]
    tool = tools[index % len(tools)]
    return {
        "type": "function_call",
        "id": f"fc_{index}",
        "call_id": f"call_{request.connection}_{request.nth}_{index}",
        "name": tool.get("name", f"tool_{index}"),
        "arguments": json.dumps(arguments_of(tool, index), ensure_ascii=False),
        "status": "completed",
    }


def _response(request: Request, plan: Plan, items: list[dict[str, Any]], *, over: bool) -> dict[str, Any]:
    reason = _INCOMPLETE.get(plan.finish) if over else None
    status = "incomplete" if reason else "completed"
    return {
        "id": f"resp_{request.connection}_{request.nth}",
        "object": "response",
        "created_at": CREATED,
        "status": status if over else "in_progress",
        "error": None,
        "incomplete_details": {"reason": reason} if reason else None,
        "instructions": request.fields.get("instructions"),
        "metadata": {},
        "model": request.model,
        "output": items,
        "parallel_tool_calls": True,
        "store": request.fields.get("store", True),
        "temperature": 1.0,
        "tool_choice": request.fields.get("tool_choice") or "auto",
        "tools": request.fields.get("tools") or [],
        "top_p": 1.0,
        "usage": _usage(request, plan) if over and plan.has_usage else None,
    }


def _usage(request: Request, plan: Plan) -> dict[str, Any]:
    prompt = prompt_tokens(request) + plan.cached
    output = len(words_of(request, plan)) + plan.reasoning + plan.tools
    return {
        "input_tokens": prompt,
        "input_tokens_details": {"cached_tokens": plan.cached, "cache_write_tokens": 0},
        "output_tokens": output,
        "output_tokens_details": {"reasoning_tokens": plan.reasoning},
        "total_tokens": prompt + output,
    }


def _delta(kind: str, item: str, place: int, text: str) -> dict[str, Any]:
    return {"type": f"response.{kind}.delta", "item_id": f"{item}_{place}", "output_index": place, "delta": text}


def _numbered(number: int) -> dict[str, int]:
    return {"sequence_number": number}
