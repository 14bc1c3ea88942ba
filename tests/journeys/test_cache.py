"""Both official SDKs, given the same answer twice: plain and streamed, whichever form it first had."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest

from tests.gunicorn import CLASSES, gunicorn
from tests.journeys.house import KEY, configuration
from tests.standin import StandIn, text

TOOLS: Any = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}},
        },
    }
]
CLAUDE_TOOLS: Any = [{"name": "weather", "input_schema": TOOLS[0]["function"]["parameters"]}]
HELLO: Any = [{"role": "user", "content": "Hello"}]


class Both:
    """The two SDKs at one gateway, of one worker: without memcached each has answers of its own."""

    def __init__(self, url: str, provider: StandIn) -> None:
        self.provider = provider
        self.openai = openai.OpenAI(base_url=url + "/v1", api_key=KEY, max_retries=0)
        self.anthropic = anthropic.Anthropic(base_url=url, api_key=KEY, max_retries=0)

    def close(self) -> None:
        self.openai.close()
        self.anthropic.close()

    def asked(self, model: str) -> int:
        return len(self.provider.journal.requests(model=model))


@pytest.fixture(scope="module", params=CLASSES)
def both(request: pytest.FixtureRequest) -> Iterator[Both]:
    with StandIn() as provider:
        more = "cache: {ttl: 300}\nresilience: {retries: 0, breaker: {min_calls: 1000000, consecutive: 1000000}}\n"
        with gunicorn(configuration(provider, more=more), workers=1, worker_class=request.param) as server:
            found = Both(server.url, provider)
            yield found
            found.close()


def plain(both: Both, model: str, **more: Any) -> tuple[Any, Any]:
    """The completion, and the headers of its answer."""
    raw = both.openai.chat.completions.with_raw_response.create(model=model, messages=HELLO, **more)
    return raw.parse(), raw.headers


def streamed(both: Both, model: str, **more: Any) -> Any:
    """The completion that the SDK adds a stream up to."""
    with both.openai.chat.completions.stream(model=model, messages=HELLO, **more) as stream:
        return stream.get_final_completion()


def said(completion: Any) -> Any:
    (choice,) = completion.choices
    calls = [(call.id, call.function.name, call.function.arguments) for call in choice.message.tool_calls or ()]
    return (
        choice.message.content or None,
        calls,
        choice.finish_reason,
        getattr(choice.message, "reasoning_content", None),
    )


def blocks(message: Any) -> Any:
    """Without what the SDK adds to those of a stream."""
    return [{name: value for name, value in b.to_dict().items() if name != "parsed_output"} for b in message.content]


MODELS = ["words-7", "tools-2", "reasoning-3-words-4", "words-3-tools-1", "nousage"]


@pytest.mark.parametrize("upstream", ["up", "claude"])
@pytest.mark.parametrize("name", MODELS)
def test_a_completion_is_given_again_in_either_form(both: Both, upstream: str, name: str) -> None:
    model = f"{upstream}/{name}"
    first, headers = plain(both, model, tools=TOOLS, user="plain first")
    assert headers["x-gateway-cache"] == "miss"

    again, headers = plain(both, model, tools=TOOLS, user="plain first")
    stream = streamed(both, model, tools=TOOLS, user="plain first", stream_options={"include_usage": True})

    assert (headers["x-gateway-cache"], headers["x-gateway-provider"], headers["x-gateway-model"]) == (
        "hit",
        upstream,
        name,
    )
    assert (headers["x-gateway-attempts"], int(headers["age"]) < 60) == ("0", True)
    assert again == first
    assert said(stream) == said(first)
    assert stream.usage == first.usage


@pytest.mark.parametrize("upstream", ["up", "claude"])
@pytest.mark.parametrize("name", MODELS)
def test_a_stream_is_given_again_in_either_form(both: Both, upstream: str, name: str) -> None:
    model = f"{upstream}/{name}"
    first = streamed(both, model, tools=TOOLS, user="stream first")
    asked = both.asked(name)

    again = streamed(both, model, tools=TOOLS, user="stream first", stream_options={"include_usage": True})
    whole, headers = plain(both, model, tools=TOOLS, user="stream first")

    assert headers["x-gateway-cache"] == "hit"
    assert said(again) == said(first)
    assert said(whole) == said(first)
    assert first.usage is None
    assert both.asked(name) == asked
    assert again.usage == whole.usage
    assert name == "nousage" or again.usage.total_tokens > 0


@pytest.mark.parametrize("upstream", ["up", "claude"])
@pytest.mark.parametrize("name", ["words-7", "tools-2", "reasoning-3-words-4", "finish-length"])
@pytest.mark.parametrize("stream_first", [False, True])
def test_a_message_is_given_again_in_either_form(both: Both, upstream: str, name: str, stream_first: bool) -> None:
    how: Any = {
        "model": f"{upstream}/{name}",
        "max_tokens": 1000 + stream_first,
        "messages": HELLO,
        "tools": CLAUDE_TOOLS,
    }

    def in_stream() -> Any:
        with both.anthropic.messages.stream(**how) as stream:
            return stream.get_final_message()

    def at_once() -> Any:
        raw = both.anthropic.messages.with_raw_response.create(**how)
        caches.append(raw.headers["x-gateway-cache"])
        return raw.parse()

    caches: list[str] = []
    first = in_stream() if stream_first else at_once()
    asked = both.asked(name)
    others = [at_once(), in_stream(), at_once()]

    assert caches[-2:] == ["hit", "hit"]
    assert both.asked(name) == asked
    for other in others:
        assert blocks(other) == blocks(first)
        assert (other.id, other.stop_reason, other.usage) == (first.id, first.stop_reason, first.usage)


def test_embeddings_completions_and_moderations_are_given_again(both: Both) -> None:
    for _ in range(2):
        vectors = both.openai.embeddings.with_raw_response.create(model="up/plain", input=["a", "b"])
        legacy = both.openai.completions.with_raw_response.create(model="up/words-4", prompt="Hello")
        verdict = both.openai.moderations.with_raw_response.create(model="up/plain", input="Hello")
    assert [raw.headers["x-gateway-cache"] for raw in (vectors, legacy, verdict)] == ["hit"] * 3
    assert len(vectors.parse().data[0].embedding) == 8
    assert legacy.parse().choices[0].text == text(4)
    assert "".join(
        chunk.choices[0].text
        for chunk in both.openai.completions.create(model="up/words-4", prompt="Hello", stream=True)
    ) == text(4)


@pytest.mark.parametrize("fault", ["fault-500", "fault-400", "fault-badjson", "fault-cut-2"])
def test_a_failure_is_not_given_again(both: Both, fault: str) -> None:
    for nth in (1, 2):
        with pytest.raises(openai.APIError):
            plain(both, f"up/{fault}")
        assert both.asked(fault) == nth


@pytest.mark.parametrize("fault", ["fault-cut-2", "fault-errormid-3-529", "fault-midevent-2"])
def test_a_broken_stream_is_not_given_again(both: Both, fault: str) -> None:
    for nth in (1, 2):
        with pytest.raises(openai.APIError):
            streamed(both, f"up/{fault}", user="stream")
        assert len([one for one in both.provider.journal.requests(model=fault) if one.json.get("stream")]) == nth


def test_a_client_says_how_fresh_an_answer_must_be(both: Both) -> None:
    def how(**headers: str) -> str:
        name = {"control": "Cache-Control", "ttl": "x-gateway-cache-ttl"}
        _, found = plain(both, "up/words-2", extra_headers={name[key]: value for key, value in headers.items()})
        return str(found["x-gateway-cache"])

    assert how() == "miss"
    assert how(control="max-age=60") == "hit"
    assert how(control="no-cache") == "bypass"
    assert how(control="no-store") == "bypass"
    assert how(ttl="0") == "bypass"
    assert how(ttl="60") == "hit"
    with pytest.raises(openai.BadRequestError) as caught:
        how(ttl="an hour")
    assert caught.value.param == "x-gateway-cache-ttl"
