"""Which recorded exchanges are asked, how, and which are left out and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.recorded.left_out import in_other_language, in_own_language, in_responses
from tests.recorded.natives import NATIVES
from tests.standin import Exchange, load_index, load_recording, recordings_dir

#: Who speaks OpenAI's language.
COMPATIBLE = (
    "openai",
    "azure",
    "mistral",
    "groq",
    "together",
    "deepseek",
    "xai",
    "openrouter",
    "perplexity",
    "cerebras",
    "huggingface",
    "ollama",
    "vllm",
    "gpustack",
    "zai",
)
PROVIDERS = (*COMPATIBLE, "anthropic", *NATIVES)

#: Operations that can be said in the other language too.
_CROSS = ("chat", "chat_stream", "messages", "messages_stream", "converse", "converse_stream",
          "generate_content", "generate_content_stream")  # fmt: skip

#: Who would be asked in Responses itself, and is asked in chat as one of many instead.
_SPEAK_RESPONSES = ("openai", "azure", "deepseek", "xai", "openrouter")

#: Recorded streams in which the provider gave up after the first content. Where an exchange was made up, it says so.
_BREAK_OFF = ("groq-chat_stream-0a027382c2", "cohere-chat_stream-677b87df4f")


class Way(StrEnum):
    """How the gateway is asked: in the provider's own language, or in the other one. Where no client speaks the
    provider's, OpenAI's stands in for it."""

    OWN = "own language"
    OTHER = "other language"
    RESPONSES = "Responses API"  # where the provider does not speak it, or is taken for one who does not


@dataclass(frozen=True, slots=True)
class Case:
    """One exchange, one way. `skip` is why it cannot be asked, None where it can."""

    exchange: Exchange
    way: Way
    skip: str | None

    @property
    def id(self) -> str:
        return self.exchange.id

    @property
    def body(self) -> dict[str, Any]:
        """The recorded request."""
        body = self.exchange.request.body
        return body if isinstance(body, dict) else {}

    @property
    def is_stream(self) -> bool:
        return self.exchange.operation.endswith("_stream")

    @property
    def is_error(self) -> bool:
        """Whether the client must get an error and nothing else."""
        blocked = {"error_before_content", "prompt_blocked"}.intersection(self.exchange.features)
        return self.exchange.response.status != 200 or bool(blocked)

    @property
    def breaks_off(self) -> bool:
        """Whether the provider gave up after the first content."""
        return self.id in _BREAK_OFF or "breaks_off" in self.exchange.features

    @property
    def operation(self) -> str:
        """Without the word for its streamed form."""
        return self.exchange.operation.removesuffix("_stream")

    @property
    def kind(self) -> str:
        """What the configuration calls whom it went to. Some with an own language answer chat too, as one of many."""
        if self.way is Way.RESPONSES and self.exchange.provider in _SPEAK_RESPONSES:
            return "compatible"
        if self.exchange.provider == "bedrock" and self.operation == "responses":
            return "openai"
        if self.exchange.provider in ("anthropic", "bedrock", "gemini") and self.operation == "chat":
            return "compatible"
        return {"gpustack": "compatible"}.get(self.exchange.provider, self.exchange.provider)

    @property
    def path(self) -> str:
        """Of the recorded URL."""
        return urlsplit(self.exchange.request.url).path.replace("//", "/")

    @property
    def query(self) -> str:
        return urlsplit(self.exchange.request.url).query


def cases(way: Way) -> list[Case]:
    """Every exchange of the providers that can be asked this way at all; none where the recordings are absent."""
    directory = recordings_dir()
    return [] if directory is None else list(_cases(directory, way))


def _cases(directory: Path, way: Way) -> Iterator[Case]:
    for exchange in exchanges(directory):
        if exchange.provider not in PROVIDERS or (way is not Way.OWN and exchange.operation not in _CROSS):
            continue
        skip = in_own_language(exchange)
        if skip is None and way is Way.OTHER:
            skip = in_other_language(exchange)
        if skip is None and way is Way.RESPONSES:
            skip = in_responses(exchange)
        yield Case(exchange, way, skip)


@cache
def exchanges(directory: Path) -> tuple[Exchange, ...]:
    """All recordings, in the index's order."""
    return tuple(load_recording(row.path) for row in load_index(directory))
