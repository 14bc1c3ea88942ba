"""A pool of threads on a machine that has no more of them."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.instance.workers import warm


def test_all_threads_are_there_from_the_beginning() -> None:
    with ThreadPoolExecutor(12) as pool:
        assert warm(pool, 12) == 12
        assert pool.submit(threading.active_count).result() >= 12


@pytest.mark.parametrize("most", [1, 4])
def test_a_pool_makes_do_with_those_that_could_be_made(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    start, made = threading.Thread.start, list[threading.Thread]()

    def scarce(thread: threading.Thread) -> None:
        if len(made) >= most:
            raise RuntimeError("can't start new thread")
        made.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", scarce)
    with ThreadPoolExecutor(12) as pool:
        assert warm(pool, 12) == most
        running = [pool.submit(int, number) for number in range(50)]
        assert [one.result(10) for one in running] == list(range(50))


def test_a_pool_without_any_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", none)
    with ThreadPoolExecutor(2) as pool, pytest.raises(RuntimeError):
        warm(pool, 2)
