"""Cohere's API, second version: chat, embeddings, rerank."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from app.core.errors import ErrorType, GatewayError, invalid
from app.core.json import Json, dumps
from app.core.provider import Provider, Reader
from app.core.wire import Ask, Frame, Operation, UpstreamRequest
from app.providers.cohere_answer import ChatReader, answer
from app.providers.cohere_request import to_cohere
from app.providers.errors import by_status, complaint, names_context_length, refusal
from app.providers.openai_vectors import FLOATS, embeddings_answer
from app.providers.rerank import rerank_answer, text_of
from app.providers.row import Feature, Row

_PATHS: Mapping[Operation, str] = {
    Operation.CHAT: "/v2/chat",
    Operation.EMBEDDINGS: "/v2/embed",
    Operation.RERANK: "/v2/rerank",
}
_VECTORS = ("int8", "uint8", "binary", "ubinary")
_EMBED = ("truncate", "max_tokens", "priority")  # fields of Cohere's own that travel as they are
_RERANK = ("top_n", "max_tokens_per_doc", "priority")
_MONTHLY = re.compile(r"/ ?month|per month|monthly", re.IGNORECASE)


class CohereDialect:
    native = frozenset(_PATHS)
    marks = False

    def encode(self, ask: Ask, provider: Provider, model: str) -> UpstreamRequest:
        if ask.operation is Operation.CHAT:
            body, dropped = to_cohere(ask.body, model)
            body["stream"] = ask.stream
        elif ask.operation is Operation.EMBEDDINGS:
            body, dropped = _to_embed(ask.body, model)
        elif ask.operation is Operation.RERANK:
            body, dropped = _to_rerank(ask.body, model)
        else:
            raise invalid(f"{provider.name} has no {ask.operation}", "model", code="unsupported")
        url = _base(provider) + _PATHS[ask.operation]
        return UpstreamRequest(url, provider.headers, body, ask.stream, dropped)

    def decode(self, ask: Ask, provider: Provider, body: Json) -> Frame:
        if ask.operation is Operation.CHAT:
            return answer(ask, body, self._failed(provider))
        if ask.operation is Operation.RERANK:
            return rerank_answer(ask, body)
        return embeddings_answer(ask, _as_openai(ask, body), False)

    def reader(self, ask: Ask, provider: Provider) -> Reader:
        return ChatReader(ask, self._failed(provider))

    def decode_error(self, provider: Provider, status: int, headers: Mapping[str, str], body: bytes) -> GatewayError:
        found = complaint(body)
        return refusal(provider, _type(status, found.type, found.message or ""), status, headers, found)

    def _failed(self, provider: Provider) -> Callable[[Json], GatewayError]:
        """An answer that began well, or a stream, says in its end what went wrong."""

        def failed(ended: Json) -> GatewayError:
            said = {"message": ended.get("error") or ended.get("message"), "error_type": ended.get("error_type")}
            return self.decode_error(provider, 500, {}, dumps(said))

        return failed


def _base(provider: Provider) -> str:
    """Without the version that people write behind it: it hangs on what is asked."""
    return provider.base_url.removesuffix("/v1").removesuffix("/v2")


def _to_embed(body: Json, model: str) -> tuple[Json, tuple[str, ...]]:
    """`input_type` is Cohere's own: what is embedded to be found, or to find with."""
    given, form = body["input"], body.get("encoding_format")
    texts = [given] if isinstance(given, str) else given
    if not all(isinstance(text, str) for text in texts):
        raise invalid("input must be text: this provider's tokens are others", "input", code="unsupported_value")
    if form not in (*FLOATS, *_VECTORS):
        raise invalid("encoding_format is none that this provider has", "encoding_format", code="unsupported_value")
    made: Json = {
        "model": model,
        "texts": texts,
        "input_type": body.get("input_type") or "search_document",
        "embedding_types": ["float" if form in FLOATS else form],
    }
    if body.get("dimensions") is not None:
        made["output_dimension"] = body["dimensions"]
    made |= {name: body[name] for name in _EMBED if body.get(name) is not None}
    return made, _lost(body, ("input", "encoding_format", "input_type", "dimensions", *_EMBED))


def _to_rerank(body: Json, model: str) -> tuple[Json, tuple[str, ...]]:
    made: Json = {"model": model, "query": body["query"], "documents": list(map(text_of, body["documents"]))}
    made |= {name: body[name] for name in _RERANK if body.get(name) is not None}
    return made, _lost(body, ("query", "documents", "return_documents", *_RERANK))


def _lost(body: Json, known: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name, value in body.items() if value is not None and name not in ("model", "stream", *known))


def _as_openai(ask: Ask, body: Json) -> Json:
    """Vectors of the one kind that was asked for."""
    found: Any = body.get("embeddings")
    if isinstance(found, dict):
        form = ask.body.get("encoding_format")
        found = found.get("float" if form in FLOATS else form)
    if not isinstance(found, list):
        raise ValueError("the body has no embeddings")  # noqa: TRY004 - what decode raises
    meta = body.get("meta")
    billed = meta.get("billed_units") if isinstance(meta, dict) else None
    tokens = billed.get("input_tokens") if isinstance(billed, dict) else None
    usage = {"prompt_tokens": int(tokens)} if isinstance(tokens, int | float) else {}
    return {"data": [{"embedding": vector} for vector in found], "usage": usage}


def _type(status: int, kind: str | None, words: str) -> ErrorType:
    if status == 429 and _MONTHLY.search(words):  # of a trial key: waiting will not help
        return ErrorType.QUOTA_EXCEEDED
    if status == 499:  # "streaming error" or "request cancelled": not by us, who would not be reading this
        return ErrorType.SERVER_ERROR
    if status in (400, 422) and (kind == "TOO_MANY_TOKENS" or names_context_length(words)):
        return ErrorType.CONTEXT_LENGTH
    return by_status(status)


def _models(provider: Provider) -> str | None:
    return f"{_base(provider)}/v1/models?endpoint=chat"


ROWS = (
    Row(
        kind="cohere",
        title="Cohere",
        dialect=CohereDialect(),
        base_url="https://api.cohere.com",
        path="",
        models_url=_models,
        features=frozenset(Feature),
        docs="https://docs.cohere.com/v2/reference/chat",
        note="embeddings are made to be found (`input_type: search_document`) unless the call says otherwise",
    ),
)
