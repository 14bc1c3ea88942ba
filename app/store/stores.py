"""The store of the moment: memcached where servers are named, else the worker's own memory."""

from __future__ import annotations

from collections.abc import Sequence

from app.core.clock import Clock
from app.store.memcached import Memcached
from app.store.memory import Memory
from app.store.store import Store

_Settings = tuple[tuple[str, ...], tuple[str, ...], float, float, int]


class Stores:
    """Belongs to the process: a configuration that says the same of memcached goes on with what there is."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._memory = Memory(clock)
        self._memcached: Memcached | None = None
        self._settings: _Settings | None = None

    def of(
        self, servers: Sequence[str], counters: Sequence[str], connect_timeout: float, timeout: float, pool: int
    ) -> Store:
        """`servers`, and `counters` if those are others: "host:port" or "unix:/path". Timeouts in seconds."""
        settings = (tuple(servers), tuple(counters), connect_timeout, timeout, pool)
        if settings != self._settings:
            old, self._memcached = self._memcached, Memcached(*settings, clock=self._clock) if servers else None
            self._settings = settings
            if old is not None:
                old.close()
        return self._memcached or self._memory
