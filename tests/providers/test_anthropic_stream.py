"""Anthropic's streams, as they are and as chat chunks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from anthropic.types import RawMessageStreamEvent
from openai.lib.streaming._deltas import accumulate_delta
from openai.types.chat import ChatCompletionChunk
from pydantic import TypeAdapter

from app.core.errors import ErrorType, GatewayError
from app.core.json import Json, dumps
from app.core.usage import Usage
from app.core.wire import Event, Frame, Operation
from tests.providers.anthropic_given import (
    DIALECT,
    ask,
    block,
    chunks,
    deltas,
    ended,
    event,
    fed,
    provider,
    started,
    text,
    tool,
)

CHUNK = TypeAdapter(ChatCompletionChunk)
EVENT: TypeAdapter[RawMessageStreamEvent] = TypeAdapter(RawMessageStreamEvent)


def folded(frames: Sequence[Frame]) -> Json:
    """The deltas added up as OpenAI's own SDK does, each chunk checked against its type."""
    total: dict[object, object] = {}
    for chunk in chunks(frames):
        CHUNK.validate_python(chunk, strict=True)
        if chunk["choices"]:
            total = accumulate_delta(total, json.loads(json.dumps(chunk["choices"][0]["delta"])))
    return total  # type: ignore[return-value]  # JSON objects have string keys


def test_text_streams_as_openai_streams_it() -> None:
    frames = fed([started(), event("ping"), *text(0, "Hel", "lo"), *ended()])

    assert deltas(frames) == [
        {"role": "assistant", "content": "", "refusal": None},
        {"content": "Hel"},
        {"content": "lo"},
        {},
    ]
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks(frames)] == [None, None, None, "stop"]
    assert len({chunk["id"] for chunk in chunks(frames)}) == 1
    assert {(chunk["created"], chunk["model"]) for chunk in chunks(frames)} == {(1_700_000_000, "claude-x")}
    assert [frame.chars for frame in frames] == [0, 3, 2, 0, 0]
    assert frames[-1].last
    assert frames[-1].data is None


def test_usage_is_shown_to_those_who_asked_and_known_to_the_books_in_any_case() -> None:
    events = [started(), *text(0, "Hi"), *ended()]

    silent = fed(events)
    assert all("usage" not in chunk for chunk in chunks(silent))
    shown = fed(events, wants_usage=True)
    *before, last = chunks(shown)
    assert all(chunk["usage"] is None for chunk in before)
    assert last["choices"] == []
    assert last["usage"]["total_tokens"] == 17
    for frames in (silent, shown):
        assert [frame.usage for frame in frames if frame.usage][-1] == Usage(10, 7)


def test_the_last_count_stands_and_is_never_added_to_the_first() -> None:
    """message_delta is cumulative; with the provider's own tools it differs from message_start."""
    frames = fed(
        [started(cache_read_input_tokens=5), *text(0, "Hi"), *ended(input_tokens=300, cache_creation_input_tokens=40)],
        wants_usage=True,
    )
    assert frames[-2].data is not None
    assert frames[-2].data["usage"]["prompt_tokens"] == 345
    assert frames[-3].usage == Usage(345, 7, cached_input=5, cache_write_input=40)


def test_a_count_that_the_end_leaves_open_stays_what_it_was() -> None:
    frames = fed([started(cache_read_input_tokens=5), *text(0, "Hi"), *ended(cache_read_input_tokens=None)])

    assert frames[-2].usage == Usage(15, 7, cached_input=5)


def test_calls_are_numbered_by_themselves_and_their_arguments_come_in_pieces() -> None:
    frames = fed(
        [
            started(),
            *text(0, "Let me see"),
            *tool(1, "weather", '{"ci', 'ty":"Rome"}'),
            *tool(2, "now"),
            *ended("tool_use"),
        ]
    )

    assert [call for delta in deltas(frames) for call in delta.get("tool_calls", ())] == [
        {"index": 0, "id": "toolu_1", "type": "function", "function": {"name": "weather", "arguments": ""}},
        {"index": 0, "function": {"arguments": '{"ci'}},
        {"index": 0, "function": {"arguments": 'ty":"Rome"}'}},
        {"index": 1, "id": "toolu_2", "type": "function", "function": {"name": "now", "arguments": ""}},
        {"index": 1, "function": {"arguments": "{}"}},
    ]
    assert frames[-2].finish == "tool_calls"


