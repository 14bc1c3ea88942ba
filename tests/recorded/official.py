"""The official SDKs' own types as judges of what the gateway gives out, and as its readers."""

from __future__ import annotations

import json
from functools import cache
from typing import Any, get_args

import anthropic.types
import openai.types
import openai.types.chat
import openai.types.responses
from pydantic import TypeAdapter, ValidationError

_TYPES: dict[str, Any] = {
    "chat": openai.types.chat.ChatCompletion,
    "chat_stream": openai.types.chat.ChatCompletionChunk,
    "completions": openai.types.Completion,
    "completions_stream": openai.types.Completion,
    "embeddings": openai.types.CreateEmbeddingResponse,
    "moderations": openai.types.ModerationCreateResponse,
    "model": openai.types.Model,
    "messages": anthropic.types.Message,
    "message_start": anthropic.types.RawMessageStartEvent,
    "message_delta": anthropic.types.RawMessageDeltaEvent,
    "message_stop": anthropic.types.RawMessageStopEvent,
    "content_block_start": anthropic.types.RawContentBlockStartEvent,
    "content_block_delta": anthropic.types.RawContentBlockDeltaEvent,
    "content_block_stop": anthropic.types.RawContentBlockStopEvent,
    "count_tokens": anthropic.types.MessageTokensCount,
    "anthropic_model": anthropic.types.ModelInfo,
    "responses": openai.types.responses.Response,
}

#: The events of a Responses stream by their type: all members of the SDK's union.
_EVENTS: dict[str, Any] = {
    name: member
    for member in get_args(get_args(openai.types.responses.ResponseStreamEvent)[0])
    for name in get_args(member.model_fields["type"].annotation)
}

#: Where the SDK's own types refuse what its own provider sends, and the SDK takes it all the same.
_TYPES_ARE_WRONG = (
    ("completions_stream", "finish_reason", "null on running chunks; the type is that of the plain answer"),
    ("embeddings", "embedding", "base64 text where the client asked for it, as the SDK itself does; it decodes it"),
)


def refused(operation: str, value: Any) -> list[str]:
    """What the official type finds wrong, strictly: exact types, all required fields, no unknown literal.

    `operation`: of the answer, or `messages_stream` or `responses_stream` for any event of one.
    """
    if operation in ("messages_stream", "responses_stream"):
        operation = str(value.get("type"))
    if operation == "ping":  # the SDK passes it over by its name, and has no type for it
        return []
    try:
        judge(operation).validate_json(json.dumps(_with_searches(value)), strict=True)
    except ValidationError as error:
        return [
            f"{operation} type refuses {'.'.join(map(str, one['loc']))}: {one['msg']}"
            for one in error.errors()
            if not _excused(operation, one["loc"][-1], one["input"])
        ]
    return []


def _excused(operation: str, place: int | str, value: Any) -> bool:
    for of, name, _ in _TYPES_ARE_WRONG:
        if of == operation and name == place:
            return value is None if name == "finish_reason" else isinstance(value, str)
    return False


def _with_searches(value: Any) -> Any:
    """OpenAI's own searches lack what its types insist on: what they do, as long as they have only begun, and the page
    of a source that is none."""
    if isinstance(value, list):
        return [_with_searches(each) for each in value]
    if not isinstance(value, dict):
        return value
    made = {name: _with_searches(each) for name, each in value.items()}
    if made.get("type") == "web_search_call" and made.get("status") == "in_progress":
        made.setdefault("action", {"type": "search", "query": ""})
    if made.get("type") == "api" and "name" in made:
        made = {"type": "url", "url": "", **{name: each for name, each in made.items() if name != "type"}}
    return made


@cache
def judge(operation: str) -> TypeAdapter[Any]:
    """The official type of an answer, or of an event by its type."""
    return TypeAdapter(_TYPES.get(operation) or _EVENTS[operation])
