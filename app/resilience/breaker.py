"""One circuit breaker a target, shared by all workers of an instance.

The library decides who is admitted (`opened`, from `state`) and what is a failure (`is_failure`). The state lives in a
record, for what circuitbreaker 2.1.3 does without saying: it counts failures in a row only and forgets them at any
other exception, half-open lets everyone through, `with breaker:` enters an open one and closes it, a stream that its
client closes counts as a success, all breakers are listed in a class for ever, and the last failure is kept with its
traceback, prompts included. So nothing is decorated and nothing entered: a call asks for an Admission and ends it.
"""

from __future__ import annotations

import hashlib
import logging
import os
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import ceil
from typing import Never

from circuitbreaker import (  # type: ignore[import-untyped]  # it has no types
    STATE_CLOSED,
    STATE_HALF_OPEN,
    STATE_OPEN,
    CircuitBreaker,
)

from app.core.clock import Clock
from app.core.errors import ErrorType, GatewayError
from app.resilience.records import Kind, Record, Records
from app.resilience.standing import Circuit
from app.resilience.state import Began, Breaking, State

log = logging.getLogger(__name__)

COOLDOWN = 5.0  # seconds, after a 429 that does not say how long
SHORTEST_COOLDOWN, LONGEST_COOLDOWN = 1.0, 60.0
QUARANTINE: Mapping[ErrorType, float] = {ErrorType.AUTHENTICATION: 60.0, ErrorType.QUOTA_EXCEEDED: 300.0}
NEWS = 1.0  # seconds after which it is worth asking again while a probe runs

Chance = Callable[[], float]  # 0 to 1
Told = Callable[[str, Circuit], object]  # a provider's name, and what the breaker of one of its targets became


class Reason(StrEnum):
    OPEN = "open"
    COOLING = "cooling"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True)
class Refusal:
    """The target is left alone. Asking again is in vain for the `left` seconds."""

    reason: Reason
    left: float


class TargetBreaker(CircuitBreaker):  # type: ignore[misc]  # it has no types
    """What the library calls a breaker, over a target's record and its provider's."""

    def __init__(
        self, target: Record, provider: Record, key: int, policy: Breaking, *, clock: Clock, chance: Chance, told: Told
    ) -> None:
        super().__init__(policy.consecutive, policy.open, _tells_against_the_target, target.name)
        self.target = target
        self.provider = provider
        self.key = key
        self.policy = policy
        self._clock = clock
        self._chance = chance
        self._told = told

    @property
    def state(self) -> str:
        """Half-open only while a probe is wanted: while one runs, everybody else is to be kept out."""
        state = self.target.read()
        if not state.opened:
            return str(STATE_CLOSED)
        now = self.now()
        return str(STATE_OPEN if now < state.until or state.probing(now) else STATE_HALF_OPEN)

    @property
    def open_remaining(self) -> int:
        return ceil(max(0.0, self.target.read().until - self.now()))

    @property
    def failure_count(self) -> int:
        return self.target.read().in_a_row

    def __enter__(self) -> Never:
        """What `with`, `call()` and whatever is decorated come to: they would judge a stream before its end."""
        raise TypeError("a breaker is asked for an Admission")

    def ask(self, *, waited: bool) -> Admission | Refusal:
        if refusal := self.refusal(waited=waited):
            return refusal
        now, state = self.now(), self.target.read()
        began = Began(state.generation, 0) if not state.opened else self._probe(now)
        return Admission(self, began) if began else self._open(now)

    def refusal(self, *, waited: bool) -> Refusal | None:
        """Who would be refused now, and why; without taking the probe."""
        now = self.now()
        if (left := self.provider.read().quarantine_left(self.key, now)) > 0:
            return Refusal(Reason.QUARANTINED, left)
        if (left := self.target.read().cooling - now) > 0 and not waited:
            return Refusal(Reason.COOLING, left)
        return self._open(now) if self.opened else None

    def now(self) -> float:
        return self._clock.monotonic()

    def jitter(self) -> float:
        return 0.8 + 0.4 * self._chance()

    def turned(self, circuit: Circuit) -> None:
        """Told where the record changes, under its lock: of changes that are put off nobody else would know."""
        self._told(self.target.provider, circuit)

    def _probe(self, now: float) -> Began | None:
        """Who does not get the lock does not probe: there must not be two."""
        pid = os.getpid()

        def step(state: State) -> Began | None:
            first = state.lease == 0.0  # of its generation
            began = state.begin(now, pid)
            if began and began.probe and first:
                self.turned(Circuit.HALF_OPEN)
            return began

        return self.target.change(step)

    def _open(self, now: float) -> Refusal:
        left = self.target.read().until - now
        return Refusal(Reason.OPEN, left if left > 0 else NEWS)


