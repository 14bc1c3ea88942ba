"""memcached as the store, one server or many.

Each key has a server of its own, found by rendezvous hashing: when a server is added or removed, only its share of the
keys moves. A server that is gone keeps its share: counters that moved for a while would be counted twice.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from typing import Any

from pymemcache.client.rendezvous import RendezvousHash  # type: ignore[import-untyped]

from app.core.clock import Clock, SystemClock
from app.store.line import Line
from app.store.patience import Patience, Seats
from app.store.server import Server
from app.store.store import A, Claim, ClaimOrRead, Found, Question, Read, Step, Store, Tally, Write, nothing

_Asked = tuple[Question[Any], Callable[[Any], object]]  # and who is told the answer

_FIRST_LOOK = 0.5  # seconds that a start waits at most to know who answers


class _Servers:
    """`counters` are those of tallies; none: the same as for everything else."""

    def __init__(self, servers: Mapping[str, Server], values: Sequence[str], counters: Sequence[str]) -> None:
        self.all = tuple(servers.values())
        self._by_name = servers
        self._values = _hash(values)
        self._counters = _hash(counters or values)
        self._only = self.all[0] if len(self.all) == 1 else None

    def of(self, key: str) -> Server:
        return self._only or self._by_name[self._values.get_node(key)]

    def of_counters(self, place: str) -> Server:
        return self._only or self._by_name[self._counters.get_node(place)]


class _Client:
    """Implements Store, with the patience of whoever asks."""

    is_shared = True

    def __init__(self, servers: _Servers, patience: Patience) -> None:
        self._servers = servers
        self._patience = patience
        self._later: list[tuple[Server, _Asked]] = []

    @property
    def waited(self) -> float:
        return self._patience.waited

    @property
    def waits(self) -> int:
        return self._patience.waits

    def for_call(self) -> Store:
        return self

    def gone(self) -> Sequence[str]:
        return [server.name for server in self._servers.all if not server.answers_to(self._patience)]

    def look(self) -> None:
        for server in self._servers.all:
            server.ask(Line.greet, self._patience)

    def behind(self, lock: threading.Lock) -> bool:
        return self._patience.behind(lock)

    def read(self, key: str) -> Found:
        return self._now(Read(key))

    def write(self, key: str, value: bytes, ttl: int) -> bool:
        return self._now(Write(key, value, ttl))

    def claim(self, key: str, value: bytes, ttl: int) -> Claim:
        return self._now(ClaimOrRead(key, value, ttl))[0]

    def swap(self, key: str, value: bytes, by: bytes, ttl: int) -> bool:
        server = self._servers.of(key)
        return server.has_room and self._exchange(server, key, value, by, ttl)

    def release(self, key: str, value: bytes) -> bool:
        gone = -1  # a negative time is over at once
        return self._exchange(self._servers.of(key), key, value, b"", gone)

    def drop(self, key: str) -> bool:
        return bool(self._servers.of(key).ask(lambda line: line.drop(key), self._patience))

    def tally(self, place: str, steps: Sequence[Step]) -> Sequence[int | None] | None:
        return self._now(Tally(place, steps))

    def soon(self, question: Question[A], then: Callable[[A], object]) -> Callable[[], None]:
        entry = self._server(question), (question, then)
        self._later.append(entry)
        return lambda: self._take_back(entry)

    def flush(self) -> None:
        while self._later:
            self._ask(self._later[0][0])

    def _take_back(self, entry: tuple[Server, _Asked]) -> None:
        self._later = [each for each in self._later if each is not entry]

    def _exchange(self, server: Server, key: str, value: bytes, by: bytes, ttl: int) -> bool:
        return bool(server.ask(lambda line: line.exchange(key, value, by, ttl), self._patience))

    def _now(self, question: Question[A]) -> A:
        answers: list[A] = []
        self._ask(self._server(question), (question, answers.append))
        return answers[0]

    def _ask(self, server: Server, *now: _Asked) -> None:
        """That, and what was to be asked there soon."""
        together = list(now)
        if self._later:
            together[:0] = [asked for at, asked in self._later if at is server]
            self._later = [(at, asked) for at, asked in self._later if at is not server]
            together.sort(key=_is_of_values)
        has_room = server.has_room
        sent = [question if has_room else question.looking() for question, _ in together]
        asks = [question for question in sent if question is not None]
        answers = iter((server.put(asks, self._patience) if asks else None) or ())
        for (question, then), was_sent in zip(together, sent, strict=True):
            then(question.gone if was_sent is None else next(answers, question.gone))

    def _server(self, question: Question[Any]) -> Server:
        match question:
            case Tally(place):
                return self._servers.of_counters(place)
            case Read(key) | Write(key) | ClaimOrRead(key):
                return self._servers.of(key)
        raise TypeError(question)


class Memcached(_Client):
    """For what goes on beside calls, until somebody asks for_call()."""

    def __init__(
        self,
        servers: Sequence[str],
        counters: Sequence[str],
        connect_timeout: float,
        timeout: float,
        pool: int,
        *,
        clock: Clock | None = None,
    ) -> None:
        """`connect_timeout` and `timeout` in seconds: of a connection, and of all that a call asks; `pool` of each."""
        self._clock = clock or SystemClock()
        self._timeout = timeout
        self._seats = Seats(self._clock)
        own = Patience(timeout, self._clock)
        named = {
            name: Server(name, connect_timeout, pool, self._seats, own) for name in dict.fromkeys((*servers, *counters))
        }
        super().__init__(_Servers(named, servers, counters), own)
        for server in named.values():
            server.wait(_FIRST_LOOK)

    def for_call(self) -> Store:
        return _Client(self._servers, Patience(self._timeout, self._clock, self._seats))

    def soon(self, question: Question[A], then: Callable[[A], object]) -> Callable[[], None]:
        then(self._now(question))
        return nothing

    def close(self) -> None:
        """For whoever has another one now; calls that still use this one find nobody."""
        for server in self._servers.all:
            server.close()

    def stats(self) -> dict[str, Mapping[str, str] | None]:
        """What each server says of itself, by name; None: it does not answer."""
        return {server.name: server.ask(_stats, self._patience) for server in self._servers.all}


def _is_of_values(asked: _Asked) -> bool:
    """Counters have keys of their own, so they can go first; their answers show whether anything was left before."""
    return not isinstance(asked[0], Tally)


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
