"""How many calls a worker works on at a time, and how many more may wait for their turn; the rest are told so at once.

Nothing of a refused call has been read by then, so that refusing stays cheap when there is too much to do.
"""

from __future__ import annotations

import threading
from collections import deque

from app.core.errors import ErrorType, GatewayError
from app.core.exchange import Observer, Outcome

LONGEST_WAIT = 10.0  # seconds in the queue; who has waited that long will rather try somewhere else
RETRY_AFTER = 1.0


class Doors:
    """Of one worker, for all its life. Places are handed on in the order of arrival."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._queue: deque[threading.Event] = deque()

    def enter(self, most: int, queue: int, longest_wait: float = LONGEST_WAIT) -> Inside:
        """Take a place, after a wait if need be. `most` inside, `queue` waiting.

        Raises:
            GatewayError: saturated.
        """
        with self._lock:
            if self._inside < most and not self._queue:
                self._inside += 1
                return Inside(self)
            if len(self._queue) >= queue:
                raise _full()
            turn = threading.Event()
            self._queue.append(turn)
        if not turn.wait(longest_wait):
            with self._lock:
                if not turn.is_set():
                    self._queue.remove(turn)
                    raise _full()
        return Inside(self, waited=True)

    @property
    def calls(self) -> int:
        """How many are here, those that wait included."""
        return self._inside + len(self._queue)

    def leave(self) -> None:
        with self._lock:
            if self._queue:
                self._queue.popleft().set()
            else:
                self._inside -= 1


class Inside(Observer):
    """A place, given back at the end of the call or before there is one."""

    __slots__ = ("_doors", "_left", "waited")

    def __init__(self, doors: Doors, *, waited: bool = False) -> None:
        self.waited = waited
        self._doors = doors
        self._left = False

    def on_end(self, outcome: Outcome) -> None:
        self.leave()

    def leave(self) -> None:
        """Idempotent."""
        if not self._left:
            self._left = True
            self._doors.leave()


def _full() -> GatewayError:
    message = "the gateway has as many calls as it can take; try again in a moment"
    return GatewayError(ErrorType.SATURATED, message, retry_after=RETRY_AFTER)
