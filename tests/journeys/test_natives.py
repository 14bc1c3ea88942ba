"""OpenAI's and Anthropic's SDKs in front of providers whose languages no client speaks: Cohere; Bedrock, asked with an
API key and with signatures; Gemini, asked with an API key, and on Vertex AI with the tokens of a service account."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest

from tests.gunicorn import Server
from tests.journeys.house import KEY, NATIVE_KEY, NATIVES
from tests.standin import RequestRecord, StandIn, text
from tests.standin.bedrock import SIGNATURE
from tests.standin.gemini import SIGNATURE as GOOGLES
from tests.standin.gemini import TOKEN
from tests.standin.sigv4 import SECRET_KEY

TURN: list[Any] = [{"role": "user", "content": "two words"}]
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOL: Any = {"name": "weather", "description": "How warm?", "input_schema": SCHEMA}
FUNCTION: Any = {"type": "function", "function": {"name": "weather", "description": "How warm?", "parameters": SCHEMA}}

pytestmark = pytest.mark.parametrize("upstream", NATIVES)


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


def named(upstream: str, words: str) -> str:
    """Bedrock's models have their makers' names; only Claude is shown its own thoughts. Gemini insists on signatures
    since its third version."""
    makers = {"cohere": "", "gemini": "gemini-3-pro-preview/", "vertex": "gemini-3-pro-preview/"}
    return f"{upstream}/{makers.get(upstream, 'anthropic.claude-sonnet-4-5/')}{words}"


def last(provider: StandIn, upstream: str, words: str) -> RequestRecord:
    model = named(upstream, words).partition("/")[2]
    return provider.journal.wait(model=model, outcome="complete")[-1]


@pytest.mark.parametrize("stream", [False, True])
def test_an_openai_client_gets_the_text_the_thoughts_and_the_counts(
    openai_client: openai.OpenAI, upstream: str, stream: bool
) -> None:
    model = named(upstream, "words-4-reasoning-2-cached-3")
    if stream:
        options: Any = {"include_usage": True}
        with openai_client.chat.completions.stream(model=model, messages=TURN, stream_options=options) as events:
            answer: Any = events.get_final_completion()
    else:
        answer = openai_client.chat.completions.create(model=model, messages=TURN)

    (choice,) = answer.choices
    assert (choice.message.content, choice.finish_reason) == (text(4), "stop")
    assert choice.message.reasoning_content == text(2)
    usage = answer.usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (5, 6, 11)
    assert usage.prompt_tokens_details.cached_tokens == 3


@pytest.mark.parametrize("stream", [False, True])
def test_an_anthropic_client_gets_the_same(anthropic_client: anthropic.Anthropic, upstream: str, stream: bool) -> None:
    model = named(upstream, "words-4-reasoning-2-cached-3")
    if stream:
        with anthropic_client.messages.stream(model=model, messages=TURN, max_tokens=99) as events:
            answer: anthropic.types.Message = events.get_final_message()
    else:
        answer = anthropic_client.messages.create(model=model, messages=TURN, max_tokens=99)

    thinking, said = answer.content
    assert isinstance(thinking, anthropic.types.ThinkingBlock)
    assert isinstance(said, anthropic.types.TextBlock)
    assert (thinking.thinking, said.text, answer.stop_reason) == (text(2), text(4), "end_turn")
    assert thinking.signature == (SIGNATURE if upstream in ("bedrock", "aws") else "")
    usage = answer.usage
    assert (usage.input_tokens, usage.cache_read_input_tokens, usage.output_tokens) == (2, 3, 6)


def test_a_response_is_told_in_events(openai_client: openai.OpenAI, upstream: str) -> None:
    with openai_client.responses.stream(model=named(upstream, "words-4"), input="two words") as events:
        response = events.get_final_response()

    assert response.output_text == text(4)
    assert response.usage is not None
    assert (response.usage.input_tokens, response.usage.output_tokens) == (2, 4)


def test_both_kinds_of_client_hold_a_conversation_with_tools(
    openai_client: openai.OpenAI,
    anthropic_client: anthropic.Anthropic,
    provider: StandIn,
    server: Server,
    upstream: str,
) -> None:
    """The stand-in refuses a second turn that its provider would not take."""
    for language in ("openai", "anthropic"):
        words = f"natives-{language}-{upstream}-{server.run_dir}"
        model = named(upstream, words)
        upstream_model = model.partition("/")[2]
        provider.script("words-2-reasoning-3-tools-2", model=upstream_model)
        provider.script("words-5", model=upstream_model)
        if language == "openai":
            assert _chat(openai_client, model) == text(5)
        else:
            assert _converse(anthropic_client, model) == text(5)

        _, second = provider.journal.wait(2, model=upstream_model, outcome="complete")
        said, results = _told(second.json)
        assert list(said.values()) == [{"city": "世界0"}, {"city": "世界1"}]
        assert results == {call: _result(arguments) for call, arguments in said.items()}
        if upstream in ("gemini", "vertex"):
            signed = [part.get("thoughtSignature") for part in second.json["contents"][1]["parts"]]
            assert signed == [None, GOOGLES, None]
        elif upstream != "cohere":
            first = second.json["messages"][1]["content"][0]
            assert first == {"reasoningContent": {"reasoningText": {"text": text(3), "signature": SIGNATURE}}}


def _result(arguments: object) -> str:
    return f"warm at {json.dumps(arguments, ensure_ascii=False)}"


def _chat(client: openai.OpenAI, model: str) -> str:
    messages: list[Any] = [*TURN]
    while True:
        options: Any = {"reasoning_effort": "low", "max_tokens": 9000}
        with client.chat.completions.stream(model=model, messages=messages, tools=[FUNCTION], **options) as events:
            message = events.get_final_completion().choices[0].message
        if not message.tool_calls:
            return message.content or ""
        messages.append(message.model_dump(exclude_none=True))
        for call in message.tool_calls:
            said = _result(json.loads(call.function.arguments))
            messages.append({"role": "tool", "tool_call_id": call.id, "content": said})


def _converse(client: anthropic.Anthropic, model: str) -> str:
    messages: list[Any] = [*TURN]
    thinking: Any = {"type": "enabled", "budget_tokens": 1024}
    while True:
        with client.messages.stream(
            model=model, messages=messages, tools=[TOOL], max_tokens=9000, thinking=thinking
        ) as events:
            message = events.get_final_message()
        if message.stop_reason != "tool_use":
            return "".join(block.text for block in message.content if block.type == "text")
        messages.append({"role": "assistant", "content": message.content})
        used = [block for block in message.content if block.type == "tool_use"]
        results = [{"type": "tool_result", "tool_use_id": each.id, "content": _result(each.input)} for each in used]
        messages.append({"role": "user", "content": results})


def _told(body: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Arguments and results by the ids of their calls, in any provider's form."""
    _, assistant, *rest = body["contents"] if "contents" in body else body["messages"]
    if "parts" in assistant:
        called = [part["functionCall"] for part in assistant["parts"] if "functionCall" in part]
        given = [part["functionResponse"] for part in rest[0]["parts"]]
        return (
            {call["id"]: call["args"] for call in called},
            {result["id"]: result["response"]["output"] for result in given},
        )
    if "tool_calls" in assistant:
        calls = {call["id"]: json.loads(call["function"]["arguments"]) for call in assistant["tool_calls"]}
        return calls, {result["tool_call_id"]: result["content"] for result in rest}
    used = [block["toolUse"] for block in assistant["content"] if "toolUse" in block]
    results = [block["toolResult"] for block in rest[0]["content"]]
    return (
        {use["toolUseId"]: use["input"] for use in used},
        {result["toolUseId"]: result["content"][0]["text"] for result in results},
    )


