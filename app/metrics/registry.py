"""The metrics that workers write, ready to be counted in. What each is called stands in catalogue.py."""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from app.core.errors import ErrorType, Status
from app.metrics import catalogue
from app.metrics.catalogue import CIRCUITS, NONE, OTHER, TENANTS, Metric, Streamed

log = logging.getLogger(__name__)

#: What an attempt at a provider can end in, and what we refuse by ourselves.
_OF_PROVIDERS = (
    *(ErrorType.INVALID_REQUEST, ErrorType.MODEL_NOT_FOUND, ErrorType.CONTEXT_LENGTH, ErrorType.CONTENT_FILTER),
    *(ErrorType.RATE_LIMITED, ErrorType.QUOTA_EXCEEDED, ErrorType.AUTHENTICATION, ErrorType.TIMEOUT),
    *(ErrorType.CONNECTION, ErrorType.SERVER_ERROR, ErrorType.OVERLOADED, ErrorType.INVALID_RESPONSE),
    *(ErrorType.STREAM_INTERRUPTED, ErrorType.CIRCUIT_OPEN, ErrorType.NO_PROVIDER),
)
_OURS = (
    *(ErrorType.INVALID_REQUEST, ErrorType.CLIENT_AUTHENTICATION, ErrorType.PERMISSION, ErrorType.MODEL_NOT_FOUND),
    *(ErrorType.RATE_LIMITED, ErrorType.SHUTTING_DOWN, ErrorType.SATURATED, ErrorType.INTERNAL),
)
_COMPLAIN_EVERY = 60.0  # seconds


class Lost:
    """Stands in for a series that could not be made."""

    def inc(self, amount: float = 1) -> None:
        """Count nothing."""

    dec = set = observe = inc


Child = TypeVar("Child")  # Counter, Gauge or Histogram
MakeRoom = Callable[[str], None]


class Room:
    """What it takes to make a series: room in the slot's files, and one at a time.

    Of two threads that make the same file, one would count in a file that is gone.
    """

    def __init__(self, make_room: MakeRoom) -> None:
        self._make_room = make_room
        self._lock = threading.Lock()
        self._complained = float("-inf")

    def make(
        self, kind: str, series: dict[tuple[str, ...], Any], labels: tuple[str, ...], new: Callable[..., Any]
    ) -> Any:
        with self._lock:
            if labels in series:
                return series[labels]
            try:
                self._make_room(kind)
            except OSError as error:
                self._complain(error)
                return Lost()
            series[labels] = child = new(*labels)
            return child

    def _complain(self, error: OSError) -> None:
        if time.monotonic() > self._complained + _COMPLAIN_EVERY:
            self._complained = time.monotonic()
            log.error("%s", error)


class Family(Generic[Child]):
    """A metric, by its labels' values in their order. Finding a series again costs one look into a dict."""

    def __init__(self, new: Callable[..., Child], kind: str, room: Room) -> None:
        self._new = new
        self._kind = kind
        self._room = room
        self._series: dict[tuple[str, ...], Child] = {}

    def __call__(self, *labels: str) -> Child | Lost:
        found = self._series.get(labels)
        return found if found is not None else self._room.make(self._kind, self._series, labels, self._new)


