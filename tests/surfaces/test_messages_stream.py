"""Chat chunks as the events of a Message. Every stream here is folded by Anthropic's own SDK."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.json import Json
from app.core.usage import Usage
from app.core.wire import Frame
from tests.surfaces.messages_given import (
    FIRST,
    WEATHER,
    chunk,
    folded,
    kinds,
    request,
    shown,
    streamed,
    translation,
    usage_chunk,
)

USAGE = Usage(100, 20, cached_input=30)


def fragment(index: int, arguments: str = "", **first: Any) -> Json:
    """A piece of a call; with `id` and `name`, its beginning."""
    made: Json = {"index": index, "function": {"arguments": arguments}}
    if first:
        made |= {"id": first["id"], "type": "function"}
        made["function"]["name"] = first["name"]
    return made


def content(frames: list[Frame]) -> list[Json]:
    found: list[Json] = [block.model_dump(exclude_none=True) for block in folded(frames).content]
    return found


def test_text_streams_as_anthropic_streams_it() -> None:
    frames = streamed(chunk(**FIRST), chunk(content="Hel"), chunk(content="lo"), chunk("stop"), usage_chunk(USAGE))

    assert kinds(frames) == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    message = folded(frames)
    assert message.id.startswith("msg_01")
    assert message.model == "gpt-4.1"
    assert message.content[0].text == "Hello"
    assert message.stop_reason == "end_turn"
    assert (message.usage.input_tokens, message.usage.cache_read_input_tokens) == (70, 30)
    assert message.usage.output_tokens == 20
    assert [frame.last for frame in frames] == [False] * (len(frames) - 1) + [True]


def test_the_end_waits_for_the_usage_that_comes_after_it() -> None:
    way_back = translation(request(stream=True), stream=True)
    for frame in (chunk(**FIRST), chunk(content="Hi")):
        way_back.feed(frame)

    assert kinds(way_back.feed(chunk("stop"))) == []
    assert kinds(way_back.feed(usage_chunk(USAGE))) == []
    assert kinds(way_back.end()) == ["content_block_stop", "message_delta", "message_stop"]
    assert way_back.end() == []


@pytest.mark.parametrize("shown_", [True, False], ids=["shown", "for the books"])
def test_usage_reaches_the_books_before_the_end(shown_: bool) -> None:
    """A client that leaves in between is billed for what was counted."""
    way_back = translation(request(stream=True), stream=True)
    way_back.feed(chunk(content="Hi"))

    assert [frame.usage for frame in way_back.feed(usage_chunk(USAGE, shown=shown_))] == [USAGE]


def test_a_frame_that_says_it_is_the_last_ends_the_message() -> None:
    way_back = translation(request(stream=True), stream=True)
    way_back.feed(chunk(content="Hi"))
    way_back.feed(chunk("stop"))

    assert kinds(way_back.feed(Frame(None, last=True)))[-1] == "message_stop"
    assert way_back.end() == []


def test_every_kind_of_content_has_a_block_of_its_own() -> None:
    """No thinking_delta in a text block, and the next block starts after the last one has stopped."""
    frames = streamed(
        chunk(**FIRST),
        chunk(reasoning_content="H"),
        chunk(reasoning_content="m"),
        chunk(content="Let me see"),
        chunk(tool_calls=[fragment(0, id="a", name="weather")]),
        chunk(tool_calls=[fragment(0, '{"city":')]),
        chunk(tool_calls=[fragment(0, '"Rome"}')]),
        chunk("tool_calls"),
    )
    assert content(frames) == [
        {"type": "thinking", "thinking": "Hm", "signature": ""},
        {"type": "text", "text": "Let me see"},
        {"type": "tool_use", "id": "a", "name": "weather", "input": {"city": "Rome"}},
    ]
    assert folded(frames).stop_reason == "tool_use"


def test_thinking_is_signed_before_it_ends() -> None:
    """Clients of Anthropic's wait for the signature; other providers have none to give."""
    frames = streamed(chunk(reasoning_content="Hm"), chunk(content="Hi"), chunk("stop"))

    assert shown(frames)[3]["delta"] == {"type": "signature_delta", "signature": ""}
    assert kinds(frames)[4] == "content_block_stop"


def test_a_signature_that_comes_with_the_whole_block_is_kept() -> None:
    thought = {"index": 0, "type": "thinking", "thinking": "Hm", "signature": "sig"}
    hidden = {"index": 1, "type": "redacted_thinking", "data": "xyz"}
    alone = {"index": 2, "type": "thinking", "thinking": "So", "signature": "gis"}
    frames = streamed(
        chunk(reasoning_content="Hm"),
        chunk(thinking_blocks=[thought]),
        chunk(thinking_blocks=[hidden, alone]),
        chunk(content="Hi"),
        chunk("stop"),
    )
    assert content(frames) == [
        {"type": "thinking", "thinking": "Hm", "signature": "sig"},
        {"type": "redacted_thinking", "data": "xyz"},
        {"type": "thinking", "thinking": "So", "signature": "gis"},
        {"type": "text", "text": "Hi"},
    ]