def test_a_call_without_arguments_ends_as_an_empty_object() -> None:
    """An empty string is no JSON; and the `{}` of the block's start must not stand before real arguments."""
    calls = folded(fed([started(), *tool(0, "now"), *tool(1, "weather", "{}"), *ended("tool_use")]))["tool_calls"]

    assert [call["function"]["arguments"] for call in calls] == ["{}", "{}"]


def test_arguments_that_a_server_gives_with_the_start_are_not_lost() -> None:
    whole = block(0, {"type": "tool_use", "id": "a", "name": "weather", "input": {"city": "Rome"}})

    assert (
        folded(fed([started(), *whole, *ended("tool_use")]))["tool_calls"][0]["function"]["arguments"]
        == '{"city":"Rome"}'
    )


def test_what_the_provider_runs_itself_is_no_call_of_the_clients() -> None:
    search = block(
        0,
        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
        {"type": "input_json_delta", "partial_json": '{"query":"x"}'},
    )
    result = block(1, {"type": "web_search_tool_result", "tool_use_id": "s", "content": []})
    frames = fed([started(), *search, *result, *text(2, "Hi"), *ended()])

    assert "tool_calls" not in folded(frames)
    assert sum(frame.chars for frame in frames) == 2


def test_thinking_streams_as_reasoning_and_comes_whole_with_its_signature_at_its_end() -> None:
    thought = block(
        0,
        {"type": "thinking", "thinking": "", "signature": ""},
        {"type": "thinking_delta", "thinking": "H"},
        {"type": "thinking_delta", "thinking": "m"},
        {"type": "signature_delta", "signature": "sig"},
    )
    hidden = block(1, {"type": "redacted_thinking", "data": "xyz"})
    frames = fed([started(), *thought, *hidden, *text(2, "Hi"), *ended()])

    assert [delta["reasoning_content"] for delta in deltas(frames) if "reasoning_content" in delta] == ["H", "m"]
    total = folded(frames)
    assert total["thinking_blocks"] == [
        {"index": 0, "type": "thinking", "thinking": "Hm", "signature": "sig"},
        {"index": 1, "type": "redacted_thinking", "data": "xyz"},
    ]
    assert total["content"] == "Hi"
    assert sum(frame.chars for frame in frames) == 4


def test_sources_on_the_web_come_as_annotations_before_the_end() -> None:
    source = {"type": "web_search_result_location", "url": "https://x.org", "title": "X"}
    cited = block(
        1,
        {"type": "text", "text": "", "citations": []},
        {"type": "citations_delta", "citation": source},
        {"type": "text_delta", "text": "there"},
    )
    frames = fed([started(), *text(0, "Hi "), *cited, *ended()])

    assert deltas(frames)[-2]["annotations"][0]["url_citation"] == {
        "url": "https://x.org",
        "title": "X",
        "start_index": 3,
        "end_index": 8,
    }


def test_the_stream_is_complete_with_its_reason_and_done_with_its_stop() -> None:
    for operation in (Operation.CHAT, Operation.MESSAGES):
        reader = DIALECT.reader(ask(operation, stream=True), provider())
        for each in (started(), *text(0, "Hi")):
            reader.feed(each)
        assert not reader.complete
        delta, stop = ended()
        reader.feed(delta)
        assert (reader.complete, reader.done) == (True, False)
        assert reader.feed(stop)[-1].last
        assert reader.done


def test_events_and_deltas_that_nobody_knows_yet_do_no_harm() -> None:
    strange = [event("session_update", data={}), *block(0, {"type": "hologram"}, {"type": "hologram_delta", "x": 1})]

    assert folded(fed([started(), *strange, *text(1, "Hi"), *ended()]))["content"] == "Hi"
    assert chunks(fed(strange, Operation.MESSAGES))[0] == {"type": "session_update", "data": {}}