class Metrics:
    """Made once a process, after its slot was taken: the values are those that the slot's files hold."""

    def __init__(self, make_room: MakeRoom = lambda kind: None) -> None:
        self.registry = registry = CollectorRegistry()
        room = Room(make_room)

        def family(kind: str, metric: Metric, make: Callable[[], Any]) -> Family[Any]:
            """One without labels is made when it is first written: it would make its file at once."""
            return Family(make().labels if metric.labels else make, kind, room)

        def counter(metric: Metric) -> Family[Counter]:
            given = metric.name, metric.text, metric.labels
            return family("counter", metric, lambda: Counter(*given, registry=registry))

        def histogram(metric: Metric) -> Family[Histogram]:
            given = metric.name, metric.text, metric.labels
            return family("histogram", metric, lambda: Histogram(*given, registry=registry, buckets=metric.buckets))

        def gauge(metric: Metric) -> Family[Gauge]:
            """Of this worker alone: gone when it is gone."""
            given = metric.name, metric.text, metric.labels
            mode: Any = metric.mode
            return family(f"gauge_{mode}", metric, lambda: Gauge(*given, registry=registry, multiprocess_mode=mode))

        self.requests = counter(catalogue.REQUESTS)
        self.duration = histogram(catalogue.DURATION)
        self.ttft = histogram(catalogue.TTFT)
        self.tokens = counter(catalogue.TOKENS)
        self.active = gauge(catalogue.ACTIVE)
        self.errors = counter(catalogue.ERRORS)
        self.streams = counter(catalogue.STREAMS)
        self.disconnects = counter(catalogue.DISCONNECTS)
        self.overhead = histogram(catalogue.OVERHEAD)
        self.queue_wait = histogram(catalogue.QUEUE_WAIT)
        self.rate_limit_hits = counter(catalogue.RATE_LIMIT_HITS)
        self.attempts = counter(catalogue.ATTEMPTS)
        self.upstream_duration = histogram(catalogue.UPSTREAM_DURATION)
        self.upstream_ttft = histogram(catalogue.UPSTREAM_TTFT)
        self.time_per_token = histogram(catalogue.TIME_PER_TOKEN)
        self.retries = counter(catalogue.RETRIES)
        self.fallbacks = counter(catalogue.FALLBACKS)
        self.malformed = counter(catalogue.MALFORMED)
        self.stream_tokens = counter(catalogue.STREAM_TOKENS)
        self.stream_seconds = counter(catalogue.STREAM_SECONDS)
        self.details = counter(catalogue.TOKEN_DETAILS)
        self.usage_missing = counter(catalogue.USAGE_MISSING)
        self.estimated = counter(catalogue.ESTIMATED)
        self.cost = counter(catalogue.COST)
        self.tenant_requests = counter(catalogue.TENANT_REQUESTS)
        self.tenant_tokens = counter(catalogue.TENANT_TOKENS)
        self.tenant_cost = counter(catalogue.TENANT_COST)
        self.cache_operations = counter(catalogue.CACHE_OPERATIONS)
        self.saved_tokens = counter(catalogue.SAVED_TOKENS)
        self.saved_cost = counter(catalogue.SAVED_COST)
        self.transitions = counter(catalogue.TRANSITIONS)
        self.worker_in_flight = gauge(catalogue.WORKER_IN_FLIGHT)
        self.worker_capacity = gauge(catalogue.WORKER_CAPACITY)
        self.memcached_up = gauge(catalogue.MEMCACHED_UP)
        self._config = gauge(catalogue.CONFIG_HASH)
        self._lines_lost = counter(catalogue.LINES_LOST)
        self._lost = 0
        self._tenants: set[str] = set()

    def tenant(self, name: str) -> str:
        """Its label: the first thousand have one of their own."""
        if name not in self._tenants:
            if len(self._tenants) >= TENANTS:
                return OTHER
            self._tenants.add(name)
        return name

    def expect(self, pairs: Iterable[tuple[str, str]], tenants: Iterable[str] = ()) -> None:
        """Make what these can count: a series that is born with its first error hides it."""
        pairs = set(pairs)
        for (model, provider), streaming in itertools.product(pairs, ("true", "false")):
            self.requests(model, provider, Status.SUCCESS, streaming)
            self.requests(model, provider, Status.ERROR, streaming)
        for model, provider in pairs:
            self.tokens(model, provider, "input")
            self.tokens(model, provider, "output")
            self.cost(model, provider)
            self.attempts(provider, model, "success")
        for provider in {provider for _, provider in pairs}:
            self._expect_provider(provider)
        for streaming in ("true", "false"):
            self.requests(OTHER, NONE, Status.CLIENT_ERROR, streaming)
        for kind in _OURS:
            self.errors(NONE, kind)
        for operation, results in catalogue.CACHE_RESULTS.items():
            for result in results:
                self.cache_operations(operation, result)
        for tenant in map(self.tenant, tenants):
            self._expect_tenant(tenant)

    def _expect_tenant(self, tenant: str) -> None:
        for status in (Status.SUCCESS, Status.ERROR):
            self.tenant_requests(tenant, status)
        self.tenant_cost(tenant)
        for limit in catalogue.LIMIT_TYPES:
            self.rate_limit_hits(tenant, limit)

    def _expect_provider(self, provider: str) -> None:
        self.active(provider)
        self.malformed(provider)
        for kind in _OF_PROVIDERS:
            self.errors(provider, kind)
        for outcome in Streamed:
            self.streams(provider, outcome)
        for to in CIRCUITS:
            self.transitions(provider, to)

    def inside(self, calls: int, capacity: int) -> None:
        """How many calls this worker has, of how many that it takes."""
        self.worker_in_flight().set(calls)
        self.worker_capacity().set(capacity)

    def lines_lost(self, lost: int) -> None:
        """How many lines of log this process could not write so far."""
        self._lines_lost().inc(lost - self._lost)
        self._lost = lost

    def in_force(self, config_hash: str) -> None:
        """Which configuration this worker has built, in a series of its own."""
        self._config().set(int(config_hash[:12], 16))
