"""Ends upstream calls whose time is up, whose client has left or whose worker stops, also while a read blocks.

A socket's own timeout bounds one silence, not a slow drip, and nothing tells a sleeping reader that nobody waits for
its answer any more. So each call has a Guard, and one thread a worker looks at all of them four times a second: at the
clock, and with a single poll at every client's socket. What it finds it notes in the Guard first and then shuts the
upstream's socket down, which wakes a blocked read at once; the reader looks at the Guard to learn why.
"""

from __future__ import annotations

import logging
import select
import threading
from collections.abc import Callable
from typing import Protocol

from app.core.clock import Clock
from app.core.errors import ErrorType, GatewayError

log = logging.getLogger(__name__)

INTERVAL = 0.25  # seconds between two looks
NEVER = float("inf")
_LEFT = select.POLLRDHUP | select.POLLHUP | select.POLLERR | select.POLLNVAL


class Poll(Protocol):
    """What `select.poll()` gives; gevent's own would be slower, so that the worker hands in the operating system's."""

    def register(self, fd: int, eventmask: int, /) -> None: ...
    def unregister(self, fd: int, /) -> None: ...
    def poll(self, timeout: float | None = None, /) -> list[tuple[int, int]]: ...


class Guard:
    """One call's clock and client. `due` may be moved at any time by the call's own thread."""

    __slots__ = ("_clock", "_hang_up", "_ring", "closed", "due", "fd", "gone", "late")

    def __init__(self, clock: Clock, fd: int | None) -> None:
        self.fd = fd
        self.due = NEVER  # monotonic
        self.gone = False  # the client has left
        self.late = False  # `due` has passed
        self.closed = False  # this worker stops, and will not wait for it
        self._clock = clock
        self._hang_up: Callable[[], None] | None = None
        self._ring: threading.Event | None = None

    def hold(self, hang_up: Callable[[], None]) -> None:
        """From now on this wakes a read that blocks. Raises if it is too late already."""
        self._hang_up = hang_up
        self.check("")

    def renew(self) -> None:
        """Another attempt begins: the last one's time does not count any more. A client that left has left."""
        self._hang_up = None
        self.due = NEVER
        self.late = False

    def let_go(self) -> None:
        self._hang_up = None

    def check(self, provider: str) -> None:
        """Raises GatewayError if the call should not go on."""
        if self.gone:
            raise GatewayError(ErrorType.CANCELLED, "the client left")
        if self.closed:
            message = "the gateway is shutting down, and this call did not end in time"
            raise GatewayError(ErrorType.SHUTTING_DOWN, message, retry_after=1.0)
        if self.late:
            message = f"provider {provider} did not answer in time"
            raise GatewayError(ErrorType.TIMEOUT, message, provider=provider, silent=True)

    def wait(self, seconds: float, ring: threading.Event | None = None, *, provider: str = "") -> None:
        """Let time pass, before another attempt say, or until somebody rings.

        Ends early, and raises, when the call should not go on. `provider`: for whose answer it waits.
        """
        self._ring = ring = ring or threading.Event()
        if not (self.gone or self.late or self.closed) and seconds > 0:
            ring.wait(seconds)
        self._ring = None
        self.check(provider)

    def until(self, ready: threading.Event, provider: str) -> None:
        """Wait for somebody else, who sets `ready`, and so does `ring()`: it must be this call's alone."""
        self._ring = ready
        if not self.gone and not self.late:
            ready.wait()
        self._ring = None
        self.check(provider)

    def expire(self, now: float) -> None:
        """Its time was up a moment ago; unless its call has gone on to another attempt meanwhile."""
        if self.due <= now:
            self.late = True
            self.ring()

    def ring(self) -> None:
        """Something was noted: wake whoever waits."""
        if self._ring is not None:
            self._ring.set()
        if self._hang_up is not None:
            try:
                self._hang_up()
            except (OSError, ValueError, RuntimeError, AttributeError):
                self._hang_up = None  # it was being closed at this very moment: nothing blocks there


class Watch:
    """All guards of a worker."""

    def __init__(self, clock: Clock, poll: Poll) -> None:
        self._clock = clock
        self._poll = poll
        self._lock = threading.Lock()
        self._guards: dict[int, Guard] = {}
        self._clients: dict[int, Guard] = {}
        self._stop = threading.Event()

    def start(self) -> None:
        threading.Thread(target=self._run, name="watch", daemon=True).start()

    def stop(self) -> None:
        self._stop.set()

    def begin(self, fd: int | None) -> Guard:
        """`fd`: the client's socket, None where there is none to look at."""
        guard = Guard(self._clock, fd)
        with self._lock:
            self._guards[id(guard)] = guard
            if fd is not None:
                self._clients[fd] = guard
                self._poll.register(fd, select.POLLRDHUP)
        return guard

    def end(self, guard: Guard) -> None:
        """Idempotent."""
        with self._lock:
            if self._guards.pop(id(guard), None) is not None and self._clients.get(guard.fd or -1) is guard:
                del self._clients[guard.fd or -1]
                self._poll.unregister(guard.fd or -1)

    def close(self) -> None:
        """End every call that runs, as `shutting_down`."""
        with self._lock:
            open_ = [guard for guard in self._guards.values() if not guard.closed]
        for guard in open_:
            guard.closed = True
            guard.ring()

    def look(self) -> None:
        """Once over everybody."""
        with self._lock:
            for fd, events in self._poll.poll(0):
                if events & _LEFT and not self._clients[fd].gone:
                    self._clients[fd].gone = True
                    self._clients[fd].ring()
            now = self._clock.monotonic()
            late = [guard for guard in self._guards.values() if guard.due <= now and not guard.late]
        for guard in late:
            guard.expire(now)

    def _run(self) -> None:
        while not self._stop.wait(INTERVAL):
            try:
                self.look()
            except Exception:  # nothing else bounds a read: whatever happens, the next look must come
                log.exception("a look at the calls failed")