class Admission:
    """One attempt, from its admission to its end: of a stream, the last event. The first verdict counts."""

    __slots__ = ("_began", "_breaker", "_first")

    def __init__(self, breaker: TargetBreaker, began: Began) -> None:
        self._breaker = breaker
        self._began = began
        self._first = iter((True,))

    @property
    def probe(self) -> bool:
        """Whether this attempt finds out if the target is well again."""
        return self._began.probe != 0

    def succeeded(self) -> None:
        if next(self._first, False):
            self._praise()

    def failed(self, error: GatewayError, *, alone: bool) -> None:
        """Let the error say what it means for the target.

        It may count against it (the rule's `trips_breaker`), have it left alone for a while (its limit, its key, its
        account), or be about the request: a probe has then found the target alive, any other attempt says nothing. Nor
        does an error of ours.

        `alone`: no other target of this call admits, see `Breakers.admits()`.
        """
        if not next(self._first, False):
            return
        breaker, began, target = self._breaker, self._began, self._breaker.target
        now = breaker.now()
        if error.provider is None:
            self._leave()
        elif breaker.is_failure(type(error), error):
            self._blame(error, now, alone=alone)
        elif error.type is ErrorType.RATE_LIMITED:
            asked = COOLDOWN if error.retry_after is None else error.retry_after
            until = now + min(max(asked, SHORTEST_COOLDOWN), LONGEST_COOLDOWN)
            target.note(lambda state: state.cool(began, until))
        elif error.type in QUARANTINE:
            until = now + QUARANTINE[error.type]
            if breaker.provider.note(lambda state: state.quarantine(breaker.key, now, until)):
                log.warning("provider %s is left alone: %s", breaker.provider.provider, error.type)
            self._leave()
        elif self.probe:
            self._praise()

    def abandoned(self) -> None:
        """The client left, or its own patience ended: nobody knows what would have come."""
        if next(self._first, False):
            self._leave()

    def _blame(self, error: GatewayError, now: float, *, alone: bool) -> None:
        breaker, began = self._breaker, self._began
        policy, jitter = breaker.policy, breaker.jitter()

        def step(state: State) -> bool:
            opened = state.fail(began, now, policy, alone=alone, jitter=jitter)
            if opened:
                breaker.turned(Circuit.OPEN)
            return opened

        if breaker.target.note(step):
            log.warning("the breaker of %s is open: %s", breaker.target.name, error.type)

    def _praise(self) -> None:
        breaker, began = self._breaker, self._began
        now, policy = breaker.now(), breaker.policy

        def step(state: State) -> bool:
            closed = state.succeed(began, now, policy)
            if closed:
                breaker.turned(Circuit.CLOSED)
            return closed

        if breaker.target.note(step):
            log.warning("the breaker of %s is closed", breaker.target.name)

    def _leave(self) -> None:
        if self.probe:
            began = self._began
            self._breaker.target.note(lambda state: state.leave(began))


class Breakers:
    """All breakers of a worker and configuration. The records outlive it."""

    def __init__(
        self,
        records: Records,
        policy: Breaking,
        clock: Clock,
        keys: Mapping[str, int] | None = None,
        *,
        chance: Chance = random.random,
        told: Told = lambda provider, circuit: None,
    ) -> None:
        """`keys`: the `fingerprint()` of each provider's credentials, so that new ones end a quarantine."""
        self._records = records
        self._policy = policy
        self._clock = clock
        self._keys = keys or {}
        self._chance = chance
        self._told = told
        self._breakers: dict[str, TargetBreaker] = {}

    def ask(self, key: str, provider: str, *, waited: bool = False) -> Admission | Refusal:
        """May this target be asked now? An Admission must be ended.

        `key` is the target's name; for one that is reached only through a `*`, what all such of its provider share.
        `waited`: this call has itself waited as long as the target wished, so that its cooldown is for others.
        """
        return self._of(key, provider).ask(waited=waited)

    def admits(self, key: str, provider: str) -> bool:
        """Whether `ask()` would admit now. Takes no probe."""
        return self._of(key, provider).refusal(waited=False) is None

    def _of(self, key: str, provider: str) -> TargetBreaker:
        breaker = self._breakers.get(key)
        if breaker is not None:
            return breaker
        target = self._records.find(Kind.TARGET, key, provider)
        whole = self._records.find(Kind.PROVIDER, f"provider/{provider}", provider)
        breaker = TargetBreaker(
            target or self._records.apart(Kind.TARGET, key, provider),
            whole or self._records.apart(Kind.PROVIDER, f"provider/{provider}", provider),
            self._keys.get(provider, 0),
            self._policy,
            clock=self._clock,
            chance=self._chance,
            told=self._told,
        )
        if target is None or whole is None:  # the lock was not to be had: this call goes without, the next finds it
            return breaker
        return self._breakers.setdefault(key, breaker)


def fingerprint(credentials: str) -> int:
    """A number that tells one set of credentials from the next, and nothing about them."""
    return int.from_bytes(hashlib.blake2b(credentials.encode(), digest_size=4).digest(), "little")


def _tells_against_the_target(kind: type[BaseException], error: BaseException) -> bool:
    return isinstance(error, GatewayError) and error.rule.trips_breaker
