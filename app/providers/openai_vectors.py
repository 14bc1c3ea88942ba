"""Embeddings and moderations, so that they validate as the official answers."""

from __future__ import annotations

import sys
from array import array
from base64 import b64decode, b64encode
from typing import Any, Literal

from app.core.json import Json
from app.core.wire import Ask, Frame
from app.providers.openai_faults import Failed, NoAnswer
from app.providers.openai_usage import settle_input

#: Formats that mean a vector of 32 bit floats; a client may ask for others by their provider's name.
FLOATS = ("float", "base64", None)

_NUMBERS = frozenset({int, float})

_MODERATED: tuple[str, ...] = (
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/instructions",
    "self-harm/intent",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
)


def embeddings_answer(ask: Ask, body: Json, int8: bool) -> Frame:
    """Vectors as the client asked for them, whichever way the provider sends them.

    `int8`: the provider's base64 holds a signed byte a dimension and not a float. Raises NoAnswer where the body is
    no answer, Failed where it says that there is none.
    """
    data = _list_of(body, "data")
    wanted = ask.body.get("encoding_format")
    for place, item in enumerate(data):
        item["object"] = "embedding"
        if item.get("index").__class__ is not int:
            item["index"] = place
        vector = item.get("embedding")
        if wanted in FLOATS:
            item["embedding"] = _encoded(vector) if wanted == "base64" and not isinstance(vector, str) else vector
            if isinstance(vector, str) and (wanted != "base64" or int8):
                floats = _decoded(vector, int8)
                item["embedding"] = _encoded(floats) if wanted == "base64" else floats
        if not isinstance(item["embedding"], str):
            _floats(item["embedding"], "d")
    body["object"] = "list"
    if not isinstance(body.get("model"), str) or not body["model"]:
        body["model"] = ask.body.get("model", "")
    if not isinstance(body.get("usage"), dict):
        body["usage"] = {}
    return Frame(body, usage=settle_input(body["usage"]), last=True)


def moderations_answer(ask: Ask, body: Json) -> Frame:
    """Older models know fewer categories, and say nothing of the kind of input."""
    for result in _list_of(body, "results"):
        categories, scores = result.setdefault("categories", {}), result.setdefault("category_scores", {})
        kinds = result.setdefault("category_applied_input_types", {})
        if not all(isinstance(part, dict) for part in (categories, scores, kinds)):
            raise NoAnswer("a result is not made of objects")
        for name in _MODERATED:
            categories[name] = bool(categories.get(name))
            if scores.get(name).__class__ not in (int, float):
                scores[name] = 0.0
            kind = kinds.get(name)
            if not isinstance(kind, list) or any(each not in ("text", "image") for each in kind):
                kinds[name] = ["text"]
        result["flagged"] = bool(result.get("flagged"))
    if not isinstance(body.get("id"), str) or not body["id"]:
        body["id"] = f"modr-{ask.id}"
    if not isinstance(body.get("model"), str) or not body["model"]:
        body["model"] = ask.body.get("model", "")
    return Frame(body, last=True)


def _list_of(body: Any, name: str) -> list[Json]:
    if not isinstance(body, dict):
        raise NoAnswer("the body is not an object")
    if body.get("error"):
        raise Failed(body)
    items = body.get(name)
    if not isinstance(items, list) or not items or not all(isinstance(item, dict) for item in items):
        raise NoAnswer(f"the body has no {name}")
    return items


def _encoded(vector: Any) -> str:
    """Little-endian 32 bit floats as base64. Raises ValueError for what is no list of numbers."""
    floats = _floats(vector, "f")
    if sys.byteorder == "big":
        floats.byteswap()
    return b64encode(floats.tobytes()).decode()


def _floats(vector: Any, size: Literal["d", "f"]) -> array[float]:
    if vector.__class__ is not list or not _NUMBERS.issuperset(map(type, vector)):
        raise NoAnswer("an embedding is not a list of numbers")
    try:
        return array(size, vector)
    except OverflowError as error:
        raise NoAnswer("an embedding is not a list of numbers") from error


def _decoded(text: str, int8: bool) -> list[float]:
    """The reverse. Raises ValueError for what is not base64, or no whole number of floats."""
    raw = b64decode(text, validate=True)
    values = array("b" if int8 else "f")
    values.frombytes(raw)
    if sys.byteorder == "big":
        values.byteswap()
    return [float(value) for value in values]
