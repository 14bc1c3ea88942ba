"""What Google signed stays out of what is sent to anybody else."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.json import Json, dumps
from app.core.wire import UpstreamRequest
from tests.providers.talk import ask, provider

EXTRA: Json = {"google": {"thought_signature": "c2ln"}}
CALL: Json = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
SIGNED: list[Json] = [
    {"role": "user", "content": "go"},
    {"role": "assistant", "content": None, "tool_calls": [{**CALL, "extra_content": EXTRA}, CALL]},
    {"role": "assistant", "content": "Hello", "extra_content": EXTRA},
]
BARE: list[Json] = [
    {"role": "user", "content": "go"},
    {"role": "assistant", "content": None, "tool_calls": [CALL, CALL]},
    {"role": "assistant", "content": "Hello"},
]


def encoded(kind: str, model: str, messages: Any) -> UpstreamRequest:
    by = provider(kind)
    return by.dialect.encode(ask(messages=messages), by, model)


@pytest.mark.parametrize("kind", ["openai", "azure", "compatible", "groq"])
def test_a_conversation_that_goes_on_elsewhere_loses_them_and_the_client_is_told(kind: str) -> None:
    """OpenAI refuses fields of calls that it does not know."""
    before = dumps(SIGNED)
    sent = encoded(kind, "gpt-4.1", SIGNED)

    assert sent.body["messages"] == BARE
    assert "messages[].extra_content" in sent.dropped
    assert dumps(SIGNED) == before


@pytest.mark.parametrize("model", ["gemini-3-pro", "google/gemini-2.5-flash"])
def test_googles_models_get_them_back_wherever_they_are_asked(model: str) -> None:
    sent = encoded("compatible", model, SIGNED)

    assert (sent.body["messages"], sent.dropped) == (SIGNED, ())


@pytest.mark.parametrize(
    "messages",
    [
        BARE,
        [{"role": "user", "content": "x", "extra_content": {"mine": 1}}],
        [{"role": "user", "content": "x", "extra_content": 5}, 7],
        [{"role": "assistant", "content": "x", "tool_calls": None}],
    ],
)
def test_everything_else_travels_as_it_came(messages: Any) -> None:
    sent = encoded("compatible", "gpt-4.1", messages)

    assert sent.body["messages"] is messages
    assert sent.dropped == ()
