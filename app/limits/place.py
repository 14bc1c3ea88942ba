"""What this process has counted of one tenant, and how it agrees with the others about it over the store.

All of a tenant's counters live on one server, so that a call is one round trip. With each goes the number of the
store's generation: where it is another one than before, the store was restarted or emptied, and each process adds back
what it had put in. Until all have had the time to do that, and after any outage, each also keeps to its own share.

Calls at a time are counted by one counter a process, summed by whoever asks. Each process holds a number of its own
among those of this tenant, under which the others find its counter; the generation's lower digits say how many numbers
there are. All of that ends by itself unless it is renewed, so that a process that is killed leaves nothing behind.
"""

from __future__ import annotations

import secrets
import threading
from collections import deque
from collections.abc import Callable, Sequence

from app.core.clock import Clock
from app.limits.window import LIFE, SPAN, Window
from app.store import store
from app.store.store import Step, Store, Tally

HOLD = 29  # seconds; memcached counts in whole ones, and 30 are promised
OUTLIVES = 45  # seconds that a number is held: when it is free again, the counters that went with it are gone
RENEW = 10.0
LOOKS = 5  # a second apart, before a counter that differs is put right
AGREE = 2.0  # seconds that everybody has to add back what the store lost
OUTAGE = 1.0  # seconds; shorter ones need no agreement
_NUMBERS = 1 << 16  # of processes; a generation is a multiple of it


class Subject:
    """The tenant as a whole, or one of its models: two windows, and the calls that are inside."""

    def __init__(self, base: str) -> None:
        self.requests = Window(base + "r", is_settled_later=False)
        self.tokens = Window(base + "t", is_settled_later=True)
        self.inside = 0  # calls of this process
        self.drifts: deque[int] = deque(maxlen=LOOKS)  # by which the store's counter differed, when it was looked at
        self._base = base

    def key(self, number: int) -> str:
        """The counter of the calls inside the process that has this number."""
        return f"{self._base}c{number}"

    def compare(self, drift: int) -> int:
        """By how much the store's counter is wrong: calls on their way are now on this side, now on that."""
        self.drifts.append(drift)
        if len(self.drifts) < LOOKS or min(self.drifts) <= 0 <= max(self.drifts):
            return 0
        least = min(self.drifts, key=abs)
        self.drifts.clear()
        self.drifts.append(0)
        return least


