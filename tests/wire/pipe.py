"""One direction of a connection: what was read, and when it may go on."""

from __future__ import annotations

import contextlib
import socket
import struct
from collections import deque

PIECE = 65536


class Pipe:
    """Sockets do not block. `moved` counts bytes that went on; `ended`: the source has said that it is over."""

    def __init__(self, source: socket.socket, sink: socket.socket) -> None:
        self.source = source
        self.moved = 0
        self.ended = False
        self.broken = False
        self._sink = sink
        self._held: deque[tuple[float, bytes]] = deque()  # b"" for the end
        self._budget = 0.0  # bytes that the rate allows by now
        self._since: float | None = None

    @property
    def waits(self) -> bool:
        return bool(self._held)

    def read(self, due: float) -> None:
        """Take what has come, to go on at this instant."""
        if self.ended:
            return
        try:
            data = self.source.recv(PIECE)
        except BlockingIOError:
            return
        except OSError:
            self.broken = True
            return
        self.ended = not data
        self._held.append((due, data))

    def write(self, now: float, rate: float | None, left: int | None) -> None:
        """Send on what is due, as much as the rate and what is `left` allow."""
        allowed = self._allowed(now, rate)
        while self._held and self._held[0][0] <= now and not self.broken:
            due, data = self._held.popleft()
            if not data:
                with contextlib.suppress(OSError):
                    self._sink.shutdown(socket.SHUT_WR)
                continue
            most = min(len(data), allowed, len(data) if left is None else left)
            sent = self._send(data[:most]) if most > 0 else 0
            self.moved += sent
            allowed -= sent
            left = None if left is None else left - sent
            if rate is not None:
                self._budget -= sent
            if sent < len(data):
                self._held.appendleft((due, data[sent:]))
                return

    def _send(self, data: bytes) -> int:
        try:
            return self._sink.send(data)
        except BlockingIOError:
            return 0
        except OSError:
            self.broken = True
            return 0

    def _allowed(self, now: float, rate: float | None) -> int:
        if rate is None:
            self._since = None
            return PIECE * 1024
        if self._since is None:
            self._since, self._budget = now, 0.0
        self._budget = min(self._budget + (now - self._since) * rate, max(rate / 10, 1.0))
        self._since = now
        return int(self._budget)


def reset(one: socket.socket) -> None:
    """Close so that the other side gets a reset."""
    with contextlib.suppress(OSError):
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    one.close()
