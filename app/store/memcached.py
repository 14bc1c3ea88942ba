"""memcached as the store, one server or many.

Each key has a server of its own, found by rendezvous hashing: when a server is added or removed, only its share of the
keys moves. A server that is gone keeps its share: counters that moved for a while would be counted twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b

from pymemcache.client.rendezvous import RendezvousHash  # type: ignore[import-untyped]

from app.store.line import Line, Patience
from app.store.server import Server, greet
from app.store.store import Claim, Found, Step

_FIRST_LOOK = 0.5  # seconds that a start waits at most to know who answers


class Memcached:
    """Implements Store. `counters` are the servers of tallies; none: the same as for everything else."""

    is_shared = True

    def __init__(
        self, servers: Sequence[str], counters: Sequence[str], connect_timeout: float, timeout: float, pool: int
    ) -> None:
        patience = Patience()
        self._servers = {
            name: Server(name, connect_timeout, timeout, pool, patience)
            for name in dict.fromkeys((*servers, *counters))
        }
        self._values = _hash(servers)
        self._counters = _hash(counters or servers)
        for server in self._servers.values():
            server.wait(_FIRST_LOOK)

    def close(self) -> None:
        """For whoever has another one now; calls that still use this one find nobody."""
        for server in self._servers.values():
            server.close()

    def gone(self) -> Sequence[str]:
        return [server.name for server in self._servers.values() if not server.answers]

    def stats(self) -> dict[str, Mapping[str, str] | None]:
        """What each server says of itself, by name; None: it does not answer."""
        return {name: server.ask(_stats) for name, server in self._servers.items()}

    def look(self) -> None:
        for server in self._servers.values():
            server.ask(greet)

    def read(self, key: str) -> Found:
        found = self._server(key).ask(lambda line: Found(line.get(key)))
        return found if found is not None else Found(None, asked=False)

    def write(self, key: str, value: bytes, ttl: int) -> bool:
        server = self._server(key)
        return server.has_room and bool(server.ask(lambda line: line.set(key, value, expire=ttl, noreply=False)))

    def claim(self, key: str, value: bytes, ttl: int) -> Claim:
        server = self._server(key)
        won = server.ask(lambda line: line.add(key, value, expire=ttl, noreply=False)) if server.has_room else None
        if won is None:
            return Claim.GONE
        return Claim.WON if won else Claim.TAKEN

    def release(self, key: str, value: bytes) -> bool:
        def exchange(line: Line) -> bool:
            found, version = line.gets(key)
            # A negative time is over at once, so this drops the very value that was seen and no later one.
            return found == value and bool(line.cas(key, b"", version, expire=-1, noreply=False))

        return bool(self._server(key).ask(exchange))

    def drop(self, key: str) -> bool:
        return self._server(key).ask(lambda line: (line.delete(key, noreply=False), True)) is not None

    def tally(self, place: str, steps: Sequence[Step]) -> Sequence[int | None] | None:
        numbers: Sequence[int | None] | None = self._servers[self._counters.get_node(place)].ask(
            lambda line: line.tally(steps)
        )
        return numbers

    def _server(self, key: str) -> Server:
        return self._servers[self._values.get_node(key)]


def _stats(line: Line) -> Mapping[str, str]:
    found = {**line.stats("settings"), **line.stats()}  # some of the settings have the names of figures
    return {_text(name): _text(value) for name, value in found.items()}


def _text(value: object) -> str:
    """pymemcache makes numbers of some."""
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _hash(names: Sequence[str]) -> RendezvousHash:
    return RendezvousHash(list(names), hash_function=_score)


def _score(text: str, seed: int) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest())
