"""Embeddings and rerankings of models on Bedrock."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.errors import GatewayError
from app.core.json import Json, loads
from app.core.provider import Cloud
from app.core.wire import Operation
from app.providers import registry
from tests.providers.talk import ask, official
from tests.standin import load_recording, recordings_dir

BY = registry.build("bedrock", "bedrock", cloud=Cloud(region="us-east-1"), key="k")
TITAN, COHERE = "amazon.titan-embed-text-v2:0", "cohere.embed-v4:0"
NOVA = "amazon.nova-2-multimodal-embeddings-v1:0"


def embed(model: str, **body: Any) -> Json:
    request = BY.dialect.encode(ask(Operation.EMBEDDINGS, **body), BY, model)
    assert request.url.endswith("/invoke")
    return request.body


def vectors(answer: Json, **body: Any) -> tuple[list[Any], int]:
    frame = official(BY.dialect.decode(ask(Operation.EMBEDDINGS, **body), BY, answer), Operation.EMBEDDINGS)
    assert frame.data is not None
    return [item["embedding"] for item in frame.data["data"]], frame.data["usage"]["total_tokens"]


def test_each_maker_is_asked_in_its_own_words() -> None:
    assert embed(TITAN, input="one", dimensions=256) == {"inputText": "one", "dimensions": 256}
    assert embed(COHERE, input=["one", "two"], dimensions=256, input_type="search_query") == {
        "texts": ["one", "two"],
        "input_type": "search_query",
        "embedding_types": ["float"],
        "output_dimension": 256,
    }
    assert embed(NOVA, input=["one"])["singleEmbeddingParams"]["text"] == {"truncationMode": "END", "value": "one"}


@pytest.mark.parametrize(
    ("answer", "tokens"),
    [
        ({"embedding": [1.0, 2.0], "inputTextTokenCount": 3}, 3),
        ({"embeddings": {"float": [[1.0, 2.0]]}, "response_type": "embeddings_by_type"}, 0),
        ({"embeddings": [[1.0, 2.0]], "response_type": "embeddings_floats"}, 0),
        ({"embeddings": [{"embeddingType": "TEXT", "embedding": [1.0, 2.0]}]}, 0),
    ],
)
def test_each_maker_s_vectors_are_found(answer: Json, tokens: int) -> None:
    assert vectors(answer, input="one") == ([[1.0, 2.0]], tokens)


@pytest.mark.parametrize("answer", [{}, {"embeddings": {}}, {"embeddings": []}])
def test_no_vectors_are_no_answer(answer: Json) -> None:
    with pytest.raises(ValueError, match="no embeddings"):
        vectors(answer, input="one")


@pytest.mark.parametrize(
    ("model", "body", "param"),
    [
        (TITAN, {"input": ["one", "two"]}, "input"),
        (TITAN, {"input": [1, 2]}, "input"),
        (COHERE, {"input": "one", "encoding_format": "int8"}, "encoding_format"),
        ("anthropic.claude-haiku-4-5", {"input": "one"}, "model"),
    ],
)
def test_what_a_model_cannot_be_asked_is_refused(model: str, body: Json, param: str) -> None:
    with pytest.raises(GatewayError) as caught:
        embed(model, **body)

    assert caught.value.param == param


def test_both_rerankers_are_asked_alike_but_for_a_version() -> None:
    asked = ask(Operation.RERANK, query="q", documents=["a", {"text": "b"}], top_n=1, return_documents=True, made_up=1)
    cohere = BY.dialect.encode(asked, BY, "cohere.rerank-v3-5:0")
    amazon = BY.dialect.encode(asked, BY, "amazon.rerank-v1:0")

    assert amazon.body == {"query": "q", "documents": ["a", "b"], "top_n": 1}
    assert cohere.body == {**amazon.body, "api_version": 2}
    assert cohere.dropped == ("made_up",)


@pytest.mark.skipif(recordings_dir() is None, reason="../shared/recordings is absent")
def test_what_was_recorded_is_what_would_be_asked_and_is_read() -> None:
    directory = recordings_dir()
    assert directory is not None
    nova = load_recording(directory / "bedrock/invoke/bedrock-invoke-498db439a4.json")
    rank = load_recording(directory / "bedrock/invoke/bedrock-invoke-b7ac52cc2f.json")
    text = nova.request.body["singleEmbeddingParams"]["text"]["value"]

    assert embed(NOVA, input=text, dimensions=256) == nova.request.body
    (vector,), _ = vectors(loads(nova.response.body), input=text)
    assert vector == loads(nova.response.body)["embeddings"][0]["embedding"]

    asked = {name: rank.request.body[name] for name in ("query", "documents", "top_n")}
    of = ask(Operation.RERANK, **asked)
    assert BY.dialect.encode(of, BY, "cohere.rerank-v3-5:0").body == rank.request.body
    data = BY.dialect.decode(of, BY, loads(rank.response.body)).data
    assert data is not None
    assert data["results"] == loads(rank.response.body)["results"]
