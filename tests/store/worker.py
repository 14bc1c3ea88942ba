"""A worker as calls that wait for memcached see it, on a clock that a test moves."""

from typing import Any

import pytest

from app.store.patience import GRACE, Crowded, Patience, Queue, Seats
from tests.clock import ManualClock

TIME = 1.0  # seconds that a call has
SOON = GRACE * TIME


class Worker:
    def __init__(self) -> None:
        self.clock = ManualClock(100.0)
        self.seats = Seats(self.clock)
        self.queue = Queue(self.seats)

    def call(self) -> Patience:
        return Patience(TIME, self.clock, self.seats)

    def waits(self, patience: Patience, seconds: float, queue: Queue | None = None) -> bool:
        """Whether it is let wait so long, in vain."""
        wait = patience.begin(queue or self.queue)
        assert wait is not None
        self.clock.sleep(min(seconds, wait.left))
        try:
            if seconds > SOON:
                wait.longer()
                self.clock.sleep(min(seconds - SOON, wait.left))
        except Crowded:
            return False
        finally:
            wait.over(answered=False)
        return True


def about(seconds: float) -> Any:
    return pytest.approx(seconds, abs=0.002)


def comes(instant: float, clock: ManualClock, seconds: float) -> bool:
    """Whether that comes before so many seconds are over; the clock goes on until then."""
    if clock.now + seconds >= instant:
        clock.now = max(clock.now, instant)
        return True
    clock.sleep(seconds)
    return False
