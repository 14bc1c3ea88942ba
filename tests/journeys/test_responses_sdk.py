"""The Responses of OpenAI's SDK, against both worker classes: passed through, and through chat to everybody else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from pydantic import BaseModel

from tests.gunicorn import Server
from tests.journeys.house import KEY
from tests.journeys.plainly import RESPONSES, SAID, request, send
from tests.standin import StandIn, text

UPSTREAMS = ("open-responds", "up-responds", "claude-responds")
SIMULATED = "This is a simulated answer: no provider was asked and no token"
PATHS = {"open": RESPONSES, "up": "/v1/chat/completions", "claude": "/v1/messages"}


class Weather(BaseModel):
    """Say how warm it is."""

    city: str
    degrees: int


@pytest.fixture
def client(server: Server) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(
        base_url=f"{server.url}/v1", api_key=KEY, max_retries=0, _strict_response_validation=True
    ) as client:
        yield client


def named(server: Server, case: str, upstream: str) -> str:
    """A model that no other case asks for."""
    return f"{upstream}/{server.run_dir.parent.name}.{case}"


def sent_to(provider: StandIn, model: str, upstream: str) -> Any:
    """The body that the provider got, at the place where it speaks."""
    return provider.journal.request(model=model.partition("/")[2], path=PATHS[upstream.partition("-")[0]]).json


@pytest.mark.parametrize("upstream", UPSTREAMS)
def test_an_answer_is_whole_and_says_where_it_came_from(client: openai.OpenAI, server: Server, upstream: str) -> None:
    raw = client.responses.with_raw_response.create(model=f"{named(server, 'a', upstream)}/words-5", input="two words")
    answer = raw.parse()

    assert (answer.output_text, answer.status, answer.id[:5]) == (text(5), "completed", "resp_")
    assert answer.usage
    assert (answer.usage.input_tokens, answer.usage.output_tokens, answer.usage.total_tokens) == (2, 5, 7)
    assert (raw.headers["x-gateway-provider"], raw.headers["x-gateway-attempts"]) == (upstream, "1")


def test_without_an_account_the_simulated_provider_answers(client: openai.OpenAI) -> None:
    assert client.responses.create(model="simulated", input="Hello").output_text == SIMULATED
    with client.responses.stream(model="simulated", input="Hello") as stream:
        assert stream.get_final_response().output_text == SIMULATED


@pytest.mark.parametrize("upstream", UPSTREAMS)
def test_a_stream_is_whole(client: openai.OpenAI, server: Server, upstream: str) -> None:
    model = f"{named(server, 's', upstream)}/words-5-reasoning-2"
    events = list(client.responses.create(model=model, input="two words", stream=True))

    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == text(5)
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert (events[0].type, events[1].type) == ("response.created", "response.in_progress")
    last = events[-1]
    assert last.type == "response.completed"
    assert [item.type for item in last.response.output] == ["reasoning", "message"]
    assert last.response.usage
    assert last.response.usage.input_tokens == 2


@pytest.mark.parametrize("upstream", UPSTREAMS)
@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
def test_parse_gives_an_object_of_the_schema(
    client: openai.OpenAI, server: Server, upstream: str, streamed: bool
) -> None:
    model, said = f"{named(server, f'p{streamed}', upstream)}/echo", '{"city": "世界", "degrees": 7}'
    if streamed:
        with client.responses.stream(model=model, input=said, text_format=Weather) as stream:
            answer: Any = stream.get_final_response()
    else:
        answer = client.responses.parse(model=model, input=said, text_format=Weather)

    assert answer.output_parsed == Weather(city="世界", degrees=7)


@pytest.mark.parametrize("upstream", UPSTREAMS)
@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
def test_a_conversation_with_tools_goes_on(
    client: openai.OpenAI, server: Server, provider: StandIn, upstream: str, streamed: bool
) -> None:
    """As users of the SDK write it: until no tool is called any more."""
    model = f"{named(server, f't{streamed}', upstream)}/tools"
    asked, path = model.partition("/")[2], PATHS[upstream.partition("-")[0]]
    provider.script("words-2-reasoning-1-tools-2", model=asked, path=path)
    provider.script("words-5", model=asked, path=path)
    tools: list[Any] = [openai.pydantic_function_tool(Weather)["function"] | {"type": "function"}]
    conversation: list[Any] = [{"role": "user", "content": "How warm is it?"}]
    while True:
        more: Any = {"reasoning": {"effort": "low"}, "include": ["reasoning.encrypted_content"], "store": False}
        if streamed:
            with client.responses.stream(model=model, input=conversation, tools=tools, **more) as stream:
                answer: Any = stream.get_final_response()
        else:
            answer = client.responses.create(model=model, input=conversation, tools=tools, **more)
        conversation += [item.to_dict() for item in answer.output]
        calls = [item for item in answer.output if item.type == "function_call"]
        if not calls:
            break
        conversation += [
            {
                "type": "function_call_output",
                "call_id": call.call_id,
                "output": f"warm in {json.loads(call.arguments)['city']}",
            }
            for call in calls
        ]

    assert answer.output_text == text(5)
    _, second = provider.journal.wait(2, model=asked, path=path, outcome="complete")
    _check_history(upstream.partition("-")[0], second.json)


def _check_history(upstream: str, body: Any) -> None:
    """What the provider must have got back: its text, its two calls and their results, and its thoughts."""
    if upstream == "open":
        kinds = [item["type"] for item in body["input"][1:]]
        assert kinds == ["reasoning", "message", *["function_call"] * 2, *["function_call_output"] * 2]
        assert body["input"][1]["encrypted_content"] == "b3BhcXVl"
    elif upstream == "up":
        _, assistant, *results = body["messages"]
        assert (assistant["content"], len(assistant["tool_calls"])) == (text(2), 2)
        assert [result["content"] for result in results] == ["warm in 世界0", "warm in 世界1"]
        assert [result["tool_call_id"] for result in results] == [call["id"] for call in assistant["tool_calls"]]
    else:
        _, assistant, results = body["messages"]
        assert [block["type"] for block in assistant["content"]] == ["thinking", "text", "tool_use", "tool_use"]
        assert assistant["content"][0]["signature"] == "c2lnbmF0dXJl"
        assert [block["content"] for block in results["content"]] == ["warm in 世界0", "warm in 世界1"]


def test_what_openai_keeps_is_passed_on_and_refused_where_nobody_keeps_it(
    client: openai.OpenAI, server: Server, provider: StandIn
) -> None:
    kept: Any = {"previous_response_id": "resp_1", "store": True}
    model = f"{named(server, 'k', 'open-responds')}/words-1"
    client.responses.create(model=model, input="Go on", **kept)
    sent = sent_to(provider, model, "open")
    assert {name: sent[name] for name in kept} == kept

    for upstream in ("up-responds", "claude-responds"):
        with pytest.raises(openai.BadRequestError) as caught:
            client.responses.create(model=f"{named(server, 'k', upstream)}/words-1", input="Go on", **kept)
        assert (caught.value.param, caught.value.code) == ("previous_response_id", "unsupported_value")
        assert "send the whole conversation in input" in caught.value.message


def test_fields_that_are_lost_are_named(client: openai.OpenAI, server: Server) -> None:
    raw = client.responses.with_raw_response.create(
        model=f"{named(server, 'd', 'up-responds')}/words-1", input="Hi", store=True, truncation="auto"
    )
    assert set(raw.headers["x-gateway-dropped"].split(", ")) == {"store", "truncation"}

    effort: Any = {"reasoning": {"effort": "low"}, "prompt_cache_key": "k"}
    model = f"claude-responds/claude-3-haiku-{server.run_dir.parent.name}"
    raw = client.responses.with_raw_response.create(model=model, input="Hi", **effort)
    assert set(raw.headers["x-gateway-dropped"].split(", ")) == {"reasoning.effort", "prompt_cache_key"}


@pytest.mark.parametrize("upstream", ["open-cut", "up-cut", "claude-cut"])
@pytest.mark.parametrize("fault", ["fault-cut-3", "fault-errormid-3"])
def test_a_stream_that_breaks_never_looks_complete(
    client: openai.OpenAI, server: Server, upstream: str, fault: str
) -> None:
    seen: list[Any] = []
    with pytest.raises(openai.APIError) as caught:
        seen.extend(client.responses.create(model=f"{upstream}/{fault}", input="two words", stream=True))

    assert (caught.value.code, caught.value.type) == ("stream_interrupted", "api_error")
    assert "".join(event.delta for event in seen if event.type == "response.output_text.delta") == text(3)
    assert not [event for event in seen if event.type in ("response.completed", "response.incomplete")]


@pytest.mark.parametrize("upstream", ["open-cut", "up-cut"])
def test_the_event_that_tells_of_it_is_numbered_like_the_others(server: Server, upstream: str) -> None:
    body = json.dumps({"model": f"{upstream}/fault-cut-2", "input": "two words", "stream": True}).encode()
    told = send(server, request("POST", RESPONSES, body)).body.decode()
    events = [json.loads(line[6:]) for line in told.splitlines() if line.startswith("data: ")]

    assert (events[-1]["type"], events[-1]["code"]) == ("error", "stream_interrupted")
    assert [event["sequence_number"] for event in events] == list(range(len(events)))


@pytest.mark.parametrize("upstream", ["open-fails", "up-fails", "claude-fails"])
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
def test_an_error_before_the_answer_is_an_error_of_the_sdk(
    client: openai.OpenAI, server: Server, upstream: str, stream: bool
) -> None:
    for fault, kind, code in (
        ("fault-400", openai.BadRequestError, "invalid_request"),
        ("fault-context", openai.BadRequestError, "context_length_exceeded"),
        ("fault-404", openai.NotFoundError, "model_not_found"),
    ):
        with pytest.raises(kind) as caught:
            client.responses.create(model=f"{upstream}/{fault}", input="Hi", stream=stream)
        assert caught.value.code == code


def test_the_gateways_own_refusals_are_openais(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError):
        client.responses.create(model="nothing", input="Hi")
    with pytest.raises(openai.BadRequestError) as caught:
        client.responses.create(model="simulated", input="Hi", tools=[{"type": "web_search"}])
    assert caught.value.param == "tools[0].type"
    with pytest.raises(openai.BadRequestError) as caught:
        client.responses.create(model="simulated", input="Hi", background=True)
    assert caught.value.param == "background"


def test_a_body_in_the_language_of_chat_is_told_what_is_missing(server: Server) -> None:
    body = json.dumps({"model": "simulated", "messages": SAID}).encode()
    answer = send(server, request("POST", RESPONSES, body))

    assert (answer.status, answer.error["param"], answer.error["message"]) == (400, "input", "'input' is missing")
