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
from itertools import count

from app.cache.entry import Entry
from app.core.clock import Clock
from app.store.store import ClaimOrRead, Store
from app.upstream.watch import Guard

TTL = 5  # seconds that a claim outlives its holder
RENEW = 1.5  # seconds after which it is renewed, by a look once a second

OPEN = b"!"  # in place of a claim: the answer was none to be kept, and nobody need wait for the next one
OPEN_TTL = 2
_CLAIM = b"?"  # a claim stands where the answer will, and is far shorter than any
_TOKEN, _NAME = 14, 8  # bytes that follow, and of those the worker's


def is_claim(value: bytes) -> bool:
    return len(value) == len(_CLAIM) + _TOKEN and value.startswith(_CLAIM)


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


@dataclass(slots=True, eq=False)
class Held:
    """A claim that is this worker's."""

    key: str
    value: bytes  # another one after each renewal, so that others see that its holder lives
    renewed: float  # monotonic


class Claims:
    """What this worker has claimed in a shared store. Nobody holds the lock while asking it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._held: set[Held] = set()
        self._name = secrets.token_bytes(_NAME)
        self._numbers = count()

    def question(self, key: str) -> ClaimOrRead:
        """Whether the claim is to be had, and what stands there if it is not."""
        return ClaimOrRead(key, self._new(), TTL)

    def _new(self) -> bytes:
        """As no worker has made before."""
        return _CLAIM + self._name + next(self._numbers).to_bytes(_TOKEN - _NAME, "big")

    def won(self, question: ClaimOrRead) -> Held:
        """To be given back."""
        held = Held(question.key, question.value, self._clock.monotonic())
        with self._lock:
            self._held.add(held)
        return held

    def give_back(self, store: Store, held: Held, *, replaced: bool, open_: bool) -> None:
        """`replaced`: the answer stands there now. `open_`: there was one that is not kept."""
        with self._lock:
            self._held.remove(held)
        if replaced:
            return
        if open_:
            store.swap(held.key, held.value, OPEN, OPEN_TTL)
        else:
            store.release(held.key, held.value)

    def renew(self, store: Store) -> None:
        """For the tick."""
        now = self._clock.monotonic()
        with self._lock:
            due = [held for held in self._held if now - held.renewed >= RENEW]
        for held in due:
            held.renewed = now
            self._renew(store, held)

    def _renew(self, store: Store, held: Held) -> None:
        """Unless somebody has put an answer there meanwhile: a stream, say."""
        value = self._new()
        if not store.swap(held.key, held.value, value, TTL):
            return
        with self._lock:
            if held in self._held:
                held.value = value
                return
        store.release(held.key, value)  # it was given back in between


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
            flight.end = flight.end or end
            for ring in flight.waiting:
                ring.set()

    def answer(self, key: str, entry: Entry) -> None:
        """Whoever leads there, this is what it wants: a call beside it had the claim."""
        with self._lock:
            flight = self._flights.get(key)
        if flight is not None:
            self.end(key, flight, entry)
