"""Embeddings and rerankings on Bedrock, which Converse has none of: InvokeModel, in the words of each model's maker."""

from __future__ import annotations

from typing import Any

from app.core.errors import invalid
from app.core.json import Json
from app.core.wire import Ask, Frame
from app.providers.openai_vectors import FLOATS, embeddings_answer
from app.providers.rerank import text_of

_KNOWN = frozenset({"model", "input", "dimensions", "encoding_format", "input_type", "truncate"})
_RANKED = frozenset({"model", "query", "documents", "top_n", "return_documents"})


def to_embed(body: Json, model: str) -> tuple[Json, tuple[str, ...]]:
    """Cohere's models take many texts, Amazon's one a call.

    Raises:
        GatewayError: invalid_request, for what is no text, for several texts, or for a model of another maker.
    """
    texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
    if not all(isinstance(text, str) for text in texts):
        raise invalid("input must be text: this provider's tokens are others", "input", code="unsupported_value")
    if body.get("encoding_format") not in FLOATS:
        raise invalid("encoding_format must be float or base64", "encoding_format", code="unsupported_value")
    size, dropped = body.get("dimensions"), _lost(body, _KNOWN)
    if "cohere.embed" in model:
        made: Json = {"texts": texts, "input_type": body.get("input_type") or "search_document"}
        made["embedding_types"] = ["float"]
        made |= {"truncate": body["truncate"]} if body.get("truncate") else {}
        return made | ({"output_dimension": size} if size else {}), dropped
    if len(texts) > 1:
        raise invalid("this model takes one text a call", "input", code="unsupported_value")
    dropped += tuple(name for name in ("input_type", "truncate") if body.get(name))
    if "titan-embed" in model:
        return {"inputText": texts[0], **({"dimensions": size} if size else {})}, dropped
    if "nova" in model and "embed" in model:
        text = {"truncationMode": "END", "value": texts[0]}
        one: Json = {
            "embeddingPurpose": "GENERIC_INDEX",
            "text": text,
            **({"embeddingDimension": size} if size else {}),
        }
        return {"taskType": "SINGLE_EMBEDDING", "singleEmbeddingParams": one}, dropped
    raise invalid("how this model is asked for embeddings is not known here", "model", code="unsupported")


def embedded(ask: Ask, body: Json) -> Frame:
    """Raises ValueError where there are no vectors."""
    found: Any = body.get("embeddings")
    if isinstance(found, dict):
        found = found.get("float")
    if found is None and "embedding" in body:
        found = [body["embedding"]]
    if not isinstance(found, list) or not found:
        raise ValueError("the body has no embeddings")
    vectors = [each.get("embedding") if isinstance(each, dict) else each for each in found]
    tokens = body.get("inputTextTokenCount")  # Titan alone says so in the body
    usage = {"prompt_tokens": tokens} if isinstance(tokens, int) else {}
    return embeddings_answer(ask, {"data": [{"embedding": vector} for vector in vectors], "usage": usage}, False)


def to_rank(body: Json, model: str) -> tuple[Json, tuple[str, ...]]:
    made: Json = {"query": body["query"], "documents": list(map(text_of, body["documents"]))}
    if body.get("top_n"):
        made["top_n"] = body["top_n"]
    if "cohere." in model:
        made["api_version"] = 2
    return made, _lost(body, _RANKED)


def _lost(body: Json, known: frozenset[str]) -> tuple[str, ...]:
    return tuple(name for name, value in body.items() if value is not None and name not in known)
