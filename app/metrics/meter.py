"""Calls as samples: one observer follows each of them.

`requests_total` counts every call once, at its end; `errors_total` each failed attempt, under its provider, and each
refusal of ours. What a client gave up is no error. Where a provider reported no usage, or a stream ended before it did,
the answer's tokens are estimated from its characters; nobody knows those of the prompt then, and they are not counted.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from prometheus_client import Gauge

from app.core.call import Call, Route, Target
from app.core.errors import ErrorType, GatewayError, Status
from app.core.exchange import Observer, Outcome
from app.core.usage import Usage
from app.core.wire import Operation
from app.metrics.catalogue import CACHE, NONE, OTHER
from app.metrics.registry import Lost, Metrics

_CHARS_A_TOKEN = 4  # English prose; code and other scripts have fewer

#: Refusals whose cause is the providers' state: they count under the first one that would have been asked.
_NOBODY_TO_ASK = frozenset({ErrorType.CIRCUIT_OPEN, ErrorType.NO_PROVIDER})


class Meter:
    """Belongs to the process; configurations come and go."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def expect(self, pairs: Iterable[tuple[str, str]]) -> None:
        """(model label, provider) of everything that can be counted."""
        self._metrics.expect(pairs)

    def follow(self, call: Call) -> Observer:
        if call.language.operation is Operation.COUNT_TOKENS:
            return Observer()
        return Followed(self._metrics, call.stream)

    def refused(self, streaming: bool, error: GatewayError) -> None:
        """Of a body that never became a Call: no exchange tells."""
        self._metrics.requests(OTHER, NONE, error.counts_as, _flag(streaming)).inc()
        self._metrics.errors(NONE, error.type).inc()


class Followed(Observer):
    __slots__ = ("_active", "_metrics", "_route", "_stream", "_target")

    def __init__(self, metrics: Metrics, stream: bool) -> None:
        self._metrics = metrics
        self._stream = stream
        self._route: Route | None = None
        self._target: Target | None = None
        self._active: Gauge | Lost | None = None  # of the attempt that is running

    def on_route(self, route: Route) -> None:
        self._route = route

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
            self._metrics.ttft(self._label(), provider).observe(seconds)

    def on_end(self, outcome: Outcome) -> None:
        self._leave()
        metrics, status, streaming = self._metrics, outcome.status, _flag(self._stream)
        label, provider = self._label(), self._provider(outcome)
        metrics.requests(label, provider, status, streaming).inc()
        if status is Status.SUCCESS or status is Status.ERROR:
            metrics.duration(label, provider, streaming).observe(outcome.seconds)
        error = outcome.error
        if error is not None and error.provider is None and error.type is not ErrorType.CANCELLED:
            metrics.errors(provider if error.type in _NOBODY_TO_ASK else NONE, error.type).inc()
        if outcome.target is not None:
            usage = billed(outcome)
            if usage.input:
                metrics.tokens(label, provider, "input").inc(usage.input)
            if usage.output:
                metrics.tokens(label, provider, "output").inc(usage.output)

    def _leave(self) -> None:
        if self._active is not None:
            self._active.dec()
            self._active = None

    def _label(self) -> str:
        return OTHER if self._route is None else self._route.label

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


def billed(outcome: Outcome) -> Usage:
    """What the provider reported, or at least what an answer of this length must have cost."""
    reported = outcome.usage
    if reported is not None and outcome.status is Status.SUCCESS:
        return reported
    estimated = math.ceil(outcome.chars / _CHARS_A_TOKEN)
    if reported is None:
        return Usage(0, estimated)
    return Usage(reported.input, max(reported.output, estimated))  # a broken stream's usage may be of its beginning


def _flag(value: bool) -> str:
    return "true" if value else "false"
