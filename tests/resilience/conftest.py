from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.resilience.state import Breaking
from tests.clock import ManualClock
from tests.resilience.given import Worker

Hire = Callable[..., Worker]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def hire(tmp_path: Path, clock: ManualClock) -> Iterator[Hire]:
    """Another worker of the same instance."""
    hired: list[Worker] = []

    def one(policy: Breaking | None = None, **more: float | str) -> Worker:
        hired.append(Worker(tmp_path, clock, policy, **more))  # type: ignore[arg-type]  # capacity, chance, credentials
        return hired[-1]

    yield one
    for worker in hired:
        worker.close()


@pytest.fixture
def worker(hire: Hire) -> Worker:
    return hire()
