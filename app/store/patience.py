"""How long a call may wait for memcached, and how many calls of a worker may.

What is answered within GRACE is service, not waiting, and costs nothing. A call that waits longer needs one of its
worker's few seats, and all its waiting has an end together, whatever it asks for and how often. So a server that falls
silent delays a handful of calls, each of them once, and one that is slow is waited for by no more at a time. What goes
on beside calls needs no seat: nobody waits for it.
"""

from __future__ import annotations

import threading
from collections import deque

from app.core.clock import Clock
from app.store.places import Places

GRACE = 0.2  # of the time that a call has: so long it may wait without a seat
AFTER = 0.1  # of a grace, for those behind: whoever asks has come to the end of its own by then
SEATS = 5
EVERY = 2.0  # seconds until a seat is free again whose call has waited in vain
PIECE = 65_536  # bytes: whoever has moved so many is not silent, and its grace begins anew
LEAST = 0.001  # seconds; a socket takes 0 for something else


class Crowded(Exception):
    """The server is slow, and no more calls may wait for it."""


class Seats:
    """Of one worker, whichever server is slow: SEATS calls wait at a time, and as many in vain in any EVERY seconds."""

    def __init__(self, clock: Clock, seats: int = SEATS, every: float = EVERY) -> None:
        self.lock = threading.Lock()
        self._clock = clock
        self._every = every
        self._free = deque([float("-inf")] * seats)  # when each that nobody has may be taken: the first one first

    @property
    def has_free(self) -> bool:
        with self.lock:
            return self._may_take()

    def take(self) -> None:
        """Under the lock. Raises Crowded."""
        if not self._may_take():
            raise Crowded
        self._free.popleft()

    def leave(self, *, answered: bool) -> None:
        """Under the lock."""
        if answered:
            self._free.appendleft(float("-inf"))
        else:
            self._free.append(self._clock.monotonic() + self._every)

    def _may_take(self) -> bool:
        return bool(self._free) and self._free[0] <= self._clock.monotonic()


class Queue:
    """Of the calls that wait for one server."""

    def __init__(self, seats: Seats) -> None:
        self._seats = seats
        self._sitting = 0
        self._has_turned_away = False  # somebody, since a seat was taken last

    @property
    def moves(self) -> bool:
        """Whether nobody waits long: who is in front of us is being served."""
        return not self._sitting

    @property
    def is_closed(self) -> bool:
        """It is known to be slow, and there is no seat: nobody should begin to ask."""
        return bool(self._sitting or self._has_turned_away) and not self._seats.has_free

    def sit(self) -> None:
        """Raises Crowded."""
        with self._seats.lock:
            self._has_turned_away = True
            self._seats.take()
            self._has_turned_away = False
            self._sitting += 1

    def rise(self, *, answered: bool) -> None:
        with self._seats.lock:
            self._sitting -= 1
            self._seats.leave(answered=answered)


class Patience:
    """One call's, with all servers. `seats` None: no call waits, and each operation has all of the time."""

    def __init__(self, seconds: float, clock: Clock, seats: Seats | None = None) -> None:
        self.clock = clock
        self.seconds = seconds
        self.is_of_a_call = seats is not None
        self.grace = GRACE * seconds if self.is_of_a_call else seconds
        self.waited = 0.0  # seconds, for what was not answered soon
        self.waits = 0  # that took a seat, in vain

    @property
    def left(self) -> float:
        """Seconds; not above LEAST: nobody should ask any more."""
        return self.seconds - self.waited

    def begin(self, queue: Queue) -> Wait | None:
        """For one operation. None: nobody should ask."""
        return Wait(self, queue) if self.may_ask(queue) else None

    def may_ask(self, queue: Queue) -> bool:
        return not self.is_of_a_call or (self.left > LEAST and not queue.is_closed)

    def behind(self, lock: threading.Lock) -> bool:
        """Take a lock that another call holds while it asks, within GRACE."""
        if lock.acquire(blocking=False):
            return True
        began, most = self.clock.monotonic(), max(0.0, min(self.grace, self.left))
        got = lock.acquire(timeout=most)
        self.spend(min(most, self.clock.monotonic() - began))  # what is later than that is this worker's doing
        return got

    def spend(self, seconds: float) -> None:
        if self.is_of_a_call:
            self.waited += seconds


class Wait:
    """For one operation, from its way to a connection to its answer."""

    __slots__ = ("_began", "_counts", "_ends", "_is_sitting", "_limit", "_moved", "_now", "_patience", "_queue")

    def __init__(self, patience: Patience, queue: Queue) -> None:
        self._patience = patience
        self._queue = queue
        self._now = patience.clock.monotonic
        self._began = began = self._now()
        left, grace = patience.left, patience.grace
        self._ends = began + left
        self._limit = began + (grace if grace < left else left)  # of the present wait
        self._moved = 0  # bytes, of the present piece
        self._is_sitting = False
        self._counts = False  # as waiting: it was for others, and longer than a grace

    @property
    def left(self) -> float:
        """Seconds until longer() must be asked."""
        left = self._limit - self._now()
        return left if left > LEAST else LEAST

    def moved(self, size: int) -> None:
        """So many bytes have gone or come."""
        self._moved += size
        if self._moved >= PIECE:
            self._moved %= PIECE
            self._goes_on()

    def longer(self) -> None:
        """Nothing happened until then. Take a seat, and there are `left` more.

        Raises TimeoutError: the server is to blame; Crowded: there is no seat, or too little time was left to blame it.
        """
        if self._is_sitting or not self._patience.is_of_a_call:
            raise Crowded if self._counts else TimeoutError
        if self._now() >= self._ends:
            raise Crowded
        self._sit()

    def place(self, places: Places) -> None:
        """One of the connections. Nobody needs a seat as long as those who have one are served. Raises Crowded."""
        if places.take():
            return
        while not places.wait(self.left):
            if not self._queue.moves or self._now() >= self._ends:
                raise Crowded
            self._counts = True
            self._goes_on()
        if self._counts:
            self._goes_on()

    def through(self, told: threading.Event) -> None:
        """Until somebody else has asked for us, or we are to ask. Nobody needs a seat as long as the queue moves.

        Raises Crowded: whoever asks is the one to blame the server.
        """
        self._limit = min(self._limit + AFTER * self._patience.grace, self._ends)
        while not told.wait(self.left):
            if self._is_sitting or self._now() >= self._ends:
                raise Crowded
            self._counts = True
            if not self._queue.moves:
                self._sit()
            self._goes_on()
        self._goes_on()

    def over(self, *, answered: bool) -> None:
        if self._is_sitting:
            self._queue.rise(answered=answered)
            self._patience.waits += not answered
        if self._is_sitting or self._counts or not answered:
            until = min(self._limit, self._now())  # what is later than that is this worker's doing
            self._patience.spend(max(0.0, until - self._began))

    def _sit(self) -> None:
        self._queue.sit()
        self._is_sitting = True
        self._limit = self._ends

    def _goes_on(self) -> None:
        if not self._is_sitting:
            self._limit = min(self._now() + self._patience.grace, self._ends)
