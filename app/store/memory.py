"""A worker's own memory as a store: for gateways without memcached, and for tests. Nobody else sees it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence

from app.core.clock import Clock
from app.store.store import A, Claim, Found, Question, Step, Store, nothing

MOST = 64 * 1024 * 1024  # bytes of keys and values; what was not used for the longest time goes first
_EACH = 200  # bytes that an entry costs beside them


class Memory:
    """Implements Store; nobody is ever gone."""

    is_shared = False
    waited = 0.0
    waits = 0

    def __init__(self, clock: Clock, most: int = MOST) -> None:
        self._clock = clock
        self._most = most
        self._lock = threading.Lock()
        self._entries: OrderedDict[str, tuple[bytes, float]] = OrderedDict()  # value, and when it ends
        self._size = 0

    def for_call(self) -> Store:
        return self

    def behind(self, lock: threading.Lock) -> bool:
        return lock.acquire()

    def gone(self) -> Sequence[str]:
        return ()

    def look(self) -> None:
        """There is nobody to ask."""

    def read(self, key: str) -> Found:
        with self._lock:
            return Found(self._get(key))

    def write(self, key: str, value: bytes, ttl: int) -> bool:
        with self._lock:
            return self._set(key, value, self._ends(ttl))

    def claim(self, key: str, value: bytes, ttl: int) -> Claim:
        with self._lock:
            if self._get(key) is not None:
                return Claim.TAKEN
            return Claim.WON if self._set(key, value, self._ends(ttl)) else Claim.GONE

    def swap(self, key: str, value: bytes, by: bytes, ttl: int) -> bool:
        with self._lock:
            return self._get(key) == value and self._set(key, by, self._ends(ttl))

    def release(self, key: str, value: bytes) -> bool:
        with self._lock:
            if self._get(key) != value:
                return False
            self._forget(key)
            return True

    def drop(self, key: str) -> bool:
        with self._lock:
            self._forget(key)
            return True

    def tally(self, place: str, steps: Sequence[Step]) -> Sequence[int | None] | None:
        with self._lock:
            return [self._step(step) for step in steps]

    def soon(self, question: Question[A], then: Callable[[A], object]) -> Callable[[], None]:
        then(question.of(self))
        return nothing

    def flush(self) -> None:
        """There is no way that would be saved by waiting."""

    def _step(self, step: Step) -> int | None:
        found = self._get(step.key)
        if found is None:
            if step.first is None or not self._set(step.key, b"%d" % step.first, self._ends(step.ttl)):
                return None
            return step.first
        if not found.isdigit():
            return None
        number = int(found)
        if step.by is not None:
            number = max(0, number + step.by)
            ends = self._ends(step.ttl) if step.renew else self._entries[step.key][1]
            self._set(step.key, b"%d" % number, ends)
        return number

    def _ends(self, ttl: int) -> float:
        return self._clock.monotonic() + ttl if ttl else float("inf")

    def _get(self, key: str) -> bytes | None:
        found = self._entries.get(key)
        if found is None:
            return None
        if found[1] <= self._clock.monotonic():
            self._forget(key)
            return None
        self._entries.move_to_end(key)
        return found[0]

    def _set(self, key: str, value: bytes, ends: float) -> bool:
        self._forget(key)
        if _cost(key, value) > self._most:
            return False
        self._entries[key] = value, ends
        self._size += _cost(key, value)
        while self._size > self._most:
            self._forget(next(iter(self._entries)))
        return True

    def _forget(self, key: str) -> None:
        found = self._entries.pop(key, None)
        if found is not None:
            self._size -= _cost(key, found[0])


def _cost(key: str, value: bytes) -> int:
    return len(key) + len(value) + _EACH
