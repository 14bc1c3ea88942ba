"""Which of the kept answers are still wanted: each key holds a generation of its tenant, and one of everybody.

Whoever raises a generation (`llm-gateway cache flush`) makes everything that was kept before unfindable, in every
worker and replica as soon as it looks again, once a second. A generation that the store has lost is begun anew, which
is a flush as well: better too few answers than some that were to be forgotten. A generation is a time and a signature;
an older one than this process has seen before is not believed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.cache.entry import Seal
from app.core.clock import Clock
from app.store.store import Claim, Store, key

EVERYBODY = ""  # no tenant has this name
LOOK = 1.0  # seconds between two looks at the same one
GRACE = 2.0  # and so many more, while a look fails, before what was seen counts for nothing

_TIME = 8


@dataclass(frozen=True, slots=True)
class _Seen:
    number: bytes  # nanoseconds, big-endian: later ones compare as greater
    at: float  # monotonic
    next: float  # when to look again


class Generations:
    """Of one process. A tenant None stands for the answers that are shared."""

    def __init__(self, seal: Seal, clock: Clock) -> None:
        self._seal = seal
        self._clock = clock
        self._seen: dict[str | None, _Seen] = {}  # by tenant

    def current(self, store: Store, tenant: str | None) -> bytes | None:
        """None: nobody could be asked."""
        seen, now = self._seen.get(tenant), self._clock.monotonic()
        if seen is not None and now < seen.next:
            return seen.number
        if seen is not None:
            self._seen[tenant] = replace(seen, next=now + LOOK)  # one call looks, those beside it go on
        number = self._look(store, place(tenant), seen.number if seen is not None else b"")
        if number is not None:
            self._seen[tenant] = _Seen(number, now, now + LOOK)
            return number
        if seen is not None and now < seen.at + LOOK + GRACE:
            return seen.number
        self._seen.pop(tenant, None)
        return None

    def forget(self, store: Store, tenant: str | None) -> bool:
        """Raise it. Whether that is done: the store may be gone."""
        at = place(tenant)
        found = store.read(at)
        number = self._fresh(self._believed(at, found.value) or b"")
        return found.asked and store.write(at, self._signed(at, number), 0)

    def _look(self, store: Store, at: str, least: bytes) -> bytes | None:
        found = store.read(at)
        if not found.asked:
            return None
        number = self._believed(at, found.value)
        if number is not None and number >= least:
            return number
        if number is None and found.value is None and not least:
            number = self._fresh(b"")
            claimed = store.claim(at, self._signed(at, number), 0)
            if claimed is Claim.TAKEN:  # by another worker, just now
                return self._believed(at, store.read(at).value)
            return number if claimed is Claim.WON else None
        number = least or self._fresh(b"")
        return number if store.write(at, self._signed(at, number), 0) else None

    def _fresh(self, after: bytes) -> bytes:
        now = int(self._clock.time() * 1e9)
        return max(now, int.from_bytes(after, "big") + 1).to_bytes(_TIME, "big")

    def _signed(self, at: str, number: bytes) -> bytes:
        return number + self._seal.tag(at, number)

    def _believed(self, at: str, value: bytes | None) -> bytes | None:
        if value is None or not self._seal.is_good(at, value[_TIME:], value[:_TIME]):
            return None
        return value[:_TIME]


def place(tenant: str | None) -> str:
    """The key under which it is kept."""
    return key("generation", *(() if tenant is None else (tenant,)))
