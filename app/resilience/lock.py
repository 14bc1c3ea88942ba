"""A lock among all workers of an instance that never stops one of them."""

from __future__ import annotations

import fcntl
import threading
from collections import deque
from collections.abc import Callable
from typing import TypeVar

from app.core.clock import Clock

PATIENCE = 0.005  # seconds that a turn is waited for
_SPINS = 20  # tries before the first pause: a turn takes microseconds, a pause at least 50 of them
_PAUSE = 0.0002
_SULK = 0.1  # seconds without any pause, after some were in vain: whoever has the lock may have been stopped
_PUT_OFF = 10_000  # jobs that wait for a turn; of more, the oldest are forgotten
_A_TURN = 100  # of those that are done in one

Answer = TypeVar("Answer")


class BriefLock:
    """One flock on an open file, behind one for the threads of this process.

    flock is tried without blocking, since a worker that sleeps in the kernel holds up all its calls; between two tries
    the clock's sleep lets others run. The kernel frees it with its owner, at whatever death. Without a file the lock is
    this process's own.
    """

    def __init__(self, clock: Clock, fd: int | None) -> None:
        self._clock = clock
        self._fd = fd
        self._inner = threading.Lock()
        self._patient_from = 0.0
        self._late: deque[Callable[[], object]] = deque(maxlen=_PUT_OFF)

    def do(self, job: Callable[[], Answer]) -> Answer | None:
        """What the job says; None where it was not done, since somebody else had the lock all the time."""
        if not self._take():
            return None
        try:
            self._catch_up()
            return job()
        finally:
            self._give_back()

    def do_or_put_off(self, job: Callable[[], Answer]) -> Answer | None:
        """The same, but what could not be done is done in this process's next turn."""
        if not self._take():
            self._late.append(job)
            return None
        try:
            self._catch_up()
            return job()
        finally:
            self._give_back()

    def catch_up(self) -> bool:
        """Do what was put off, if there is anything; False where some is left."""
        while self._late:
            if self.do(lambda: True) is None:
                return False
        return True

    def _catch_up(self) -> None:
        for _ in range(min(len(self._late), _A_TURN)):
            self._late.popleft()()

    def _take(self) -> bool:
        at_once = self._inner.acquire(blocking=False)
        if not at_once and not self._inner.acquire(timeout=PATIENCE):
            return False
        got = False
        try:
            got = self._fd is None or self._try(self._fd) or (at_once and self._wait(self._fd))
        finally:
            if not got:
                self._inner.release()
        return got

    def _give_back(self) -> None:
        try:
            if self._fd is not None:
                fcntl.flock(self._fd, fcntl.LOCK_UN)
        finally:
            self._inner.release()

    def _wait(self, fd: int) -> bool:
        if any(self._try(fd) for _ in range(_SPINS)):
            return True
        began = self._clock.monotonic()
        if began < self._patient_from:
            return False
        while self._clock.monotonic() - began < PATIENCE:
            self._clock.sleep(_PAUSE)
            if self._try(fd):
                return True
        self._patient_from = self._clock.monotonic() + _SULK
        return False

    @staticmethod
    def _try(fd: int) -> bool:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
