"""Answers as Cohere writes them, under /v2: chat, embeddings, rerankings, errors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.standin.message import Answer, Headers, Part, Piece, Request
from tests.standin.plan import Plan, arguments_of, fragments, prompt_tokens, word, words_of

Json = dict[str, Any]

STREAM: Headers = (("content-type", "text/event-stream"),)
_FINISH = {"length": "MAX_TOKENS", "filter": "ERROR_TOXIC", "sequence": "STOP_SEQUENCE"}

#: What each path takes; more is refused, as Cohere does.
_FIELDS = {
    "chat": "model messages stream tools strict_tools documents citation_options response_format safety_mode "
    "max_tokens stop_sequences temperature seed frequency_penalty presence_penalty k p logprobs tool_choice thinking "
    "priority",
    "embed": "model input_type texts images inputs max_tokens output_dimension embedding_types truncate priority",
    "rerank": "model query documents top_n max_tokens_per_doc priority",
}


def speaks(request: Request) -> bool:
    return request.path.startswith("/v2/") and request.path.rpartition("/")[2] in _FIELDS


def complaint(request: Request) -> Answer | None:
    what = request.path.rpartition("/")[2]
    unknown = sorted(set(request.fields) - set(_FIELDS[what].split()))
    if unknown:
        return refusal(422, f"unknown field: parameter '{unknown[0]}' is not a valid field", None)
    if what == "embed" and "input_type" not in request.fields:
        return refusal(400, "invalid request: valid input_type must be provided with the provided model", None)
    called: set[str] = set()
    for message in request.fields.get("messages", ()):
        called |= {call["id"] for call in message.get("tool_calls") or ()}
        if message["role"] == "tool" and message["tool_call_id"] not in called:
            return refusal(400, "invalid request: tool_call_id of a tool message names no call before it", None)
        if message["role"] == "assistant" and not any(message.get(name) for name in ("content", "tool_calls")):
            return refusal(400, "invalid request: an assistant message must have content or tool calls", None)
        if "name" in message:
            return refusal(422, "unknown field: parameter 'name' is not a valid field", None)
    return None


def plain(request: Request, plan: Plan) -> Json:
    match request.path.rpartition("/")[2]:
        case "embed":
            return _embeddings(request)
        case "rerank":
            return _ranks(request)
    text = "".join(words_of(request, plan))
    content: list[Json] = []
    if plan.reasoning:
        content.append({"type": "thinking", "thinking": _thinking(plan)})
    message: Json = {"role": "assistant"}
    if plan.tools:
        message["tool_calls"] = [_call(request, index) for index in range(plan.tools)]
        if text:
            message["tool_plan"] = text
    elif text:
        content.append({"type": "text", "text": text})
    if content:
        message["content"] = content
    made: Json = {"id": _id(request), "message": message, "finish_reason": _finish(plan)}
    return made | {"usage": _usage(request, plan)}


def stream(request: Request, plan: Plan) -> Iterator[Piece]:
    begun = {"message": {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}}
    yield _event("message-start", Part.START, id=_id(request), delta=begun)
    index = 0
    if plan.reasoning:
        yield _delta("content-start", index, {"content": {"type": "thinking", "thinking": ""}})
        for at in range(plan.reasoning):
            yield _delta("content-delta", index, {"content": {"thinking": word(at)}})
        yield _event("content-end", index=index)
        index += 1
    words = words_of(request, plan)
    if plan.tools:
        for text in words:
            yield _delta("tool-plan-delta", None, {"tool_plan": text}, Part.CONTENT, 1)
    elif words:
        yield _delta("content-start", index, {"content": {"type": "text", "text": ""}})
        for text in words:
            yield content_event(text, index)
        yield _event("content-end", index=index)
    for at in range(plan.tools):
        call = _call(request, at)
        arguments = call["function"]["arguments"]
        begun_call = {**call, "function": {**call["function"], "arguments": ""}}
        yield _delta("tool-call-start", at, {"tool_calls": begun_call}, Part.CONTENT)
        for piece in fragments(arguments)[1:]:
            yield _delta("tool-call-delta", at, {"tool_calls": {"function": {"arguments": piece}}}, Part.CONTENT)
        yield _event("tool-call-end", index=at)
    yield _event("message-end", Part.FINISH, delta={"finish_reason": _finish(plan), "usage": _usage(request, plan)})
    yield Piece(b"data: [DONE]\n\n", part=Part.DONE)


def refusal(status: int, message: str, kind: str | None) -> Answer:
    said = {"id": "6a2e0d0c-standin", "message": message, **({"error_type": kind} if kind else {})}
    return Answer(status, (("content-type", "application/json"),), (Piece(json.dumps(said).encode()),))


def error_event(status: int, message: str) -> Piece:
    ended = {"finish_reason": "ERROR", "usage": {}, "error": message, "error_type": f"STATUS_{status}"}
    return _event("message-end", delta=ended)


def content_event(text: str, index: int = 0) -> Piece:
    return _delta("content-delta", index, {"content": {"text": text}}, Part.CONTENT, 1)


def _embeddings(request: Request) -> Json:
    texts = request.fields["texts"]
    size = request.fields.get("output_dimension") or 4
    vectors = [[(len(text) % 7 + at) / 10 for at in range(size)] for text in texts]
    kinds = request.fields.get("embedding_types") or ["float"]
    made: Json = {"id": _id(request), "texts": texts, "embeddings": dict.fromkeys(kinds, vectors)}
    billed = {"billed_units": {"input_tokens": sum(len(text.split()) for text in texts)}}
    return made | {"meta": {"api_version": {"version": "2"}, **billed}, "response_type": "embeddings_by_type"}


def _ranks(request: Request) -> Json:
    """The later documents are the better ones."""
    order = list(reversed(range(len(request.fields["documents"]))))[: request.fields.get("top_n")]
    results = [{"index": index, "relevance_score": round(1 / (at + 1.5), 6)} for at, index in enumerate(order)]
    meta = {"api_version": {"version": "2"}, "billed_units": {"search_units": 1}}
    return {"id": _id(request), "results": results, "meta": meta}


def _event(kind: str, part: Part = Part.OTHER, words: int = 0, **data: Any) -> Piece:
    body = json.dumps({"type": kind, **data}, ensure_ascii=False)
    return Piece(f"event: {kind}\ndata: {body}\n\n".encode(), words, part)


def _delta(kind: str, index: int | None, said: Json, part: Part = Part.OTHER, words: int = 0) -> Piece:
    place = {} if index is None else {"index": index}
    return _event(kind, part, words, **place, delta={"message": said})


def _call(request: Request, index: int) -> Json:
    tools = request.fields.get("tools") or [{"function": {"name": "lookup"}}]
    function = tools[index % len(tools)]["function"]
    arguments = json.dumps(arguments_of(function, index), ensure_ascii=False)
    called = f"{function['name']}_{request.connection}x{request.nth}x{index}"
    return {"id": called, "type": "function", "function": {"name": function["name"], "arguments": arguments}}


def _usage(request: Request, plan: Plan) -> Json:
    """What is billed is never what was counted."""
    if not plan.has_usage:
        return {}
    prompt = prompt_tokens(request) + plan.cached
    output = len(words_of(request, plan)) + plan.reasoning + plan.tools
    tokens = {"input_tokens": prompt, "output_tokens": output, "reasoning_tokens": plan.reasoning}
    billed = {"input_tokens": prompt + 1000, "output_tokens": output + 1000}
    return {"billed_units": billed, "tokens": tokens, "cached_tokens": plan.cached}


def _thinking(plan: Plan) -> str:
    return "".join(word(index) for index in range(plan.reasoning))


def _finish(plan: Plan) -> str:
    return _FINISH.get(plan.finish, "TOOL_CALL" if plan.tools else "COMPLETE")


def _id(request: Request) -> str:
    return f"c{request.connection}-{request.nth}"
