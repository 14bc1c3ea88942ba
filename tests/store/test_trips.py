"""Calls that ask at the same time share a round trip, and nobody depends on another one's luck."""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from app.core.clock import SystemClock
from app.store.memcached import Memcached
from app.store.patience import Crowded, Patience, Queue, Seats, Wait
from app.store.server import LARGE
from app.store.store import Found, Read, key
from app.store.trips import MOST, Asks, Trips
from tests import memcached as real
from tests.gunicorn import until
from tests.wire import Wire

WHERE = key("a place")


class Server:
    """Answers each question with its key, once it may; notes who came together."""

    def __init__(self) -> None:
        self.trips: list[list[str]] = []
        self.answers: Callable[[list[str]], None] = lambda asked: None  # or raises
        self.goes = threading.Semaphore(0)  # a trip each
        self.shared = Trips(self._trip)
        self.heard: dict[str, Any] = {}
        self._threads: list[threading.Thread] = []

    def _trip(self, asks: Asks, wait: Wait) -> list[Any]:
        asked = [ask.key for ask in asks if isinstance(ask, Read)]
        self.trips.append(asked)
        assert self.goes.acquire(timeout=10)
        self.answers(asked)
        return [name.upper() for name in asked]

    def call(self, *names: str, wait: Wait | None = None) -> None:
        """Somebody asks for these at once; what came of it is in `heard`."""
        self._threads.append(threading.Thread(target=self._ask, args=(names, wait or patient())))
        self._threads[-1].start()

    def _ask(self, names: tuple[str, ...], wait: Wait) -> None:
        try:
            self.heard[names[0]] = self.shared.travel([Read(name) for name in names], wait)
        except Exception as error:
            self.heard[names[0]] = error

    def boarded(self, number: int) -> None:
        until(lambda: len(self.shared._boarding) == number, f"{number} who wait")

    def under_way(self, number: int) -> None:
        until(lambda: len(self.trips) == number, f"trip {number}")

    def end(self) -> None:
        for _ in self._threads:
            self.goes.release()
        for thread in self._threads:
            thread.join(10)
            assert not thread.is_alive()


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.end()


def patient() -> Wait:
    seats = Seats(SystemClock())
    return Wait(Patience(30.0, SystemClock(), seats), Queue(seats))


class Leaves(Wait):
    """Its time is up as soon as it is told to go."""

    def __init__(self) -> None:
        seats = Seats(SystemClock())
        super().__init__(Patience(30.0, SystemClock(), seats), Queue(seats))
        self.goes = threading.Event()

    def through(self, told: threading.Event) -> None:
        self.goes.wait(10)
        raise Crowded


def test_who_is_alone_travels_alone_and_at_once(server: Server) -> None:
    server.call("a", "b")
    server.under_way(1)
    server.end()
    assert server.trips == [["a", "b"]]
    assert server.heard == {"a": ["A", "B"]}


def test_whoever_comes_meanwhile_goes_with_the_next_and_hears_its_own_answers(server: Server) -> None:
    server.call("a")
    server.under_way(1)
    for number, names in enumerate([("b", "c"), ("d",), ("e", "f", "g")], 1):
        server.call(*names)
        server.boarded(number)
    server.end()
    assert server.trips == [["a"], ["b", "c", "d", "e", "f", "g"]]
    assert server.heard == {"a": ["A"], "b": ["B", "C"], "d": ["D"], "e": ["E", "F", "G"]}


def test_no_more_travel_together_than_can_be_read_at_one_go(server: Server) -> None:
    server.call("first")
    server.under_way(1)
    for number in range(MOST + 2):
        server.call(f"n{number}")
        server.boarded(number + 1)
    server.end()
    assert [len(trip) for trip in server.trips] == [1, MOST, 2]
    assert len(server.heard) == MOST + 3


def test_a_trip_that_fails_fails_for_all_of_it_and_the_next_one_goes(server: Server) -> None:
    """One blames the server: whoever led."""

    def fails(asked: list[str]) -> None:
        if "b" in asked:
            raise TimeoutError

    server.answers = fails
    server.call("a")
    server.under_way(1)
    server.call("b")
    server.boarded(1)
    server.call("c")
    server.boarded(2)
    server.goes.release()
    server.under_way(2)
    server.call("d")
    server.boarded(1)
    server.end()
    assert server.trips == [["a"], ["b", "c"], ["d"]]
    assert {name: type(heard) for name, heard in server.heard.items()} == {
        **{"a": list, "b": TimeoutError},
        **{"c": Crowded, "d": list},
    }


def test_who_leaves_before_the_next_one_goes_is_not_asked_for(server: Server) -> None:
    leaves = Leaves()
    server.call("a")
    server.under_way(1)
    server.call("b")
    server.boarded(1)
    server.call("c", wait=leaves)
    server.boarded(2)
    leaves.goes.set()
    server.boarded(1)
    server.end()
    assert server.trips == [["a"], ["b"]]
    assert isinstance(server.heard["c"], Crowded)


def test_who_leaves_just_when_it_should_lead_lets_the_next_one_lead(server: Server) -> None:
    leaves = Leaves()
    server.call("a")
    server.under_way(1)
    server.call("b", wait=leaves)
    server.boarded(1)
    server.call("c")
    server.boarded(2)
    server.goes.release()
    server.boarded(1)  # "b" has been told to lead
    leaves.goes.set()
    server.under_way(2)
    server.call("d")
    server.end()
    assert server.trips[1] == ["c"]
    assert server.heard["d"] == ["D"]


@contextmanager
def slow() -> Iterator[tuple[Wire, Memcached]]:
    with (
        real.memcached() as server,
        Wire(server.port) as wire,
        closing(Memcached((f"127.0.0.1:{wire.port}",), (), 30.0, 30.0, 16)) as store,
    ):
        assert store.write(WHERE, b"v", 60)
        wire.latency = 0.2
        yield wire, store


def test_many_calls_need_one_connection() -> None:
    with slow() as (wire, store):
        made, found = len(wire.arrivals), list[Found]()
        threads = [threading.Thread(target=lambda: found.append(store.for_call().read(WHERE))) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == [Found(b"v")] * 20
        assert len(wire.arrivals) == made


def test_nobody_waits_behind_a_large_value_that_is_written() -> None:
    with slow() as (wire, store):
        made = len(wire.arrivals)
        reading = threading.Thread(target=store.for_call().read, args=(WHERE,))
        reading.start()
        until(lambda: store._servers.all[0]._trips._is_under_way, "a trip", 10)
        assert store.for_call().write(WHERE, bytes(LARGE + 1), 60)
        assert len(wire.arrivals) == made + 1
        reading.join()
