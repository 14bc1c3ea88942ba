"""Kept answers in the store, sealed; every look and every write is counted."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import NamedTuple

from app.cache.entry import Corrupt, Entry, Seal
from app.cache.flights import OPEN, is_claim
from app.core.clock import Clock
from app.store.store import Found, Store, Write

Count = Callable[[str, str], None]
"""Called with operation and result: get hit | miss | error, set ok | skipped | error, delete ok | error."""


class Looked(Enum):
    FOUND = "found"
    NOTHING = "nothing"
    OURS = "ours"  # nothing, and the claim is this call's now
    CLAIMED = "claimed"  # somebody asks at the moment
    OPEN = "open"  # somebody has asked just now, and the answer was none to be kept
    CORRUPT = "corrupt"  # something that nobody of us wrote
    GONE = "gone"  # nobody could be asked


class Look(NamedTuple):
    how: Looked
    entry: Entry | None = None
    claim: bytes = b""


class Shelf:
    """Belongs to a configuration; the store is that of the call."""

    def __init__(self, seal: Seal, clock: Clock, count: Count) -> None:
        self.count = count
        self._seal = seal
        self._clock = clock

    def look(self, store: Store, key: str) -> Look:
        """Not counted: a call may look several times."""
        return self.judge(store, key, store.read(key))

    def judge(self, store: Store, key: str, found: Found) -> Look:
        """What that read has come to."""
        value = found.value
        if value is None:
            return Look(Looked.NOTHING if found.asked else Looked.GONE)
        if is_claim(value):
            return Look(Looked.CLAIMED, claim=value)
        if value == OPEN:
            return Look(Looked.OPEN)
        try:
            entry = self._seal.open(key, value)
        except Corrupt:
            self.count("delete", "ok" if store.drop(key) else "error")
            return Look(Looked.CORRUPT)
        if self._clock.time() < entry.ends:
            return Look(Looked.FOUND, entry)
        store.release(key, value)  # it stands in the way of a claim
        return Look(Looked.NOTHING)

    def put(self, store: Store, key: str, entry: Entry, then: Callable[[bool], None]) -> None:
        """With what the call has to tell the store beside that; `then` is told whether it is there now."""

        def written(done: bool) -> None:
            self.count("set", "ok" if done else "error")
            then(done)

        store.soon(Write(key, self._seal.close(key, entry), entry.ends - entry.made), written)
