"""How a stream of events is cut, by what was asked for."""

from __future__ import annotations

from typing import Protocol

from app.aws.frames import FrameSplitter
from app.core.wire import Event, Framing
from app.upstream.sse import Splitter


class Cutting(Protocol):
    """The state of one stream."""

    def feed(self, piece: bytes) -> list[Event]:
        """The events that this piece completes.

        Raises:
            Unreadable: nothing more can be read from this stream.
        """


def splitter(framing: Framing) -> Cutting:
    return FrameSplitter() if framing is Framing.AWS else Splitter()
