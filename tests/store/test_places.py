"""Places for so many at a time."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.store.places import Places
from tests.gunicorn import until


def test_there_are_as_many_as_were_said() -> None:
    places = Places(2)
    assert [places.take() for _ in range(3)] == [True, True, False]
    places.give_back()
    assert [places.take() for _ in range(2)] == [True, False]


def test_nobody_waits_longer_than_was_said() -> None:
    places = Places(0)
    assert not places.wait(0.001)
    places.give_back()
    assert places.wait(0.001), "and leaves nothing behind that would be told in place of somebody who waits"


def test_one_that_is_given_back_goes_to_somebody_who_waits() -> None:
    places = Places(1)
    assert places.take()
    with ThreadPoolExecutor(3) as pool:
        waits = [pool.submit(places.wait, 20) for _ in range(3)]
        until(lambda: len(places._waiting) == 3, "three who wait")
        for turn in range(1, 4):
            places.give_back()
            until(lambda turn=turn: sum(wait.done() for wait in waits) == turn, "one who has it")  # type: ignore[misc]
    assert [wait.result() for wait in waits] == [True, True, True]
    assert not places.take()


def test_who_is_given_one_in_the_moment_of_giving_up_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    places = Places(1)
    assert places.take()

    def too_late(ring: threading.Event, seconds: float) -> bool:
        places.give_back()
        assert ring.is_set()
        return False

    monkeypatch.setattr(threading.Event, "wait", too_late)
    assert places.wait(20)
    assert not places.take()


def test_nobody_comes_before_those_who_wait() -> None:
    places = Places(1)
    assert places.take()
    with ThreadPoolExecutor(1) as pool:
        wait = pool.submit(places.wait, 20)
        until(lambda: places._waiting, "one who waits")
        places.give_back()
        assert not places.take()
        assert wait.result(20)


def test_many_threads_never_have_more_than_there_are() -> None:
    places, inside, most, lock = Places(3), 0, 0, threading.Lock()

    def go() -> int:
        nonlocal inside, most
        got = 0
        for _ in range(200):
            if places.take() or places.wait(20):
                got += 1
                with lock:
                    inside += 1
                    most = max(most, inside)
                with lock:
                    inside -= 1
                places.give_back()
        return got

    with ThreadPoolExecutor(12) as pool:
        assert sum(pool.map(lambda _: go(), range(12))) == 2400
    assert 1 <= most <= 3
    assert not places._waiting
