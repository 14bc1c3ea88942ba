"""Places of a worker: bounded, handed on in order, given back whatever happens."""

import threading

import pytest

from app.core.errors import ErrorType, GatewayError
from app.web.doors import Doors


def test_more_than_fit_and_may_wait_are_refused_at_once() -> None:
    doors = Doors()
    doors.enter(2, 0)
    doors.enter(2, 0)
    with pytest.raises(GatewayError) as caught:
        doors.enter(2, 0)
    assert (caught.value.type, caught.value.status, caught.value.retry_after) == (ErrorType.SATURATED, 503, 1.0)


def test_a_place_is_free_again_once_it_was_left_and_only_once() -> None:
    doors = Doors()
    place = doors.enter(1, 0)
    place.leave()
    place.leave()
    doors.enter(1, 0)
    with pytest.raises(GatewayError):
        doors.enter(1, 0)


def test_who_waits_gets_the_place_of_who_leaves_in_the_order_of_arrival() -> None:
    doors = Doors()
    place = doors.enter(1, 0)
    came: list[int] = []
    inside = threading.Semaphore(0)

    def wait(number: int) -> None:
        mine = doors.enter(1, 2, 60)
        came.append(number)
        inside.release()
        mine.leave()

    threads = [threading.Thread(target=wait, args=(number,)) for number in (1, 2)]
    for length, thread in enumerate(threads, 1):
        thread.start()
        while len(doors._queue) < length:
            thread.join(0.001)
    with pytest.raises(GatewayError):
        doors.enter(1, 2)
    place.leave()
    for thread in threads:
        assert inside.acquire(timeout=10)
        thread.join()
    assert came == [1, 2]


def test_who_has_waited_too_long_is_refused_and_leaves_no_trace() -> None:
    doors = Doors()
    place = doors.enter(1, 0)
    with pytest.raises(GatewayError):
        doors.enter(1, 1, 0.01)
    place.leave()
    doors.enter(1, 0).leave()
    assert not doors._queue
