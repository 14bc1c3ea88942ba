"""Two replicas of two workers each, one of which cannot reach memcached, or has another configuration.

The wire is between the second replica and memcached; the first one is next to it.
"""

from collections.abc import Iterator
from contextlib import closing
from itertools import cycle
from typing import Any

import pytest

from app.store.memcached import Memcached
from tests.clock import ManualClock
from tests.gunicorn import until
from tests.limits.given import Process
from tests.memcached import Memcached as Server
from tests.memcached import memcached
from tests.wire import Wire

REPLICAS, WORKERS, LIMIT = 2, 2, 24
PATIENCE = 1.0


class Replica:
    def __init__(self, port: int, clock: ManualClock, **limits: Any) -> None:
        self.store = Memcached((f"127.0.0.1:{port}",), (), PATIENCE, PATIENCE, 4)
        self.workers = [
            Process(self.store, clock, tenant="acme", processes=REPLICAS * WORKERS, **limits) for _ in range(WORKERS)
        ]

    def lets_in(self, calls: int) -> int:
        """Of so many, one after the other to each worker in turn."""
        return sum(worker.admits() for worker, _ in zip(cycle(self.workers), range(calls), strict=False))

    def tick(self) -> None:
        for worker in self.workers:
            worker.tick()

    def close(self) -> None:
        self.store.close()


@pytest.fixture
def server() -> Iterator[Server]:
    with memcached() as one:
        yield one


@pytest.fixture
def wire(server: Server) -> Iterator[Wire]:
    with Wire(server.port) as wire:
        yield wire


def parted(replica: Replica, wire: Wire) -> None:
    """Its network swallows everything from now on, and it has noticed."""
    wire.blackhole()
    replica.store.look()
    assert replica.store.gone()


def test_a_replica_that_is_cut_off_lets_in_its_share_on_top_and_no_more(
    server: Server, wire: Wire, clock: ManualClock
) -> None:
    """limit x (1 + 1 / replicas), however often either is asked."""
    with (
        closing(Replica(server.port, clock, requests=LIMIT)) as near,
        closing(Replica(wire.port, clock, requests=LIMIT)) as far,
    ):
        parted(far, wire)
        assert (near.lets_in(100), far.lets_in(100)) == (LIMIT, LIMIT // REPLICAS)


def test_what_it_let_in_before_counts_and_so_does_what_it_let_in_meanwhile(
    server: Server, wire: Wire, clock: ManualClock
) -> None:
    """Before they part, both have used half; after they have met, no sixty seconds hold more than the limit again."""
    with (
        closing(Replica(server.port, clock, requests=LIMIT)) as near,
        closing(Replica(wire.port, clock, requests=LIMIT)) as far,
    ):
        assert near.lets_in(LIMIT // 4) + far.lets_in(LIMIT // 4) == LIMIT // 2
        parted(far, wire)
        assert far.lets_in(100) == LIMIT // REPLICAS - LIMIT // 4
        clock.sleep(30)
        assert near.lets_in(100) == LIMIT // 2

        wire.restore()
        until(lambda: not far.store.gone(), "answer", 5)
        far.tick()
        near.tick()
        clock.sleep(3)
        assert (near.lets_in(100), far.lets_in(100)) == (0, 0)
        clock.sleep(28)  # what came in the first second has left
        assert near.lets_in(100) + far.lets_in(100) == LIMIT // 2


def test_calls_at_a_time_are_shared_out_while_they_are_parted(server: Server, wire: Wire, clock: ManualClock) -> None:
    with (
        closing(Replica(server.port, clock, concurrent=LIMIT)) as near,
        closing(Replica(wire.port, clock, concurrent=LIMIT)) as far,
    ):
        inside = [worker.call() for worker in far.workers]
        parted(far, wire)
        here = [near.workers[n % WORKERS].call() for n in range(LIMIT - len(inside))]
        assert not near.workers[0].admits(), "those of the other one are known until their time is over"
        there = [far.workers[n % WORKERS].call() for n in range(LIMIT // REPLICAS - len(inside))]
        assert not far.workers[0].admits()
        assert not far.workers[1].admits()
        assert len(here) + len(there) + len(inside) <= LIMIT + LIMIT // REPLICAS
        for call in (*inside, *here, *there):
            call.ends()


def test_replicas_with_other_limits_count_the_same_calls_each_to_its_own_limit(
    server: Server, clock: ManualClock
) -> None:
    """While a new configuration goes round: what either lets in counts for both."""
    with (
        closing(Replica(server.port, clock, requests=LIMIT)) as old,
        closing(Replica(server.port, clock, requests=LIMIT // 2, concurrent=5)) as new,
    ):
        assert old.lets_in(LIMIT // 4) == LIMIT // 4
        assert new.lets_in(100) == LIMIT // 4
        assert old.lets_in(100) == LIMIT // 2
        assert new.lets_in(100) == 0
