"""Who may wait for memcached, and how long: arithmetic, on a clock that a test moves."""

import pytest

from app.store.patience import EVERY, PIECE, SEATS, Crowded, Patience, Queue, Seats, Wait
from tests.clock import ManualClock
from tests.store.worker import SOON, TIME, Worker, about


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