@pytest.mark.parametrize("operation", [Operation.CHAT, Operation.MESSAGES])
@pytest.mark.parametrize(
    ("kind", "error_type"),
    [
        ("overloaded_error", ErrorType.OVERLOADED),
        ("api_error", ErrorType.SERVER_ERROR),
        ("rate_limit_error", ErrorType.RATE_LIMITED),
        ("timeout_error", ErrorType.SERVER_ERROR),
        ("authentication_error", ErrorType.AUTHENTICATION),
        ("of_next_year", ErrorType.SERVER_ERROR),
    ],
)
def test_an_error_inside_a_stream_is_an_error(operation: Operation, kind: str, error_type: ErrorType) -> None:
    """And never a finish reason, or silence."""
    reader = DIALECT.reader(ask(operation, stream=True), provider())
    reader.feed(started())

    with pytest.raises(GatewayError) as caught:
        reader.feed(event("error", error={"type": kind, "message": "Overloaded"}))
    assert caught.value.type is error_type
    assert caught.value.provider == "anthropic"
    assert "Overloaded" in caught.value.message
    assert not reader.complete


@pytest.mark.parametrize("operation", [Operation.CHAT, Operation.MESSAGES])
@pytest.mark.parametrize(
    "data",
    [
        b"{",
        b"[]",
        b"7",
        b"{}",
        b'{"type":"content_block_delta"}',
        b'{"type":"content_block_delta","delta":7}',
        b'{"type":"message_start"}',
        b'{"type":"message_delta","delta":null}',
        b'{"type":"content_block_start","content_block":{}}',
    ],
)
def test_a_malformed_event_is_a_value_error(operation: Operation, data: bytes) -> None:
    reader = DIALECT.reader(ask(operation, stream=True), provider())

    with pytest.raises(ValueError, match=r".*"):
        reader.feed(Event(data))


@pytest.mark.parametrize("kind", [["ping"], 5, "", "ping\nevent: message_stop"])
def test_for_its_own_clients_an_event_has_a_name_that_is_one_line(kind: Any) -> None:
    reader = DIALECT.reader(ask(Operation.MESSAGES, stream=True), provider())

    with pytest.raises(ValueError, match="not an event"):
        reader.feed(Event(dumps({"type": kind})))


def test_for_its_own_clients_every_event_passes_as_it_is_with_the_books_beside() -> None:
    events = [started(), event("ping"), *text(0, "Hel", "lo"), *tool(1, "now", "{}"), *ended("tool_use")]
    frames = fed(events, Operation.MESSAGES)

    assert [dumps(frame.data) for frame in frames] == [each.data for each in events]
    assert [frame.event for frame in frames] == [each.name.decode() for each in events if each.name]
    assert [frame.chars for frame in frames if frame.chars] == [3, 2, 3, 2]
    assert [frame.finish for frame in frames if frame.finish] == ["tool_calls"]
    assert [frame.usage for frame in frames if frame.usage] == [Usage(10, 1), Usage(10, 7)]
    assert [frame.last for frame in frames] == [False] * (len(frames) - 1) + [True]


def test_events_are_put_right_where_a_server_strays_from_the_official_types() -> None:
    events = [
        started(),
        *block(0, {"type": "thinking"}, {"type": "thinking_delta", "thinking": "Hm"}),
        *ended("eos", server_tool_use={"web_search_requests": 3}),
    ]
    for frame in fed(events, Operation.MESSAGES):
        EVENT.validate_json(dumps(frame.data), strict=True)


def test_both_ways_count_the_same() -> None:
    events = [started(), *text(0, "Hel", "lo"), *tool(1, "weather", '{"city":', '"Rome"}'), *ended("tool_use")]
    chat, own = fed(events), fed(events, Operation.MESSAGES)

    assert sum(frame.chars for frame in chat) == sum(frame.chars for frame in own) == 27
