"""Recorded traffic through the Messages surface: requests of Anthropic's clients, answers of everybody else."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from anthropic.types import Message
from openai.types.chat.completion_create_params import CompletionCreateParams

from app.core.errors import ErrorType, GatewayError
from app.core.json import dumps, loads
from app.core.provider import Provider
from app.core.wire import Ask, Event, Frame, Operation
from app.providers import registry
from app.surfaces import MESSAGES
from tests.standin import Exchange, load_index, load_recording, recordings_dir
from tests.surfaces.messages_given import folded, kinds, official, request, shown, translation

pytestmark = pytest.mark.skipif(recordings_dir() is None, reason="../shared/recordings is absent")

COMPATIBLE = (
    *("openai", "azure", "groq", "together", "vllm", "xai", "openrouter", "deepseek", "mistral", "perplexity"),
    *("cerebras", "zai", "huggingface", "gpustack", "ollama"),
)

#: Answers in forms that a Messages request never asks for.
_NEVER_ASKED = {"legacy_functions", "multi_choice", "p_modalities", "p_n"}


def rows(operation: str, *providers: str) -> list[Any]:
    directory = recordings_dir()
    known = load_index(directory) if directory else []
    found = (row for row in known if row.operation == operation and row.provider in providers)
    return [pytest.param(row, id=row.id) for row in found]


def answers(operation: str) -> list[Any]:
    """Good answers to chat requests in OpenAI's form."""
    return [
        each
        for each in rows(operation, *COMPATIBLE)
        if each.values[0].status == 200 and _NEVER_ASKED.isdisjoint(each.values[0].features)
    ]


def provider_of(exchange: Exchange) -> Provider:
    kind = exchange.provider if exchange.provider in registry.kinds() else "compatible"
    return registry.build(exchange.provider, kind, base_url="http://127.0.0.1:1/v1", key="k")


def events(body: bytes) -> list[Event]:
    made = []
    for each in body.replace(b"\r\n", b"\n").split(b"\n\n"):
        lines = [line.partition(b":") for line in each.split(b"\n") if line]
        data = [rest.lstrip() for name, _, rest in lines if name == b"data"]
        names = [rest.strip() for name, _, rest in lines if name == b"event"]
        if data:
            made.append(Event(b"\n".join(data), names[0] if names else None))
    return made


@pytest.mark.parametrize("row", [*rows("messages", "anthropic"), *rows("messages_stream", "anthropic")])
def test_a_messages_request_becomes_one_that_openais_sdk_would_send(row: Any) -> None:
    """Or it is refused, naming the field."""
    body = load_recording(row.path).request.body
    made, refusal = None, None
    try:
        MESSAGES.check(body)
        made = MESSAGES.through_chat(Ask(operation=Operation.MESSAGES, body=body, stream=False, wants_usage=False))
    except GatewayError as error:
        refusal = error
    if made is None:
        assert refusal is not None
        assert refusal.type is ErrorType.INVALID_REQUEST
        assert refusal.param
    else:
        official(CompletionCreateParams).validate_python(made.ask.body)


@pytest.mark.parametrize("row", answers("chat"))
def test_a_chat_answer_of_anybodys_is_a_message(row: Any) -> None:
    exchange = load_recording(row.path)
    parsed = loads(exchange.response.body)
    if "choices" not in parsed:
        pytest.skip("in the provider's own form")
    way_back, provider = translation(), provider_of(exchange)

    frame = way_back.whole(provider.dialect.decode(way_back.ask, provider, parsed))
    official(Message).validate_json(dumps(frame.data), strict=True)


@pytest.mark.parametrize("row", answers("chat_stream"))
def test_a_chat_stream_of_anybodys_folds_to_what_was_said(row: Any) -> None:
    exchange = load_recording(row.path)
    if b"data:" not in exchange.response.body:
        pytest.skip("in the provider's own form")
    way_back, provider = translation(request(stream=True), stream=True), provider_of(exchange)
    reader = provider.dialect.reader(way_back.ask, provider)
    chat: list[Frame] = []
    made: list[Frame] = []
    failed = False
    for event in events(exchange.response.body):
        with contextlib.suppress(ValueError):
            try:
                frames = reader.feed(event)
            except GatewayError:
                failed = True  # an error inside the stream: the client is told, and nothing more is read
                break
            chat += frames
            made += [out for frame in frames for out in way_back.feed(frame)]
    if failed:
        assert "message_stop" not in kinds(made)
        return
    made += way_back.end()

    message = folded(made)
    assert kinds(made)[-1] == "message_stop"
    assert _said(chat, "content", "refusal") == "".join(b.text for b in message.content if b.type == "text")
    assert _said(chat, "reasoning_content") == "".join(b.thinking for b in message.content if b.type == "thinking")
    assert sum(frame.chars for frame in made) == sum(frame.chars for frame in chat)
    counted = [frame.usage for frame in chat if frame.usage]
    if counted:
        usage = message.usage
        assert usage.output_tokens == counted[-1].output
        read, written = usage.cache_read_input_tokens, usage.cache_creation_input_tokens
        assert usage.input_tokens + read + written == counted[-1].input


def _said(frames: list[Frame], *names: str) -> str:
    deltas = [chunk["choices"][0]["delta"] for chunk in shown(frames) if chunk["choices"]]
    return "".join(delta.get(name) or "" for delta in deltas for name in names)
