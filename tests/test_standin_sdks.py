"""What the stand-in makes up is what the official SDKs take for a provider's answer, strictly validated."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest

from tests.standin import StandIn, text

TURN: list[Any] = [{"role": "user", "content": "two words"}]
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}


@pytest.fixture
def standin() -> Iterator[StandIn]:
    with StandIn() as standin:
        yield standin


@pytest.fixture
def openai_client(standin: StandIn) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(
        base_url=f"{standin.url}/v1", api_key="k", max_retries=0, _strict_response_validation=True
    ) as client:
        yield client


@pytest.fixture
def anthropic_client(standin: StandIn) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(
        base_url=standin.url, api_key="k", max_retries=0, _strict_response_validation=True
    ) as client:
        yield client


@pytest.mark.parametrize(
    "model", ["words-3", "tools-2", "words-2-reasoning-2-cached-4", "words-9-cuts-5", "fault-gzip"]
)
def test_both_sdks_fold_a_stream_to_the_plain_answer(
    openai_client: openai.OpenAI, anthropic_client: anthropic.Anthropic, model: str
) -> None:
    tools: list[Any] = [{"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}]
    plain = openai_client.chat.completions.create(model=model, messages=TURN, tools=tools)
    options: Any = {"include_usage": True}
    with openai_client.chat.completions.stream(
        model=model, messages=TURN, tools=tools, stream_options=options
    ) as stream:
        folded = stream.get_final_completion()
    assert folded.choices[0].message.content == plain.choices[0].message.content
    assert len(folded.choices[0].message.tool_calls or ()) == len(plain.choices[0].message.tool_calls or ())
    assert (folded.choices[0].finish_reason, folded.usage) == (plain.choices[0].finish_reason, plain.usage)

    used: list[Any] = [{"name": "weather", "input_schema": SCHEMA}]
    message = anthropic_client.messages.create(model=model, messages=TURN, max_tokens=9, tools=used)
    with anthropic_client.messages.stream(model=model, messages=TURN, max_tokens=9, tools=used) as events:
        final = events.get_final_message()
    assert [block.type for block in final.content] == [block.type for block in message.content]
    assert (final.stop_reason, final.usage.output_tokens) == (message.stop_reason, message.usage.output_tokens)


@pytest.mark.parametrize("model", ["words-3", "tools-2", "words-2-reasoning-2-cached-4", "words-9-cuts-5"])
def test_the_sdk_folds_a_streamed_response_to_the_plain_one(openai_client: openai.OpenAI, model: str) -> None:
    tools: list[Any] = [{"type": "function", "name": "weather", "parameters": SCHEMA, "strict": None}]
    plain = openai_client.responses.create(model=model, input="two words", tools=tools)
    with openai_client.responses.stream(model=model, input="two words", tools=tools) as stream:
        folded = stream.get_final_response()
    assert [item.type for item in folded.output] == [item.type for item in plain.output]
    assert (folded.output_text, folded.usage, folded.status) == (plain.output_text, plain.usage, "completed")


def test_every_other_answer_is_valid(openai_client: openai.OpenAI, anthropic_client: anthropic.Anthropic) -> None:
    vectors = openai_client.embeddings.create(model="e", input=["a", "b"], encoding_format="float", dimensions=4)
    assert [len(one.embedding) for one in vectors.data] == [4, 4]
    assert openai_client.moderations.create(input="bad").results[0].flagged
    assert openai_client.completions.create(model="words-2", prompt="x").choices[0].text == text(2)
    assert [one.id for one in openai_client.models.list()] == [one.id for one in anthropic_client.models.list()]
    assert anthropic_client.messages.count_tokens(model="x", messages=TURN).input_tokens == 2


@pytest.mark.parametrize(
    ("model", "openai_error", "anthropic_error"),
    [
        ("fault-401", openai.AuthenticationError, anthropic.AuthenticationError),
        ("fault-429", openai.RateLimitError, anthropic.RateLimitError),
        ("fault-context", openai.BadRequestError, anthropic.BadRequestError),
        ("fault-529", openai.InternalServerError, anthropic.APIStatusError),
        ("fault-errormid-2", openai.APIError, anthropic.APIStatusError),
        ("fault-reset", openai.APIConnectionError, anthropic.APIConnectionError),
    ],
)
def test_faults_are_the_sdks_own_errors(
    openai_client: openai.OpenAI,
    anthropic_client: anthropic.Anthropic,
    model: str,
    openai_error: type[Exception],
    anthropic_error: type[Exception],
) -> None:
    with pytest.raises(openai_error):
        list(openai_client.chat.completions.create(model=model, messages=TURN, stream=True))
    with pytest.raises(anthropic_error):
        list(anthropic_client.messages.create(model=model, messages=TURN, max_tokens=9, stream=True))
