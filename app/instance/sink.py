"""Where lines of log go: standard error, but so that writing never waits and never fails.

Whoever reads our pipe may stop reading, and a disk may be full. A write that waits would stop a whole gevent worker,
and one that raises would end calls. A line that cannot be written at once is lost instead, and counted.
"""

from __future__ import annotations

import contextlib
import io
import os
import select
import stat
import sys
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from app.instance import system

_DONT_WAIT = 0x40  # MSG_DONTWAIT


class Sink(io.RawIOBase):
    """Over a file descriptor that others may share: its flags stay as they are."""

    def __init__(self, fd: int) -> None:
        super().__init__()
        self._fd = fd
        self._lock = threading.Lock()
        self._send, self._leave = _sending(fd)
        self._rest = b""  # of a line that is half written
        self.lost = 0  # lines

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._fd

    def isatty(self) -> bool:
        return os.isatty(self._fd)

    def write(self, data: Any) -> int:
        """All of it, or nothing but a count."""
        given = bytes(data)
        with self._lock:
            self._rest = self._rest[self._written(self._rest) :]
            if self._rest:
                self.lost += 1
            elif 0 < (done := self._written(given)) < len(given):
                self._rest = given[done:]
            elif not done and given:
                self.lost += 1
        return len(given)

    def close(self) -> None:
        """Let go of what was opened for it. The file descriptor stays open."""
        if not self.closed:
            self._leave()
        super().close()

    def _written(self, data: bytes) -> int:
        try:
            return self._send(data) if data else 0
        except OSError:  # no room, no reader, or it would have to wait
            return 0


def install() -> Sink:
    """From now on sys.stderr is one. Idempotent: a reload reads gunicorn.conf.py again."""
    found = getattr(sys.stderr, "buffer", None)
    if isinstance(found, Sink):
        return found
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.flush()
    sink = Sink(2)
    text: Any = sink
    sys.stderr = io.TextIOWrapper(text, encoding="utf-8", errors="backslashreplace", write_through=True)
    return sink


def lost() -> int:
    """Lines that this process could not write."""
    found = getattr(sys.stderr, "buffer", None)
    return found.lost if isinstance(found, Sink) else 0


def _sending(fd: int) -> tuple[Callable[[bytes], int], Callable[[], None]]:
    """How to write without waiting, which returns how much was taken and raises OSError; and what to do in the end."""
    mode = os.fstat(fd).st_mode
    if stat.S_ISREG(mode):
        return partial(os.write, fd), _nothing
    if stat.S_ISSOCK(mode):
        sock = system.socket(os.dup(fd))
        return lambda data: int(sock.send(data, _DONT_WAIT)), sock.close
    if stat.S_ISFIFO(mode):
        with contextlib.suppress(OSError):  # the pipe may be another user's
            own = os.open(f"/proc/self/fd/{fd}", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            return partial(os.write, own), partial(os.close, own)
    return partial(_if_ready, fd), _nothing


def _if_ready(fd: int, data: bytes) -> int:
    look = system.poll()
    look.register(fd, select.POLLOUT)
    return os.write(fd, data) if any(event & select.POLLOUT for _, event in look.poll(0)) else 0


def _nothing() -> None:
    """Nothing was opened."""
