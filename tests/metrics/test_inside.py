"""How many calls are inside, over all workers, and how many may be."""

import os
import signal
from contextlib import ExitStack

import pytest
import requests

from tests.gunicorn import CLASSES, Server, gunicorn, until
from tests.metrics.page import page_of

CONFIG = """
server: {max_in_flight: 500}
providers: {simulated: {latency: 0, tokens_per_second: 5, words: 600}}
models: {slow: {targets: [simulated/x]}}
"""
CAPACITY = {"gevent": 500, "gthread": 64}  # a gthread worker has no more than its threads


def begun(server: Server) -> requests.Response:
    """A stream that goes on for minutes."""
    body = {"model": "slow", "stream": True, "messages": [{"role": "user", "content": "Hello"}]}
    answer = requests.post(f"{server.url}/v1/chat/completions", json=body, stream=True, timeout=30)
    assert answer.raw.read(5) == b"data:"
    return answer


@pytest.mark.parametrize("worker_class", CLASSES)
def test_calls_inside_are_counted_while_they_run_and_gone_with_their_worker(worker_class: str) -> None:
    with gunicorn(CONFIG, workers=2, worker_class=worker_class) as server:

        def gauges() -> tuple[float, float, float]:
            page = page_of(server)
            return page.sum("in_flight_requests"), page.sum("active_requests"), page.sum("worker_capacity")

        capacity = 2 * CAPACITY[worker_class]
        until(lambda: gauges() == (0, 0, capacity), "two idle workers")
        with ExitStack() as streams:
            for _ in range(5):
                streams.enter_context(begun(server))
            until(lambda: gauges() == (5, 5, capacity), "five calls inside")
        until(lambda: gauges() == (0, 0, capacity), "nobody inside")
        with ExitStack() as streams:
            for _ in range(3):
                streams.enter_context(begun(server))
            until(lambda: gauges() == (3, 3, capacity), "three calls inside")
            for worker in server.workers():
                os.kill(worker, signal.SIGKILL)
            until(lambda: gauges() == (0, 0, capacity), "two other workers, with nobody inside")
