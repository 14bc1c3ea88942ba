"""What is known about one target: a value of fixed size, and every way it may change.

    closed --failures--> open until T --T passes--> half-open --enough good probes--> closed
                          ^                            |
                          +---- a probe fails, the wait doubles

Half-open is open with its wait over: there is no third state to fall into. Each change of the two that somebody causes
begins a new generation, and a verdict counts only in the generation in which its call began: what began before an
opening neither closes it nor, after the recovery, opens it again.

All times are CLOCK_MONOTONIC, which the processes of one machine share.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field
from typing import NamedTuple

from app.core.process import lives

BUCKETS = 10  # of the window

_CHECKSUM = struct.Struct("<I")
_FIELDS = struct.Struct(f"<?3x5I5dI{BUCKETS}d{BUCKETS}I{BUCKETS}I")
SIZE = _CHECKSUM.size + _FIELDS.size
_STARTS, _CALLS, _FAILURES = 12, 12 + BUCKETS, 12 + 2 * BUCKETS
_ROUND = 1 << 32


class Torn(ValueError):
    """The bytes are not a state: read while they were written, or their writer was killed."""


@dataclass(frozen=True, slots=True)
class Breaking:
    """When a target is left alone, and for how long. Seconds; the settings have the same names."""

    window: float = 30.0
    min_calls: int = 20  # in the window, before the ratio says anything
    failure_ratio: float = 0.5
    consecutive: int = 5
    open: float = 5.0
    open_max: float = 20.0
    successes: int = 2  # good probes that close it


class Began(NamedTuple):
    """What a call must know at its end: the generation it belongs to, and which probe it is; 0: none."""

    generation: int
    probe: int


@dataclass(slots=True)
class State:
    opened: bool = False  # half-open included
    generation: int = 0
    in_a_row: int = 0  # failures
    good: int = 0  # probes of this generation
    probe: int = 0  # the number of the last one
    prober: int = 0  # the process whose probe runs, 0 where none does
    wait: float = 0.0  # seconds, before the jitter
    until: float = 0.0  # when the wait is over, jitter included
    lease: float = 0.0  # when a probe that still runs no longer keeps others out
    cooling: float = 0.0  # its limit was reached: left alone until then
    quarantined: float = 0.0  # of a provider: its key is refused or its account is empty, until then
    key: int = 0  # which key that was: another is worth a try at once
    starts: list[float] = field(default_factory=lambda: [0.0] * BUCKETS)  # of the buckets, newest first
    calls: list[int] = field(default_factory=lambda: [0] * BUCKETS)
    failures: list[int] = field(default_factory=lambda: [0] * BUCKETS)

    def probing(self, now: float) -> bool:
        """Somebody finds out; a killed worker's probe and one that takes too long are not waited for."""
        return self.prober != 0 and now < self.lease and lives(self.prober)

    def begin(self, now: float, pid: int) -> Began | None:
        """Take part: as an ordinary call, as the one probe, or not at all."""
        if not self.opened:
            return Began(self.generation, 0)
        if now < self.until or self.probing(now):
            return None
        self.probe = self.probe % (_ROUND - 1) + 1
        self.prober = pid
        self.lease = now + self.wait
        return Began(self.generation, self.probe)

    def succeed(self, began: Began, now: float, policy: Breaking) -> bool:
        """Whether this closed it."""
        if began.generation != self.generation:
            return False
        if not self.opened:
            self._count(now, policy.window / BUCKETS, 0)
            self.in_a_row = 0
            return False
        self.leave(began)
        self.good += 1
        if self.good < policy.successes:
            return False
        self._turn(opened=False)
        return True

    def fail(self, began: Began, now: float, policy: Breaking, *, alone: bool, jitter: float) -> bool:
        """Whether this opened it, for the first time or again.

        `alone`: the call had no other target that admits, so that a longer wait would help nobody. `jitter` stretches
        the wait, for all workers alike, since the result is kept here.
        """
        if began.generation != self.generation:
            return False
        wait = policy.open
        if self.opened:
            if not alone:
                wait = min(2 * self.wait, policy.open_max)
        else:
            self._count(now, policy.window / BUCKETS, 1)
            self.in_a_row += 1
            if self.in_a_row < policy.consecutive and not self._too_many(now, policy):
                return False
        self._turn(opened=True)
        self.wait = wait
        self.until = now + wait * jitter
        return True

    def leave(self, began: Began) -> None:
        """The call ended without saying anything about the target; if it was the probe, another may follow."""
        if began.probe and began.probe == self.probe:
            self.prober = 0

    def cool(self, began: Began, until: float) -> None:
        self.leave(began)
        self.cooling = max(self.cooling, until)

    def quarantine(self, key: int, now: float, until: float) -> bool:
        """Whether this key was free before."""
        left = self.quarantine_left(key, now)
        self.key = key
        self.quarantined = max(until, now + left)
        return left == 0.0

    def quarantine_left(self, key: int, now: float) -> float:
        """Seconds."""
        return max(0.0, self.quarantined - now) if self.key == key else 0.0

    def _turn(self, *, opened: bool) -> None:
        self.opened = opened
        self.generation = (self.generation + 1) % _ROUND
        self.in_a_row = self.good = self.prober = 0
        self.wait = self.until = self.lease = 0.0
        self.starts, self.calls, self.failures = [0.0] * BUCKETS, [0] * BUCKETS, [0] * BUCKETS

    def _count(self, now: float, width: float, failures: int) -> None:
        """Buckets begin when they are needed, so that workers with another window may count in the same ones."""
        if now - self.starts[0] >= width:
            self.starts = [now, *self.starts[:-1]]
            self.calls = [0, *self.calls[:-1]]
            self.failures = [0, *self.failures[:-1]]
        self.calls[0] += 1
        self.failures[0] += failures

    def _too_many(self, now: float, policy: Breaking) -> bool:
        """Asked after failures only: no success opens a breaker."""
        recent = [n for n in range(BUCKETS) if self.starts[n] > now - policy.window]
        calls = sum(self.calls[n] for n in recent)
        return calls >= policy.min_calls and sum(self.failures[n] for n in recent) >= policy.failure_ratio * calls


def encoded(state: State) -> bytes:
    """SIZE bytes, a checksum first."""
    fields = _FIELDS.pack(
        state.opened,
        state.generation,
        state.in_a_row,
        state.good,
        state.probe,
        state.prober,
        state.wait,
        state.until,
        state.lease,
        state.cooling,
        state.quarantined,
        state.key,
        *state.starts,
        *state.calls,
        *state.failures,
    )
    return _CHECKSUM.pack(zlib.crc32(fields)) + fields


def decoded(raw: bytes) -> State:
    """Raises Torn. SIZE zeros are the state of a target that nobody has asked yet."""
    (checksum,) = _CHECKSUM.unpack_from(raw)
    if checksum != zlib.crc32(memoryview(raw)[_CHECKSUM.size :]):
        if not any(raw):
            return State()
        raise Torn
    fields = _FIELDS.unpack_from(raw, _CHECKSUM.size)
    state = State(*fields[:_STARTS])
    state.starts = list(fields[_STARTS:_CALLS])
    state.calls = list(fields[_CALLS:_FAILURES])
    state.failures = list(fields[_FAILURES:])
    return state
