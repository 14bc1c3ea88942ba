"""Providers whose language no client speaks: what is asked of them leads through OpenAI's chat and back.

Each has a module here, written from its API and not from the gateway, that can turn a recorded request into the chat
request which leads to it, say what a sent request asks otherwise than the recorded one, and read a recorded answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.recorded import bedrock, cohere, gemini, gemini_answer, gemini_meaning
from tests.recorded.reading import Reading
from tests.standin import Exchange, RequestRecord

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Native:
    """`to_chat` leaves the model to its caller. `asked_otherwise` is told what the client was told is lost. `left_out`
    is why an exchange cannot be asked in chat."""

    to_chat: Callable[[Exchange], Json]
    asked_otherwise: Callable[[Exchange, RequestRecord, set[str]], list[str]]
    reading: Callable[[Exchange], Reading]
    left_out: Callable[[Exchange], str | None]
    signatures: Callable[[Exchange], list[str]] = lambda _: []  # which must come back in the next turn


_GOOGLE = Native(
    gemini.to_chat,
    gemini_meaning.asked_otherwise,
    gemini_answer.reading,
    gemini.left_out,
    gemini_answer.signatures,
)

#: Provider -> its module's functions, for its operation `chat` or whatever it calls it.
NATIVES: Mapping[str, Native] = {
    "bedrock": Native(bedrock.to_chat, bedrock.asked_otherwise, bedrock.reading, bedrock.left_out, bedrock.signatures),
    "cohere": Native(cohere.to_chat, cohere.asked_otherwise, cohere.reading, cohere.left_out),
    "gemini": _GOOGLE,
    "vertex": _GOOGLE,
}

#: What each calls a chat. Bedrock and Google have OpenAI's language, too, under URLs of their own.
CHATS: Mapping[str, str] = {
    "cohere": "chat",
    "bedrock": "converse",
    "gemini": "generate_content",
    "vertex": "generate_content",
}


def is_native_chat(exchange: Exchange) -> bool:
    """Whether a chat of this exchange is in a language that no client speaks."""
    operation = exchange.operation.removesuffix("_stream")
    return CHATS.get(exchange.provider) == operation
