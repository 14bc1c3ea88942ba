"""AWS's binary streams, `application/vnd.amazon.eventstream`: frames with headers, a payload and checksums.

An event's name is its frame's `:event-type`; what says that something went wrong is named `exception:` and its type.
"""

from __future__ import annotations

import struct
from typing import Any

from app.core.json import dumps
from app.core.wire import Event, Unreadable

LONGEST = 1024 * 1024  # bytes of one frame
EXCEPTION = b"exception:"


class FrameSplitter:
    """The state of one stream. Feed it what the socket gave, take what is complete."""

    __slots__ = ("_broken", "_buffer", "_longest", "_waiting")

    def __init__(self, longest: int = LONGEST) -> None:
        """Raises ImportError where botocore is not installed."""
        from botocore.eventstream import EventStreamBuffer, ParserError  # noqa: PLC0415 - an extra

        self._buffer: Any = EventStreamBuffer()
        self._broken = (ParserError, struct.error, KeyError, UnicodeDecodeError)
        self._longest = longest
        self._waiting = 0  # bytes of the frame that is not complete

    def feed(self, piece: bytes) -> list[Event]:
        """The events that this piece completes.

        Raises:
            Unreadable: a checksum is wrong, or a frame is too long.
        """
        events: list[Event] = []
        self._buffer.add_data(piece)
        self._waiting += len(piece)
        try:
            for frame in self._buffer:
                self._waiting -= frame.prelude.total_length
                events.append(_event(frame.headers, frame.payload))
        except self._broken as error:
            raise Unreadable(f"a frame is broken: {type(error).__name__}", events) from error
        if self._waiting > self._longest:
            raise Unreadable(f"a frame is longer than {self._longest} bytes", events)
        return events


def _event(headers: dict[str, Any], payload: bytes) -> Event:
    kind = headers.get(":message-type")
    if kind == "exception":
        return Event(payload, EXCEPTION + str(headers.get(":exception-type")).encode())
    if kind == "error":  # below the protocol of the service: it has no payload
        told = dumps({"message": str(headers.get(":error-message") or "")})
        return Event(told, EXCEPTION + str(headers.get(":error-code")).encode())
    return Event(payload, str(headers.get(":event-type")).encode())
