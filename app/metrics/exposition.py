"""The pages that Prometheus reads: the files of all workers merged, and what only the housekeeper knows.

A merge costs some 10 us a series and slot, so who asks for the same page within a second shares one, and nobody merges
beside another. Only the housekeeper does this: in a worker it would hold up every stream. A page is all that is kept.
"""

from __future__ import annotations

import gc
import gzip
import logging
import platform
import struct
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from prometheus_client import Metric
from prometheus_client.exposition import choose_encoder, gzip_accepted
from prometheus_client.registry import Collector

from app.metrics import catalogue, derived, health, made
from app.metrics.catalogue import CACHE, NONE
from app.metrics.derived import Speedometer
from app.metrics.health import ProviderFacts
from app.metrics.merge import Merge
from app.metrics.slots import REASONS

log = logging.getLogger(__name__)

_FRESH = 1.0  # seconds that a page is good for
_STALE = 60.0  # seconds that the last good one stands in for a merge that fails

#: What a file that is none makes prometheus_client raise.
_UNREADABLE = (OSError, ValueError, RuntimeError, LookupError, TypeError, AttributeError, struct.error)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is not in the workers' files."""

    version: str
    exits: Mapping[str, int]  # of workers, by reason
    providers: Collection[str] | None  # as configured; None: not known
    config_is_good: bool = True  # False: the newest one was not taken over
    config_since: float = 0.0  # Unix seconds: when the one in force was published
    health: Mapping[str, ProviderFacts] = field(default_factory=dict)  # by provider


@dataclass(frozen=True, slots=True)
class _Merged(Collector):
    families: Iterator[Metric]

    def collect(self) -> Iterable[Metric]:
        return self.families


@dataclass(frozen=True, slots=True)
class _Page:
    content_type: str = ""
    body: bytes = b""
    at: float = float("-inf")  # monotonic


class Exposition:
    def __init__(self, directory: Path, facts: Callable[[], Facts]) -> None:
        self._directory = directory
        self._facts = facts
        self._lock = threading.Lock()
        self._last = _Page()
        self._speedometer = Speedometer()
        self._bad: set[Path] = set()
        self._errors = 0

    def page(self, accept: str, accept_encoding: str = "") -> tuple[dict[str, str], bytes]:
        """Headers and body, in the format and compression that these request headers ask for."""
        encode, content_type = choose_encoder(accept)
        with self._lock:
            body = self._current(encode, content_type)
        if gzip_accepted(accept_encoding):
            return {"Content-Type": content_type, "Content-Encoding": "gzip"}, gzip.compress(body, 1)
        return {"Content-Type": content_type}, body

    def _current(self, encode: Callable[[Collector], bytes], content_type: str) -> bytes:
        last = self._last if self._last.content_type == content_type else _Page()
        age = time.monotonic() - last.at
        if age >= _FRESH:
            try:
                body = encode(_Merged(self._collect()))
            except _UNREADABLE:
                if age > _STALE:
                    raise
                log.exception("the metrics of the workers could not be merged; serving those of %.0f s ago", age)
            else:
                self._last = last = _Page(content_type, body, time.monotonic())
            gc.collect()  # what Python holds ready for the next small objects is all over what the merge took
        return last.body

    def _families(self) -> Iterator[Metric]:
        """Of all files that can be read: the others are counted, and named once."""
        merge, bad = Merge(), set[Path]()
        for path in sorted(self._directory.glob("*.db")):
            try:
                merge.add(path)
            except FileNotFoundError:
                continue  # of a worker that has just ended
            except _UNREADABLE:
                bad.add(path)
        for path in sorted(bad - self._bad):
            log.error("%s cannot be read, and is left out of the metrics", path)
        self._bad = bad
        self._errors += len(bad)
        return merge.families()

    def _collect(self) -> Iterator[Metric]:
        """One at a time, so that each is encoded and gone before the next is made."""
        began = time.perf_counter()
        facts = self._facts()
        sources = []
        for family in self._families():
            if family.name in derived.SOURCES:
                sources.append(family)
            yield family if facts.providers is None else _without_removed(family, {*facts.providers, CACHE, NONE})
        yield self._speedometer.family(sources, began)
        yield derived.in_flight(sources)
        yield from health.families(facts.health)
        build = made.gauge(catalogue.BUILD)
        build.add_metric([facts.version, platform.python_version()], 1)
        yield build
        exits = made.counter(catalogue.WORKER_EXITS)
        for reason in REASONS:
            exits.add_metric([reason], facts.exits.get(reason, 0))
        yield exits
        yield made.gauge(catalogue.CONFIG_GOOD, float(facts.config_is_good))
        yield made.gauge(catalogue.CONFIG_TIME, facts.config_since)
        yield made.gauge(catalogue.FILES, sum(1 for _ in self._directory.glob("*.db")))
        errors = made.counter(catalogue.FILE_ERRORS)
        errors.add_metric([], self._errors)
        yield errors
        yield made.gauge(catalogue.COLLECT, time.perf_counter() - began)


def _without_removed(family: Metric, providers: Collection[str]) -> Metric:
    """Gauges of providers that are no longer configured go, once what they count has ended."""
    if family.type == "gauge":
        family.samples = [s for s in family.samples if s.value or s.labels.get("provider", NONE) in providers]
    return family
