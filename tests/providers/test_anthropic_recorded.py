"""Recorded traffic through the Anthropic dialect: real answers of Anthropic's, and real requests to everybody."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from anthropic.types import Message, MessageTokensCount, RawMessageStreamEvent
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming
from openai.lib.streaming._deltas import accumulate_delta
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from pydantic import TypeAdapter

from app.core.errors import ErrorType, GatewayError
from app.core.json import dumps, loads
from app.core.wire import Event, Frame, Operation
from app.providers.anthropic_request import to_messages
from tests.providers.anthropic_given import DIALECT, ask, chunks, provider
from tests.standin import Exchange, load_index, load_recording, recordings_dir

pytestmark = pytest.mark.skipif(recordings_dir() is None, reason="../shared/recordings is absent")

#: Chat as OpenAI speaks it, or nearly.
COMPATIBLE = (
    *("openai", "azure", "groq", "together", "vllm", "xai", "openrouter", "deepseek", "mistral", "perplexity"),
    *("cerebras", "zai", "huggingface", "gpustack", "ollama"),
)


def rows(operation: str, *providers: str) -> list[Any]:
    directory = recordings_dir()
    known = load_index(directory) if directory else []
    found = (row for row in known if row.operation == operation and row.provider in providers)
    return [pytest.param(row, id=row.id) for row in found]


@cache
def judge(official: Any) -> TypeAdapter[Any]:
    return TypeAdapter(official)


def valid(official: Any, value: Any) -> None:
    judge(official).validate_json(dumps(value), strict=True)


def events(exchange: Exchange) -> list[Event]:
    """Every event of a recorded stream is an `event:` and a `data:` line."""
    made = []
    for each in exchange.response.body.split(b"\n\n"):
        lines = dict(line.split(b": ", 1) for line in each.strip().split(b"\n") if b": " in line)
        if lines:
            made.append(Event(lines[b"data"], lines.get(b"event")))
    return made


def read(exchange: Exchange, operation: Operation) -> list[Frame]:
    reader = DIALECT.reader(ask(operation, stream=True, wants_usage=True), provider())
    frames = [frame for each in events(exchange) for frame in reader.feed(each)]
    assert reader.complete
    assert reader.done
    return frames


@pytest.mark.parametrize("row", rows("messages", "anthropic"))
def test_an_answer_is_valid_in_both_languages_and_counts_the_same(row: Any) -> None:
    exchange = load_recording(row.path)
    if exchange.response.status != 200:
        assert DIALECT.decode_error(provider(), exchange.response.status, {}, exchange.response.body).message
        return
    own = DIALECT.decode(ask(Operation.MESSAGES), provider(), loads(exchange.response.body))
    chat = DIALECT.decode(ask(), provider(), loads(exchange.response.body))

    valid(Message, own.data)
    valid(ChatCompletion, chat.data)
    assert own.data == loads(exchange.response.body)
    assert (own.usage, own.finish) == (chat.usage, chat.finish)
    assert chat.data is not None
    counts = chat.data["usage"]
    assert counts["total_tokens"] == counts["prompt_tokens"] + counts["completion_tokens"]


@pytest.mark.parametrize("row", rows("messages_stream", "anthropic"))
def test_a_stream_is_valid_in_both_languages_and_counts_the_same(row: Any) -> None:
    exchange = load_recording(row.path)
    if exchange.response.status != 200:
        assert DIALECT.decode_error(provider(), exchange.response.status, {}, exchange.response.body).message
        return
    own, chat = read(exchange, Operation.MESSAGES), read(exchange, Operation.CHAT)

    for frame in own:
        if frame.event != "ping":
            valid(RawMessageStreamEvent, frame.data)
    total: dict[object, object] = {}
    for chunk in chunks(chat):
        valid(ChatCompletionChunk, chunk)
        if chunk["choices"]:
            total = accumulate_delta(total, chunk["choices"][0]["delta"])
    assert _last([f.usage for f in own]) == _last([f.usage for f in chat])
    assert _last([f.finish for f in own]) == _last([f.finish for f in chat])
    for call in total.get("tool_calls") or ():  # type: ignore[attr-defined]  # as the SDK's own function says
        assert isinstance(loads(call["function"]["arguments"]), dict)


@pytest.mark.parametrize("row", rows("count_tokens", "anthropic"))
def test_a_count_is_valid_or_a_refusal(row: Any) -> None:
    exchange = load_recording(row.path)
    if exchange.response.status == 200:
        counted = DIALECT.decode(ask(Operation.COUNT_TOKENS), provider(), loads(exchange.response.body))
        valid(MessageTokensCount, counted.data)
    else:
        refused = DIALECT.decode_error(provider(), exchange.response.status, {}, exchange.response.body)
        assert refused.type is ErrorType.MODEL_NOT_FOUND


@pytest.mark.parametrize("row", [*rows("chat", *COMPATIBLE), *rows("chat_stream", *COMPATIBLE)])
def test_a_chat_request_to_anybody_is_one_that_anthropics_sdk_would_send(row: Any) -> None:
    """Or it is refused, naming the field."""
    body = load_recording(row.path).request.body
    for model in ("claude-sonnet-4-5", "claude-opus-5-5", "claude-3-5-haiku-latest"):
        refusal, made = None, None
        try:
            made, _ = to_messages(body, model)
        except GatewayError as error:
            refusal = error
        if made is None:
            assert refusal is not None
            assert refusal.type is ErrorType.INVALID_REQUEST
            assert refusal.param
        else:  # the sampling parameters left the SDK's types with the API version that refuses them
            kept = {name: value for name, value in made.items() if name not in ("temperature", "top_p", "top_k")}
            judge(MessageCreateParamsNonStreaming).validate_python(kept)


def _last(values: list[Any]) -> Any:
    return [value for value in values if value is not None][-1]
