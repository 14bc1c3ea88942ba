"""One connection to memcached: pymemcache's client on a socket that keeps to an appointment.

pymemcache's own timeouts are for each piece that arrives, so a server that dribbles would hold a call for as long as it
likes. Here a whole exchange has one end. Within it, most callers wait GRACE; those who wait longer need one of a few
seats (Patience), so that a server that falls silent delays no more than so many calls.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from pymemcache.client.base import Client  # type: ignore[import-untyped]  # it has no types
from pymemcache.exceptions import (  # type: ignore[import-untyped]
    MemcacheUnexpectedCloseError,
    MemcacheUnknownError,
)

from app.store.store import Step

GRACE = 0.2  # of the time there is: that long everybody may wait
SEATS = 5  # for those who wait longer
_PIECE = 65_536  # bytes to read at a time; pymemcache asks for less
_MOST = 1024 * 1024  # bytes of numbers; more is nonsense
_LARGEST = 2**63

Address = tuple[str, int] | str  # numeric host and port, or the path of a socket

_NO_NUMBER = (b"EN", b"NF", b"NS", b"SERVER_ERROR", b"CLIENT_ERROR cannot increment or decrement non-numeric value")


class Crowded(Exception):
    """The server is slow, and others wait for it already."""


class Patience:
    """Who may wait for a slow server. One for all connections of a worker."""

    def __init__(self, seats: int = SEATS) -> None:
        self._lock = threading.Lock()
        self._seats = seats

    @property
    def is_over(self) -> bool:
        """Every seat is taken: nobody should begin to ask."""
        return self._seats <= 0

    def __enter__(self) -> None:
        """Raises Crowded."""
        with self._lock:
            if self._seats <= 0:
                raise Crowded
            self._seats -= 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._seats += 1


class _Socket(socket.socket):
    """Reads and writes end when the appointment does, whatever timeout pymemcache sets."""

    ends = 0.0  # monotonic
    grace = 0.0  # seconds
    patience = Patience()

    def sendall(self, data: Any, flags: int = 0) -> None:
        self.settimeout(self._left())
        super().sendall(data, flags)

    def recv(self, size: int, flags: int = 0) -> bytes:
        """At least one byte, or none where the server has hung up. Raises TimeoutError, Crowded."""
        self.settimeout(min(self.grace, self._left()))
        try:
            return super().recv(_PIECE, flags)
        except TimeoutError:
            pass
        if (late := self._at_once()) is not None:
            return late
        with self.patience:
            self.settimeout(self._left())
            try:
                return super().recv(_PIECE, flags)
            except TimeoutError:
                if (late := self._at_once()) is not None:
                    return late
                raise

    def _left(self) -> float:
        return max(0.001, self.ends - time.monotonic())

    def _at_once(self) -> bytes | None:
        """What has arrived meanwhile: it may be us who were late, and not the server."""
        self.settimeout(0)
        try:
            return super().recv(_PIECE)
        except BlockingIOError:
            return None


class Line(Client):  # type: ignore[misc]  # it has no types
    """Not for two threads at a time. After an exception it is closed and of no more use."""

    def __init__(self, address: Address, patience: Patience) -> None:
        sockets = SimpleNamespace(**{name: getattr(socket, name) for name in _USED}, socket=_Socket)
        super().__init__(address, no_delay=True, default_noreply=False, socket_module=sockets)
        self._patience = patience

    def open(self, seconds: float) -> None:
        """Connect. Raises OSError."""
        self.connect_timeout = seconds
        self._connect()
        self.sock.patience = self._patience

    def appoint(self, ends: float) -> None:
        """What follows is over by then (monotonic)."""
        self.sock.ends = ends
        self.sock.grace = GRACE * max(0.0, ends - time.monotonic())

    def tally(self, steps: Sequence[Step]) -> list[int | None]:
        """In memcached's meta commands: as many as there are, in one piece."""
        self.sock.sendall(b"".join([_command(step) for step in steps]))
        received = b""
        while (numbers := _numbers(received, len(steps))) is None:
            piece = self.sock.recv(_PIECE)
            if not piece:
                raise MemcacheUnexpectedCloseError
            received += piece
        return numbers


_USED = ("AF_UNIX", "AF_UNSPEC", "SOCK_STREAM", "IPPROTO_TCP", "TCP_NODELAY", "getaddrinfo")


def _command(step: Step) -> bytes:
    key, by, first, ttl, renew = step
    if by is None:
        return b"mg %s v\r\n" % key.encode()
    made = b"" if first is None else b" N%d J%d" % (ttl, first)
    kept = b" T%d" % ttl if renew else b""
    return b"ma %s %sD%d%s%s v\r\n" % (key.encode(), b"MD " if by < 0 else b"", abs(by), made, kept)


def _numbers(received: bytes, count: int) -> list[int | None] | None:
    """None while something is missing. Raises MemcacheUnknownError for what no memcached says."""
    if len(received) > _MOST:
        raise MemcacheUnknownError("an answer without an end")
    if not received.endswith(b"\r\n"):
        return [] if count == 0 and not received else None
    lines = iter(received.split(b"\r\n")[:-1])
    found: list[int | None] = []
    for line in lines:
        if line.startswith(b"VA "):
            value = next(lines, None)
            if value is None:
                return None
            found.append(_number(line, value))
        elif line.startswith(_NO_NUMBER):
            found.append(None)
        else:
            raise MemcacheUnknownError("an answer that memcached's meta commands do not have")
    if len(found) > count:
        raise MemcacheUnknownError("more answers than questions")
    return found if len(found) == count else None


def _number(line: bytes, value: bytes) -> int | None:
    if line[3:] != b"%d" % len(value):
        raise MemcacheUnknownError("a value of another length than was told")
    number = value.rstrip(b" ")  # memcached pads what became shorter
    if not number.isdigit():
        return None
    return int(number) if int(number) < _LARGEST else None