class Place:
    """Belongs to the process. `lock` guards everything in here; nobody holds it while asking the store."""

    def __init__(self, tenant: str, clock: Clock) -> None:
        self.lock = threading.Lock()
        self.number: int | None = None  # of this process, once it has one
        self.numbers = 0  # that are or were in use
        self.subjects: dict[str, Subject] = {}
        self.used_at = 0  # Unix second in which a call came or ended last
        self._tenant = tenant
        self._key = store.key("limits", tenant)
        self._clock = clock
        self._id = secrets.randbits(48) + 1
        self._generation: int | None = None
        self._next = _any_generation()  # if this process is the one who begins it
        self._failing_since: float | None = None
        self._agreed_at = 0.0  # monotonic
        self._renewed_at = 0.0
        self._is_joining = threading.Lock()
        self._is_doubtful = False  # a change of a counter of calls may or may not have been made

    def subject(self, model: str) -> Subject:
        """Of a model as the limits name it; "" is all of them together. Under the lock."""
        found = self.subjects.get(model)
        if found is None:
            found = self.subjects[model] = Subject(store.key("limits", self._tenant, model))
        return found

    @property
    def is_agreed(self) -> bool:
        """Whether what the store says is all there is."""
        return self._failing_since is None and self._clock.monotonic() >= self._agreed_at

    def ask(self, shared: Store, steps: Sequence[Step], counts_calls: bool = False) -> Sequence[int | None] | None:
        """As Store.tally."""
        question = self._question(steps)
        return self._answer(shared.tally(question.place, question.steps), counts_calls=counts_calls)

    def tell(
        self, shared: Store, steps: Sequence[Step], then: Callable[[bool], object] = bool, *, counts_calls: bool = False
    ) -> None:
        """Soon, with what else the call tells the store; `then`: whether that could be told."""
        shared.soon(
            self._question(steps),
            lambda numbers: then(self._answer(numbers, counts_calls=counts_calls) is not None),
        )

    def _question(self, steps: Sequence[Step]) -> Tally:
        """With a look at the generation of the store."""
        return Tally(self._key, [store.hold(self._key + "g", self._next * _NUMBERS + self.numbers, 0), *steps])

    def _answer(self, numbers: Sequence[int | None] | None, *, counts_calls: bool) -> Sequence[int | None] | None:
        with self.lock:
            if numbers is None or numbers[0] is None:
                self._is_doubtful = self._is_doubtful or counts_calls
                if self._failing_since is None:
                    self._failing_since = self._clock.monotonic()
                self._next = _any_generation()  # or it may have begun with this one
                return None
            self._heard(*divmod(numbers[0], _NUMBERS))
        return numbers[1:]

    def _heard(self, generation: int, numbers: int) -> None:
        now = self._clock.monotonic()
        if self._failing_since is not None:
            if now - self._failing_since >= OUTAGE:
                self._agreed_at = now + AGREE
            self._failing_since = None
        self.numbers = max(self.numbers, numbers)
        if generation == self._generation:
            return
        if generation == self._next:
            self._next = _any_generation()
        if self._generation is not None:
            self._agreed_at = now + AGREE
            for subject in self.subjects.values():
                subject.requests.forget_the_store()
                subject.tokens.forget_the_store()
            self.number = None
        self._generation = generation

    def join(self, shared: Store) -> None:
        """Take a number, unless another call does. Without one, calls at a time are counted here alone."""
        if not shared.behind(self._is_joining):
            return
        try:
            if self.number is None:
                self._find_number(shared)
        finally:
            self._is_joining.release()

    def _find_number(self, shared: Store) -> None:
        found = self.ask(shared, [store.read(self._member(n)) for n in range(self.numbers)])
        if found is None:
            return
        taken = {n for n, holder in enumerate(found) if holder is not None and holder != self._id}
        for number in range(_NUMBERS):
            if number in taken:
                continue
            held = self.ask(shared, [store.hold(self._member(number), self._id, OUTLIVES)])
            if held is None:
                return
            if held[0] == self._id:
                self._begin_as(shared, number)
                return

    def _begin_as(self, shared: Store, number: int) -> None:
        """From here on whoever comes in tells the store by itself; this tells it of those who are inside."""
        with self.lock:
            self.number = number
            self._renewed_at = self._clock.monotonic()
            counts = [(subject.key(number), subject.inside) for subject in self.subjects.values()]
            more = number + 1 - self.numbers
        ours = [store.add(key, inside, HOLD, renew=True) for key, inside in counts if inside]
        grown = [store.add(self._key + "g", more, 0)] if more > 0 else []
        is_done = self.ask(shared, [*grown, *ours], counts_calls=True) is not None
        with self.lock:
            if is_done:
                self.numbers = max(self.numbers, number + 1)
            elif self.number == number:
                self.number = None  # the others do not know of it

    def _member(self, number: int) -> str:
        return f"{self._key}m{number}"

    def settle(self, shared: Store, changes: Sequence[tuple[Window, int, int]], released: Sequence[Step]) -> None:
        """A call is over. Each (window, bucket, change) is booked as counted already; `released` are its places."""
        steps = [_change(window.key(bucket), change) for window, bucket, change in changes]
        steps += released

        def told(done: bool) -> None:
            if done:
                return
            with self.lock:
                for window, bucket, change in changes:
                    if change > 0:  # it is owed; but what may have been taken is not taken again
                        window.counted[bucket] = window.counted.get(bucket, 0) - change

        if steps:
            self.tell(shared, steps, told, counts_calls=bool(released))

    def tick(self, shared: Store, second: int) -> None:
        """Once a second: even out what the store and we owe each other, and renew what would end."""
        if second > self.used_at + SPAN and not any(subject.inside for subject in self.subjects.values()):
            self.number = None  # nothing is left to say; whoever calls next takes one again
            return
        self._even_out(shared, second)
        self._renew(shared)

    def _even_out(self, shared: Store, second: int) -> None:
        with self.lock:
            windows = [window for subject in self.subjects.values() for window in (subject.requests, subject.tokens)]
            for window in windows:
                window.turn(second)
            owed = [(window, k, number) for window in windows for k, number in window.owed()]
            if not any(window.own for window in windows):
                return
        generation = self._generation
        numbers = self.ask(shared, [_change(window.key(k), number) for window, k, number in owed])
        with self.lock:
            for (window, k, number), found in zip(owed, numbers or [None] * len(owed), strict=True):
                if found is not None or number < 0:  # what is not there needs nothing taken from it
                    window.counted[k] = window.counted.get(k, 0) + number
        if self._generation != generation:
            self._even_out(shared, second)

    def _renew(self, shared: Store) -> None:
        """And see whether the store has our calls right."""
        number, now = self.number, self._clock.monotonic()
        if number is None or not (self._is_doubtful or now >= self._renewed_at + RENEW):
            return
        with self.lock:
            counts = [(subject, subject.inside) for subject in self.subjects.values()]
        steps = [Step(subject.key(number), 0, inside, HOLD, True) for subject, inside in counts]
        found = self.ask(shared, [store.hold(self._member(number), self._id, OUTLIVES, renew=True), *steps])
        if found is None:
            return
        fixes: list[Step] = []
        with self.lock:
            self._renewed_at = now
            if found[0] != self._id:
                self.number = None  # it was not renewed in time, and somebody else has it
                return
            for (subject, inside), there in zip(counts, found[1:], strict=True):
                if fix := subject.compare(inside - (there or 0)):
                    fixes.append(_change(subject.key(number), fix))
            self._is_doubtful = any(subject.drifts[-1] for subject, _ in counts)
        if fixes:
            self.ask(shared, fixes, counts_calls=True)


def _any_generation() -> int:
    return secrets.randbits(40)


def _change(key: str, by: int) -> Step:
    return store.add(key, by, LIFE) if by > 0 else store.take(key, -by)
