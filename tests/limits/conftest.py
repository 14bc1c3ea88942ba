from collections.abc import Iterator
from itertools import count

import pytest

from app.store.memcached import Memcached
from tests.clock import ManualClock
from tests.limits.given import Process
from tests.memcached import Memcached as Server
from tests.memcached import memcached

_NUMBERS = count()


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with memcached() as one:
        yield one


@pytest.fixture
def shared(server: Server) -> Iterator[Memcached]:
    store = Memcached((server.name,), (), 1.0, 1.0, 4)
    yield store
    store.close()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1_700_000_000.0)


@pytest.fixture
def tenant() -> str:
    """Nobody else's in this server."""
    return f"tenant-{next(_NUMBERS)}"


@pytest.fixture(params=["alone", "shared"])
def process(request: pytest.FixtureRequest, clock: ManualClock, tenant: str):  # type: ignore[no-untyped-def]
    """Makes one process with these limits: by itself, or over memcached. One is as exact as the other."""
    from app.store.memory import Memory  # noqa: PLC0415

    def make(**limits: object) -> Process:
        store = Memory(clock) if request.param == "alone" else request.getfixturevalue("shared")
        return Process(store, clock, tenant=tenant, **limits)  # type: ignore[arg-type]

    return make


@pytest.fixture
def own() -> Iterator[tuple[Server, Memcached]]:
    """A server for one test, to do with as it likes."""
    with memcached() as server:
        store = Memcached((server.name,), (), 1.0, 1.0, 4)
        yield server, store
        store.close()
