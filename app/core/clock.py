"""Time as something that is handed in, so that a test can hold it still."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Protocol


class Clock(Protocol):
    def monotonic(self) -> float:
        """Seconds since some fixed instant; never goes back."""

    def time(self) -> float:
        """Unix seconds: for what other machines must agree on, and for nothing else."""

    def sleep(self, seconds: float) -> None:
        """Let this long pass."""


class SystemClock:
    def monotonic(self) -> float:
        return time.monotonic()

    def time(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Deadline:
    """The monotonic instant by which the last byte must have left."""

    at: float
    clock: Clock

    def left(self) -> float:
        """Seconds, never negative."""
        return max(0.0, self.at - self.clock.monotonic())
