"""One call in place of many that ask for the same at the same time.

The first of them in a worker leads, and the others wait for what becomes of it. Where workers share a store, leaders
claim the question there, and one of them asks the provider; the others look for its answer. A claim is renewed as long
as its holder lives, so that a killed worker's runs out within seconds. Who fails gives it back, and the next one tries.
"""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass, field
from enum import Enum

from app.cache.entry import Entry
from app.core.clock import Clock
from app.store.store import Claim, Store
from app.upstream.watch import Guard

TTL = 5  # seconds that a claim outlives its holder
RENEW = 1.5  # seconds after which it is renewed, by a look once a second

OPEN = b"open"  # in place of a claim: the answer is there, or is not one to be kept; nobody need wait
OPEN_TTL = 2


class End(Enum):
    FAILED = "failed"
    NOT_KEPT = "not kept"


@dataclass(slots=True)
class Flight:
    """A call that leads, and those that wait for it."""

    lock: threading.Lock
    waiting: list[threading.Event] = field(default_factory=list)
    end: Entry | End | None = None

    def wait(self, guard: Guard, seconds: float) -> Entry | End | None:
        """What became of it; None: nothing yet. Raises GatewayError when the client leaves."""
        with self.lock:
            if self.end is not None:
                return self.end
            ring = threading.Event()
            self.waiting.append(ring)
        try:
            guard.wait(seconds, ring)
        finally:
            with self.lock:
                self.waiting.remove(ring)
        return self.end


@dataclass(slots=True)
class _Held:
    store: Store
    key: str
    value: bytes  # another one after each renewal, so that others see that its holder lives
    renewed: float  # monotonic


class Claims:
    """What this worker has claimed in a shared store."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._held: dict[bytes, _Held] = {}

    def claim(self, store: Store, key: str) -> tuple[Claim, bytes]:
        """How it went, and the token by which it is given back."""
        token = secrets.token_bytes(12)
        went = store.claim(key, token, TTL)
        if went is Claim.WON:
            with self._lock:
                self._held[token] = _Held(store, key, token, self._clock.monotonic())
        return went, token

    def give_back(self, token: bytes, *, open_: bool) -> None:
        """`open_`: it went well."""
        with self._lock:
            held = self._held.pop(token)
        if open_:
            held.store.write(held.key, OPEN, OPEN_TTL)
        else:
            held.store.release(held.key, held.value)

    def renew(self) -> None:
        """For the tick."""
        now = self._clock.monotonic()
        for token in list(self._held):
            with self._lock:  # so that none is renewed after it was given back
                held = self._held.get(token)
                if held is not None and now - held.renewed >= RENEW:
                    held.renewed, held.value = now, secrets.token_bytes(12)
                    held.store.write(held.key, held.value, TTL)


class Flights:
    """Of one worker, for all its life."""

    def __init__(self, clock: Clock) -> None:
        self.claims = Claims(clock)
        self._lock = threading.Lock()
        self._flights: dict[str, Flight] = {}

    def join(self, key: str) -> tuple[Flight, bool]:
        """The flight, and whether the caller leads it; who leads must end it."""
        with self._lock:
            flight = self._flights.get(key)
            if flight is not None:
                return flight, False
            flight = self._flights[key] = Flight(self._lock)
            return flight, True

    def end(self, key: str, flight: Flight, end: Entry | End) -> None:
        with self._lock:
            if self._flights.get(key) is flight:
                del self._flights[key]
            flight.end = end
            for ring in flight.waiting:
                ring.set()
