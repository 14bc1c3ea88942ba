"""Whatever comes, a Messages request is translated or refused, and an answer is a Message."""

from __future__ import annotations

import contextlib
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.errors import GatewayError
from app.core.wire import Ask, Operation
from app.providers import fields
from app.surfaces.messages import COUNT_TOKENS, MESSAGES
from tests.surfaces.messages_given import chunk, folded, kinds, streamed

NAMES = (
    *fields.MESSAGES,
    *("role", "content", "type", "text", "source", "data", "media_type", "url", "title", "name", "input", "id"),
    *("tool_use_id", "is_error", "thinking", "signature", "input_schema", "format", "schema", "effort", "user_id"),
    *("budget_tokens", "properties", "required", "disable_parallel_tool_use"),
)
WORDS = (
    *("text", "image", "document", "tool_result", "tool_use", "thinking", "base64", "url", "auto", "any", "tool"),
    *("json_schema", "enabled", "adaptive", "custom", "object", "content", "search_result"),
)
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(-5, 5), st.sampled_from(WORDS), st.just(""))
VALUES: st.SearchStrategy[Any] = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5),
    max_leaves=25,
)
MESSAGE = st.fixed_dictionaries({"role": st.sampled_from(("system", "user", "assistant")), "content": VALUES})


@settings(deadline=None, max_examples=150)
@given(
    body=st.dictionaries(st.sampled_from(tuple(fields.MESSAGES)), VALUES, max_size=4),
    messages=st.lists(MESSAGE, min_size=1, max_size=4),
)
def test_any_request_is_translated_or_refused(body: Any, messages: Any) -> None:
    whole = {**body, "model": "fast", "max_tokens": 5, "messages": messages}
    with contextlib.suppress(GatewayError):
        MESSAGES.check(whole)
        MESSAGES.through_chat(Ask(operation=Operation.MESSAGES, body=whole, stream=False, wants_usage=False))
    with contextlib.suppress(GatewayError):
        COUNT_TOKENS.check(whole)
        COUNT_TOKENS.unaided(whole)


TEXTS = st.sampled_from(("", "a", "bc"))
FRAGMENTS = st.lists(
    st.builds(
        lambda index, name: {"index": index, "id": f"call_{index}", "function": {"name": name, "arguments": ""}},
        st.integers(0, 3),
        st.sampled_from(("now", "weather")),
    ),
    max_size=3,
)
DELTAS = st.fixed_dictionaries(
    {}, optional={"content": TEXTS, "reasoning_content": TEXTS, "refusal": TEXTS, "tool_calls": FRAGMENTS}
)


@settings(deadline=None, max_examples=100)
@given(deltas=st.lists(DELTAS, max_size=12), finish=st.sampled_from(("stop", "length", "tool_calls", "content_filter")))
def test_any_order_of_content_is_a_message_whose_blocks_follow_each_other(deltas: Any, finish: str) -> None:
    frames = streamed(*(chunk(**delta) for delta in deltas), chunk(finish))

    message = folded(frames)
    said = "".join((delta.get("content") or "") + (delta.get("refusal") or "") for delta in deltas)
    assert "".join(block.text for block in message.content if block.type == "text") == said
    thought = "".join(delta.get("reasoning_content") or "" for delta in deltas)
    assert "".join(block.thinking for block in message.content if block.type == "thinking") == thought
    assert kinds(frames).count("content_block_start") == kinds(frames).count("content_block_stop")
    assert kinds(frames)[-2:] == ["message_delta", "message_stop"]
