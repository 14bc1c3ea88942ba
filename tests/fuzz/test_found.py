"""What trying anything has found, each once more: through the whole application."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.json import Json, dumps, loads
from app.core.provider import Provider
from app.core.wire import UpstreamRequest
from tests.fuzz import seeds
from tests.fuzz.checks import OF_ANSWERS, check
from tests.fuzz.house import House, Said, Shown

CHAT = "/v1/chat/completions"
HELLO: list[Json] = [{"role": "user", "content": "Hi"}]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    house.told.say = seeds.well
    yield house
    assert not house.complaints.found
    house.close()


def ask(house: House, model: str, **more: object) -> Shown:
    return house.ask(CHAT, dumps({"model": model, "messages": HELLO, **more}))


def test_an_answer_is_kept_however_many_fields_were_dropped(house: House) -> None:
    fields = {f"{at:0100}": 1 for at in range(3000)}

    assert ask(house, "anthropic", **fields).headers["x-gateway-cache"] == "miss"
    assert ask(house, "anthropic", **fields).headers["x-gateway-cache"] == "hit"


@pytest.mark.parametrize("deep", [b"[" * 300 + b"]" * 300, b'{"a":' * 300 + b"1" + b"}" * 300])
@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_that_is_too_deep_to_be_written_again_is_none(house: House, deep: bytes, stream: bool) -> None:
    said = b'data: {"choices": %s}\n\n' if stream else b'{"choices": %s}'
    house.told.say = lambda provider, request: Said((said % deep,))

    assert ask(house, "openai", stream=stream).status == 502


def test_a_call_whose_arguments_nest_deep_is_told_to_every_provider(house: House) -> None:
    arguments = '{"a":' * 300 + "1" + "}" * 300
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}}
    answered = {"role": "tool", "tool_call_id": "c", "content": "1"}
    history = [*HELLO, {"role": "assistant", "tool_calls": [call]}, answered]

    for model in ("anthropic", "gemini", "bedrock", "cohere", "openai"):
        assert ask(house, model, messages=[*history, *HELLO]).status == 200


def test_a_provider_that_wants_to_be_left_alone_for_ever_is_not_quoted(house: House) -> None:
    house.told.say = lambda provider, request: Said((b"{}",), 503, {"retry-after": "9" * 400 + "h"})

    shown = ask(house, "openai")

    assert (shown.status, shown.headers["retry-after"]) == (503, "1")


def result(content: object) -> Json:
    """A turn of Anthropic's that gives what a tool has found."""
    return {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": content}]}


def format_(schema: Json) -> Json:
    return {"type": "json_schema", "schema": schema}


def sent(house: House, path: str, model: str, **more: object) -> Shown:
    (*_, least) = seeds.ASKS[path]
    return house.ask(path, dumps({**least, "stream": False, "model": model, **more}))


@pytest.mark.parametrize(
    ("path", "model", "fields", "param"),
    [
        ("/v1/messages", "openai", {"messages": [result(5)]}, "content"),
        ("/v1/chat/completions", "bedrock", {"metadata": "x"}, "metadata"),
    ],
)
def test_what_a_translation_cannot_read_is_the_clients_fault(
    house: House, path: str, model: str, fields: Json, param: str
) -> None:
    shown = sent(house, path, model, **fields)

    assert shown.status == 400
    assert param in shown.body.decode()


THOUGHTLESS = {**HELLO[0], "role": "assistant", "thinking_blocks": 5}
CLOSED = {"type": "object", "properties": {"a": {}}, "additionalProperties": False}


@pytest.mark.parametrize(
    ("path", "model", "fields"),
    [
        ("/v1/messages", "openai", {"output_config": {"format": format_({**CLOSED, "required": True})}}),
        ("/v1/messages", "anthropic", {"output_config": {"format": format_({"format": {}})}}),
        (
            "/v1/chat/completions",
            "bedrock",
            {"messages": [*HELLO, THOUGHTLESS]},
        ),
        ("/v1/chat/completions", "bedrock", {"tool_choice": {"type": "allowed_tools", "allowed_tools": {"tools": 5}}}),
    ],
)
def test_odd_values_where_nobody_looks_closely_do_no_harm(house: House, path: str, model: str, fields: Json) -> None:
    assert sent(house, path, model, **fields).status in (200, 400)


@pytest.mark.parametrize("count", ["7", 1.5, True, -1, 2**64 - 1, 1e308, [1], None])
def test_a_count_of_tokens_that_is_none_harms_neither_its_answer_nor_the_next(house: House, count: object) -> None:
    usage = {"input_tokens": count, "output_tokens": count, "cache_read_input_tokens": count}
    gemini = {"promptTokenCount": count, "candidatesTokenCount": count, "thoughtsTokenCount": count}
    openai = {"prompt_tokens": count, "completion_tokens": count, "total_tokens": count}

    def say(provider: Provider, request: UpstreamRequest) -> Said:
        body = loads(seeds.well(provider, request).pieces[0])
        return Said((dumps({**body, "usage": {**openai, **usage}, "usageMetadata": gemini}),))

    for model in ("anthropic", "gemini", "openai"):
        for path in ("/v1/chat/completions", "/v1/messages"):
            house.told.say = say
            shown = sent(house, path, model)
            assert shown.status == 200
            check(path, shown, OF_ANSWERS)
            house.told.say = seeds.well
            house.between()  # for a limit of tokens, counts are what they are
            assert sent(house, path, model).status == 200


def test_parts_of_geminis_that_are_no_text_are_no_answer(house: House) -> None:
    parts: list[Json] = [{"text": ["a"]}, {"functionCall": {"name": {}}}]
    for part in parts:
        said = {"candidates": [{"content": {"parts": [part]}, "finishReason": "STOP"}]}
        house.told.say = lambda provider, request, said=said: Said((dumps(said),))  # type: ignore[misc]
        assert ask(house, "gemini").status == 502


def test_a_choice_of_geminis_is_numbered_whatever_its_index_is(house: House) -> None:
    said = {"candidates": [{"content": {"parts": [{"text": "a"}]}, "finishReason": "STOP", "index": "0"}]}
    house.told.say = lambda provider, request: Said((dumps(said),))

    assert loads(ask(house, "gemini").body)["choices"][0]["index"] == 0


@pytest.mark.parametrize(
    ("inputs", "dimensions", "status"), [(16, 4096, 200), (2048, 8, 200), (2049, 8, 400), (17, 4096, 400)]
)
def test_the_simulated_provider_makes_no_more_vectors_than_a_worker_has_time_for(
    house: House, inputs: int, dimensions: int, status: int
) -> None:
    shown = sent(house, "/v1/embeddings", "simulated", input=["a"] * inputs, dimensions=dimensions)

    assert shown.status == status
