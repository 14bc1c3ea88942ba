"""How many tokens a Messages request may have, for providers that do not count."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.core.json import Json, dumps

BYTES_A_TOKEN = 4  # English prose and code; other scripts have fewer, so their estimate is too low
IMAGE = 1_600  # what Anthropic counts for the largest image that it does not scale down (1.15 megapixels / 750)
DOCUMENT = 3_000  # the upper end of what Anthropic names for a page of a PDF; pages are not counted
MESSAGE = 4  # what stands between messages

_MEDIA: Mapping[str, int] = {"image": IMAGE, "document": DOCUMENT}


def estimate_tokens(body: Json) -> int:
    """Input tokens of a Messages or count_tokens body: UTF-8 bytes of its text / 4, a flat number for what is no text.

    A guess, and to be marked as one. Never below 1. What a provider adds of its own (instructions for tools, for a
    format) is not in it, and outweighs a short prompt: of what Anthropic counted for the recorded requests, which are
    short, this is 0.7 in the median, with tools 0.2.
    """
    bytes_, flat = 0, 0
    stack: list[Any] = [body.get("system"), body.get("tools") and dumps(body["tools"]).decode()]
    for message in body.get("messages") or ():
        flat += MESSAGE
        stack.append(message.get("content") if isinstance(message, dict) else None)
    while stack:
        value = stack.pop()
        if isinstance(value, str):
            bytes_ += len(value.encode("utf-8", "replace"))
        elif isinstance(value, list):
            stack += value
        elif isinstance(value, dict):
            source = value.get("source")
            kind = value.get("type")
            if isinstance(kind, str) and kind in _MEDIA and _is_file(source):
                flat += _MEDIA[kind]
            else:
                stack += _texts(value)
    return max(1, bytes_ // BYTES_A_TOKEN + flat)


def _is_file(source: Any) -> bool:
    return isinstance(source, dict) and source.get("type") not in ("text", "content")


def _texts(block: Json) -> list[Any]:
    """What of a block is read by the model. Signatures and redacted reasoning are not."""
    if block.get("type") == "tool_use":
        return [block.get("name"), dumps(block.get("input") or {}).decode()]
    source = block.get("source")
    inner = [source.get("data"), source.get("content")] if isinstance(source, dict) else [source]
    return [block.get("text"), block.get("thinking"), block.get("title"), block.get("content"), *inner]
