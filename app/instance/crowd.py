"""Who connects when this worker has no files left for a call: they are told so, and it is not they who pay for it.

A connection that cannot be accepted stays in the listener's queue, and wakes the worker again and again. So one file is
kept in reserve, to be given up for a moment; and the last few files are not for new clients, but for what the calls
that run open on their way to providers.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import re
import resource
import secrets
import time
from collections.abc import Callable
from socket import SHUT_WR, socket
from typing import Any

from app.core.errors import ErrorType, GatewayError
from app.instance import system
from app.instance.refusals import written

log = logging.getLogger(__name__)

#: What accepting a connection can fail with for want of something of ours.
EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})

_KEPT = 16  # files, or an eighth of all, that are not for new clients
_STAYS = 1.0  # seconds that a client has to read; closing over what it still sends would take the answer away
_STAYING = 32  # of them at a time
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d{1,12})\r\n", re.IGNORECASE)
_COMPLAIN_EVERY = 10.0  # seconds
_PEEK = 65536


class Crowd:
    """Of one worker. For its main thread alone, and nothing of it waits."""

    def __init__(self) -> None:
        self._reserve: int | None = _reserved()
        self._leaving: list[_Leaving] = []
        self._turned_away = 0
        self._complained = float("-inf")

    def is_full(self, fd: int) -> bool:
        """Whether this file, the lowest that was free, is one of those that are not for new clients."""
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        return most != resource.RLIM_INFINITY and fd >= most - max(_KEPT, most // 8)

    def turn_away_next(self, accept: Callable[[], Any]) -> bool:
        """With the file in reserve. Whether there was somebody; raises OSError where that does not suffice."""
        self.sweep(everybody=True)
        if self._reserve is not None:
            os.close(self._reserve)
            self._reserve = None
        try:
            taken = accept()
            if taken:
                self.turn_away(taken[0].detach())
                self.sweep(everybody=True)
            return bool(taken)
        finally:
            self._reserve = _reserved()

    def turn_away(self, fd: int) -> None:
        """Whoever has connected with this file, which is closed soon."""
        client = _Leaving(system.socket(fd))
        client.tell()
        self._leaving.append(client)
        self.sweep()
        self._turned_away += 1
        if time.monotonic() > self._complained + _COMPLAIN_EVERY:
            self._complained = time.monotonic()
            log.error("no files are left for another call: %d turned away so far", self._turned_away)

    def sweep(self, *, everybody: bool = False) -> None:
        """Close those who have said all, had their time, or were too many."""
        first = len(self._leaving) - _STAYING
        self._leaving = [
            one for number, one in enumerate(self._leaving) if not one.is_over(now=everybody or number < first)
        ]


class _Leaving:
    """A client that was told, and may still be sending."""

    def __init__(self, client: socket) -> None:
        client.setblocking(False)
        self._client = client
        self._asked = b""
        self._until = time.monotonic() + _STAYS

    def tell(self) -> None:
        self._read()
        with contextlib.suppress(OSError):
            self._client.send(_answer(self._asked))
            self._client.shutdown(SHUT_WR)

    def is_over(self, *, now: bool) -> bool:
        """Closed, since nothing more will come, or at once."""
        if not self._read() and not now and time.monotonic() < self._until and not _is_whole(self._asked):
            return False
        self._client.close()
        return True

    def _read(self) -> bool:
        """Whether the client has hung up."""
        try:
            piece = self._client.recv(_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True
        self._asked = (self._asked + piece)[:_PEEK]
        return not piece


def _is_whole(asked: bytes) -> bool:
    head, end, body = asked.partition(b"\r\n\r\n")
    length = _LENGTH.search(head + b"\r\n")
    return bool(end) and len(body) >= (int(length[1]) if length else 0)


def _answer(asked: bytes) -> bytes:
    message = "the gateway has no files left for another call; try again in a moment"
    error = GatewayError(ErrorType.SATURATED, message, retry_after=1.0)
    anthropic = b" /v1/messages" in asked.partition(b"\r\n")[0]
    request_id = "req_" + secrets.token_hex(12)
    return written(error, "Service Unavailable", request_id, anthropic=anthropic, status=error.status)


def _reserved() -> int | None:
    with contextlib.suppress(OSError):
        return os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    return None
