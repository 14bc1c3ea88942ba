"""One memcached: its connections, and what is done while it does not answer.

One failure is enough: from then on nobody asks, and a thread of its own tries until it answers again: at once, since
it may have been a moment's trouble, then a few times a second. So a dead server delays the few calls that were waiting
for it, by its timeout, and no others. It is tried with what calls ask, so that something else in its place is not taken
for it. One that does well then and fails again is left alone for longer each time.

All of that is far from the two seconds that limits take to agree after an outage, and a moment's trouble or two in a
row, as on a machine with too much to do, are over before it counts as an outage (app/limits/place.py).
"""

from __future__ import annotations

import itertools
import logging
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

from pymemcache.exceptions import (  # type: ignore[import-untyped]
    MemcacheServerError,
    MemcacheUnexpectedCloseError,
)

from app.store.line import Address, Line
from app.store.patience import Crowded, Patience, Queue, Seats, Wait
from app.store.places import Places
from app.store.store import Question, Read, Tally, Write, hold, key, read
from app.store.trips import Asks, Trips

log = logging.getLogger(__name__)

RECENT = 10.0  # seconds; a failure that comes later than that is the first one again
RESTS = (0.0, 0.25, 0.5, 1.0)  # seconds before it is tried, after the first failure, the second and so on
TRIES = (0.25, 0.25, 0.5)  # seconds from one try to the next
LARGE = 65_536  # bytes of a value that has a trip of its own: nobody waits behind it
FULL = 1.0  # seconds for which nothing is written to a server that has no room

T = TypeVar("T")

TRIED = key("tried")  # the counter that a server is tried with
_TTL = 60  # seconds that it lives


