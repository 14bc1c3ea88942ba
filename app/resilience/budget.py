"""How many repeats a provider can be asked to bear: one for every five first attempts.

Without a bound a provider that fails gets twice the calls that brought it down. A small stock and a slow drip let the
few calls of a quiet gateway be repeated, too.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from app.core.clock import Clock

SHARE = 0.2  # of a repeat, earned by each first attempt
FLOOR = 0.1  # repeats a second, earned by waiting
STOCK = 10.0  # repeats that can be saved up, and that a provider begins with


@dataclass(slots=True)
class _Purse:
    repeats: float
    since: float  # monotonic; what waiting has earned is included up to here


class RetryBudget:
    """Of all providers, for this process and all its life."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._purses: dict[str, _Purse] = {}

    def first(self, provider: str) -> None:
        """A call asks one of the provider's targets for the first time."""
        with self._lock:
            self._of(provider).repeats += SHARE

    def spend(self, provider: str) -> bool:
        """Take one repeat out; False where there is none, and the target must not be asked again."""
        with self._lock:
            purse = self._of(provider)
            if purse.repeats < 1.0:
                return False
            purse.repeats -= 1.0
            return True

    def _of(self, provider: str) -> _Purse:
        now = self._clock.monotonic()
        purse = self._purses.setdefault(provider, _Purse(STOCK, now))
        purse.repeats = min(STOCK, purse.repeats + FLOOR * (now - purse.since))
        purse.since = now
        return purse
