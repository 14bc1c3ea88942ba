"""Rerankings, in the form that their providers have in common."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.errors import GatewayError
from app.core.json import Json
from app.core.wire import Ask, Operation
from app.surfaces import LANGUAGES
from tests.providers.talk import ask, decoded, provider

RESULTS: list[Json] = [{"index": 1, "relevance_score": 0.2}, {"index": 0, "relevance_score": 0.9}]


def asked(**body: Any) -> Ask:
    return ask(Operation.RERANK, **{"query": "q", "documents": ["one", {"text": "two", "page": 2}], **body})


def answered(body: Json, of: Ask, kind: str = "cohere") -> Json:
    data = decoded(body, of, kind).data
    assert data is not None
    return data


def test_cohere_is_sent_texts_and_told_what_it_cannot_do() -> None:
    by = provider("cohere", base_url="https://api.cohere.com")
    request = by.dialect.encode(asked(top_n=1, return_documents=True, rank_fields=["page"]), by, "rerank-v3.5")

    assert request.url == "https://api.cohere.com/v2/rerank"
    assert request.body == {"model": "rerank-v3.5", "query": "q", "documents": ["one", "two"], "top_n": 1}
    assert request.dropped == ("rank_fields",)


def test_others_are_sent_what_the_client_said() -> None:
    by = provider("vllm", base_url="http://vllm:8000/v1")
    request = by.dialect.encode(asked(return_documents=True), by, "bge-reranker")

    assert request.url == "http://vllm:8000/v1/rerank"
    assert request.body == {**asked(return_documents=True).body, "model": "bge-reranker"}


def test_results_stand_in_the_order_of_their_relevance() -> None:
    assert [result["index"] for result in answered({"results": RESULTS}, asked())["results"]] == [0, 1]


@pytest.mark.parametrize("kind", ["cohere", "vllm"])
def test_documents_are_shown_to_whom_wants_them_whatever_the_provider_shows(kind: str) -> None:
    given = [{**result, "document": {"text": "theirs"}} for result in RESULTS]

    hidden = answered({"results": given}, asked(), kind)["results"]
    shown = answered({"results": given}, asked(return_documents=True), kind)["results"]

    assert [result.get("document") for result in hidden] == [None, None]
    assert [result["document"] for result in shown] == [{"text": "one"}, {"text": "two", "page": 2}]


def test_tokens_are_counted_where_the_provider_counts_them() -> None:
    counted = decoded({"results": RESULTS, "usage": {"total_tokens": 17}}, asked(), "vllm")
    uncounted = decoded({"results": RESULTS, "meta": {"billed_units": {"search_units": 1}}}, asked(), "cohere")

    assert counted.usage is not None
    assert counted.usage.input == 17
    assert uncounted.usage is None
    assert uncounted.data is not None
    assert uncounted.data["meta"] == {"billed_units": {"search_units": 1}}


@pytest.mark.parametrize(
    "results", [None, {}, ["x"], [{"index": 2, "relevance_score": 1}], [{"index": 0}], [{"relevance_score": 1}]]
)
def test_results_that_say_nothing_are_no_answer(results: Any) -> None:
    with pytest.raises(ValueError, match="result"):
        decoded({"results": results}, asked(), "cohere")


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"documents": ["a"]}, "query"),
        ({"query": ["a"], "documents": ["a"]}, "query"),
        ({"query": "a"}, "documents"),
        ({"query": "a", "documents": []}, "documents"),
        ({"query": "a", "documents": ["a", 1]}, "documents[1]"),
        ({"query": "a", "documents": [{"title": "a"}]}, "documents[0]"),
        ({"query": "a", "documents": ["a"], "top_n": 0}, "top_n"),
        ({"query": "a", "documents": ["a"], "return_documents": "yes"}, "return_documents"),
        ({"query": "a", "documents": ["a"], "stream": True}, "stream"),
    ],
)
def test_a_request_that_no_provider_could_read_is_refused_by_its_field(body: Json, param: str) -> None:
    with pytest.raises(GatewayError) as caught:
        LANGUAGES["/v1/rerank"].check(body)

    assert caught.value.param == param
