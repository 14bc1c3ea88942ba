"""One client's connection: requests in, steps out, and an eye on the client all the time.

States: reading (no steps) -> answering (steps) -> reading again, or ending (our FIN is out, the client's is awaited).
A connection is always registered for reading, so that a client that leaves is noticed in the middle of any wait.
"""

from __future__ import annotations

import math
import selectors
from collections.abc import Callable, Iterator
from typing import Protocol

from tests.standin.channel import Channel
from tests.standin.journal import Journal
from tests.standin.message import Answer, End, Request
from tests.standin.protocol import BadRequest, Finish, Gate, Reader, Send, Step, Wait, steps

LINGER = 5.0  # seconds that a client has to close after our FIN
DRAIN = 2.0  # seconds that the bytes before a reset have to arrive
SETTLE = 0.002


class Loop(Protocol):
    """What a connection needs of the loop that drives it."""

    journal: Journal

    def watch(self, connection: Connection, events: int) -> None: ...
    def forget(self, connection: Connection) -> None: ...
    def later(self, seconds: float, call: Callable[[], object]) -> None: ...
    def soon(self, call: Callable[[], object]) -> None: ...
    def at_gate(self, name: str, call: Callable[[], bool]) -> None: ...
    def when(self, condition: Callable[[], bool], call: Callable[[], object]) -> None: ...
    def answer(self, request: Request) -> tuple[str, Answer]: ...
    def failed(self, error: Exception) -> None: ...