def test_a_stream_that_breaks_off_never_looks_complete(
    openai_client: openai.OpenAI, anthropic_client: anthropic.Anthropic, upstream: str
) -> None:
    heard: list[Any] = []
    model = named(upstream, "words-9-fault-errormid-3-503")
    chunks = openai_client.chat.completions.create(model=model, messages=TURN, stream=True)
    with pytest.raises(openai.APIError, match="broke off"):
        deque(map(heard.append, chunks))
    said = [choice for chunk in heard for choice in chunk.choices]
    assert "".join(choice.delta.content or "" for choice in said) == text(3)
    assert not any(choice.finish_reason for choice in said)

    with (
        pytest.raises(anthropic.APIStatusError, match="broke off"),
        anthropic_client.messages.stream(
            model=named(upstream, "words-9-fault-cut-3-fin"), messages=TURN, max_tokens=99
        ) as events,
    ):
        events.get_final_message()


def test_no_key_travels_where_it_does_not_belong(
    openai_client: openai.OpenAI, provider: StandIn, server: Server, upstream: str
) -> None:
    words = f"words-1-cached-{7 + NATIVES.index(upstream)}"
    answer = openai_client.chat.completions.with_raw_response.create(model=named(upstream, words), messages=TURN)

    sent = last(provider, upstream, words)
    shown = sent.header("authorization") or ""
    assert not any(KEY in value for _, value in sent.headers)
    assert NATIVE_KEY not in answer.text
    assert SECRET_KEY not in str(sent.headers)
    if upstream == "aws":
        assert shown.startswith("AWS4-HMAC-SHA256 Credential=AKIDSTANDIN/")
        assert "/eu-central-1/bedrock/aws4_request" in shown
    elif upstream == "vertex":
        assert shown == f"Bearer {TOKEN}"
    elif upstream == "gemini":
        assert sent.header("x-goog-api-key") == NATIVE_KEY
        assert NATIVE_KEY not in sent.target
    else:
        assert shown == f"Bearer {NATIVE_KEY}"


def test_embeddings_and_rerankings_are_for_who_has_them(openai_client: openai.OpenAI, upstream: str) -> None:
    model = named(upstream, "plain")
    asked: dict[str, Any] = {"query": "q", "documents": ["a", "b"], "top_n": 1, "return_documents": True}
    if upstream == "cohere":
        vectors = openai_client.embeddings.create(model=model, input=["one", "two words"], encoding_format="float")
        assert [len(item.embedding) for item in vectors.data] == [4, 4]
        assert vectors.usage.prompt_tokens == 3
        ranked = openai_client.post("/rerank", body={**asked, "model": model}, cast_to=openai.BaseModel).to_dict()
        assert ranked["results"] == [{"index": 1, "relevance_score": 0.666667, "document": {"text": "b"}}]
        return
    if upstream in ("gemini", "vertex"):
        texts = ["one", "two words"]
        vectors = openai_client.embeddings.create(model=model, input=texts, encoding_format="float")
        assert [item.embedding for item in vectors.data] == [[0.25, -0.5, 0.75, 1.0]] * 2
        assert vectors.usage.prompt_tokens == 3
        with pytest.raises(openai.BadRequestError, match="offers rerank"):
            openai_client.post("/rerank", body={**asked, "model": model}, cast_to=openai.BaseModel)
        return
    with pytest.raises(openai.BadRequestError, match="asked for embeddings"):  # by the maker, whose model this is not
        openai_client.embeddings.create(model=model, input="one")
