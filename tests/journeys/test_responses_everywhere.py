"""OpenAI's Responses against providers with languages of their own: a conversation with tools, as recorded."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import openai
import pytest

from tests.gunicorn import CLASSES, Server
from tests.journeys.house import KEY, both, hashed
from tests.standin import Exchange, StandIn, load_recording, recordings_dir, replay

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Upstream:
    """`calls` and `ends`: recorded streams, one that calls tools and one that answers. `results`: what of a request's
    body answers calls, and `thoughts`: what in it the provider must see again."""

    settings: str
    calls: str
    ends: str
    results: Callable[[Json], list[Any]]
    thoughts: Callable[[Json], list[Any]] = lambda body: []


def _parts(body: Json, name: str) -> list[Any]:
    return [part[name] for content in body["contents"] for part in content["parts"] if name in part]


def _blocks(body: Json, name: str) -> list[Any]:
    return [block[name] for message in body["messages"] for block in message["content"] if name in block]


UPSTREAMS = {
    "cohere": Upstream(
        "",
        "cohere/chat_stream/cohere-chat_stream-4a0a64a498",
        "cohere/chat_stream/cohere-chat_stream-1449524877",
        lambda body: [message for message in body["messages"] if message["role"] == "tool"],
    ),
    "gemini": Upstream(
        "",
        "gemini/generate_content_stream/gemini-generate_content_stream-02bdf6686a",
        "gemini/generate_content_stream/gemini-generate_content_stream-3765663399",
        lambda body: _parts(body, "functionResponse"),
        lambda body: _parts(body, "thoughtSignature"),
    ),
    "bedrock": Upstream(
        ", region: us-east-1",
        "bedrock/converse_stream/bedrock-converse_stream-9e4633187f",
        "bedrock/converse_stream/bedrock-converse_stream-ee9184d786",
        lambda body: _blocks(body, "toolResult"),
    ),
}


@pytest.fixture(scope="module")
def provider() -> Iterator[StandIn]:
    with StandIn() as provider:
        yield provider


@pytest.fixture(scope="module")
def servers(provider: StandIn) -> Iterator[Mapping[str, Server]]:
    text = "providers:\n"
    for name, upstream in UPSTREAMS.items():
        text += f'  {name}: {{base_url: "{provider.url}", api_key: k, models: ["*"]{upstream.settings}}}\n'
    with both(f'{text}tenants:\n  team: {{keys: ["{hashed(KEY)}"]}}\n') as servers:
        yield servers


@pytest.fixture(params=CLASSES)
def client(request: pytest.FixtureRequest, servers: Mapping[str, Server]) -> Iterator[openai.OpenAI]:
    base = f"{servers[request.param].url}/v1"
    with openai.OpenAI(base_url=base, api_key=KEY, max_retries=0, _strict_response_validation=True) as client:
        yield client


def recorded(path: str) -> Exchange:
    directory = recordings_dir()
    if directory is None:
        pytest.skip("no recordings beside the checkout")
    return load_recording(directory / f"{path}.json")


@pytest.mark.parametrize("name", UPSTREAMS)
def test_a_conversation_with_tools_goes_on(client: openai.OpenAI, provider: StandIn, name: str) -> None:
    upstream = UPSTREAMS[name]
    provider.journal.clear()
    provider.script(replay(recorded(upstream.calls), seed=1), method="POST")  # a GET is a free probe
    provider.script(replay(recorded(upstream.ends), seed=2), method="POST")
    conversation: list[Any] = [{"role": "user", "content": "go"}]
    tool: Any = {"type": "function", "name": "any", "parameters": {"type": "object", "properties": {}}, "strict": False}
    called: list[Any] = []
    while True:
        with client.responses.stream(model=f"{name}/{name}-model", input=conversation, tools=[tool]) as stream:
            answer = stream.get_final_response()
        conversation += [item.to_dict() for item in answer.output]
        calls = [item for item in answer.output if item.type == "function_call"]
        if not calls:
            break
        called += calls
        conversation += [
            {"type": "function_call_output", "call_id": call.call_id, "output": f"result of {call.name}"}
            for call in calls
        ]

    assert answer.output_text
    assert answer.usage
    assert answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens > 0
    assert len(called) >= 2
    assert all(isinstance(json.loads(call.arguments), dict) for call in called)
    _, second = provider.journal.wait(2, method="POST", outcome="complete")
    results = json.dumps(upstream.results(second.json))
    assert [results.count(f"result of {call.name}") for call in called] == [
        sum(other.name == call.name for other in called) for call in called
    ]
    if name == "gemini":
        assert upstream.thoughts(second.json)
        assert all(len(signature) > 100 for signature in upstream.thoughts(second.json)[:1])
