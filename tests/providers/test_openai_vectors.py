"""Vectors come as they were asked for, whichever way a provider sends them."""

from __future__ import annotations

from array import array
from base64 import b64encode
from typing import Any

import pytest

from app.core.usage import Usage
from app.core.wire import Operation
from tests.providers.talk import ask, whole

VECTOR = [0.5, -1.25, 3.0]
AS_BYTES = b64encode(array("f", VECTOR).tobytes()).decode()


def vectors(given: Any, wanted: str | None, kind: str = "openai") -> Any:
    of = ask(Operation.EMBEDDINGS, input="x", encoding_format=wanted)
    body = {"data": [{"embedding": given, "index": 0, "object": "embedding"}], "usage": {"prompt_tokens": 3}}
    frame = whole(body, of, kind)
    assert frame.usage == Usage(input=3, output=0)
    assert (frame.data or {})["usage"] == {"prompt_tokens": 3, "total_tokens": 3}
    return (frame.data or {})["data"][0]["embedding"]


@pytest.mark.parametrize("given", [VECTOR, AS_BYTES], ids=["floats", "base64"])
@pytest.mark.parametrize(("wanted", "told"), [(None, VECTOR), ("float", VECTOR), ("base64", AS_BYTES)])
def test_vectors_come_as_they_were_asked_for(given: Any, wanted: str | None, told: Any) -> None:
    assert vectors(given, wanted) == told


def test_vectors_of_bytes_become_floats() -> None:
    """Perplexity quantises; the official SDK would read its base64 as floats."""
    given = b64encode(array("b", [1, -2, 127]).tobytes()).decode()

    assert vectors(given, None, "perplexity") == [1.0, -2.0, 127.0]
    assert vectors(given, "base64", "perplexity") == b64encode(array("f", [1, -2, 127]).tobytes()).decode()


def test_what_is_missing_of_vectors_is_filled_in() -> None:
    frame = whole({"data": [{"embedding": [1]}, {"embedding": [2]}]}, ask(Operation.EMBEDDINGS, input=["x", "y"]))
    data = frame.data or {}

    assert (data["object"], data["model"], data["usage"]) == ("list", "public", {"prompt_tokens": 0, "total_tokens": 0})
    assert [(item["index"], item["object"]) for item in data["data"]] == [(0, "embedding"), (1, "embedding")]


@pytest.mark.parametrize("given", [None, [None], ["x"], 7, "not base64", "AAA="])
def test_what_is_no_vector_is_refused(given: Any) -> None:
    with pytest.raises(ValueError, match=r"embedding|padding|base64|multiple|Only"):
        vectors(given, None)


def test_older_moderations_are_completed() -> None:
    frame = whole({"results": [{"flagged": True, "categories": {"hate": True}}]}, ask(Operation.MODERATIONS, input="x"))
    (result,) = (frame.data or {})["results"]

    assert (result["flagged"], result["categories"]["hate"], result["categories"]["violence"]) == (True, True, False)
