"""The pages that Prometheus reads: the files of all workers merged, and what only the housekeeper knows.

A merge costs some 10 us a series and slot, so pages asked for within a second share one, and nobody merges beside
another. Only the housekeeper does this: in a worker it would hold up every stream.
"""

from __future__ import annotations

import gzip
import logging
import platform
import struct
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from prometheus_client import Metric
from prometheus_client.exposition import choose_encoder, gzip_accepted
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from app.metrics import catalogue, derived, health, made
from app.metrics.catalogue import CACHE, NONE
from app.metrics.derived import Speedometer
from app.metrics.health import ProviderFacts
from app.metrics.slots import REASONS

log = logging.getLogger(__name__)

_FRESH = 1.0  # seconds that a merge is good for
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


@dataclass(slots=True)
class _Merged(Collector):
    families: list[Metric] = field(default_factory=list)
    at: float = float("-inf")  # monotonic
    pages: dict[str, bytes] = field(default_factory=dict)

    def collect(self) -> Iterable[Metric]:
        return self.families


class Exposition:
    def __init__(self, directory: Path, facts: Callable[[], Facts]) -> None:
        self._directory = directory
        self._facts = facts
        self._lock = threading.Lock()
        self._merged = _Merged()
        self._speedometer = Speedometer()
        self._bad: set[Path] = set()
        self._errors = 0

    def page(self, accept: str, accept_encoding: str = "") -> tuple[dict[str, str], bytes]:
        """Headers and body, in the format and compression that these request headers ask for."""
        encode, content_type = choose_encoder(accept)
        with self._lock:
            merged = self._current()
            if content_type not in merged.pages:
                merged.pages[content_type] = encode(merged)
            body = merged.pages[content_type]
        if gzip_accepted(accept_encoding):
            return {"Content-Type": content_type, "Content-Encoding": "gzip"}, gzip.compress(body, 1)
        return {"Content-Type": content_type}, body

    def _current(self) -> _Merged:
        age = time.monotonic() - self._merged.at
        if age >= _FRESH:
            try:
                families = self._collect()
            except _UNREADABLE:
                if age > _STALE:
                    raise
                log.exception("the metrics of the workers could not be merged; serving those of %.0f s ago", age)
            else:
                self._merged = _Merged(families, time.monotonic())
        return self._merged

    def _families(self) -> list[Metric]:
        """Of all files that can be read: the others are counted, and named once."""
        paths = sorted(self._directory.glob("*.db"))
        try:
            return _merge(paths)
        except _UNREADABLE:
            bad = {path for path in paths if not _is_readable(path)}
        for path in sorted(bad - self._bad):
            log.error("%s cannot be read, and is left out of the metrics", path)
        self._bad = bad
        self._errors += len(bad)
        return _merge(path for path in paths if path not in bad)

    def _collect(self) -> list[Metric]:
        began = time.perf_counter()
        facts = self._facts()
        families = self._families()
        families += [self._speedometer.family(families, began), derived.in_flight(families)]
        if facts.providers is not None:
            families = [_without_removed(family, {*facts.providers, CACHE, NONE}) for family in families]
        build = made.gauge(catalogue.BUILD)
        build.add_metric([facts.version, platform.python_version()], 1)
        exits = made.counter(catalogue.WORKER_EXITS)
        for reason in REASONS:
            exits.add_metric([reason], facts.exits.get(reason, 0))
        errors = made.counter(catalogue.FILE_ERRORS)
        errors.add_metric([], self._errors)
        return [
            *families,
            *health.families(facts.health),
            build,
            exits,
            made.gauge(catalogue.CONFIG_GOOD, float(facts.config_is_good)),
            made.gauge(catalogue.CONFIG_TIME, facts.config_since),
            made.gauge(catalogue.FILES, sum(1 for _ in self._directory.glob("*.db"))),
            errors,
            made.gauge(catalogue.COLLECT, time.perf_counter() - began),
        ]


def _merge(paths: Iterable[Path]) -> list[Metric]:
    return list(MultiProcessCollector.merge([str(path) for path in paths], accumulate=True))  # type: ignore[no-untyped-call]


def _is_readable(path: Path) -> bool:
    try:
        _merge([path])
    except _UNREADABLE:
        return False
    return True


def _without_removed(family: Metric, providers: Collection[str]) -> Metric:
    """Gauges of providers that are no longer configured go, once what they count has ended."""
    if family.type == "gauge":
        family.samples = [s for s in family.samples if s.value or s.labels.get("provider", NONE) in providers]
    return family
