"""Many calls at the same time, and the provider that they share."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from tests.cache.given import ANSWER, Asked, Worker, plain


class Provider:
    """Answers when it is told to, and counts."""

    def __init__(self) -> None:
        self.asked = 0
        self.at_once = 0
        self.most_at_once = 0
        self._lock = threading.Lock()
        self._open = threading.Event()

    def open(self) -> None:
        self._open.set()

    def call(self, asked: Asked, answer: Callable[[Asked, int], None]) -> str:
        """One call from its beginning to its end: what `x-gateway-cache` would say of it."""
        if asked.fetch() is None:
            with self._lock:
                self.asked += 1
                nth = self.asked
                self.at_once += 1
                self.most_at_once = max(self.most_at_once, self.at_once)
            self._open.wait(20)
            with self._lock:
                self.at_once -= 1
            answer(asked, nth)
        return asked.exchange.cache


def well(asked: Asked, nth: int) -> None:
    asked.answered(plain({**ANSWER, "id": f"chatcmpl-{nth}"}))


def waiting(workers: list[Worker], count: int) -> Callable[[], bool]:
    """Whether so many calls wait for another one of their worker."""

    def look() -> bool:
        flights = [flight for worker in workers for flight in worker.flights._flights.values()]
        return sum(len(flight.waiting) for flight in flights) >= count

    return look


def started(
    pool: ThreadPoolExecutor,
    workers: list[Worker],
    provider: Provider,
    count: int,
    answer: Callable[[Asked, int], None],
) -> list[Future[str]]:
    return [pool.submit(provider.call, workers[at % len(workers)].call(), answer) for at in range(count)]
