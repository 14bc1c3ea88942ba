"""Documents in the order of their relevance: the form that Jina, Cohere, Together and vLLM share but for details."""

from __future__ import annotations

from typing import Any

from app.core.json import Json
from app.core.usage import Usage
from app.core.wire import Ask, Frame
from app.providers.openai_faults import Failed, NoAnswer


def rerank_answer(ask: Ask, body: Any) -> Frame:
    """`results` with index and relevance_score, most relevant first; with the documents where the client wants them.

    Raises NoAnswer where the body is no answer, Failed where it says that there is none.
    """
    if not isinstance(body, dict):
        raise NoAnswer("the body is not an object")
    if body.get("error"):
        raise Failed(body)
    given = body.get("results")
    documents = ask.body["documents"]
    if not isinstance(given, list):
        raise NoAnswer("the body has no results")
    shows = ask.body.get("return_documents") is True
    results = [_result(each, documents, shows=shows) for each in given]
    tokens = _tokens(body)
    made: Json = {
        "id": body["id"] if isinstance(body.get("id"), str) and body["id"] else f"rerank-{ask.id}",
        "object": "list",
        "model": body["model"] if isinstance(body.get("model"), str) else ask.body.get("model", ""),
        "results": sorted(results, key=lambda result: -result["relevance_score"]),
        "usage": {"prompt_tokens": tokens or 0, "total_tokens": tokens or 0},
    }
    if isinstance(body.get("meta"), dict):  # Cohere counts searches and not tokens
        made["meta"] = body["meta"]
    return Frame(made, usage=None if tokens is None else Usage(tokens, 0), last=True)


def text_of(document: Any) -> str | None:
    """Of a document, which may be an object around its text."""
    if isinstance(document, dict):
        document = document.get("text")
    return document if isinstance(document, str) else None


def _result(result: Any, documents: list[Any], *, shows: bool) -> Json:
    index, score = (result.get("index"), result.get("relevance_score")) if isinstance(result, dict) else (None, None)
    if index.__class__ is not int or not 0 <= index < len(documents) or score.__class__ not in (int, float):
        raise NoAnswer("a result does not say which document it is of, or how relevant that is")
    made: Json = {"index": index, "relevance_score": score}
    if shows:
        document = documents[index]
        made["document"] = document if isinstance(document, dict) else {"text": document}
    return made


def _tokens(body: Json) -> int | None:
    """None where the provider counts none."""
    counts = body.get("usage")
    if not isinstance(counts, dict):
        return None
    found = (counts.get(name) for name in ("prompt_tokens", "total_tokens"))
    return next((count for count in found if count.__class__ is int and count > 0), None)
