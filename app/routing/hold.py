"""Waiting for an answer to begin, without keeping the client in the dark.

A plain call waits. A stream waits HOLD seconds with its status still open; then it is given to the client with status
200, and comments tell every PING seconds that somebody is still at work, while repeats and fallbacks go on. For that
the search runs in a thread of its own; once it has found an answer, the client's thread reads it.
"""

from __future__ import annotations

import _thread
import logging
import threading
from collections.abc import Callable, Iterator

from app.core.call import Call, Route
from app.core.exchange import Batch, Exchange
from app.core.wire import Frame
from app.routing.attempts import Attempts
from app.upstream.watch import Guard, Watch

log = logging.getLogger(__name__)

HOLD = 10.0
PING = 10.0

Search = Callable[[], Iterator[Batch]]


def begin(attempts: Attempts, watch: Watch, call: Call, route: Route, exchange: Exchange) -> Iterator[Batch]:
    """The batches of an answer. Raises GatewayError as `Attempts.first_answer`, or later from the batches."""
    guard = watch.begin(call.client)

    def search() -> Iterator[Batch]:
        try:
            return attempts.first_answer(call, route, exchange, guard)
        except BaseException:
            watch.end(guard)
            raise

    if not call.stream:
        try:
            return search()
        finally:
            watch.end(guard)
    pending = Pending(search, guard)
    if pending.wait(HOLD):
        return pending.take()
    exchange.headless = True
    return Late(pending)


class Pending:
    """A search under way in another thread."""

    def __init__(self, search: Search, guard: Guard) -> None:
        self._search = search
        self._guard = guard
        self._done = threading.Event()
        self._lock = threading.Lock()
        self._unwanted = False
        self._found: Iterator[Batch] | None = None
        self._error: BaseException | None = None
        _thread.start_new_thread(self._run, ())  # a Thread object would cost as much again

    def wait(self, seconds: float) -> bool:
        """Whether it is over by then."""
        return self._done.wait(seconds)

    def take(self) -> Iterator[Batch]:
        """What was found; once. Raises what the search raised."""
        if self._error is not None:
            raise self._error
        found, self._found = self._found, None
        assert found is not None  # noqa: S101 - the search is over and has not failed
        return found

    def abandon(self) -> None:
        """Nobody waits any more: end the search, and whatever it may still find."""
        with self._lock:
            self._unwanted = True
        self._guard.gone = True
        self._guard.ring()
        self._drop()

    def _run(self) -> None:
        try:
            self._found = self._search()
        except BaseException as error:
            self._error = error
        self._done.set()
        with self._lock:
            unwanted = self._unwanted
        if unwanted:
            self._drop()

    def _drop(self) -> None:
        found, self._found = self._found, None
        if close := getattr(found, "close", None):
            close()


class Late:
    """Comments until the search is over, then its batches."""

    def __init__(self, pending: Pending) -> None:
        self._pending = pending
        self._batches: Iterator[Batch] | None = None
        self._greeted = False

    def __iter__(self) -> Late:
        return self

    def __next__(self) -> Batch:
        if self._batches is None:
            if not self._pending.wait(PING if self._greeted else 0.0):
                self._greeted = True
                return [Frame(None, comment="ping")]
            self._batches = self._pending.take()
        return next(self._batches)

    def close(self) -> None:
        if self._batches is None:
            self._pending.abandon()
        elif close := getattr(self._batches, "close", None):
            close()