class Server:
    """`name` as the configuration has it: "host:port" or "unix:/path"."""

    def __init__(self, name: str, connect_timeout: float, pool: int, seats: Seats, own: Patience) -> None:
        """`own`: to see whether it is there."""
        self.name = name
        self.answers = False
        self._connect_timeout = connect_timeout
        self._own = own
        self._queue = Queue(seats)
        self._places = Places(pool)
        self._trips = Trips(self._trip)
        self._idle: deque[Line] = deque()
        self._address: Address = ""
        self._lock = threading.Lock()
        self._is_closed = False
        self._full_until = 0.0
        self._failed_at = float("-inf")
        self._failures = 0  # that were recent
        self._looked = threading.Event()
        self._look(0.0)

    def wait(self, seconds: float) -> None:
        """Until it is known whether it answers."""
        self._looked.wait(seconds)

    def close(self) -> None:
        self._is_closed = True
        self._hang_up()

    def answers_to(self, patience: Patience) -> bool:
        """Whether it would be asked now."""
        return self.answers and patience.may_ask(self._queue)

    @property
    def has_room(self) -> bool:
        return time.monotonic() >= self._full_until

    def ask(self, talk: Callable[[Line], T], patience: Patience) -> T | None:
        """What `talk` returns; None where the server is gone, slow or full. Never raises."""
        return self._waiting(lambda wait: self._in_place(talk, wait), patience)

    def put(self, questions: Asks, patience: Patience) -> list[Any] | None:
        """The answers to all of them, in one round trip that others may share; None as above."""
        trip = self._trip if any(map(_is_large, questions)) else self._trips.travel
        return self._waiting(lambda wait: trip(questions, wait), patience)

    def _waiting(self, ask: Callable[[Wait], T], patience: Patience) -> T | None:
        wait = patience.begin(self._queue) if self.answers else None
        if wait is None:
            return None
        answered = False
        try:
            answer = ask(wait)
            answered = True
            return answer
        except Crowded:
            pass
        except Exception as error:
            if isinstance(error, MemcacheServerError) and not isinstance(error, MemcacheUnexpectedCloseError):
                self._has_no_room()
            else:
                self._fail(error)
        finally:
            wait.over(answered=answered)
        return None

    def _trip(self, questions: Asks, wait: Wait) -> list[Any]:
        answers, is_full = self._in_place(lambda line: line.ask(questions), wait)
        if is_full:
            self._has_no_room()
        return answers

    def _has_no_room(self) -> None:
        """Or the value was too large for it."""
        self._full_until = time.monotonic() + FULL

    def _in_place(self, talk: Callable[[Line], T], wait: Wait) -> T:
        wait.place(self._places)
        try:
            if not self.answers:
                raise Crowded  # it went while we waited
            return self._talk(talk, wait)
        finally:
            self._places.give_back()

    def _talk(self, talk: Callable[[Line], T], wait: Wait) -> T:
        if (line := self._kept()) is not None:
            try:
                return self._on(line, talk, wait)
            except (
                ConnectionError,
                MemcacheUnexpectedCloseError,
            ):  # it was restarted, or hung up on the idle
                self._hang_up()
        return self._on(self._connect(wait), talk, wait)

    def _on(self, line: Line, talk: Callable[[Line], T], wait: Wait) -> T:
        try:
            line.appoint(wait)
            answer = talk(line)
        except BaseException:
            line.close()
            raise
        if self._is_closed:
            line.close()
        else:
            self._idle.append(line)
        return answer

    def _connect(self, wait: Wait) -> Line:
        line = Line(self._address)
        line.open(wait, self._connect_timeout)
        return line

    def _kept(self) -> Line | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _hang_up(self) -> None:
        while (line := self._kept()) is not None:
            line.close()

    def _fail(self, error: Exception) -> None:
        with self._lock:
            if not self.answers:
                return
            self.answers = False
        now = time.monotonic()
        self._failures = self._failures + 1 if now < self._failed_at + RECENT else 1
        self._failed_at = now
        log.warning("memcached %s does not answer (%s); calls go on without it", self.name, type(error).__name__)
        self._hang_up()
        self._look(_nth(RESTS, self._failures))

    def _reach(self) -> None:
        """At the first of its addresses that answers. Raises what the last one did."""
        trouble: Exception = OSError("no address")
        for address in _resolved(self.name):
            self._address = address
            wait = Wait(self._own, self._queue)
            try:
                self._on(self._connect(wait), self._try, wait)
            except Exception as error:
                trouble = error
            else:
                return
        raise trouble

    def _try(self, line: Line) -> None:
        """A greeting is not enough. A full server makes no counter, and answers all the same."""
        line.greet()
        line.appoint(Wait(self._own, self._queue))
        line.ask([Tally(TRIED, [hold(TRIED, 1, _TTL), read(TRIED)]), Read(TRIED)])

    def _look(self, after: float) -> None:
        try:
            threading.Thread(target=self._revive, args=(after,), name=f"memcached:{self.name}", daemon=True).start()
        except RuntimeError:  # there may be no more threads now; the next call that fails tries again
            self.answers = True

    def _revive(self, after: float) -> None:
        time.sleep(after)
        for tries in itertools.count(1):
            if self._is_closed:
                return
            try:
                self._reach()
            except Exception as error:
                if not self._looked.is_set():
                    log.warning("memcached %s does not answer (%s)", self.name, type(error).__name__)
                    self._looked.set()
                time.sleep(_nth(TRIES, tries))
            else:
                self.answers = True
                if self._looked.is_set():
                    log.warning("memcached %s answers again", self.name)
                self._looked.set()
                return


def _is_large(question: Question[Any]) -> bool:
    return isinstance(question, Write) and len(question.value) > LARGE


def _nth(pauses: tuple[float, ...], number: int) -> float:
    """Counted from 1; the last one is that of all that follow."""
    return pauses[min(number, len(pauses)) - 1]


def _resolved(name: str) -> list[Address]:
    """Looked up here alone, where no call waits for it: names can take their time. Raises OSError."""
    if name.startswith("unix:"):
        return [name.removeprefix("unix:")]
    host, _, port = name.rpartition(":")
    found = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)
    return list(dict.fromkeys((str(entry[4][0]), int(entry[4][1])) for entry in found))
