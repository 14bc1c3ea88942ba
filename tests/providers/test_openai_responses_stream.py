"""Responses in a stream that is passed through: how it ends, what is put right, and what counts as content."""

from __future__ import annotations

import pytest

from app.core.errors import ErrorType
from app.core.json import Json, dumps
from app.core.usage import Usage
from app.core.wire import Event
from app.providers.openai_faults import NoAnswer
from tests.providers.responses_given import ADDED, COMPLETED, CREATED, DELTA, MESSAGE, asking, failed, streamed
from tests.providers.talk import feed, reader


def test_a_stream_comes_through_event_by_event() -> None:
    frames = streamed(CREATED, ADDED, DELTA, COMPLETED)

    assert [frame.data for frame in frames] == [CREATED, ADDED, DELTA, COMPLETED]
    assert [frame.event for frame in frames] == [event["type"] for event in (CREATED, ADDED, DELTA, COMPLETED)]
    assert [frame.chars for frame in frames] == [0, 0, 2, 0]
    assert (frames[-1].usage, frames[-1].finish) == (Usage(10, 5, 4, 3, 2), "stop")


@pytest.mark.parametrize("end", ["response.completed", "response.incomplete"])
def test_a_stream_is_complete_when_its_last_event_says_so(end: str) -> None:
    made = reader(asking(stream=True))
    feed(made, CREATED, DELTA)
    assert (made.complete, made.done) == (False, False)

    feed(made, {**COMPLETED, "type": end})
    assert (made.complete, made.done) == (True, True)


def test_a_done_without_an_end_is_a_stream_that_was_cut() -> None:
    made = reader(asking(stream=True))
    feed(made, CREATED, DELTA, b"[DONE]")

    assert (made.complete, made.done) == (False, True)


@pytest.mark.parametrize(
    ("event", "named"),
    [
        ({"type": "error", "code": "rate_limit_exceeded", "message": "no", "param": None}, ErrorType.RATE_LIMITED),
        ({"type": "error", "error": {"code": "insufficient_quota", "message": "no"}}, ErrorType.QUOTA_EXCEEDED),
        ({"type": "error", "code": None, "message": "no"}, ErrorType.SERVER_ERROR),
        ({"error": {"message": "no", "type": "server_error", "code": None}}, ErrorType.SERVER_ERROR),
    ],
)
def test_an_error_in_a_stream_is_a_failure(event: Json, named: ErrorType) -> None:
    assert failed(CREATED, event).type is named


def test_events_without_numbers_are_numbered() -> None:
    bare = [{n: v for n, v in e.items() if n != "sequence_number"} for e in (CREATED, ADDED, DELTA, COMPLETED)]
    frames = streamed(*bare)

    assert [frame.data and frame.data["sequence_number"] for frame in frames] == [0, 1, 2, 3]


def test_text_without_probabilities_has_an_empty_list_of_them() -> None:
    (frame,) = streamed({name: value for name, value in DELTA.items() if name != "logprobs"})

    assert frame.data == DELTA
    assert frame.chars == 2


def test_an_item_that_came_as_a_whole_counts_once_and_one_that_came_in_pieces_not_again() -> None:
    done = {**ADDED, "type": "response.output_item.done", "sequence_number": 3, "item": MESSAGE}

    assert [frame.chars for frame in streamed(ADDED, done)] == [0, 2]
    assert [frame.chars for frame in streamed(ADDED, DELTA, done)] == [0, 2, 0]


def test_work_of_the_providers_own_tools_is_content_for_it_must_not_be_done_twice() -> None:
    item = {"type": "mcp_call", "id": "mcp_1", "name": "x", "server_label": "s", "arguments": ""}

    assert [frame.chars for frame in streamed({**ADDED, "item": item})] == [1]


def test_events_that_nobody_knows_yet_come_through() -> None:
    made = reader(asking(stream=True))
    new = {"type": "response.new_thing", "sequence_number": 4, "x": 1}

    assert [frame.data for frame in made.feed(Event(dumps(new)))] == [new]
    assert made.feed(Event(b"")) == ()


@pytest.mark.parametrize(
    "event",
    [
        b"[1]",
        b'{"x": 1}',
        b'{"type": 5}',
        b'{"type": "a\\nb: c"}',
        b'{"type": "response.completed"}',
        dumps({**DELTA, "type": "response.completed"}),
        dumps({**DELTA, "type": ["response.output_text.delta"]}),
        dumps({**DELTA, "type": "response.output_text.delta\n"}),
    ],
)
def test_what_is_no_event_is_malformed(event: bytes) -> None:
    with pytest.raises(NoAnswer):
        reader(asking(stream=True)).feed(Event(event))


@pytest.mark.parametrize("item", [{"type": []}, {"type": "message", "summary": 5}, {"type": "custom", "content": 1.5}])
def test_items_of_a_strange_shape_do_no_harm(item: Json) -> None:
    made = reader(asking(stream=True))

    for kind in ("response.output_item.added", "response.output_item.done"):
        assert len(feed(made, {"type": kind, "output_index": 0, "item": item})) == 1


def test_a_number_that_json_cannot_hold_is_not_counted_on_from() -> None:
    frames = feed(reader(asking(stream=True)), {**ADDED, "sequence_number": 2**64 - 1}, {"type": "response.x"})

    assert [frame.data["sequence_number"] for frame in frames if frame.data] == [0, 1]
