"""One connection to memcached: pymemcache's client on a socket that keeps to an appointment.

pymemcache's own timeouts are for each piece that arrives, so a server that dribbles would hold a call for as long as it
likes. Here a whole exchange has one end, and how long is waited until then is for the call's patience to say.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence
from fcntl import ioctl
from termios import FIONREAD
from types import SimpleNamespace
from typing import Any

from pymemcache.client.base import Client  # type: ignore[import-untyped]  # it has no types
from pymemcache.exceptions import (  # type: ignore[import-untyped]
    MemcacheUnexpectedCloseError,
    MemcacheUnknownError,
)

from app.store.patience import LEAST, Wait
from app.store.store import Question
from app.store.wire import LARGEST, LINE, Answers, is_marked, said

_PIECE = 65_536  # bytes to read at a time; pymemcache asks for less
_NO_BYTES = bytes(4)
_NOTHING = b"END\r\n"
_UNKNOWN = b"NOT_FOUND\r\n"
_END = b"\r\nEND\r\n"  # after a value
_GREETED = b"MN\r\n"

Address = tuple[str, int] | str  # numeric host and port, or the path of a socket


class _Socket(socket.socket):
    """Reads and writes wait as the appointment says, whatever timeout pymemcache sets."""

    connect_timeout = 0.0  # seconds
    wait: Wait
    _came = 0  # bytes of the answer
    _head = b""  # its first line, at least
    _tail = b""

    def connect(self, address: Any) -> None:
        ends = time.monotonic() + self.connect_timeout
        self.settimeout(min(self.connect_timeout, self.wait.left))
        try:
            super().connect(address)
        except TimeoutError:
            self.wait.longer()
            self.settimeout(max(LEAST, min(ends - time.monotonic(), self.wait.left)))
            super().send(b"")  # goes as soon as there is a connection

    def sendall(self, data: Any, flags: int = 0) -> None:
        """Raises MemcacheUnknownError: the server has said more than it was asked, which looks like the next answer."""
        if ioctl(self, FIONREAD, _NO_BYTES) != _NO_BYTES:
            raise MemcacheUnknownError("an answer that nobody asked for")
        self.put(data)

    def put(self, data: Any) -> None:
        """Where the next answer is known by its mark."""
        while data:
            self.settimeout(self.wait.left)
            try:
                sent = super().send(data)
            except TimeoutError:
                self.wait.longer()
                continue
            if sent == len(data):
                return
            self.wait.moved(sent)
            data = memoryview(data)[sent:]

    def recv(self, size: int, flags: int = 0) -> bytes:
        """At least one byte, or none where the server has hung up. Raises TimeoutError, Crowded."""
        while (piece := self._within(self.wait.left, flags)) is None:
            self.wait.longer()
        if not self._came:
            self._head, self._tail = piece[:LINE], piece[-len(_END) :]
        else:
            self._head += piece[: LINE - len(self._head)]
            self._tail = (self._tail + piece)[-len(_END) :]
            self.wait.moved(len(piece))
        self._came += len(piece)
        if self._came > LARGEST:
            raise MemcacheUnknownError("an answer without an end")
        return piece

    def said(self, value: bytes | None) -> None:
        """The answer was this value, or that there is none. Raises MemcacheUnknownError.

        pymemcache takes more for an answer than memcached says, and drops what is left.
        """
        if value is None:
            fits = self._head == _NOTHING
        else:
            fits = self._came == self._line_size() + len(value) + len(_END) and self._tail == _END
        self._over(fits)

    def said_a_line(self) -> None:
        """The answer was that and no more. Raises MemcacheUnknownError."""
        self._over(self._came == self._line_size())

    def has_said(self, line: bytes) -> bool:
        """Whether that was the answer that is over now."""
        return self._head == line

    def _line_size(self) -> int:
        return self._head.find(b"\r\n") + 2

    def _over(self, fits: bool) -> None:
        if not fits:
            raise MemcacheUnknownError("more or less than an answer")
        self.begin()

    def begin(self) -> None:
        """Another answer."""
        self._came = 0

    def _at_once(self) -> bytes | None:
        """What has arrived already."""
        self.settimeout(0)
        try:
            return super().recv(_PIECE)
        except BlockingIOError:
            return None

    def _within(self, seconds: float, flags: int) -> bytes | None:
        self.settimeout(seconds)
        try:
            return super().recv(_PIECE, flags)
        except TimeoutError:
            return self._at_once()  # it may be us who were late, and not the server


class Line(Client):  # type: ignore[misc]  # it has no types
    """Not for two threads at a time. After an exception it is closed and of no more use."""

    def __init__(self, address: Address) -> None:
        used = {name: getattr(socket, name) for name in _USED}
        super().__init__(
            address, no_delay=True, default_noreply=False, socket_module=SimpleNamespace(**used, socket=self._socket)
        )
        self._asked = 0

    def open(self, wait: Wait, seconds: float) -> None:
        """Connect. Raises OSError, Crowded."""
        self._wait = wait
        self.connect_timeout = seconds
        self._connect()

    def appoint(self, wait: Wait) -> None:
        """What follows waits like that."""
        self.sock.wait = wait
        self.sock.begin()

    def ask(self, questions: Sequence[Question[Any]]) -> tuple[list[Any], bool]:
        """All in one piece: their answers, and whether the server had no room for something."""
        self._asked += 1
        mark = b" O%d" % self._asked
        send = self.sock.put if is_marked(questions[0]) else self.sock.sendall
        send(b"".join([said(question, mark) for question in questions]))
        answers = Answers(mark, self._piece)
        found = [self._answer(answers, question) for question in questions]
        answers.end()
        return found, answers.is_full

    def _answer(self, answers: Answers, question: Question[Any]) -> Any:
        answer = answers.to(question)
        self.sock.begin()
        return answer

    def exchange(self, key: str, value: bytes, by: bytes, ttl: int) -> bool:
        """The very value that was seen, and no later one."""
        found, version = self.gets(key)
        self.sock.said(found)
        if version is not None and not version.isdigit():
            raise MemcacheUnknownError("a version that is no number")
        return found == value and self._done(self.cas(key, by, version, expire=ttl, noreply=False))

    def drop(self, key: str) -> bool:
        deleted = self._done(self.delete(key, noreply=False))
        if not deleted and not self.sock.has_said(_UNKNOWN):
            raise MemcacheUnknownError("pymemcache takes any word for that there was nothing")
        return True

    def greet(self) -> None:
        """See whether it speaks the meta protocol, which memcached does since 1.6."""
        self.sock.sendall(b"mn\r\n")
        said = b""
        while len(said) < len(_GREETED):
            said += self._piece()
        if said != _GREETED:
            raise MemcacheUnknownError("no greeting that memcached has")
        self.sock.said_a_line()

    def _done(self, done: Any) -> bool:
        self.sock.said_a_line()
        return bool(done)

    def _piece(self) -> bytes:
        piece: bytes = self.sock.recv(_PIECE)
        if not piece:
            raise MemcacheUnexpectedCloseError
        return piece

    def _socket(self, *kind: int) -> _Socket:
        made = _Socket(*kind)
        made.connect_timeout = self.connect_timeout
        made.wait = self._wait
        return made


_USED = ("AF_UNIX", "AF_UNSPEC", "SOCK_STREAM", "IPPROTO_TCP", "TCP_NODELAY", "getaddrinfo")