def test_parallel_calls_become_blocks_one_after_another() -> None:
    frames = streamed(
        chunk(tool_calls=[fragment(0, id="a", name="weather")]),
        chunk(tool_calls=[fragment(0, '{"city":')]),
        chunk(tool_calls=[fragment(1, id="b", name="weather"), fragment(0, '"Rome"}')]),
        chunk(tool_calls=[fragment(1, '{"city":"Oslo"}')]),
        chunk(tool_calls=[fragment(2, "", id="c", name="now")]),
        chunk("tool_calls"),
    )
    assert content(frames) == [
        {"type": "tool_use", "id": "a", "name": "weather", "input": {"city": "Rome"}},
        {"type": "tool_use", "id": "b", "name": "weather", "input": {"city": "Oslo"}},
        {"type": "tool_use", "id": "c", "name": "now", "input": {}},
    ]


def test_arguments_that_come_in_one_piece_are_not_lost() -> None:
    whole = fragment(0, '{"city":"Rome"}', id="a", name="weather")

    assert content(streamed(chunk(tool_calls=[whole]), chunk("tool_calls")))[0]["input"] == {"city": "Rome"}


def test_text_after_calls_comes_after_all_of_them() -> None:
    frames = streamed(
        chunk(tool_calls=[fragment(0, "{}", id="a", name="now"), fragment(1, "{}", id="b", name="now")]),
        chunk(content="That is all"),
        chunk("tool_calls"),
    )
    assert [block["type"] for block in content(frames)] == ["tool_use", "tool_use", "text"]


def test_a_call_whose_name_comes_late_waits_for_it() -> None:
    frames = streamed(
        chunk(tool_calls=[{"index": 0, "id": "a", "function": {"arguments": "{"}}]),
        chunk(tool_calls=[{"index": 0, "function": {"name": "now", "arguments": "}"}}]),
        chunk("tool_calls"),
    )
    assert content(frames) == [{"type": "tool_use", "id": "a", "name": "now", "input": {}}]


def test_empty_deltas_open_and_close_nothing() -> None:
    frames = streamed(
        chunk(content="Hel", tool_calls=[]),
        chunk(content="", reasoning_content=None, tool_calls=[]),
        chunk(content="lo", refusal=None),
        chunk("stop"),
    )
    assert content(frames) == [{"type": "text", "text": "Hello"}]


def test_there_is_one_message_start_and_it_comes_first() -> None:
    frames = streamed(chunk(**FIRST), chunk(**FIRST), chunk(content="Hi"), chunk("stop"))

    assert kinds(frames).count("message_start") == 1
    assert kinds(frames)[0] == "message_start"


def test_an_answer_without_content_is_a_message_all_the_same() -> None:
    assert content(streamed(chunk(**FIRST), chunk("stop"))) == []
    assert kinds(streamed()) == ["message_start", "message_delta", "message_stop"]


def test_a_refusal_is_text_and_a_reason() -> None:
    frames = streamed(chunk(refusal="I "), chunk(refusal="cannot"), chunk("stop"))

    assert content(frames) == [{"type": "text", "text": "I cannot"}]
    assert folded(frames).stop_reason == "refusal"


def test_a_stop_sequence_is_named_where_the_provider_names_it() -> None:
    message = folded(streamed(chunk(content="Hi"), chunk("stop", choice={"stop_reason": "END"})))

    assert (message.stop_reason, message.stop_sequence) == ("stop_sequence", "END")


def test_chunks_without_choices_are_passed_over() -> None:
    """Azure's first one holds the verdict on the prompt and nothing else."""
    assert content(streamed(usage_chunk(USAGE), chunk(content="Hi"), chunk("stop"))) == [{"type": "text", "text": "Hi"}]


def test_all_that_was_counted_in_chat_is_counted_here() -> None:
    chunks = [
        chunk(reasoning_content="Hm"),
        chunk(content="Hello"),
        chunk(tool_calls=[fragment(0, id="a", name="weather"), fragment(1, '{"a":1}', id="b", name="now")]),
        chunk(tool_calls=[fragment(0, "{}")]),
        chunk("tool_calls"),
    ]
    assert sum(frame.chars for frame in streamed(*chunks)) == sum(frame.chars for frame in chunks)


def test_tools_get_back_the_names_that_were_cut() -> None:
    name = "n" * 100
    body = request(tools=[{**WEATHER, "name": name}], stream=True)
    cut = translation(body).ask.body["tools"][0]["function"]["name"]

    frames = streamed(chunk(tool_calls=[fragment(0, "{}", id="a", name=cut)]), chunk("tool_calls"), body=body)
    assert content(frames)[0]["name"] == name
