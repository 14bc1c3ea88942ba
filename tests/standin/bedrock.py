"""Answers as Amazon Bedrock's Converse writes them: JSON, and binary streams of events."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.standin import eventstream, sigv4
from tests.standin.message import Answer, Headers, Part, Piece, Request
from tests.standin.plan import Plan, arguments_of, fragments, prompt_tokens, word, words_of

Json = dict[str, Any]

STREAM: Headers = (("content-type", "application/vnd.amazon.eventstream"),)
SIGNATURE = "c2lnbmF0dXJl"
_FINISH = {"length": "max_tokens", "filter": "guardrail_intervened", "sequence": "stop_sequence"}
_EXCEPTIONS = {
    400: "ValidationException",
    401: "UnrecognizedClientException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    408: "ModelTimeoutException",
    424: "ModelErrorException",
    429: "ThrottlingException",
    500: "InternalServerException",
    503: "ServiceUnavailableException",
}
_FIELDS = {
    "messages",
    "system",
    "inferenceConfig",
    "toolConfig",
    "guardrailConfig",
    "additionalModelRequestFields",
    "promptVariables",
    "additionalModelResponseFieldPaths",
    "requestMetadata",
    "performanceConfig",
    "serviceTier",
    "outputConfig",
}


def speaks(request: Request) -> bool:
    return request.path.startswith("/model/") and request.path.endswith(("/converse", "/converse-stream"))


def complaint(request: Request) -> Answer | None:
    """Who asks, and whether a conversation is one that Bedrock would take."""
    if (request.header("authorization") or "").startswith("AWS4") and (fault := sigv4.fault_of(request)):
        return refusal(403, fault[1], fault[0])
    said = _fault(request.fields)
    return refusal(400, said, None) if said else None


def plain(request: Request, plan: Plan) -> Json:
    blocks: list[Json] = []
    if plan.reasoning:
        text = {"text": "".join(word(index) for index in range(plan.reasoning)), "signature": SIGNATURE}
        blocks.append({"reasoningContent": {"reasoningText": text}})
    if said := "".join(words_of(request, plan)):
        blocks.append({"text": said})
    blocks += [{"toolUse": _use(request, index)} for index in range(plan.tools)]
    return {
        "output": {"message": {"role": "assistant", "content": blocks}},
        "stopReason": _finish(plan),
        "usage": _usage(request, plan),
        "metrics": {"latencyMs": 1},
    }


def stream(request: Request, plan: Plan) -> Iterator[Piece]:
    """Only tools have a contentBlockStart; the counts come last. Everything is padded with `p`."""
    yield _event("messageStart", {"role": "assistant"}, Part.START)
    index = 0
    if plan.reasoning:
        for at in range(plan.reasoning):
            yield _delta(index, {"reasoningContent": {"text": word(at)}})
        yield _delta(index, {"reasoningContent": {"signature": SIGNATURE}})
        yield _event("contentBlockStop", {"contentBlockIndex": index})
        index += 1
    if words := words_of(request, plan):
        for text in words:
            yield content_event(text, index)
        yield _event("contentBlockStop", {"contentBlockIndex": index})
        index += 1
    for at in range(plan.tools):
        used = _use(request, at)
        start = {"toolUse": {"toolUseId": used["toolUseId"], "name": used["name"]}}
        yield _event("contentBlockStart", {"contentBlockIndex": index, "start": start}, Part.CONTENT)
        for piece in fragments(json.dumps(used["input"], ensure_ascii=False)):
            yield _delta(index, {"toolUse": {"input": piece}}, Part.CONTENT)
        yield _event("contentBlockStop", {"contentBlockIndex": index})
        index += 1
    yield _event("messageStop", {"stopReason": _finish(plan)}, Part.FINISH)
    yield _event("metadata", {"usage": _usage(request, plan), "metrics": {"latencyMs": 1}}, Part.USAGE)


def refusal(status: int, message: str, kind: str | None) -> Answer:
    name = kind or _EXCEPTIONS.get(status, "InternalServerException" if status >= 500 else "ValidationException")
    headers = (
        ("content-type", "application/json"),
        ("x-amzn-errortype", f"{name}:http://internal.amazon.com/coral/com.amazon.bedrock/"),
    )
    return Answer(status, headers, (Piece(json.dumps({"message": message}).encode()),))


def error_event(status: int, message: str) -> Piece:
    name = {429: "throttling", 503: "serviceUnavailable", 424: "modelStreamError", 400: "validation"}
    return Piece(eventstream.exception(f"{name.get(status, 'internalServer')}Exception", {"message": message}))


def content_event(text: str, index: int = 0) -> Piece:
    return _delta(index, {"text": text}, Part.CONTENT, 1)


def _event(name: str, data: Json, part: Part = Part.OTHER, words: int = 0) -> Piece:
    return Piece(eventstream.frame(name, {**data, "p": "abcdefghij"[: len(name) % 10]}), words, part)


def _delta(index: int, delta: Json, part: Part = Part.OTHER, words: int = 0) -> Piece:
    return _event("contentBlockDelta", {"contentBlockIndex": index, "delta": delta}, part, words)


def _use(request: Request, index: int) -> Json:
    config = request.fields.get("toolConfig") or {}
    tools = [tool["toolSpec"] for tool in config.get("tools", ()) if "toolSpec" in tool] or [{"name": "lookup"}]
    spec = tools[index % len(tools)]
    schema = {"parameters": (spec.get("inputSchema") or {}).get("json")}
    called = f"tooluse_{request.connection}x{request.nth}x{index}"
    return {"toolUseId": called, "name": spec["name"], "input": arguments_of(schema, index)}


def _usage(request: Request, plan: Plan) -> Json:
    """Cached tokens stand beside the input tokens, not among them, and all of them in the total."""
    prompt, output = prompt_tokens(request), len(words_of(request, plan)) + plan.reasoning + plan.tools
    counts = {"inputTokens": prompt, "outputTokens": output, "totalTokens": prompt + output + plan.cached}
    return {**counts, "cacheReadInputTokens": plan.cached, "cacheWriteInputTokens": 0}


def _finish(plan: Plan) -> str:
    return _FINISH.get(plan.finish, "tool_use" if plan.tools else "end_turn")


def _fault(body: Json) -> str | None:
    """What Bedrock says of a conversation that it would not take."""
    if unknown := sorted(set(body) - _FIELDS):
        return f"Malformed input request: extraneous key [{unknown[0]}] is not permitted"
    asked: list[str] = []
    before = "assistant"
    for at, message in enumerate(body.get("messages", ())):
        if message["role"] == before:
            return "A conversation must alternate between user and assistant roles, and start with a user message."
        before = message["role"]
        answered = [block["toolResult"]["toolUseId"] for block in message["content"] if "toolResult" in block]
        if sorted(answered) != sorted(asked):
            return f"Expected toolResult blocks at messages.{at}.content for the following Ids: {', '.join(asked)}"
        asked = [block["toolUse"]["toolUseId"] for block in message["content"] if "toolUse" in block]
        if any("text" in block and not block["text"].strip() for block in message["content"]):
            return "The text field in the ContentBlock object is blank."
        if (asked or answered) and not body.get("toolConfig"):
            return "The toolConfig field must be defined when using toolUse and toolResult content blocks."
    return None
