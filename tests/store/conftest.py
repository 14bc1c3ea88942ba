import pytest

from app.core.clock import SystemClock
from app.store.memory import Memory
from app.store.store import Store


@pytest.fixture(params=["memory"])
def store(request: pytest.FixtureRequest) -> Store:
    """Every kind of store that a gateway can have: what a test says of one holds for all."""
    return Memory(SystemClock())
