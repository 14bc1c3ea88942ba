"""The metrics that workers write: names, labels, buckets. Dashboards and alerts query exactly these.

Label sets are closed: a series can never be taken back, so nothing that a client sends may become one. Help texts are
short because every series carries its own in the files of its slot.
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from app.core.errors import ErrorType, Status

log = logging.getLogger(__name__)

PREFIX = "llm_gateway_llm_gateway_"

NONE = "none"  # provider: refused before there was one
CACHE = "cache"  # provider: answered without one
OTHER = "other"  # model: a name that the configuration does not know

# 10 and 30 are thresholds of alerts, and so is 5 for the first token: on a boundary they are exact.
DURATION_BUCKETS = (*(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 7.5, 10, 15, 20, 30, 45, 60, 120, 300, 600),)
TTFT_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2.5, 5, 7.5, 10, 20, 30, 60, 120)

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


class Family(Generic[Child]):
    """A metric, by its labels' values in their order. Finding a series again costs one look into a dict."""

    def __init__(self, labels: Callable[..., Child], kind: str, make_room: MakeRoom, lock: threading.Lock) -> None:
        self._labels = labels
        self._kind = kind
        self._make_room = make_room
        self._lock = lock
        self._series: dict[tuple[str, ...], Child] = {}
        self._complained = float("-inf")

    def __call__(self, *labels: str) -> Child | Lost:
        found = self._series.get(labels)
        return found if found is not None else self._make(labels)

    def _make(self, labels: tuple[str, ...]) -> Child | Lost:
        with self._lock:  # of two threads that make the same file, one would count in a file that is gone
            if labels in self._series:
                return self._series[labels]
            try:
                self._make_room(self._kind)
            except OSError as error:
                self._complain(error)
                return Lost()
            self._series[labels] = child = self._labels(*labels)
            return child

    def _complain(self, error: OSError) -> None:
        if time.monotonic() > self._complained + _COMPLAIN_EVERY:
            self._complained = time.monotonic()
            log.error("%s", error)


class Metrics:
    """Made once a process, after its slot was taken: the values are those that the slot's files hold."""

    def __init__(self, make_room: MakeRoom = lambda kind: None) -> None:
        self.registry = registry = CollectorRegistry()
        lock = threading.Lock()

        def counter(name: str, text: str, *labels: str) -> Family[Counter]:
            return Family(Counter(PREFIX + name, text, labels, registry=registry).labels, "counter", make_room, lock)

        def histogram(name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Family[Histogram]:
            metric = Histogram(PREFIX + name, text, labels, registry=registry, buckets=buckets)
            return Family(metric.labels, "histogram", make_room, lock)

        def live(name: str, text: str, *labels: str) -> Family[Gauge]:
            """Of this worker alone: gone when it is gone, and summed over those that live."""
            metric = Gauge(PREFIX + name, text, labels, registry=registry, multiprocess_mode="livesum")
            return Family(metric.labels, "gauge_livesum", make_room, lock)

        self.requests = counter("requests_total", "Calls that ended.", "model", "provider", "status", "streaming")
        self.duration = histogram(
            "request_duration_seconds", "Arrival to last byte.", DURATION_BUCKETS, "model", "provider", "streaming"
        )
        self.tokens = counter("tokens_total", "Tokens of prompts and answers.", "model", "provider", "type")
        self.active = live("active_requests", "Attempts that are running.", "provider")
        self.ttft = histogram("ttft_seconds", "Arrival to first content.", TTFT_BUCKETS, "model", "provider")
        self.errors = counter("errors_total", "Failed attempts, and refusals.", "provider", "error_type")
        self._config = Family(
            lambda: Gauge(
                PREFIX + "config_hash",
                "First 48 bits of the configuration's hash.",
                registry=registry,
                multiprocess_mode="liveall",
            ),
            "gauge_liveall",
            make_room,
            lock,
        )

    def expect(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Make what these (model label, provider) can count: a series that is born with its first error hides it."""
        pairs = set(pairs)
        for (model, provider), streaming in itertools.product(pairs, ("true", "false")):
            self.requests(model, provider, Status.SUCCESS, streaming)
            self.requests(model, provider, Status.ERROR, streaming)
        for model, provider in pairs:
            self.tokens(model, provider, "input")
            self.tokens(model, provider, "output")
        for provider in {provider for _, provider in pairs}:
            self.active(provider)
            for kind in _OF_PROVIDERS:
                self.errors(provider, kind)
        for streaming in ("true", "false"):
            self.requests(OTHER, NONE, Status.CLIENT_ERROR, streaming)
        for kind in _OURS:
            self.errors(NONE, kind)

    def in_force(self, config_hash: str) -> None:
        """Which configuration this worker has built, in a series of its own."""
        self._config().set(int(config_hash[:12], 16))
