"""A stream that broke after its first content goes on in another one, or ends in an error; it never looks complete.

`continue`: a target of the same model that is marked `prefill` is given the delivered text and goes on from there.
`replay`: the call is made again, and what the client has is left out; where the new answer differs, it ends in the
error. `auto`: continue, else replay if the answer must be the same (temperature 0, or a seed), else the error. Only
plain text is rescued: no tool call, reasoning, JSON schema, several choices or log probabilities.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace

from app.core.call import Call, Rescue, Route, Target
from app.core.delivered import Delivered, Diverged
from app.core.errors import ErrorType, GatewayError, Next
from app.core.exchange import Batch, Exchange
from app.core.json import Json
from app.core.wire import Frame
from app.resilience.budget import RetryBudget
from app.routing.asking import Asker
from app.routing.entrance import Entrance
from app.routing.verdict import Verdict
from app.upstream.watch import Guard

log = logging.getLogger(__name__)


def means(call: Call, route: Route) -> tuple[Rescue, ...]:
    """CONTINUE and REPLAY as far as this call allows them, in the order of trying."""
    if not call.stream or route.rescue is Rescue.OFF or not _is_plain(call.body):
        return ()
    found = []
    if route.rescue in (Rescue.CONTINUE, Rescue.AUTO) and any(target.prefill for target in route.targets):
        found.append(Rescue.CONTINUE)
    if route.rescue is Rescue.REPLAY or (route.rescue is Rescue.AUTO and _is_deterministic(call.body)):
        found.append(Rescue.REPLAY)
    return tuple(found)


class Rescued:
    """The batches of a stream and, should it break, of those that go on for it."""

    __slots__ = ("_batches", "_delivered", "_joined", "_rescuer")

    def __init__(self, batches: Iterator[Batch], delivered: Delivered, rescuer: Rescuer) -> None:
        self._batches = batches
        self._delivered = delivered
        self._rescuer = rescuer
        self._joined = False

    def __iter__(self) -> Rescued:
        return self

    def __next__(self) -> Batch:
        while True:
            try:
                batch = self._batches.__next__()
            except GatewayError as error:
                if not (_may_go_on(error) and self._delivered.can_go_on()):
                    raise
                self._batches, name = self._rescuer.rescue(self._delivered, error)
                self._joined = True
                return [Frame(None, comment=f"rescued by {name}")]
            if self._joined:
                batch = self._join(batch)
            for frame in batch:
                self._delivered.note(frame)
            if batch:
                return batch

    def close(self) -> None:
        if close := getattr(self._batches, "close", None):
            close()

    def _join(self, batch: Batch) -> Batch:
        try:
            return [joined for frame in batch for joined in self._delivered.join(frame)]
        except Diverged as error:
            self.close()
            raise self._rescuer.diverged(error) from error


class Rescuer:
    """Finds the stream that goes on, within what one call may ask in all."""

    __slots__ = ("_again", "_call", "_exchange", "_guard", "_means", "_parts", "_refused", "_route", "_unable")

    def __init__(self, parts: Parts, call: Call, route: Route, exchange: Exchange, guard: Guard) -> None:
        self._parts = parts
        self._call = call
        self._route = route
        self._exchange = exchange
        self._guard = guard
        self._means = means(call, route)
        self._again: set[str] = set()  # targets that were asked for the whole answer once more
        self._unable: set[str] = set()  # targets that did not go on from a given beginning
        self._refused = False  # the request itself was, by one that was to replay it

    def rescue(self, delivered: Delivered, error: GatewayError) -> tuple[Iterator[Batch], str]:
        """The next stream, its first content there, and who gives it. Raises the error that is to be rescued from."""
        broken = self._exchange.target
        if broken is not None and not error.told:
            self._exchange.failure(broken, error)
        for way in self._means:
            for target in self._who_continues() if way is Rescue.CONTINUE else self._who_replays(broken):
                if target.name in self._exchange.silent:
                    continue
                if self._refused or self._exchange.attempts >= self._parts.max_attempts or self._is_over(target):
                    raise error
                again = broken is not None and target.name == broken.name
                verdict = self._enter(target, again=again)
                found = self._at(target, delivered, way, verdict) if verdict else None
                if found is not None:
                    self._exchange.rescued += 1
                    log.info("call %s goes on at %s (%s)", self._call.id, target.name, way)
                    return found, target.name
        raise error

    def diverged(self, error: Diverged) -> GatewayError:
        target = self._exchange.target
        name = target.provider.name if target else None
        message = f"the stream broke off, and {error}"
        return GatewayError(ErrorType.STREAM_INTERRUPTED, message, provider=name)

    def _is_over(self, target: Target) -> bool:
        """Whether whatever this target said would come too late."""
        asker = self._parts.asker
        return asker.clock.monotonic() >= asker.ends_at(self._call, target)

    def _who_continues(self) -> list[Target]:
        return [target for target in self._route.targets if target.prefill and target.name not in self._unable]

    def _who_replays(self, broken: Target | None) -> list[Target]:
        others = [target for target in self._route.targets if broken is None or target.key != broken.key]
        if broken is None or broken.name in self._again:
            return others
        self._again.add(broken.name)
        return [broken, *others]

    def _enter(self, target: Target, *, again: bool) -> Verdict | None:
        """`again`: it is the target of the stream that broke, and so it is a repeat like any other."""
        parts, call = self._parts, self._call
        if not parts.asker.able(call, target):
            return None
        verdict = parts.entrance.enter(
            target,
            waited=False,
            alone=lambda: False,
            impatient=lambda error: parts.asker.impatient(call, error),
        )
        if not isinstance(verdict, Verdict):
            return None
        if not again:
            parts.budget.first(target.provider.name)
        elif not parts.budget.spend(target.provider.name):
            verdict.abandoned()
            return None
        return verdict

    def _at(self, target: Target, delivered: Delivered, way: Rescue, verdict: Verdict) -> Iterator[Batch] | None:
        parts, call = self._parts, self._call
        if way is Rescue.CONTINUE:
            call = replace(call, body=delivered.continued(call.body))
            delivered.goes_on()
        else:
            delivered.begins_again()
        try:
            return parts.asker.ask(call, target, self._exchange, self._guard, verdict)
        except GatewayError as failure:
            verdict.failed(failure)
            if failure.ends_the_call:
                raise
            if failure.provider is not None:
                self._exchange.failure(target, failure)
            if way is Rescue.CONTINUE:
                self._unable.add(target.name)
            elif failure.provider is not None:
                self._refused = failure.rule.next is not Next.YES
            return None
        except BaseException:
            verdict.abandoned()
            raise


class Parts:
    """What it takes to ask."""

    __slots__ = ("asker", "budget", "entrance", "max_attempts")

    def __init__(self, asker: Asker, entrance: Entrance, budget: RetryBudget, max_attempts: int) -> None:
        self.asker = asker
        self.entrance = entrance
        self.budget = budget
        self.max_attempts = max_attempts


def _may_go_on(error: GatewayError) -> bool:
    """Whether another stream may do better: not where the request itself was refused, for its content say."""
    if error.type is not ErrorType.STREAM_INTERRUPTED:
        return False
    cause = error.__cause__
    return not isinstance(cause, GatewayError) or cause.rule.next is Next.YES


def _is_plain(body: Json) -> bool:
    choices, form, output = body.get("n"), body.get("response_format"), body.get("output_config")
    chances = body.get("logprobs")
    return (
        (choices is None or choices == 1)
        and (chances is None or chances is False)  # 0 is a number of them, too
        and (not isinstance(form, dict) or form.get("type") == "text")
        and not (isinstance(output, dict) and output.get("format"))
    )


def _is_deterministic(body: Json) -> bool:
    return body.get("temperature") == 0 or body.get("seed") is not None
