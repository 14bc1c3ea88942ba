"""The official SDKs' own types as judges of what the gateway gives out, and as its readers."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import anthropic.types
import openai.types
import openai.types.chat
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
}

#: Where the SDK's own types refuse what its own provider sends, and the SDK takes it all the same.
_TYPES_ARE_WRONG = (
    ("completions_stream", "finish_reason", "null on running chunks; the type is that of the plain answer"),
    ("embeddings", "embedding", "base64 text where the client asked for it, as the SDK itself does; it decodes it"),
)


def refused(operation: str, value: Any) -> list[str]:
    """What the official type finds wrong, strictly: exact types, all required fields, no unknown literal.

    `operation`: of the answer, or `messages_stream` for any event of one.
    """
    if operation == "messages_stream":
        operation = str(value.get("type"))
    if operation == "ping":  # the SDK passes it over by its name, and has no type for it
        return []
    try:
        _judge(operation).validate_json(json.dumps(value), strict=True)
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


@cache
def _judge(operation: str) -> TypeAdapter[Any]:
    return TypeAdapter(_TYPES[operation])
