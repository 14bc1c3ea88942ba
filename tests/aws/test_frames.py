"""AWS's binary streams, cut anywhere."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.aws.frames import FrameSplitter
from app.core.wire import Event, Framing, Unreadable
from app.upstream.framing import splitter
from tests.standin.eventstream import exception, frame, trouble

STREAM = frame("messageStart", {"role": "assistant"}) + frame("contentBlockDelta", {"delta": {"text": "世界"}})
EVENTS = [
    Event(b'{"role": "assistant"}', b"messageStart"),
    Event('{"delta": {"text": "世界"}}'.encode(), b"contentBlockDelta"),
]


@given(st.lists(st.integers(0, len(STREAM)), max_size=8))
def test_frames_are_the_same_however_they_are_cut(cuts: list[int]) -> None:
    cutting = splitter(Framing.AWS)
    bounds = [0, *sorted(cuts), len(STREAM)]

    assert [event for start, end in pairwise(bounds) for event in cutting.feed(STREAM[start:end])] == EVENTS


def test_what_went_wrong_can_be_told_from_what_was_said() -> None:
    said = exception("throttlingException", {"message": "slow down"}) + trouble("InternalError", "it broke")

    assert FrameSplitter().feed(said) == [
        Event(b'{"message": "slow down"}', b"exception:throttlingException"),
        Event(b'{"message":"it broke"}', b"exception:InternalError"),
    ]


@pytest.mark.parametrize("at", [5, 11, 14, 40, -2])
def test_a_frame_that_was_changed_on_the_way_is_refused(at: int) -> None:
    """Lengths, headers, payload, checksums: whichever byte it is."""
    broken = bytearray(STREAM)
    broken[at] ^= 0x10

    with pytest.raises(ValueError, match=r"broken|longer"):
        FrameSplitter().feed(bytes(broken))


def test_what_came_whole_before_a_broken_frame_is_not_lost() -> None:
    with pytest.raises(Unreadable, match="broken") as caught:
        FrameSplitter().feed(STREAM + b"x" * 20)

    assert caught.value.events == EVENTS


def test_a_frame_that_has_no_end_is_refused() -> None:
    long = frame("contentBlockDelta", {"delta": {"text": "x" * 2000}})
    cutting = FrameSplitter(longest=1000)

    assert cutting.feed(long[:1000]) == []
    with pytest.raises(ValueError, match="longer than 1000"):
        cutting.feed(long[1000:1001])


def test_what_is_no_frame_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="broken"):
        FrameSplitter().feed(b'data: {"a": 1}\n\ndata: [DONE]\n\n')
