"""Whatever comes, a Responses request is translated or refused, and an answer is a response."""

from __future__ import annotations

import contextlib
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.errors import ErrorType, GatewayError
from app.core.json import dumps, loads
from app.core.language import Translation
from app.core.wire import Ask, Event, Operation
from app.providers import fields, registry
from app.surfaces.responses import RESPONSES
from tests.recorded.official import refused
from tests.surfaces.messages_given import chunk, completion
from tests.surfaces.responses_given import folded, kinds, streamed

NAMES = (
    *fields.RESPONSES,
    *(
        "role",
        "content",
        "type",
        "text",
        "image_url",
        "file_data",
        "filename",
        "detail",
        "name",
        "arguments",
        "call_id",
    ),
    *("output", "summary", "encrypted_content", "id", "format", "schema", "effort", "parameters", "mode", "strict"),
    *("input_audio", "verbosity", "extra_content", "refusal"),
)
WORDS = (
    *("message", "function_call", "function_call_output", "reasoning", "input_text", "output_text", "input_image"),
    *("input_file", "refusal", "function", "allowed_tools", "auto", "none", "required", "json_schema", "json_object"),
    *("text", "user", "assistant", "system", "high", "gateway1.W10=", "message.output_text.logprobs"),
)
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(-5, 5), st.sampled_from(WORDS), st.just(""))
VALUES: st.SearchStrategy[Any] = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5),
    max_leaves=25,
)
ITEM = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(WORDS[:4]),
        "role": st.sampled_from(("user", "assistant", "system", "developer")),
        "content": VALUES,
        "output": VALUES,
        "call_id": LEAVES,
        "name": LEAVES,
        "arguments": LEAVES,
        "summary": VALUES,
        "encrypted_content": LEAVES,
    },
)
BODIES = st.dictionaries(st.sampled_from(tuple(fields.RESPONSES)), VALUES, max_size=4)
PROVIDER = registry.build("openai", "openai", key="k")


@settings(deadline=None, max_examples=200)
@given(body=BODIES, items=st.lists(ITEM, min_size=1, max_size=5), stream=st.booleans())
def test_any_request_is_translated_or_refused(body: Any, items: Any, stream: bool) -> None:
    whole = {**body, "model": "fast", "input": items, "stream": stream}
    ask = Ask(operation=Operation.RESPONSES, body=whole, stream=stream, wants_usage=False)
    made = _translated(ask)
    if isinstance(made, GatewayError):
        assert (made.type, bool(made.param)) == (ErrorType.INVALID_REQUEST, True)
        return
    assert made.ask.operation is Operation.CHAT
    answer = loads(dumps(made.whole(completion(content="Hi")).data))
    assert (answer["status"], answer["output"][0]["content"][0]["text"]) == ("completed", "Hi")
    assert refused("responses", answer) == []


def _translated(ask: Ask) -> Translation | GatewayError:
    try:
        RESPONSES.check(ask.body)
        PROVIDER.dialect.encode(ask, PROVIDER, "gpt")
        return RESPONSES.through_chat(ask)
    except GatewayError as error:
        return error


TEXTS = st.sampled_from(("", "a", "bc"))
FRAGMENTS = st.lists(
    st.builds(
        lambda index, name: {"index": index, "id": f"call_{index}", "function": {"name": name, "arguments": "x"}},
        st.integers(0, 3),
        st.sampled_from(("now", "weather")),
    ),
    max_size=3,
)
DELTAS = st.fixed_dictionaries(
    {}, optional={"content": TEXTS, "reasoning_content": TEXTS, "refusal": TEXTS, "tool_calls": FRAGMENTS}
)


@settings(deadline=None, max_examples=100)
@given(
    deltas=st.lists(DELTAS, max_size=12),
    finish=st.sampled_from(("stop", "length", "tool_calls", "content_filter")),
    summary=st.booleans(),
)
def test_any_order_of_content_is_a_response_that_says_all_of_it(deltas: Any, finish: str, summary: bool) -> None:
    fields_ = {"reasoning": {"summary": "auto"}} if summary else {}
    frames = streamed(*(chunk(**delta) for delta in deltas), chunk(finish), **fields_)

    response = folded(frames)
    parts = [part for item in response["output"] for part in (*item.get("content", ()), *item.get("summary", ()))]
    for name, kind in (("content", "output_text"), ("refusal", "refusal")):
        said = "".join(delta.get(name) or "" for delta in deltas)
        assert "".join(part.get("text", part.get("refusal")) for part in parts if part["type"] == kind) == said
    thought = "".join(delta.get("reasoning_content") or "" for delta in deltas)
    thoughts = [part["text"] for part in parts if part["type"] in ("reasoning_text", "summary_text")]
    assert "".join(thoughts) == thought
    arguments = "".join(call["function"]["arguments"] for delta in deltas for call in delta.get("tool_calls", ()))
    assert sum(len(item.get("arguments", "")) for item in response["output"]) == len(arguments)
    assert kinds(frames).count("output_item.added") == kinds(frames).count("output_item.done")
    assert refused("responses", response) == []


@settings(deadline=None, max_examples=200)
@given(
    event=st.fixed_dictionaries({"type": st.sampled_from(("response.completed", "response.created", "x", ""))}),
    rest=BODIES,
)
def test_any_event_of_a_provider_is_an_event_or_malformed(event: Any, rest: Any) -> None:
    ask = Ask(operation=Operation.RESPONSES, body={"model": "m"}, stream=True, wants_usage=True)
    reader = PROVIDER.dialect.reader(ask, PROVIDER)
    with contextlib.suppress(ValueError, GatewayError):
        frames = reader.feed(Event(dumps({**event, "response": rest, "item": rest, "part": rest})))
        assert all(frame.data for frame in frames)
