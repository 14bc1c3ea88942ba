"""Who may wait for memcached, and how long: arithmetic, on a clock that a test moves."""

import threading
from typing import Any

import pytest

from app.store.patience import EVERY, GRACE, PIECE, SEATS, Crowded, Patience, Queue, Seats, Wait
from app.store.places import Places
from tests.clock import ManualClock

TIME = 1.0  # seconds that a call has
SOON = GRACE * TIME


class Worker:
    def __init__(self) -> None:
        self.clock = ManualClock(100.0)
        self.seats = Seats(self.clock)
        self.queue = Queue(self.seats)

    def call(self) -> Patience:
        return Patience(TIME, self.clock, self.seats)

    def waits(self, patience: Patience, seconds: float, queue: Queue | None = None) -> bool:
        """Whether it is let wait so long, in vain."""
        wait = patience.begin(queue or self.queue)
        assert wait is not None
        self.clock.sleep(min(seconds, wait.left))
        try:
            if seconds > SOON:
                wait.longer()
                self.clock.sleep(min(seconds - SOON, wait.left))
        except Crowded:
            return False
        finally:
            wait.over(answered=False)
        return True


@pytest.fixture
def worker() -> Worker:
    return Worker()


def about(seconds: float) -> Any:
    return pytest.approx(seconds, abs=0.002)


def test_all_that_a_call_waits_for_is_one_wait(worker: Worker) -> None:
    """One operation in vain within its grace, and one that has a seat: what the first took is the second's no more."""
    call = worker.call()
    assert worker.waits(call, SOON)
    wait = call.begin(worker.queue)
    assert wait is not None
    assert wait.left == about(SOON)
    worker.clock.sleep(SOON)
    wait.longer()
    assert wait.left == about(TIME - 2 * SOON)
    worker.clock.sleep(wait.left)
    with pytest.raises(TimeoutError):
        wait.longer()
    wait.over(answered=False)
    assert call.waited == about(TIME)
    assert call.waits == 1
    assert call.begin(worker.queue) is None, "nothing is left"
    assert worker.call().begin(worker.queue) is not None, "of that call alone"


def test_what_is_left_may_be_less_than_a_grace_and_then_the_server_is_not_to_blame(worker: Worker) -> None:
    call = worker.call()
    assert worker.waits(call, TIME - SOON / 2)
    wait = call.begin(worker.queue)
    assert wait is not None
    assert wait.left == about(SOON / 2)
    worker.clock.sleep(wait.left)
    with pytest.raises(Crowded):
        wait.longer()


def test_what_is_answered_soon_costs_nothing_however_often(worker: Worker) -> None:
    call = worker.call()
    for _ in range(100):
        wait = call.begin(worker.queue)
        assert wait is not None
        worker.clock.sleep(SOON * 0.9)
        wait.over(answered=True)
    assert call.left == TIME


def test_what_is_answered_late_is_paid_for(worker: Worker) -> None:
    call = worker.call()
    wait = call.begin(worker.queue)
    assert wait is not None
    worker.clock.sleep(SOON)
    wait.longer()
    worker.clock.sleep(0.3)
    wait.over(answered=True)
    assert call.waited == about(SOON + 0.3)
    assert call.waits == 0, "in vain"


def test_a_seat_is_free_again_at_once_when_the_answer_came(worker: Worker) -> None:
    """A server that is slow is not gone: calls wait for it, a few at a time."""
    for _ in range(10 * SEATS):
        wait = worker.call().begin(worker.queue)
        assert wait is not None
        worker.clock.sleep(SOON)
        wait.longer()
        wait.over(answered=True)


def test_five_calls_wait_in_any_two_seconds_counted_from_the_end_of_their_waits(worker: Worker) -> None:
    first_free = worker.clock.now + SOON + 0.1 + EVERY
    for _ in range(SEATS):
        assert worker.waits(worker.call(), SOON + 0.1)
    assert not worker.waits(worker.call(), SOON + 0.1)
    assert worker.call().begin(worker.queue) is None, "somebody was turned away: nobody begins"
    worker.clock.now = first_free - 0.01
    assert worker.call().begin(worker.queue) is None
    worker.clock.now = first_free
    assert worker.waits(worker.call(), SOON + 0.01)


