"""Whatever comes, the dialect answers with a translation, a refusal or a ValueError: never with a bug of its own."""

from __future__ import annotations

import contextlib
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.errors import ErrorType, GatewayError
from app.core.json import dumps
from app.core.wire import Event, Operation
from app.providers import fields
from app.providers.gemini_request import to_generate
from tests.providers.gemini_given import answer, encoded, provider
from tests.providers.talk import ask, asking

NAMES = (
    *fields.CHAT,
    *("role", "content", "type", "text", "function", "name", "arguments", "id", "extra_content", "google", "url"),
    *("thought_signature", "image_url", "file", "file_data", "file_id", "input_audio", "data", "json_schema", "schema"),
    *("parameters", "properties", "enum", "const", "$defs", "allowed_tools", "mode", "tools", "budget_tokens"),
    *("candidates", "parts", "thought", "thoughtSignature", "functionCall", "args", "finishReason", "index"),
    *("groundingMetadata", "groundingChunks", "groundingSupports", "segment", "web", "uri", "logprobsResult"),
    *("chosenCandidates", "topCandidates", "promptTokenCount", "thoughtsTokenCount", "blockReason", "promptFeedback"),
)
WORDS = ("user", "assistant", "tool", "text", "image_url", "function", "auto", "json_schema", "allowed_tools", "high",
         "data:image/png;base64,AA", "data:,", "gs://b/c", "STOP", "MALFORMED_FUNCTION_CALL")  # fmt: skip
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(-5, 5), st.floats(0, 2), st.sampled_from(WORDS), st.just(""))
VALUES: st.SearchStrategy[Any] = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5),
    max_leaves=25,
)
MESSAGES = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(("system", "user", "assistant", "tool")), "content": VALUES},
        optional={"tool_calls": VALUES, "tool_call_id": LEAVES, "extra_content": VALUES},
    ),
    max_size=4,
)


@settings(deadline=None, max_examples=150)
@given(
    body=st.dictionaries(st.sampled_from(tuple(fields.CHAT)), VALUES, max_size=4),
    messages=MESSAGES,
    model=st.sampled_from(("gemini-2.5-flash", "gemini-3-pro", "x")),
)
def test_any_chat_request_is_translated_or_refused(body: Any, messages: Any, model: str) -> None:
    try:
        made, _ = to_generate({**body, "messages": messages}, model)
    except GatewayError as error:
        assert error.type is ErrorType.INVALID_REQUEST  # noqa: PT017 - most bodies are no requests, and that is fine
    else:
        assert all(content["parts"] for content in made["contents"])
        dumps(made)


@settings(deadline=None, max_examples=100)
@given(body=st.dictionaries(st.sampled_from(("input", "dimensions", "encoding_format", "task_type")), VALUES))
def test_any_request_for_vectors_is_translated_or_refused(body: Any) -> None:
    try:
        encoded(ask(Operation.EMBEDDINGS, **body))
    except GatewayError as error:
        assert error.type is ErrorType.INVALID_REQUEST  # noqa: PT017 - as above


@settings(deadline=None, max_examples=150)
@given(
    parts=st.lists(VALUES, max_size=3),
    candidate=st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=4),
    body=st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=4),
)
def test_any_answer_is_translated_or_no_answer_plain_and_streamed(parts: Any, candidate: Any, body: Any) -> None:
    whole = answer(*parts, **body)
    if isinstance(whole["candidates"], list) and whole["candidates"] and isinstance(whole["candidates"][0], dict):
        whole["candidates"][0].update(candidate)
    by = provider()
    with contextlib.suppress(ValueError, GatewayError):
        by.dialect.decode(ask(), by, whole)
    reader = by.dialect.reader(asking(), by)
    with contextlib.suppress(ValueError, GatewayError):
        reader.feed(Event(dumps(whole)))
    with contextlib.suppress(GatewayError):
        reader.end()
