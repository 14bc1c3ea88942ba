"""Bytes to server-sent events. Pure: feed it what the socket gave, take what is complete.

Bytes and not text: a piece may end inside a character, and only LF, CR and CRLF end a line (text iterators split at
U+2028 too, which JSON may hold). An event is what stands before a blank line. So the buffer is cut at blank lines, and
a block that is one `data:` line, as nearly all are, is never looked at again.

Source: WHATWG HTML, 9.2.6 "Interpreting an event stream". `id` and `retry` mean nothing to who never reconnects.
"""

from __future__ import annotations

from app.core.wire import Event, Unreadable

LONGEST = 1024 * 1024  # bytes of one event

_BOM = b"\xef\xbb\xbf"


class Splitter:
    """The state of one stream."""

    __slots__ = ("_begun", "_longest", "_parts", "_size", "_skip_lf")

    def __init__(self, longest: int = LONGEST) -> None:
        self._longest = longest
        self._parts: list[bytes] = []  # of the event that is not over yet
        self._size = 0
        self._skip_lf = False  # the last piece ended in \r: a \n now belongs to it
        self._begun = False

    def feed(self, piece: bytes) -> list[Event]:
        """The events that this piece completes.

        Raises:
            Unreadable: an event is longer than allowed.
        """
        if (
            piece.find(b"\n") == len(piece) - 2  # also where there is none: then it is one byte long
            and piece[-1:] == b"\n"
            and piece[:6] == b"data: "
            and not self._parts
            and self._begun
            and not self._skip_lf
            and b"\r" not in piece
            and len(piece) <= self._longest
        ):
            return [Event(piece[6:-2])]
        return self._cut(piece) if piece else []

    def rest(self) -> bool:
        """Whether the stream ended inside an event."""
        return any(part.strip(b"\n") for part in self._parts)

    def _cut(self, piece: bytes) -> list[Event]:
        if self._skip_lf:
            piece = piece.removeprefix(b"\n")
            self._skip_lf = False
        if b"\r" in piece:
            self._skip_lf = piece.endswith(b"\r")
            piece = piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        over = b"\n\n" in piece or (piece[:1] == b"\n" and bool(self._parts) and self._parts[-1][-1:] == b"\n")
        if piece:
            self._parts.append(piece)
            self._size += len(piece)
        if not over:
            self._check(self._size, [])
            return []
        *blocks, rest = b"".join(self._parts).split(b"\n\n")
        self._parts = [rest] if rest else []
        self._size = len(rest)
        events: list[Event] = []
        for block in blocks:
            self._check(len(block), events)
            if not self._begun:
                self._begun = True
                block = block.removeprefix(_BOM)  # noqa: PLW2901 - once a stream
            if block.startswith(b"data: ") and b"\n" not in block:
                events.append(Event(block[6:]))
            elif (event := _event(block)) is not None:
                events.append(event)
        self._check(self._size, events)
        return events

    def _check(self, size: int, events: list[Event]) -> None:
        if size > self._longest:
            raise Unreadable(f"an event is longer than {self._longest} bytes", events)


def _event(block: bytes) -> Event | None:
    """A block of lines, None where it has no data: comments, a lone name."""
    name = None
    data: list[bytes] = []
    for line in block.split(b"\n"):
        field, _, value = line.partition(b":")
        if field == b"data":
            data.append(value.removeprefix(b" "))
        elif field == b"event":
            name = value.removeprefix(b" ") or None
    return Event(b"\n".join(data), name) if data else None
