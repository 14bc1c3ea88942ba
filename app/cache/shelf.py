"""Kept answers in the store, sealed; every look and every write is counted."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from app.cache.entry import Corrupt, Entry, Seal
from app.core.clock import Clock
from app.store.store import Store

Count = Callable[[str, str], None]
"""Called with operation and result: get hit | miss | error, set ok | skipped | error, delete ok | error."""


class Looked(Enum):
    FOUND = "found"
    NOTHING = "nothing"
    CORRUPT = "corrupt"  # something that nobody of us wrote
    GONE = "gone"  # nobody could be asked


class Shelf:
    def __init__(self, store: Store, seal: Seal, clock: Clock, count: Count) -> None:
        self.store = store
        self.count = count
        self._seal = seal
        self._clock = clock

    def look(self, key: str) -> tuple[Looked, Entry | None]:
        """Not counted: a call may look several times."""
        found = self.store.read(key)
        if found.value is None:
            return (Looked.NOTHING if found.asked else Looked.GONE), None
        try:
            entry = self._seal.open(key, found.value)
        except Corrupt:
            self.count("delete", "ok" if self.store.drop(key) else "error")
            return Looked.CORRUPT, None
        return (Looked.FOUND, entry) if self._clock.time() < entry.ends else (Looked.NOTHING, None)

    def put(self, key: str, entry: Entry) -> None:
        ttl = entry.ends - entry.made
        self.count("set", "ok" if self.store.write(key, self._seal.close(key, entry), ttl) else "error")
