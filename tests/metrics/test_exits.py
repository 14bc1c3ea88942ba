"""Workers that end: their files and their exits. What they counted: test_truth.py."""

import os
import signal

import pytest

from tests.gunicorn import CLASSES, gunicorn, until
from tests.metrics.page import page_of

CONFIG = """
providers: {simulated: {latency: 0, tokens_per_second: 100000, words: 5}}
models: {fast: {targets: [simulated/x]}}
"""


def test_files_are_bounded_however_many_workers_die() -> None:
    with gunicorn(CONFIG, workers=2) as server:
        before = {path.name for path in (server.run_dir / "metrics").glob("*.db")}
        for _ in range(10):
            victims = server.workers()
            for victim in victims:
                os.kill(victim, signal.SIGKILL)

            def replaced(gone: list[int] = victims) -> bool:
                found = server.workers()
                return len(found) == 2 and not set(found) & set(gone)

            until(replaced, "two new workers")
        assert {path.name for path in (server.run_dir / "metrics").glob("*.db")} == before
        until(lambda: page_of(server).sum("worker_exits_total", reason="killed") == 20, "count of 20 kills")


@pytest.mark.parametrize("worker_class", CLASSES)
def test_how_workers_ended_is_counted_by_its_reason(worker_class: str) -> None:
    """SIGABRT is what the master sends to a worker that gives no sign of life."""
    with gunicorn(CONFIG, workers=3, worker_class=worker_class) as server:
        for victim, number in zip(server.workers(), (signal.SIGTERM, signal.SIGABRT, signal.SIGKILL), strict=True):
            os.kill(victim, number)

        def counted() -> bool:
            found = page_of(server).series("worker_exits_total")
            return {labels["reason"]: value for labels, value in found} == {
                "graceful": 1,
                "timeout": 1,
                "failed": 0,
                "killed": 1,
            }

        until(counted, "count of one exit each")
