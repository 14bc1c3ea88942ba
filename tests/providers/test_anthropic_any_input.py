"""Whatever comes, a dialect answers with a translation, a refusal or a ValueError: never with a bug of its own."""

from __future__ import annotations

import contextlib
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.errors import ErrorType, GatewayError
from app.core.json import dumps
from app.core.wire import Event, Operation
from app.providers import fields
from app.providers.anthropic_request import to_messages
from tests.providers.anthropic_given import DIALECT, ask, block, ended, message, provider, started

NAMES = (
    *fields.CHAT,
    *(
        "role",
        "content",
        "type",
        "text",
        "tool_calls",
        "function",
        "name",
        "arguments",
        "id",
        "tool_call_id",
        "refusal",
    ),
    *("image_url", "url", "file", "file_data", "thinking_blocks", "signature", "json_schema", "schema", "parameters"),
    *("delta", "content_block", "usage", "input", "citations", "stop_reason", "message", "index", "error"),
)
WORDS = (
    *("system", "user", "assistant", "tool", "text", "image_url", "file", "thinking", "tool_use", "function", "auto"),
    *("json_schema", "allowed_tools", "high", "none", "data:image/png;base64,AA", "data:,", "text_delta", "refusal"),
)
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(-5, 5), st.floats(0, 2), st.sampled_from(WORDS), st.just(""))
VALUES: st.SearchStrategy[Any] = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5),
    max_leaves=25,
)
BODIES = st.dictionaries(st.sampled_from(tuple(fields.CHAT)), VALUES, max_size=4)
MESSAGES = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(("system", "user", "assistant", "tool")), "content": VALUES},
        optional={"tool_calls": VALUES, "thinking_blocks": VALUES, "tool_call_id": LEAVES, "cache_control": VALUES},
    ),
    max_size=4,
)


@settings(deadline=None, max_examples=150)
@given(
    body=BODIES,
    messages=MESSAGES,
    model=st.sampled_from(("claude-sonnet-4-5", "claude-opus-4-8", "claude-3-haiku", "x")),
)
def test_any_chat_request_is_translated_or_refused(body: Any, messages: Any, model: str) -> None:
    try:
        made, _ = to_messages({**body, "messages": messages}, model)
    except GatewayError as error:
        assert error.type is ErrorType.INVALID_REQUEST  # noqa: PT017 - most bodies are no requests, and that is fine
    else:
        assert all(each["content"] for each in made["messages"])
        roles = [each["role"] for each in made["messages"]]
        assert all(one != other for one, other in pairwise(roles))


@settings(deadline=None, max_examples=100)
@given(
    content=st.lists(VALUES, max_size=3), usage=VALUES, operation=st.sampled_from((Operation.CHAT, Operation.MESSAGES))
)
def test_any_answer_is_translated_or_no_answer(content: Any, usage: Any, operation: Operation) -> None:
    body = {**message(), "content": content, "usage": usage}
    with contextlib.suppress(ValueError):
        DIALECT.decode(ask(operation), provider(), body)


@settings(deadline=None, max_examples=100)
@given(
    kind=st.sampled_from(("message_start", "content_block_start", "content_block_delta", "message_delta", "x")),
    data=st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=4),
    operation=st.sampled_from((Operation.CHAT, Operation.MESSAGES)),
)
def test_any_event_is_translated_or_malformed_and_the_stream_goes_on(
    kind: str, data: Any, operation: Operation
) -> None:
    reader = DIALECT.reader(ask(operation, stream=True), provider())
    first, last, *rest = started(), *ended(), *block(0, {"type": "text", "text": "Hi"})
    reader.feed(first)
    with contextlib.suppress(ValueError):
        reader.feed(Event(dumps({**data, "type": kind})))
    for each in rest:
        with contextlib.suppress(ValueError):
            reader.feed(each)
    reader.feed(last)
    assert reader.done


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b'"x"', b'{"error":7}', b'{"error":{"type":[]}}', b"\xff\xfe"])
@pytest.mark.parametrize("status", [200, 301, 400, 403, 418, 500, 599])
def test_any_refusal_has_a_name(status: int, body: bytes) -> None:
    error = DIALECT.decode_error(provider(), status, {}, body)

    assert error.provider == "anthropic"
    assert error.message


@pytest.mark.parametrize(
    "events",
    [
        block(0, {"type": "text", "text": {}}),
        block(0, {"type": "text", "text": ""}, {"type": "text_delta", "text": ["a"]}),
        block(0, {"type": "thinking", "thinking": ""}, {"type": "thinking_delta", "thinking": {"a": 1}}),
        block(0, {"type": "thinking", "thinking": ""}, {"type": "signature_delta", "signature": 5}),
        block(0, {"type": "tool_use", "id": {}, "name": "f"}),
        block(0, {"type": "tool_use", "id": "t", "name": ["f"]}),
        block(0, {"type": "tool_use", "id": "t", "name": "f"}, {"type": "input_json_delta", "partial_json": 5}),
    ],
)
def test_what_should_be_text_and_is_none_is_malformed(events: list[Event]) -> None:
    reader = DIALECT.reader(ask(stream=True), provider())

    with pytest.raises(ValueError, match="not an event"):
        [reader.feed(each) for each in events]
