"""The splitter gives the same events, wherever the network cut the bytes."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.wire import Event, Unreadable
from app.upstream.sse import Splitter

STREAM = (
    b"\xef\xbb\xbfdata: first\n\n"
    b": a comment\n\n"
    b'event: delta\ndata: {"a":\ndata: 1}\n\n'
    b"\n\n\n"
    b"data:without a space\n\n"
    b"data:  with two\n\n"
    b"id: 7\nretry: 10\nevent: lonely\n\n"
    b"data\n\n" + "data: \u00e9\u2028\u0085\U0001f642\n\n".encode() + b"event:\ndata: unnamed\n: inside\n\n"
    b"data: [DONE]\n\n"
)
EVENTS = [
    Event(b"first"),
    Event(b'{"a":\n1}', b"delta"),
    Event(b"without a space"),
    Event(b" with two"),
    Event(b""),
    Event("\u00e9\u2028\u0085\U0001f642".encode()),
    Event(b"unnamed"),
    Event(b"[DONE]"),
]


def cut(stream: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(stream) + 1) for place in places), len(stream)]
    return [stream[a:b] for a, b in pairwise(edges)]


def events(pieces: list[bytes]) -> list[Event]:
    splitter = Splitter()
    return [event for piece in pieces for event in splitter.feed(piece)]


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r"], ids=["LF", "CRLF", "CR"])
@given(places=st.lists(st.integers(min_value=0), max_size=30))
def test_cuts_change_nothing(ending: bytes, places: list[int]) -> None:
    stream = STREAM.replace(b"\n", ending)

    assert events(cut(stream, places)) == EVENTS


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r"], ids=["LF", "CRLF", "CR"])
def test_one_byte_at_a_time_changes_nothing(ending: bytes) -> None:
    stream = STREAM.replace(b"\n", ending)

    assert events([stream[i : i + 1] for i in range(len(stream))]) == EVENTS


def test_an_event_is_given_as_soon_as_its_blank_line_is_there() -> None:
    splitter = Splitter()

    assert splitter.feed(b"data: 1\r\r") == [Event(b"1")]  # the last \r may be half of a \r\n: nobody waits for that
    assert splitter.feed(b"\ndata: 2\n\nda") == [Event(b"2")]
    assert splitter.feed(b"ta: 3\n") == []
    assert splitter.feed(b"\n") == [Event(b"3")]


def test_the_rest_tells_whether_an_event_was_cut() -> None:
    whole, half, blank = Splitter(), Splitter(), Splitter()
    whole.feed(b"data: 1\n\n")
    half.feed(b"data: 1\n\ndata: 2\n")
    blank.feed(b"data: 1\n\n\n")

    assert (whole.rest(), half.rest(), blank.rest()) == (False, True, False)


@pytest.mark.parametrize(
    "pieces",
    [
        [b"data: ", b"x" * 100],
        [b"data: " + b"x" * 100 + b"\n\n"],
        [b"data: 1\n\ndata: " + b"x" * 100 + b"\n\ndata: 2\n\n"],
        [b"data: x\n"] * 20,
    ],
    ids=["unfinished", "whole", "between others", "many lines"],
)
def test_an_event_without_end_is_refused(pieces: list[bytes]) -> None:
    splitter = Splitter(longest=64)

    with pytest.raises(ValueError, match="longer than 64"):
        [splitter.feed(piece) for piece in pieces]


def test_many_events_may_be_longer_than_one_may_be() -> None:
    splitter = Splitter(longest=64)

    assert splitter.feed(b"data: 1\n\n" * 100) == [Event(b"1")] * 100


def test_what_came_before_an_event_that_is_too_long_is_not_lost() -> None:
    for last in (b"data: " + b"x" * 100, b"data: " + b"x" * 100 + b"\n\n"):
        with pytest.raises(Unreadable) as caught:
            Splitter(longest=64).feed(b"data: 1\n\n" + last)
        assert caught.value.events == [Event(b"1")]