class Connection:
    """Driven by the loop alone, from its thread."""

    def __init__(self, loop: Loop, channel: Channel, number: int) -> None:
        self.channel = channel
        self._loop = loop
        self._journal = loop.journal
        self._number = number
        self._reader = Reader(number)
        self._steps: Iterator[Step] | None = None
        self._sending: tuple[memoryview, int] | None = None
        self._following: Step | None = None
        self._request = 0
        self._how = ""
        self._turn = 0
        self._is_ending = False
        self._is_closed = False
        self._is_deaf = False
        loop.watch(self, selectors.EVENT_READ)

    # Called by the loop

    def on_events(self, events: int) -> None:
        if events & selectors.EVENT_WRITE and self._sending is not None:
            self._advance()
        if events & selectors.EVENT_READ and not self._is_closed:
            self._read()

    def shut(self) -> None:
        """The stand-in closes down."""
        if not self._is_closed:
            self._journal.ended(self._request, "cut", "shutdown")
            self._journal.ending(self._number, "server", "fin")
            self._close()

    def break_off(self) -> None:
        """Reset the connection, whatever it is doing."""
        self._journal.ended(self._request, "cut", "rst")
        self._steps = None
        self._sending = None
        self._is_ending = True
        self._reset(0)

    def ignore(self) -> None:
        """Never answer anything on this connection."""
        self._is_deaf = True

    def refuse(self, how: End) -> None:
        """End the connection before any request."""
        self._finish(how)

    # Reading

    def _read(self) -> None:
        try:
            if not self.channel.shake_hands():
                return
            while not self._is_closed:
                data = self.channel.receive()
                if data is None:
                    break
                if not data:
                    self._client_left("fin")
                    return
                self._journal.received(self._number, len(data))
                if not self._is_ending and not self._is_deaf:
                    self._reader.feed(data)
        except OSError as error:
            if not self.channel.is_ready:
                self._journal.tls_failed(self._number, str(error))
            self._client_left("rst")
            return
        self._serve()

    def _client_left(self, how: str) -> None:
        self._journal.ending(self._number, "client", how)
        self._journal.ended(self._request, "aborted", how)
        self._close()

    def _serve(self) -> None:
        """Begin the next request if the last one is over and a whole one is there."""
        if self._steps is not None or self._is_ending or self._is_closed:
            return
        try:
            request = self._reader.next()
        except (BadRequest, ValueError):
            self._finish(End.CLOSE)
            return
        if request is None:
            if self._reader.wants_continue:
                self.channel.send(memoryview(b"HTTP/1.1 100 Continue\r\n\r\n"))
            return
        self._begin(request)

    def _begin(self, request: Request) -> None:
        if request.path.startswith("/__control/"):
            self._journal.forget(self._number)
            self._request = 0
        else:
            self._request = self._journal.began(request)
        behaviour, answer = self._loop.answer(request)
        self._how = "" if answer.is_complete else answer.end.value
        self._journal.answering(self._request, behaviour, answer.status if answer.preamble is None else 0)
        self._steps = steps(answer, request)
        self._advance()
        if answer.until is not None:
            self._loop.when(answer.until, self._resume_at(self._turn))

    # Answering

    def _resume_at(self, turn: int) -> Callable[[], bool]:
        """A wake-up that does nothing, and says so, once the wait it was made for is over."""

        def resume() -> bool:
            is_due = self._turn == turn and not self._is_closed
            if is_due:
                self._advance()
            return is_due

        return resume

    def _advance(self) -> None:
        """Perform steps until something has to be waited for; one write a turn, so that all connections get theirs."""
        self._turn += 1
        if self._sending is not None:
            self._flush()
            return
        step = self._following or self._next_step()
        self._following = None
        match step:
            case Send(data, words):
                self._sending = (memoryview(data), words)
                self._following = self._next_step()
                self._flush()
            case Wait(seconds):
                if not math.isinf(seconds):
                    self._loop.later(seconds, self._resume_at(self._turn))
            case Gate(name):
                self._loop.at_gate(name, self._resume_at(self._turn))
            case Finish(end):
                self._finish(end)
            case None:
                pass

    def _next_step(self) -> Step | None:
        if self._steps is None:
            return None
        try:
            return next(self._steps, None)
        except Exception as error:  # a behaviour's own code, run as its body is read
            self._loop.failed(error)
            return Finish(End.RST)

    def _flush(self) -> None:
        """Write on. Who sees the last byte arrive finds it in the journal: its lock is held from write to record."""
        if self._sending is None:
            return
        data, words = self._sending
        finish = self._following if isinstance(self._following, Finish) else None
        with self._journal.changing:
            try:
                count = self.channel.send(data)
            except OSError:
                self._client_left("rst")
                return
            is_out = count == len(data)
            self._journal.sent(self._number, self._request, count, words if is_out else 0)
            if is_out and finish is not None:
                self._journal.ended(self._request, "cut" if self._how else "complete", self._how)
        self._sending = None if is_out else (data[count:], words)
        self._loop.watch(self, selectors.EVENT_READ if is_out else selectors.EVENT_READ | selectors.EVENT_WRITE)
        if is_out and finish is not None:
            self._following = None
            self._finish(finish.end)
        elif is_out:
            self._loop.soon(self._resume_at(self._turn))

    # Ending

    def _finish(self, end: End) -> None:
        self._journal.ended(self._request, "cut" if self._how else "complete", self._how)
        self._request = 0
        self._steps = None
        if end is End.RST:
            self._is_ending = True
            self._reset(DRAIN)
        elif end is End.KEEP:
            self._serve()
        else:
            self._is_ending = True
            self._journal.ending(self._number, "server", "fin")
            try:
                self.channel.finish(politely=not self._how)
            except OSError:
                self._close()
            else:
                self._loop.later(LINGER, self._close)

    def _reset(self, patience: float) -> None:
        """Reset once all that was sent has arrived: a reset discards what has not."""
        if self._is_closed:
            return
        if patience > 0 and self.channel.unsent:
            self._loop.later(SETTLE, lambda: self._reset(patience - SETTLE))
            return
        self._journal.ending(self._number, "server", "rst")
        self._loop.forget(self)
        self._is_closed = True
        self.channel.reset()
        self._journal.closed(self._number)

    def _close(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            self._loop.forget(self)
            self.channel.close()
            self._journal.closed(self._number)
