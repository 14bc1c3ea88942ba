"""Workers that outgrow their share of the memory."""

from pathlib import Path

import pytest
import requests

from app.instance.memory import LOOKS, Memory, available, resident
from tests.gunicorn import CLASSES, gunicorn, until
from tests.instance.test_drain import HELLO, slow


class Worker:
    def __init__(self, lock: Path, workers: int = 2) -> None:
        self.takes = 50
        self.stops = 0
        self.memory = Memory(lock, workers, most=100, taken=lambda: self.takes, stop=self._stop)

    def look(self, times: int = LOOKS) -> None:
        for _ in range(times):
            self.memory.look()

    def _stop(self) -> None:
        self.stops += 1


def test_a_worker_that_stays_too_large_stops_once(tmp_path: Path) -> None:
    worker = Worker(tmp_path / "lock")
    worker.look()
    worker.takes = 101
    worker.look(LOOKS - 1)
    assert worker.stops == 0
    worker.look(50)
    assert worker.stops == 1


def test_a_worker_that_is_too_large_for_a_moment_goes_on(tmp_path: Path) -> None:
    worker = Worker(tmp_path / "lock")
    for takes in (101, 50, 101, 50, 101, 50):
        worker.takes = takes
        worker.look(LOOKS // 2)
    assert worker.stops == 0


def test_one_worker_at_a_time_makes_room(tmp_path: Path) -> None:
    first, second = Worker(tmp_path / "lock"), Worker(tmp_path / "lock")
    first.takes = second.takes = 101
    first.look()
    second.look()
    assert (first.stops, second.stops) == (1, 0)


def test_the_only_worker_goes_on(tmp_path: Path) -> None:
    worker = Worker(tmp_path / "lock", workers=1)
    worker.takes = 101
    worker.look(50)
    assert worker.stops == 0


def test_this_process_takes_less_than_there_is() -> None:
    assert 1024 * 1024 < resident() < available()


@pytest.mark.parametrize("worker_class", CLASSES)
def test_a_stream_of_a_worker_that_is_replaced_is_whole(worker_class: str) -> None:
    app = "tests.instance.hungry:app"
    with gunicorn(slow(drain=60, words=80), worker_class=worker_class, app=app) as server:
        before = set(server.workers())
        body = {**HELLO, "stream": True}
        answer = requests.post(server.url + "/v1/chat/completions", json=body, stream=True, timeout=30)
        lines = list(answer.iter_lines())
        assert lines[-2] == b"data: [DONE]"
        until(lambda: len(set(server.workers()) - before) == 2, "fresh workers", patience=60)
        assert "MiB of 0 and is replaced" in server.log()
