"""A conversation with tools, two turns long and streamed, as SDK users write it: in one language, served in another.

The first turn is a provider's own recorded answer, or one made up by the stand-in; the second request must then hold
all that the provider needs to go on: its calls with their ids, their results, and its signed thoughts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest

from tests.gunicorn import Server
from tests.journeys.house import KEY
from tests.standin import Answer, Exchange, StandIn, load_recording, recordings_dir, replay, text

FIBONACCI = "anthropic/messages_stream/anthropic-messages_stream-19c6c11cea.json"  # thinks, then calls
SECRETS = "anthropic/messages_stream/anthropic-messages_stream-868fe4d3d0.json"  # calls twice at once
COUNTRY = "openai/chat_stream/openai-chat_stream-efee7625e6.json"  # the same, without arguments

THINKING: Any = {"type": "enabled", "budget_tokens": 1024}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}


@pytest.fixture
def openai_client(server: Server) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(
        base_url=f"{server.url}/v1", api_key=KEY, max_retries=0, _strict_response_validation=True
    ) as client:
        yield client


@pytest.fixture
def anthropic_client(server: Server) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(
        base_url=server.url, api_key=KEY, max_retries=0, _strict_response_validation=True
    ) as client:
        yield client


def recorded(path: str) -> Exchange:
    directory = recordings_dir()
    if directory is None:
        pytest.skip("no recordings beside the checkout")
    return load_recording(directory / path)


def result_of(name: str, arguments: object) -> str:
    """What the tool says; names its call, so that a result at the wrong place is seen."""
    return f"{name} of {json.dumps(arguments, ensure_ascii=False)}"


def chat(client: openai.OpenAI, model: str, tools: list[Any], **more: Any) -> str:
    """The loop of an OpenAI user: until no tool is called any more."""
    messages: list[Any] = [{"role": "user", "content": "go"}]
    while True:
        with client.chat.completions.stream(model=model, messages=messages, tools=tools, **more) as events:
            message = events.get_final_completion().choices[0].message
        if not message.tool_calls:
            return message.content or ""
        messages.append(message.model_dump(exclude_none=True))
        for call in message.tool_calls:
            said = result_of(call.function.name, json.loads(call.function.arguments))
            messages.append({"role": "tool", "tool_call_id": call.id, "content": said})


def converse(client: anthropic.Anthropic, model: str, tools: list[Any], **more: Any) -> str:
    """The loop of an Anthropic user."""
    messages: list[Any] = [{"role": "user", "content": "go"}]
    while True:
        with client.messages.stream(model=model, messages=messages, tools=tools, max_tokens=2000, **more) as events:
            message = events.get_final_message()
        if message.stop_reason != "tool_use":
            return "".join(block.text for block in message.content if block.type == "text")
        messages.append({"role": "assistant", "content": message.content})
        results = [
            {"type": "tool_result", "tool_use_id": block.id, "content": result_of(block.name, block.input)}
            for block in message.content
            if block.type == "tool_use"
        ]
        messages.append({"role": "user", "content": results})


def first_turn(provider: StandIn, model: str, path: str, answer: Answer | str) -> None:
    provider.script(answer, model=model, path=path)
    provider.script("words-5", model=model, path=path)


def second_request(provider: StandIn, model: str) -> list[dict[str, Any]]:
    """Its messages; there were two requests and no more."""
    _, second = provider.journal.wait(2, model=model, outcome="complete")
    messages: list[dict[str, Any]] = second.json["messages"]
    return messages


@pytest.mark.parametrize("seed", [1, 2])
def test_an_openai_client_carries_claudes_signed_thoughts_and_calls(
    openai_client: openai.OpenAI, provider: StandIn, server: Server, seed: int
) -> None:
    exchange = recorded(FIBONACCI)
    model = f"fibonacci-{seed}-{server.run_dir}"
    first_turn(provider, model, "/v1/messages", replay(exchange, seed=seed))
    tools = [_function(tool) for tool in exchange.request.body["tools"]]

    assert chat(openai_client, f"claude/{model}", tools, extra_body={"thinking": THINKING}) == text(5)

    user, assistant, results = second_request(provider, model)
    thinking, said, used = assistant["content"]
    body = exchange.response.body.decode()
    assert (thinking["type"], thinking["signature"] in body) == ("thinking", True)
    assert thinking["signature"].startswith("EvsCCkYI")
    assert thinking["thinking"].endswith("so I should call this function with n=100.")
    assert said == {"type": "text", "text": "I'll compute the 100th Fibonacci number for you."}
    assert used == {
        "type": "tool_use",
        "id": "toolu_01J7hSXkaj2gutTd4eGhfSLs",
        "name": "compute_fib",
        "input": {"n": 100},
    }
    (result,) = results["content"]
    assert (user["role"], results["role"], result["type"]) == ("user", "user", "tool_result")
    assert result["tool_use_id"] == used["id"]
    assert _plain(result["content"]) == result_of("compute_fib", {"n": 100})


def test_an_openai_client_carries_claudes_parallel_calls(
    openai_client: openai.OpenAI, provider: StandIn, server: Server
) -> None:
    exchange = recorded(SECRETS)
    model = f"secrets-{server.run_dir}"
    first_turn(provider, model, "/v1/messages", replay(exchange, seed=3))

    tools = [_function(tool) for tool in exchange.request.body["tools"]]
    assert chat(openai_client, f"claude/{model}", tools) == text(5)

    _, assistant, results = second_request(provider, model)
    used = [block for block in assistant["content"] if block["type"] == "tool_use"]
    assert [block["input"] for block in used] == [{"password": "mellon"}, {"password": "radiance"}]
    assert [result["tool_use_id"] for result in results["content"]] == [block["id"] for block in used]
    assert [_plain(result["content"]) for result in results["content"]] == [
        result_of("secret_retrieval_tool", block["input"]) for block in used
    ]


def test_an_anthropic_client_carries_openais_parallel_calls(
    anthropic_client: anthropic.Anthropic, provider: StandIn, server: Server
) -> None:
    exchange = recorded(COUNTRY)
    model = f"country-{server.run_dir}"
    first_turn(provider, model, "/v1/chat/completions", replay(exchange, seed=4))

    tools = [_tool(tool) for tool in exchange.request.body["tools"]]
    assert converse(anthropic_client, f"up/{model}", tools) == text(5)

    _, assistant, *results = second_request(provider, model)
    calls = [(call["id"], call["function"]["name"], call["function"]["arguments"]) for call in assistant["tool_calls"]]
    assert calls == [
        ("call_YLpBLd2Jc52M9Haen7Wg7eD6", "get_country", "{}"),
        ("call_Gvsr5eUu5FioxDbaq5yglsVP", "get_product_name", "{}"),
    ]
    assert [(result["role"], result["tool_call_id"], _plain(result["content"])) for result in results] == [
        ("tool", call, result_of(name, {})) for call, name, _ in calls
    ]


@pytest.mark.parametrize("upstream", ["up", "claude"])
def test_made_up_thoughts_and_calls_come_back_to_either_provider(
    openai_client: openai.OpenAI,
    anthropic_client: anthropic.Anthropic,
    provider: StandIn,
    server: Server,
    upstream: str,
) -> None:
    path = "/v1/chat/completions" if upstream == "up" else "/v1/messages"
    tool = {"name": "weather", "description": "How warm?", "input_schema": SCHEMA}
    for language in ("openai", "anthropic"):
        model = f"made-{language}-{upstream}-{server.run_dir}"
        first_turn(provider, model, path, "words-2-reasoning-3-tools-2")
        if language == "openai":
            answer = chat(openai_client, f"{upstream}/{model}", [_function(tool)], reasoning_effort="low")
        else:
            answer = converse(anthropic_client, f"{upstream}/{model}", [tool], thinking=THINKING)
        assert answer == text(5)

        _, assistant, *results = second_request(provider, model)
        if upstream == "up":
            calls = {call["id"]: json.loads(call["function"]["arguments"]) for call in assistant["tool_calls"]}
            told = {result["tool_call_id"]: _plain(result["content"]) for result in results}
            assert _plain(assistant["content"]) == text(2)
        else:
            blocks = assistant["content"]
            assert blocks[:2] == [
                {"type": "thinking", "thinking": text(3), "signature": "c2lnbmF0dXJl"},
                {"type": "text", "text": text(2)},
            ]
            calls = {block["id"]: block["input"] for block in blocks[2:]}
            told = {result["tool_use_id"]: _plain(result["content"]) for result in results[0]["content"]}
        assert list(calls.values()) == [{"city": "世界0"}, {"city": "世界1"}]
        assert told == {call: result_of("weather", arguments) for call, arguments in calls.items()}


def _function(tool: dict[str, Any]) -> dict[str, Any]:
    """Anthropic's description of a tool, as OpenAI's."""
    described = {"name": tool["name"], "description": tool["description"], "parameters": tool["input_schema"]}
    return {"type": "function", "function": described}


def _tool(tool: dict[str, Any]) -> dict[str, Any]:
    """OpenAI's description of a tool, as Anthropic's."""
    function = tool["function"]
    return {
        "name": function["name"],
        "description": function["description"],
        "input_schema": function["parameters"],
    }


def _plain(content: Any) -> str:
    return content if isinstance(content, str) else "".join(part["text"] for part in content)
