"""What a store can do, whether memcached or a worker's own memory stands behind it.

No method raises. Each says what it answers when nobody could be asked: the server is gone, silent, full, or talks
nonsense. Callers decide by that answer, so that a call never fails for want of a store.
"""

from __future__ import annotations

import hashlib
import threading
from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Generic, NamedTuple, Protocol, TypeVar

LONGEST_TTL = 30 * 86_400  # seconds; memcached reads a larger number as a date

A = TypeVar("A")


def key(*parts: str | bytes) -> str:
    """43 letters that stand for these parts and no others: nobody's name or words are shown to the store."""
    digest = hashlib.sha256()
    for part in parts:
        raw = part if isinstance(part, bytes) else part.encode("utf-8", "surrogatepass")
        digest.update(b"%d:" % len(raw))
        digest.update(raw)
    return urlsafe_b64encode(digest.digest())[:-1].decode()


class Found(NamedTuple):
    """`value` None: there is none, or, where `asked` is False, nobody could be asked."""

    value: bytes | None
    asked: bool = True


class Claim(Enum):
    WON = "won"
    TAKEN = "taken"  # somebody was first
    GONE = "gone"  # nobody could be asked


class Step(NamedTuple):
    """One thing to do with a counter; made by read(), add(), take() and hold()."""

    key: str
    by: int | None  # None: only look
    first: int | None = None  # the value of a counter that is made for this; None: none is made
    ttl: int = 0  # seconds that a new counter lives; 0 is for ever
    renew: bool = False  # an old one lives that long from now on, too


def read(key: str) -> Step:
    """The number; None where there is no such counter."""
    return Step(key, None)


def add(key: str, by: int, ttl: int, *, renew: bool = False) -> Step:
    """The number after that. A counter that is missing begins with it and lives `ttl` seconds."""
    return Step(key, by, by, ttl, renew)


def take(key: str, by: int) -> Step:
    """The number after that, never below 0; None where there is no such counter."""
    return Step(key, -by)


def hold(key: str, number: int, ttl: int, *, renew: bool = False) -> Step:
    """The number that stands there: this one if the counter was missing."""
    return Step(key, 0, number, ttl, renew)


class Question(Generic[A]):
    """One of those that may travel with others; its answer is an A."""

    __slots__ = ()

    @property
    def gone(self) -> A:
        """The answer where nobody could be asked."""
        raise NotImplementedError

    def of(self, store: Store) -> A:
        """Asked by itself."""
        raise NotImplementedError

    def looking(self) -> Question[A] | None:
        """As much of it as a server without room may be asked; None: nothing."""
        return self


@dataclass(slots=True)
class Read(Question[Found]):
    key: str

    @property
    def gone(self) -> Found:
        return Found(None, asked=False)

    def of(self, store: Store) -> Found:
        return store.read(self.key)


@dataclass(slots=True)
class ClaimOrRead(Question[tuple[Claim, Found]]):
    """Claim, and read what stands there then. `claims` False: do not, as if that were GONE."""

    key: str
    value: bytes
    ttl: int
    claims: bool = True

    @property
    def gone(self) -> tuple[Claim, Found]:
        return Claim.GONE, Found(None, asked=False)

    def of(self, store: Store) -> tuple[Claim, Found]:
        return store.claim(self.key, self.value, self.ttl) if self.claims else Claim.GONE, store.read(self.key)

    def looking(self) -> ClaimOrRead:
        return replace(self, claims=False)


@dataclass(slots=True)
class Write(Question[bool]):
    key: str
    value: bytes
    ttl: int

    @property
    def gone(self) -> bool:
        return False

    def of(self, store: Store) -> bool:
        return store.write(self.key, self.value, self.ttl)

    def looking(self) -> None:
        return None


@dataclass(slots=True)
class Tally(Question[Sequence[int | None] | None]):
    place: str
    steps: Sequence[Step]

    @property
    def gone(self) -> None:
        return None

    def of(self, store: Store) -> Sequence[int | None] | None:
        return store.tally(self.place, self.steps)


class Store(Protocol):
    """Keys are made by key(), a few letters may follow. Values are bytes, times whole seconds up to LONGEST_TTL."""

    @property
    def is_shared(self) -> bool:
        """Whether other workers see what this one writes."""

    @property
    def waited(self) -> float:
        """Seconds, for what was not answered at once."""

    @property
    def waits(self) -> int:
        """How often that was in vain, and longer than every call may."""

    def for_call(self) -> Store:
        """The same, as one call may use it: all its operations together wait no longer than one of ours would."""

    def behind(self, lock: threading.Lock) -> bool:
        """Take a lock that another call holds while it asks; waiting for that is waiting, too. Whether it is taken."""

    def gone(self) -> Sequence[str]:
        """The servers that would not be asked, by name; costs nothing."""

    def look(self) -> None:
        """Ask every server whether it answers, so that one that is gone is noticed though nobody calls."""

    def read(self, key: str) -> Found:
        """Gone: Found(None, asked=False)."""

    def write(self, key: str, value: bytes, ttl: int) -> bool:
        """Whether it is there now. Gone, full, or too large for the server: False, and an old value may be lost."""

    def claim(self, key: str, value: bytes, ttl: int) -> Claim:
        """Write if there is nothing yet: of all who try, one has WON. Gone: GONE."""

    def swap(self, key: str, value: bytes, by: bytes, ttl: int) -> bool:
        """Write `by` if it is still this value. Gone: False, and nobody knows."""

    def release(self, key: str, value: bytes) -> bool:
        """Drop it if it is still this value: whoever claimed it since keeps it. Gone: False; its ttl will end it."""

    def drop(self, key: str) -> bool:
        """Whether it is not there now. Gone: False."""

    def tally(self, place: str, steps: Sequence[Step]) -> Sequence[int | None] | None:
        """Do all steps in their order, in one round trip; a number, or None, for each.

        What has the same `place` (of key()) lives on the same server. None for a step that should have made a counter:
        there was no room. None for all: nobody could be asked, and nobody knows which steps were done.
        """

    def soon(self, question: Question[A], then: Callable[[A], object]) -> Callable[[], None]:
        """Ask it in one round trip with whatever is asked next, counters first; `then` is told the answer.

        Only for_call() gives a store that may wait with it, and whoever has that calls flush() at its end.
        Returns what takes the question back, if it was not asked yet.
        """

    def flush(self) -> None:
        """Ask what is still to be asked."""


def nothing() -> None:
    """Takes back a question that was asked at once."""
