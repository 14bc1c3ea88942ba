"""Embeddings of Google's, asked for and answered in OpenAI's form."""

from __future__ import annotations

from typing import Any

from app.core.errors import invalid
from app.core.json import Json
from app.core.usage import Usage
from app.core.wire import Ask, Frame
from app.providers.chat_writing import count
from app.providers.gemini_usage import usage_of
from app.providers.openai_vectors import FLOATS, embeddings_answer

#: Of an OpenAI embeddings request; what else there is is dropped.
_KNOWN = frozenset({"model", "input", "dimensions", "encoding_format", "task_type", "title"})


def to_batch(body: Json, name: str) -> tuple[Json, tuple[str, ...]]:
    """For AI Studio. `name`: of the model, with `models/` before it."""
    more = _more(body, dimensions="outputDimensionality", task_type="taskType", title="title")
    requests = [{"model": name, "content": {"parts": [{"text": text}]}, **more} for text in _texts(body)]
    return {"requests": requests}, _dropped(body)


def to_predict(body: Json) -> tuple[Json, tuple[str, ...]]:
    """For Vertex."""
    more = _more(body, task_type="task_type", title="title")
    made: Json = {"instances": [{"content": text, **more} for text in _texts(body)]}
    if parameters := _more(body, dimensions="outputDimensionality"):
        made["parameters"] = parameters
    return made, _dropped(body)


def batch_answer(ask: Ask, body: Json) -> Frame:
    """AI Studio's answer; older models count nothing. Raises ValueError where it is none."""
    vectors = [each["values"] for each in body["embeddings"]]
    return _answer(ask, vectors, usage_of(body.get("usageMetadata")))


def predict_answer(ask: Ask, body: Json) -> Frame:
    """Vertex's."""
    found = [each["embeddings"] for each in body["predictions"]]
    counts = [count(each["statistics"]["token_count"]) for each in found if "statistics" in each]
    return _answer(ask, [each["values"] for each in found], Usage(sum(counts), 0) if counts else None)


def _answer(ask: Ask, vectors: list[Any], usage: Usage | None) -> Frame:
    counted = usage.input if usage else 0
    made = {
        "object": "list",
        "model": ask.body.get("model", ""),
        "data": [{"object": "embedding", "index": at, "embedding": vector} for at, vector in enumerate(vectors)],
        "usage": {"prompt_tokens": counted, "total_tokens": counted},
    }
    frame = embeddings_answer(ask, made, int8=False)
    frame.usage = usage
    return frame


def _texts(body: Json) -> list[str]:
    given = body.get("input")
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise invalid("this provider takes a string or a list of strings, no tokens", "input", code="unsupported_value")
    if body.get("encoding_format") not in FLOATS:
        raise invalid("encoding_format must be float or base64", "encoding_format", code="unsupported_value")
    return texts


def _more(body: Json, **names: str) -> Json:
    return {sent: body[name] for name, sent in names.items() if body.get(name) is not None}


def _dropped(body: Json) -> tuple[str, ...]:
    return tuple(name for name, value in body.items() if value is not None and name not in _KNOWN and name != "stream")