def test_no_two_seconds_ever_hold_more_whatever_calls_do(worker: Worker) -> None:
    """As many as want to, with waits of all lengths, for a minute."""
    ended: list[float] = []
    began: list[float] = []
    step = 0
    while worker.clock.now < 160:
        step += 1
        worker.clock.sleep((step * 7919 % 100) / 500)
        call = worker.call()
        if call.begin(worker.queue) is None:
            continue
        at = worker.clock.now + SOON
        if worker.waits(call, SOON + (step * 104_729 % 80) / 100):
            began.append(at)
            ended.append(worker.clock.now)
    assert len(ended) > 60
    assert all(began[n + SEATS] - ended[n] >= EVERY for n in range(len(ended) - SEATS))


def test_while_a_seat_is_taken_and_none_is_free_nobody_begins(worker: Worker) -> None:
    waiting: list[Wait] = []
    for _ in range(SEATS):
        wait = worker.call().begin(worker.queue)
        assert wait is not None
        wait.longer()
        waiting.append(wait)
    assert worker.call().begin(worker.queue) is None


def test_while_others_are_answered_soon_everybody_may_ask_without_a_free_seat(worker: Worker) -> None:
    for _ in range(SEATS):
        assert worker.waits(worker.call(), SOON + 0.1)
    assert worker.call().begin(worker.queue) is not None


def test_a_server_is_not_left_alone_because_another_one_is_slow(worker: Worker) -> None:
    other = Queue(worker.seats)
    for _ in range(SEATS):
        assert worker.waits(worker.call(), SOON + 0.1)
    assert not worker.waits(worker.call(), SOON + 0.1)
    assert worker.call().begin(other) is not None
    assert not worker.waits(worker.call(), SOON + 0.1, other), "though nobody waits for it longer, either"


def test_what_is_no_call_needs_no_seat_and_takes_none(worker: Worker) -> None:
    own = Patience(TIME, worker.clock)
    for _ in range(2 * SEATS):
        wait = own.begin(worker.queue)
        assert wait is not None
        assert wait.left == about(TIME)
        worker.clock.sleep(TIME)
        with pytest.raises(TimeoutError):
            wait.longer()
        wait.over(answered=False)
    assert worker.waits(worker.call(), SOON + 0.1)


def test_bytes_in_earnest_are_no_silence_and_a_dribble_is(worker: Worker) -> None:
    wait = worker.call().begin(worker.queue)
    assert wait is not None
    for _ in range(4):
        worker.clock.sleep(SOON * 0.9)
        wait.moved(PIECE)
        assert wait.left == about(min(SOON, TIME - (worker.clock.now - 100)))
    wait = worker.call().begin(worker.queue)
    assert wait is not None
    worker.clock.sleep(SOON * 0.9)
    wait.moved(10)
    assert wait.left == about(SOON * 0.1)


class Full(Places):
    """A pool whose connections are all in use; waiting for one takes time."""

    def __init__(self, clock: ManualClock, until: float) -> None:
        super().__init__(0)
        self._clock = clock
        self._until = until

    def wait(self, seconds: float) -> bool:
        if self._clock.now + seconds >= self._until:
            self._clock.now = self._until
            return True
        self._clock.sleep(seconds)
        return False


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
        if self._clock.now + timeout >= self._until:
            self._clock.now = max(self._clock.now, self._until)
            return True
        self._clock.sleep(timeout)
        return False


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


def test_a_call_that_has_waited_in_vain_asks_no_more_whatever_time_it_is() -> None:
    """Sums of such numbers are a little off now and then: there may be a millionth of a second left."""
    for number in range(500):
        clock = ManualClock(32_768 + 0.377 * number)
        seats = Seats(clock)
        call, queue = Patience(0.2, clock, seats), Queue(seats)
        wait = call.begin(queue)
        assert wait is not None
        wait.longer()
        clock.sleep(1)
        wait.over(answered=False)
        assert not call.may_ask(Queue(seats)), f"at {clock.now}"
