"""What one call takes of one limit: what to ask the store for it, what the answer means, how it is given back.

Everything here is arithmetic under the lock of the tenant's place; who asks the store is Limits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple, Protocol

from app.limits.headers import Standing
from app.limits.place import HOLD, Place, Subject
from app.limits.window import LIFE, SPAN, Window, room_at, whole_at
from app.store import store
from app.store.store import Step

TRY_AGAIN = 1.0  # seconds, where nobody can know when there will be room

Numbers = Iterator[int | None]


class What(StrEnum):
    """What is limited: the `limit_type` of rate_limit_hits_total."""

    REQUESTS = "requests"
    TOKENS = "tokens"
    CONCURRENCY = "concurrency"


class Limit(NamedTuple):
    """`share` is what one process may let in of it by itself."""

    what: What
    model: str  # as the limits name it; "" is all of them together
    most: int
    share: int


class Excess(NamedTuple):
    """A limit that a call would break. `room_in`: seconds until it would not, if nothing else comes."""

    what: What
    model: str
    limit: int
    room_in: float


class Part(Protocol):
    def certain(self) -> Excess | None:
        """What can be said without asking."""

    def steps(self) -> Sequence[Step]:
        """What to ask: takes what the call needs, and looks."""

    def more(self) -> Sequence[Step]:
        """What is worth asking after that."""

    def heard(self, numbers: Numbers) -> Excess | None:
        """The numbers of those steps, and of the steps after them."""

    def alone(self) -> Excess | None:
        """Whether this process may let the call in by itself, with its share of the limit."""

    def leave(self) -> Sequence[Step]:
        """The call is not let in. What the store is to be told, if it has counted it."""

    def standing(self, *, is_in: bool) -> Standing:
        """What is left, whether the call is let in or not."""


class Rate:
    """So much of the current second's bucket."""

    def __init__(self, window: Window, limit: Limit, cost: int, now: float) -> None:
        self.window = window
        self.cost = min(cost, limit.most)  # or it could never be let in
        self.second = int(now)
        self._limit = limit
        self._most = limit.most
        self._now = now
        self._asked: list[int] = []
        self._is_told = False
        self._buckets = window.known
        self._sum = 0  # in the window, this call included

    def certain(self) -> Excess | None:
        self.window.turn(self.second)
        self._sum = sum(self.window.known.values()) + self.cost
        is_over = self.window.surely(self.second) + self.cost > self._most
        return self._excess(self.cost) if is_over else None

    def steps(self) -> Sequence[Step]:
        self._asked = self.window.unknown(self.second)
        looks = [store.read(self.window.key(k)) for k in self._asked]
        return [store.add(self.window.key(self.second), self.cost, LIFE), *looks]

    def more(self) -> Sequence[Step]:
        return ()

    def heard(self, numbers: Numbers) -> Excess | None:
        self._is_told = True
        current = next(numbers) or self.cost
        self.window.learn(self.second, {k: next(numbers) for k in self._asked})
        self.window.known[self.second] = current
        self._sum = current + self.window.others(self.second)
        return self._excess(0) if self._sum > self._most else None

    def alone(self) -> Excess | None:
        self._buckets, self._most = self.window.own, self._limit.share
        cost = min(self.cost, self._most)
        self._sum = self.window.local() + cost
        return self._excess(cost) if self._sum > self._most else None

    def leave(self) -> Sequence[Step]:
        if not self._is_told:
            return ()
        self.window.known[self.second] = max(0, self.window.known.get(self.second, 0) - self.cost)
        return [store.take(self.window.key(self.second), self.cost)]

    def standing(self, *, is_in: bool) -> Standing:
        left = self._most - self._sum + (0 if is_in else self.cost)
        return Standing(self._limit.what, self._most, left, whole_at(self._buckets, self._now))

    def settle(self, used: int, second: int) -> tuple[int, int] | None:
        """(bucket, change): what was too much goes back where it came from, what was too little is due now."""
        change = used - self.cost
        if change < 0:
            second, oldest = self.second, second - SPAN
            if second < oldest:
                return None
        if change:
            self.window.known[second] = max(0, self.window.known.get(second, 0) + change)
        return (second, change) if change else None

    def _excess(self, cost: int) -> Excess:
        """Until there is room for so much more than is in the buckets."""
        room_in = room_at(self._buckets, self._most, cost, self._now)
        return Excess(self._limit.what, self._limit.model, self._most, room_in)


class Inside:
    """A place among the calls that run.

    The store's counter has what `subject.inside` says: whoever changes one tells the other, and if the process takes
    another number in between, it takes along who is inside.
    """

    def __init__(self, place: Place, subject: Subject, limit: Limit) -> None:
        """Enters."""
        self._place = place
        self._subject = subject
        self._limit = limit
        self._most = limit.most
        self._number = place.number
        self._is_told = False
        self._asked = 0  # numbers of processes that were asked for
        self._sum = 0
        subject.inside += 1

    def certain(self) -> Excess | None:
        self._sum = self._subject.inside
        return self._excess() if self._sum > self._most else None

    def steps(self) -> Sequence[Step]:
        number, self._asked = self._place.number, self._place.numbers
        if number is None:
            return ()
        looks = [store.read(self._subject.key(n)) for n in range(self._asked) if n != self._number]
        if number != self._number:
            return looks
        self._is_told = True
        return [store.add(self._subject.key(number), 1, HOLD, renew=True), *looks]

    def more(self) -> Sequence[Step]:
        """The counters of processes that were not known before."""
        if self._place.number is None:
            return ()
        new = range(self._asked, self._place.numbers)
        self._asked = self._place.numbers
        return [store.read(self._subject.key(n)) for n in new if n != self._number]

    def heard(self, numbers: Numbers) -> Excess | None:
        if self._place.number is None:
            return self.alone()
        self._sum = sum(number or 0 for number in numbers)
        return self._excess() if self._sum > self._most else None

    def alone(self) -> Excess | None:
        self._most, self._sum = self._limit.share, self._subject.inside
        return self._excess() if self._sum > self._most else None

    def leave(self) -> Sequence[Step]:
        self._subject.inside -= 1
        number = self._place.number
        if number is None or not (self._is_told or number != self._number):
            return ()
        return [store.take(self._subject.key(number), 1)]

    def standing(self, *, is_in: bool) -> Standing:
        return Standing(What.CONCURRENCY, self._most, self._most - self._sum + (0 if is_in else 1), None)

    def _excess(self) -> Excess:
        return Excess(What.CONCURRENCY, self._limit.model, self._most, TRY_AGAIN)
