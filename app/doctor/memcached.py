"""The memcached servers: there, new enough, large enough, and by the same clock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from app.config.settings import Settings
from app.core.clock import Clock
from app.doctor.finding import Finding, bad, ok, warn
from app.store.memcached import Memcached

_APART = 1  # seconds
_BEHIND = 2  # seconds that a right clock may seem late: memcached looks at it once in one, and tells whole ones
_SMALL = 64 * 1024 * 1024  # bytes
_HEAD = 4096  # bytes that a kept answer has beside its body, at most


def check(settings: Settings, clock: Clock) -> Iterator[Finding]:
    given = settings.memcached
    if not given.servers:
        if settings.has_shared_state:
            do = "name memcached.servers, so that limits are exact and answers are shared"
            yield warn("memcached", "none: each worker has its share of limits and answers of its own", do)
        return
    patience = max(given.timeout, 1.0)  # a doctor has time
    store = Memcached(given.servers, given.counters, patience, patience, 1)
    try:
        for name, stats in store.stats().items():
            yield from _one(f"memcached {name}", stats, settings, clock)
    finally:
        store.close()


def _one(what: str, stats: Mapping[str, str] | None, settings: Settings, clock: Clock) -> Iterator[Finding]:
    if stats is None:
        yield bad(
            what, "does not answer, or is older than 1.6", "start it, or mend its name; until then limits are local"
        )
        return
    room = int(stats["limit_maxbytes"])
    evicted = int(stats["evictions"])
    apart = int(stats["time"]) - clock.time()
    said = (
        f"version {stats['version']}, {room // 2**20} MiB, {evicted} evictions, its clock is {apart:+.0f} s from ours"
    )
    largest = int(stats.get("item_size_max", room))
    if not -_BEHIND - _APART <= apart <= _APART:
        yield bad(what, said, "keep all clocks by NTP: limits count by the wall clock, within 1 s between replicas")
    elif settings.cache.max_bytes + _HEAD > largest:
        yield warn(what, f"{said}; it takes values of {largest} bytes", "raise its -I above cache.max_bytes")
    elif evicted and room < _SMALL:
        yield warn(what, said, "give it more memory (-m), or the counters servers of their own (memcached.counters)")
    else:
        yield ok(what, said)
