"""Who waits behind others that ask memcached, and how long: on a clock that a test moves."""

import threading

import pytest

from app.store.patience import SEATS, Crowded, Wait
from app.store.places import Places
from tests.clock import ManualClock
from tests.store.worker import SOON, TIME, Worker, about, comes


class Full(Places):
    """A pool whose connections are all in use; waiting for one takes time."""

    def __init__(self, clock: ManualClock, until: float) -> None:
        super().__init__(0)
        self._clock = clock
        self._until = until

    def wait(self, seconds: float) -> bool:
        return comes(self._until, self._clock, seconds)


def test_a_full_pool_is_waited_for_without_a_seat_while_others_are_served(worker: Worker) -> None:
    call = worker.call()
    wait = call.begin(worker.queue)
    assert wait is not None
    wait.place(Full(worker.clock, worker.clock.now + 0.7))
    assert wait.left == about(SOON), "its own grace begins"
    wait.over(answered=True)
    assert call.waited == about(0.7)
    assert call.waits == 0


def test_a_full_pool_is_waited_for_as_long_as_a_call_has_and_no_longer(worker: Worker) -> None:
    wait = worker.call().begin(worker.queue)
    assert wait is not None
    with pytest.raises(Crowded):
        wait.place(Full(worker.clock, worker.clock.now + 100))
    assert worker.clock.now == about(100 + TIME)


def test_a_full_pool_is_not_waited_for_when_who_is_in_front_waits_in_vain(worker: Worker) -> None:
    first = worker.call().begin(worker.queue)
    assert first is not None
    first.longer()
    began = worker.clock.now
    second = worker.call().begin(worker.queue)
    assert second is not None
    with pytest.raises(Crowded):
        second.place(Full(worker.clock, began + 100))
    assert worker.clock.now == about(began + SOON)


class Trip(threading.Event):
    """Of somebody else, that is over at some instant."""

    def __init__(self, clock: ManualClock, until: float) -> None:
        super().__init__()
        self._clock = clock
        self._until = until

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        return comes(self._until, self._clock, timeout)


def test_a_trip_of_others_is_waited_for_without_a_seat_while_the_server_answers(worker: Worker) -> None:
    call = worker.call()
    wait = call.begin(worker.queue)
    assert wait is not None
    wait.through(Trip(worker.clock, worker.clock.now + 0.7))
    assert wait.left == about(SOON), "its own grace begins"
    wait.over(answered=True)
    assert call.waited == about(0.7)
    assert call.waits == 0
    assert worker.seats.has_free


def test_a_short_trip_of_others_costs_nothing(worker: Worker) -> None:
    call = worker.call()
    wait = call.begin(worker.queue)
    assert wait is not None
    wait.through(Trip(worker.clock, worker.clock.now + SOON))
    assert wait.left == about(SOON)
    wait.over(answered=True)
    assert call.waited == 0


def test_who_waits_behind_somebody_who_waits_in_vain_needs_a_seat(worker: Worker) -> None:
    waiting: list[Wait] = []
    began = worker.clock.now
    for _ in range(SEATS):
        wait = worker.call().begin(worker.queue)
        assert wait is not None
        waiting.append(wait)
    last = worker.call()
    behind = last.begin(worker.queue)
    assert behind is not None
    for wait in waiting:
        wait.longer()
    with pytest.raises(Crowded):
        behind.through(Trip(worker.clock, began + 100))
    assert worker.clock.now == about(began + 1.1 * SOON), "a little after whoever asks has taken its own"
    behind.over(answered=False)
    assert last.waits == 0
    waiting[0].over(answered=True)
    behind = last.begin(worker.queue)
    assert behind is not None
    behind.through(Trip(worker.clock, worker.clock.now + 2 * SOON))
    behind.over(answered=True)
    assert last.waits == 0
    assert last.waited == about(1.1 * SOON + 2 * SOON)


def test_who_waits_behind_others_waits_no_longer_than_a_call_has_and_blames_nobody(worker: Worker) -> None:
    began = worker.clock.now
    wait = worker.call().begin(worker.queue)
    assert wait is not None
    with pytest.raises(Crowded):
        wait.through(Trip(worker.clock, began + 100))
    assert worker.clock.now == about(began + TIME)


def test_who_has_waited_behind_others_for_long_has_too_little_time_left_to_blame_the_server(worker: Worker) -> None:
    for before, blame in ((SOON, TimeoutError), (2 * SOON, Crowded)):
        wait = worker.call().begin(worker.queue)
        assert wait is not None
        wait.through(Trip(worker.clock, worker.clock.now + before))
        worker.clock.sleep(wait.left)
        wait.longer()
        worker.clock.sleep(wait.left)
        with pytest.raises(blame):
            wait.longer()
        wait.over(answered=False)


class Held:
    """A lock that is not given back."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        if blocking:
            self._clock.sleep(timeout)
        return False


def test_a_lock_that_is_held_while_somebody_asks_is_waited_for_a_moment(worker: Worker) -> None:
    call = worker.call()
    assert not call.behind(Held(worker.clock))  # type: ignore[arg-type]
    assert call.waited == about(SOON)
    assert call.behind(threading.Lock())
    assert call.waited == about(SOON)
