"""Calls as samples: one observer follows each of them.

`requests_total` counts every call once, at its end and last: where a page tells of a call, it tells all of it.
`errors_total` counts each failed attempt, under its provider, and each refusal of ours. What a client gave up is no
error. Tokens and cost of providers are those of every attempt, those of tenants are what was delivered.
"""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import Gauge

from app.core.attempt import Attempt
from app.core.call import Call, Route, Target
from app.core.errors import ErrorType, GatewayError, Status
from app.core.exchange import Observer, Outcome
from app.core.usage import Usage
from app.core.wire import Operation
from app.metrics import attempted
from app.metrics.catalogue import CACHE, NONE, OTHER, Phase, Streamed
from app.metrics.registry import Lost, Metrics
from app.metrics.speed import Speeds

#: Refusals whose cause is the providers' state: they count under the first one that would have been asked.
_NOBODY_TO_ASK = frozenset({ErrorType.CIRCUIT_OPEN, ErrorType.NO_PROVIDER})


class Meter:
    """Belongs to the process; configurations come and go."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._speeds = Speeds(metrics)

    def expect(self, pairs: Iterable[tuple[str, str]], tenants: Iterable[str]) -> None:
        """(model label, provider) of everything that can be counted, and who may call."""
        self._metrics.expect(pairs, tenants)

    def limited(self, tenant: str, limit: str) -> None:
        """A call was refused for this limit."""
        self._metrics.rate_limit_hits(self._metrics.tenant(tenant), limit).inc()

    def follow(self, call: Call) -> Observer:
        if call.language.operation is Operation.COUNT_TOKENS:
            return Observer()
        return Followed(self._metrics, self._speeds, call)

    def turned(self, provider: str, circuit: str) -> None:
        """What the breaker of one of its targets became."""
        self._metrics.transitions(provider, circuit).inc()

    def waited(self, seconds: float) -> None:
        """Of a call that could not be let in at once."""
        self._metrics.queue_wait().observe(seconds)

    def cache(self, operation: str, result: str) -> None:
        """One of CACHE_RESULTS."""
        self._metrics.cache_operations(operation, result).inc()

    def refused(self, streaming: bool, error: GatewayError) -> None:
        """Of a body that never became a Call: no exchange tells, and nobody can be sure whose it was."""
        self._metrics.errors(NONE, error.type).inc()
        self._metrics.requests(OTHER, NONE, error.counts_as, _flag(streaming)).inc()


class Followed(Observer):
    __slots__ = ("_active", "_label", "_metrics", "_route", "_speed", "_stream", "_target", "_tenant")

    def __init__(self, metrics: Metrics, speeds: Speeds, call: Call) -> None:
        self._metrics = metrics
        self._stream = call.stream
        self._tenant = call.tenant.name
        self._speed = speeds.follow() if call.stream else None
        self._route: Route | None = None
        self._label = OTHER
        self._target: Target | None = None
        self._active: Gauge | Lost | None = None  # of the attempt that is running

    def on_route(self, route: Route) -> None:
        self._route = route
        self._label = route.label

    def on_attempt(self, target: Target) -> None:
        self._leave()
        self._target = target
        self._active = active = self._metrics.active(target.provider.name)
        active.inc()

    def on_failure(self, target: Target, error: GatewayError) -> None:
        self._leave()
        if error.type is not ErrorType.CANCELLED:
            self._metrics.errors(target.provider.name, error.type).inc()

    def on_first_content(self, seconds: float) -> None:
        if self._stream:
            provider = CACHE if self._target is None else self._target.provider.name
            self._metrics.ttft(self._label, provider).observe(seconds)

    def on_progress(self, attempt: Attempt) -> None:
        if self._speed is not None:
            self._speed.progress(self._label, attempt)

    def on_end(self, outcome: Outcome) -> None:
        self._leave()
        metrics, status, streaming = self._metrics, outcome.status, _flag(self._stream)
        label, provider = self._label, self._provider(outcome)
        if status is Status.SUCCESS or status is Status.ERROR:
            metrics.duration(label, provider, streaming).observe(outcome.seconds)
        error = outcome.error
        if error is not None and error.provider is None and error.type is not ErrorType.CANCELLED:
            metrics.errors(provider if error.type in _NOBODY_TO_ASK else NONE, error.type).inc()
        if status is Status.CANCELLED:
            metrics.disconnects(provider, self._phase(outcome)).inc()
        if self._stream and provider != NONE:
            metrics.streams(provider, _streamed(outcome)).inc()
        attempted.count(metrics, label, outcome.attempts)
        if self._speed is not None:
            for attempt in outcome.attempts:
                self._speed.ended(label, attempt)
        if status is Status.SUCCESS:
            self._succeeded(outcome, streaming)
        self._charge(outcome)
        metrics.requests(label, provider, status, streaming).inc()

    def _succeeded(self, outcome: Outcome, streaming: str) -> None:
        """What the gateway itself took, where only one provider was waited for."""
        if len(outcome.attempts) == 1:
            (attempt,) = outcome.attempts
            ready, answered = (outcome.ttft, attempt.first) if self._stream else (outcome.seconds, attempt.ended)
            if ready is not None and answered is not None:
                self._metrics.overhead(streaming).observe(ready - (answered - attempt.began))
        elif not outcome.attempts and outcome.usage is not None and self._route is not None:
            self._saved(self._route, outcome.usage)

    def _saved(self, route: Route, usage: Usage) -> None:
        """By the cache: what the first target would have charged."""
        metrics = self._metrics
        metrics.saved_tokens(route.label, "input").inc(usage.input)
        metrics.saved_tokens(route.label, "output").inc(usage.output)
        metrics.saved_cost(route.label).inc(route.targets[0].price.of(usage))

    def _charge(self, outcome: Outcome) -> None:
        metrics = self._metrics
        tenant = metrics.tenant(self._tenant)
        metrics.tenant_requests(tenant, outcome.status).inc()
        charged = outcome.charged
        if charged.input:
            metrics.tenant_tokens(tenant, "input").inc(charged.input)
        if charged.output:
            metrics.tenant_tokens(tenant, "output").inc(charged.output)
        if cost := outcome.cost:
            metrics.tenant_cost(tenant).inc(cost)

    def _leave(self) -> None:
        if self._active is not None:
            self._active.dec()
            self._active = None

    def _phase(self, outcome: Outcome) -> Phase:
        if not self._stream:
            return Phase.NON_STREAMING
        return Phase.BEFORE_FIRST_TOKEN if outcome.ttft is None else Phase.STREAMING

    def _provider(self, outcome: Outcome) -> str:
        error = outcome.error
        if outcome.target is not None:
            return outcome.target.provider.name
        if error is None:
            return CACHE
        if error.provider is not None:
            return error.provider
        if error.type in _NOBODY_TO_ASK and self._route is not None:
            return self._route.targets[0].provider.name
        return NONE


def _streamed(outcome: Outcome) -> Streamed:
    if outcome.status is Status.SUCCESS:
        return Streamed.RESCUED if outcome.rescued else Streamed.COMPLETE
    if outcome.status is Status.CANCELLED:
        return Streamed.CLIENT_GONE
    return Streamed.UPSTREAM_ERROR if outcome.ttft is None else Streamed.TRUNCATED


def _flag(value: bool) -> str:
    return "true" if value else "false"
