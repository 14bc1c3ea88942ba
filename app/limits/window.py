"""A sliding minute in one-second buckets: what one process knows of it. Arithmetic alone; nobody is asked here.

A call adds its cost to the bucket of the current second, then looks whether that bucket and the 60 before it are within
the limit. The 61 seconds cover every 60, so no 60 seconds ever hold more than the limit. Clocks of replicas may be a
second apart, so the next bucket is looked at as well, and a bucket is not final before FINAL seconds after its end.

`known` is what the store said last; `own` is what this process has put in; `counted` is as much of that as the store of
the present generation has. Where `own` and `counted` differ, the store owes us something, or we the store.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

SPAN = 60  # buckets before the current one
FINAL = 2  # seconds after its end that a bucket may still grow
LIFE = 75  # seconds that the store keeps a bucket: the window, and clocks that differ


class Window:
    """Not for two threads at a time. `is_settled_later`: what is in old buckets may still change (tokens)."""

    def __init__(self, base: str, *, is_settled_later: bool) -> None:
        self.known: dict[int, int] = {}
        self.own: dict[int, int] = {}
        self.counted: dict[int, int] = {}
        self._base = base
        self._is_settled_later = is_settled_later
        self._read = -1  # the second in which every bucket was known last
        self._second = -1

    def key(self, second: int) -> str:
        return f"{self._base}{second}"

    def turn(self, second: int) -> None:
        """It is this second now: forget what has left the window, and what a clock that went back has yet to reach."""
        if second != self._second:
            self._second = second
            if self._read > second + 1:
                self._read = -1
                self.known.clear()
            for buckets in (self.known, self.own, self.counted):
                for gone in [k for k in buckets if k < second - SPAN]:
                    del buckets[gone]

    def unknown(self, second: int) -> list[int]:
        """The buckets to ask for, beside the current one."""
        if not self._is_settled_later or self._read == second:
            first = max(second - SPAN, self._read - FINAL)
        else:
            first = second - SPAN
        return [*range(first, second), second + 1]

    def learn(self, second: int, numbers: Mapping[int, int | None]) -> None:
        """What the store said of unknown(second). It cannot have less than what it took from us, unless it lost it."""
        for k, number in numbers.items():
            self.known[k] = max(number or 0, self.counted.get(k, 0))
        self._read = max(self._read, second)

    def others(self, second: int) -> int:
        """All buckets of the window but the current one."""
        return sum(self.known.values()) - self.known.get(second, 0)

    def surely(self, second: int) -> int:
        """What is in the window without any doubt, as far as can be said without asking."""
        if self._is_settled_later and self._read != second:
            return 0
        open_ = range(max(second - SPAN, self._read - FINAL), second + 2)  # fewer to take away than to add
        return sum(self.known.values()) - sum([self.known.get(k, 0) for k in open_])

    def local(self) -> int:
        """What this process alone has in the window."""
        return sum(self.own.values())

    def put(self, second: int, number: int, *, counted: bool) -> None:
        """Of our own; `number` may be negative. `counted`: the store has it already."""
        for buckets in (self.own, self.counted) if counted else (self.own,):
            buckets[second] = buckets.get(second, 0) + number

    def owed(self) -> Iterator[tuple[int, int]]:
        """(second, number) that the store lacks, or has too much of."""
        for k, number in self.own.items():
            if difference := number - self.counted.get(k, 0):
                yield k, difference

    def forget_the_store(self) -> None:
        """It begins anew: nothing of ours is counted there."""
        self.known.clear()
        self.counted.clear()
        self._read = -1


def room_at(buckets: Mapping[int, int], limit: int, cost: int, now: float) -> float:
    """Seconds until so much fits, if nothing else comes; never negative."""
    free = limit - sum(buckets.values())
    for k in sorted(buckets):
        if free >= cost:
            break
        free += buckets[k]
        found = k + SPAN + 1 - now
        if free >= cost:
            return max(0.0, found)
    return 0.0


def whole_at(buckets: Mapping[int, int], now: float) -> float:
    """Seconds until nothing is left of what is in there now."""
    second = int(now)
    for k in range(second + 1, second - SPAN - 1, -1):
        if buckets.get(k):
            return k + SPAN + 1 - now
    return 0.0
