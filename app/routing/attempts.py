"""One loop for every repeat and every fallback of a call, until a target starts to answer or none is left."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace

from app.core.call import Call, Route, Target
from app.core.clock import Clock
from app.core.errors import ErrorType, GatewayError, Next, invalid
from app.core.exchange import Batch, Exchange
from app.core.wire import Frame
from app.resilience.breaker import Refusal
from app.resilience.budget import RetryBudget
from app.resilience.repeat import Repeating, pause
from app.routing.asking import Asker
from app.routing.candidates import Candidates
from app.routing.entrance import Entrance, Full
from app.routing.fit import refusal
from app.routing.order import ordered
from app.routing.rescue import Parts, Rescued, Rescuer, means
from app.routing.verdict import Verdict
from app.upstream.watch import Guard


@dataclass(frozen=True, slots=True)
class Policy:
    """How often a call asks. `max_attempts` in all, over repeats and targets."""

    repeating: Repeating
    max_attempts: int


@dataclass(frozen=True, slots=True)
class Attempts:
    asker: Asker
    entrance: Entrance
    budget: RetryBudget
    policy: Policy
    clock: Clock

    def first_answer(self, call: Call, route: Route, exchange: Exchange, guard: Guard) -> Iterator[Batch]:
        """The batches of the first target that starts to answer; its first content is already there.

        Raises:
            GatewayError: the request itself is wrong, or no target answered.
        """
        if not any(self.asker.able(call, target) for target in route.targets):
            return iter([[_unaided(call, route, exchange)]])
        if (refused := refusal(route, call)) is not None:
            route = replace(route, targets=())
        batches = _Search(self, call, route, exchange, guard).answer(refused)
        delivered = call.language.delivered() if means(call, route) else None
        if delivered is None:
            return batches
        parts = Parts(self.asker, self.entrance, self.budget, self.policy.max_attempts)
        return Rescued(batches, delivered, Rescuer(parts, call, route, exchange, guard))


class _Search:
    """One call's way through its candidates. Held until its stream has ended, for the judgement of its end."""

    __slots__ = (
        "_call",
        "_candidates",
        "_exchange",
        "_failures",
        "_full",
        "_guard",
        "_parts",
        "_refusals",
        "_route",
        "_untold",
    )

    def __init__(self, parts: Attempts, call: Call, route: Route, exchange: Exchange, guard: Guard) -> None:
        self._parts = parts
        self._call = call
        self._route = route
        self._exchange = exchange
        self._guard = guard
        self._candidates = Candidates(call, route, lambda r: ordered(r, parts.entrance.places.busy, random.random))
        self._failures: list[GatewayError] = []
        self._refusals: list[Refusal] = []
        self._full = False
        self._untold: GatewayError | None = None

    def answer(self, refused: GatewayError | None) -> Iterator[Batch]:
        """`refused`: what the targets of the model would answer, where that is known; then only fallbacks are asked."""
        self._untold = refused
        if refused is not None and refused.rule.next is Next.FALLBACK_LIST:
            self._candidates.turn_to(refused.type, None)
        for target in self._candidates:
            if self._failures and self._parts.clock.monotonic() >= self._parts.asker.ends_at(self._call, target):
                continue  # whatever it said would come too late
            if self._parts.asker.able(self._call, target) and (batches := self._at(target)) is not None:
                return batches
            if self._exchange.attempts >= self._parts.policy.max_attempts:
                break
        raise self._verdict()

    def _at(self, target: Target) -> Iterator[Batch] | None:
        """Ask this target, again where that makes sense; None: on to the next."""
        repeated: list[ErrorType] = []
        while verdict := self._enter(target, waited=bool(repeated)):
            try:
                return self._parts.asker.ask(self._call, target, self._exchange, self._guard, verdict)
            except GatewayError as error:
                failure = _as_seen_here(error, target).forgetting()
                verdict.failed(failure)
                wait = self._failed(target, failure, repeated)
            except BaseException:
                verdict.abandoned()
                raise
            if wait is None:
                break
            repeated.append(failure.type)
            self._guard.renew()
            self._guard.wait(wait)
        return None

    def _enter(self, target: Target, *, waited: bool) -> Verdict | None:
        """None: it is left alone, or its provider is full."""
        parts = self._parts
        verdict = parts.entrance.enter(
            target,
            waited=waited,
            alone=lambda: self._alone(target),
            impatient=lambda error: parts.asker.impatient(self._call, error),
        )
        if isinstance(verdict, Refusal):
            self._refusals.append(verdict)
            return None
        if isinstance(verdict, Full):
            self._full = True
            return None
        if not waited:
            self._parts.budget.first(target.provider.name)
        return verdict

    def _failed(self, target: Target, failure: GatewayError, repeated: list[ErrorType]) -> float | None:
        """Seconds until the same target is asked again, None for the next one. Raises if nobody is to be asked."""
        if failure.type is ErrorType.INVALID_REQUEST and failure.provider is None:
            self._untold = failure  # this target cannot be told such a thing; another one perhaps can
            return None
        if failure.provider is None:  # the client has left
            raise failure
        self._failures.append(failure)
        self._exchange.failure(target, failure)
        policy = self._parts.policy
        wait = pause(failure, repeated, policy.repeating, random.random)
        if (
            wait is not None
            and self._exchange.attempts < policy.max_attempts
            and self._parts.clock.monotonic() + wait < self._parts.asker.ends_at(self._call, target)
            and self._parts.budget.spend(target.provider.name)
        ):
            return wait
        if failure.rule.next is Next.NO:
            raise failure
        if failure.rule.next is Next.FALLBACK_LIST and not self._candidates.turn_to(failure.type, target.context):
            raise failure
        return None

    def _alone(self, target: Target) -> bool:
        """Whether no other target of this call would be admitted."""
        others = [*self._route.targets, *self._candidates.rest()]
        return not any(self._parts.entrance.admits(other) for other in others if other.key != target.key)

    def _verdict(self) -> GatewayError:
        """What is told when nobody answered: the first failure that says more than that nobody was there."""
        if self._failures:
            telling = [error for error in self._failures if error.type is not ErrorType.CONNECTION]
            failure = telling[0] if telling else self._failures[-1]
            failure.gave_up = True
            return failure
        if self._untold is not None:
            return self._untold
        if self._refusals:
            left = min(refusal.left for refusal in self._refusals)
            message = "every provider of this model is failing or must be left alone for a while"
            return GatewayError(ErrorType.CIRCUIT_OPEN, message, retry_after=left)
        if self._full:
            message = "every provider of this model has as many calls as it may have at a time"
            return GatewayError(ErrorType.SATURATED, message, retry_after=1.0)
        return GatewayError(ErrorType.NO_PROVIDER, "no provider is left to ask for this model")


def _unaided(call: Call, route: Route, exchange: Exchange) -> Frame:
    frame = call.language.unaided(call.body)
    if frame is None:
        what = call.language.operation
        raise invalid(f"no provider of model {route.label!r} offers {what}", "model", code="unsupported_operation")
    exchange.estimated = True
    return frame


def _as_seen_here(error: GatewayError, target: Target) -> GatewayError:
    """A provider that does not know a model that we configured for it is our trouble, not the caller's."""
    if error.type is ErrorType.MODEL_NOT_FOUND and target.configured:
        message = f"provider {target.provider.name} does not know the model that is configured for it"
        return GatewayError(ErrorType.MODEL_NOT_FOUND, message, status=502, provider=target.provider.name)
    return error
