from collections.abc import Iterator

import pytest

from app.core.clock import SystemClock
from app.store.memcached import Memcached
from app.store.memory import Memory
from app.store.store import Store
from tests.memcached import memcached, on_a_socket
from tests.store.worker import Worker


@pytest.fixture(scope="session")
def names() -> Iterator[dict[str, tuple[str, ...]]]:
    """Servers, by kind."""
    with memcached() as one, memcached() as two, memcached() as three, on_a_socket() as other:
        yield {"memcached": (one.name,), "three": (one.name, two.name, three.name), "unix": (other.name,)}


@pytest.fixture(params=["memory", "memcached", "three", "unix"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """Every kind of store that a gateway can have: what a test says of one holds for all."""
    if request.param == "memory":
        yield Memory(SystemClock())
        return
    servers = request.getfixturevalue("names")[request.param]
    made = Memcached(servers, (), 1.0, 1.0, 4)
    assert not made.gone()
    yield made
    made.close()


@pytest.fixture
def worker() -> Worker:
    return Worker()
