"""Anthropic's tool runner, which leaves the conversation with the server where the server can keep it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import anthropic
import pytest
from anthropic import beta_tool

from tests.gunicorn import Server
from tests.journeys.house import KEY
from tests.standin import Answer, Piece, StandIn, text

ASK: list[Any] = [{"role": "user", "content": "how warm?"}]


@beta_tool
def weather(city: str) -> str:
    """Say how warm it is.

    Args:
        city: where
    """
    return f"{len(city)} degrees"


@pytest.fixture
def client(server: Server) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=server.url, api_key=KEY, max_retries=0) as client:
        yield client


def run(client: anthropic.Anthropic, model: str, stream: bool) -> Any:
    """The content of the last message."""
    given: Any = {"model": model, "max_tokens": 99, "tools": [weather], "messages": ASK}
    if not stream:
        return client.beta.messages.tool_runner(**given).until_done().content
    last = None
    for events in client.beta.messages.tool_runner(**given, stream=True):
        last = events.get_final_message().content
    return last


def name_of(server: Server, what: str) -> str:
    return f"{what}-{server.run_dir.parent.name}"


@pytest.mark.parametrize("stream", [False, True])
def test_elsewhere_the_runner_is_told_to_send_the_whole_conversation(
    client: anthropic.Anthropic, server: Server, provider: StandIn, stream: bool
) -> None:
    model = name_of(server, f"runner-up-{stream}")
    for words in ("tools-2", "words-3"):
        provider.script(words, model=model)
    assert run(client, f"up/{model}", stream)[0].text == text(3)
    first, second = [one.json for one in provider.journal.requests(model=model)]
    assert [message["role"] for message in first["messages"]] == ["user"]
    assert [message["role"] for message in second["messages"]] == ["user", "assistant", "tool", "tool"]
    assert [message["content"] for message in second["messages"][2:]] == ["3 degrees", "3 degrees"]
    assert "thread" not in second


@pytest.mark.parametrize("stream", [False, True])
def test_anthropic_keeps_the_conversation(
    client: anthropic.Anthropic, server: Server, provider: StandIn, stream: bool
) -> None:
    model = name_of(server, f"runner-claude-{stream}")
    for words in ("tools-1", "words-3"):
        provider.script(words, model=model)
    assert run(client, f"claude/{model}", stream)[0].text == text(3)
    first, second = [one.json for one in provider.journal.requests(model=model)]
    assert (first["thread"], second["thread"]["type"]) == ({"type": "create"}, "continue")
    assert [block["type"] for block in second["messages"][0]["content"]] == ["tool_result"]


def test_a_conversation_that_anthropic_has_lost_is_sent_again(
    client: anthropic.Anthropic, server: Server, provider: StandIn
) -> None:
    model = name_of(server, "runner-lost")
    error = {"type": "not_found_error", "message": "no such thread", "details": {"error_code": "thread_not_found"}}
    body = json.dumps({"type": "error", "error": error}).encode()
    provider.script("tools-1", model=model)
    provider.script(Answer(404, (("content-type", "application/json"),), (Piece(body),)), model=model)
    provider.script("words-3", model=model)
    assert run(client, f"claude/{model}", False)[0].text == text(3)
    last = provider.journal.requests(model=model)[-1].json
    assert [message["role"] for message in last["messages"]] == ["user", "assistant", "user"]
