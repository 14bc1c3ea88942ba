from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.core.clock import SystemClock
from app.store.memcached import Memcached
from app.store.memory import Memory
from app.store.store import Store
from tests import memcached
from tests.cache.given import Clock, Worker


@pytest.fixture(scope="session")
def server() -> Iterator[memcached.Memcached]:
    with memcached.memcached() as server:
        yield server


@pytest.fixture
def shared(server: memcached.Memcached) -> Iterator[Store]:
    """A memcached with nothing in it."""
    server.send(b"flush_all\r\n")
    made = Memcached((server.name,), (), 1.0, 1.0, 16)
    assert not made.gone()
    yield made
    made.close()


@pytest.fixture(params=["memory", "memcached"])
def store(request: pytest.FixtureRequest) -> Store:
    if request.param == "memory":
        return Memory(SystemClock())
    found: Store = request.getfixturevalue("shared")
    return found


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def worker(store: Store, clock: Clock) -> Worker:
    return Worker(store, clock)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(64) as pool:
        yield pool
