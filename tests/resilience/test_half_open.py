"""The way back: one probe at a time, and waits that double."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.core.errors import ErrorType
from app.resilience.breaker import NEWS, Admission, Reason
from app.resilience.records import Kind
from app.resilience.state import Breaking, State
from tests.clock import ManualClock
from tests.resilience.conftest import Hire
from tests.resilience.given import KEY, PROVIDER, SERVER_ERROR, Worker, error
from tests.resilience.process import Process


def test_one_probe_is_admitted_and_the_others_are_told_to_come_back(hire: Hire) -> None:
    first, second = hire(), hire()
    first.half_open()

    assert first.admitted().probe
    for worker in (first, second):
        refusal = worker.refused()
        assert (refusal.reason, refusal.left) == (Reason.OPEN, NEWS)
        assert not worker.breakers.admits(KEY, PROVIDER)


def test_good_probes_close_it_one_after_the_other(worker: Worker) -> None:
    worker.half_open()

    worker.admitted().succeeded()
    probe = worker.admitted()
    assert probe.probe
    assert not worker.breakers.admits(KEY, PROVIDER)
    probe.succeeded()

    assert not worker.admitted().probe
    assert worker.admitted()


def test_each_failed_probe_doubles_the_wait_up_to_the_longest(worker: Worker, clock: ManualClock) -> None:
    worker.half_open()
    waits = []

    for _ in range(4):
        worker.fail()
        waits.append(worker.refused().left)
        clock.now += waits[-1] + 0.01

    assert waits == [10.0, 20.0, 20.0, 20.0]


def test_the_wait_does_not_grow_while_no_other_target_admits(worker: Worker, clock: ManualClock) -> None:
    worker.half_open()

    for _ in range(4):
        worker.fail(alone=True)
        assert worker.refused().left == 5.0
        clock.now += 5.01
    worker.fail(alone=False)

    assert worker.refused().left == 10.0


@pytest.mark.parametrize(("chance", "wait"), [(0.0, 4.0), (0.5, 5.0), (1.0, 6.0)])
def test_waits_differ_by_a_fifth_and_all_workers_agree(hire: Hire, chance: float, wait: float) -> None:
    worker, other = hire(chance=chance), hire()

    worker.open()

    assert worker.refused().left == pytest.approx(wait)
    assert other.refused().left == pytest.approx(wait)


def test_the_jitter_is_not_doubled_along(hire: Hire, clock: ManualClock) -> None:
    worker = hire(chance=1.0)
    worker.open()
    clock.now += 6.01

    worker.fail()

    assert worker.refused().left == pytest.approx(12.0)


def test_good_probes_from_before_a_failed_one_do_not_count(worker: Worker, clock: ManualClock) -> None:
    worker.half_open()
    worker.succeed()
    worker.fail()
    clock.now += 10.01

    worker.succeed()

    assert worker.admitted().probe


def test_who_comes_second_to_the_lock_is_kept_out() -> None:
    """It saw, before its turn, that a probe was due."""
    state = State(opened=True, until=5.0, wait=5.0)
    assert state.begin(4.9, os.getpid()) is None

    first = state.begin(5.0, os.getpid())

    assert first is not None
    assert first.probe
    assert state.begin(5.0, os.getpid()) is None


def test_the_next_outage_begins_with_the_shortest_wait(worker: Worker) -> None:
    worker.half_open()
    worker.fail()
    worker.clock.now += 10.01
    worker.succeed(2)

    worker.open()

    assert worker.refused().left == 5.0


def test_a_probe_whose_client_leaves_is_neither_and_makes_room_for_the_next(worker: Worker) -> None:
    worker.half_open()
    worker.admitted().succeeded()

    worker.admitted().abandoned()

    assert worker.admitted().probe
    assert not worker.breakers.admits(KEY, PROVIDER)


@pytest.mark.parametrize("error_type", [ErrorType.INVALID_REQUEST, ErrorType.CONTEXT_LENGTH, ErrorType.MODEL_NOT_FOUND])
def test_a_probe_that_is_refused_for_its_request_has_found_the_target_alive(
    worker: Worker, error_type: ErrorType
) -> None:
    worker.half_open()

    worker.fail(2, error(error_type))

    assert not worker.admitted().probe


def test_a_probe_that_is_told_to_slow_down_is_neither_but_cools_the_target(worker: Worker, clock: ManualClock) -> None:
    worker.half_open()

    worker.fail(1, error(ErrorType.RATE_LIMITED, retry_after=2.0))

    assert worker.refused().reason is Reason.COOLING
    clock.now += 2
    assert worker.admitted().probe


def test_a_probe_whose_key_is_refused_is_neither_but_quarantines_the_provider(hire: Hire, clock: ManualClock) -> None:
    worker, with_another_key = hire(), hire(credentials="another")
    worker.half_open()

    worker.fail(1, error(ErrorType.AUTHENTICATION))

    assert worker.refused().reason is Reason.QUARANTINED
    assert with_another_key.admitted().probe
    clock.now += 60
    assert worker.admitted().probe


def test_a_cooling_target_gives_no_probe_away(worker: Worker, clock: ManualClock) -> None:
    late = worker.admitted()
    worker.half_open()
    late.failed(error(ErrorType.RATE_LIMITED, retry_after=7.0), alone=False)

    assert worker.refused().reason is Reason.COOLING
    clock.now += 7
    assert worker.admitted().probe


def test_a_probe_that_takes_longer_than_the_wait_no_longer_keeps_others_out(worker: Worker, clock: ManualClock) -> None:
    worker.half_open()
    slow = worker.admitted()
    clock.now += 4.99
    assert not worker.breakers.admits(KEY, PROVIDER)
    clock.now += 0.02

    second = worker.admitted()

    assert second.probe
    assert not worker.breakers.admits(KEY, PROVIDER)
    slow.succeeded()
    assert not worker.breakers.admits(KEY, PROVIDER), "the second probe runs, whatever becomes of the first"
    second.succeeded()
    assert not worker.admitted().probe


def test_a_killed_worker_s_probe_frees_itself(worker: Worker, clock: ManualClock) -> None:
    worker.half_open()
    record = worker.records.find(Kind.TARGET, KEY, PROVIDER)
    assert record is not None

    def probe_of_the_dead(state: State) -> None:
        state.begin(clock.now, nobody())

    record.change(probe_of_the_dead)

    assert worker.admitted().probe


def test_a_worker_with_another_policy_probes_as_often_as_it_has_to(hire: Hire, clock: ManualClock) -> None:
    worker = hire(Breaking(consecutive=1, open=1.0, open_max=1.0, successes=1))
    for _ in range(3):
        worker.fail()
        assert worker.refused().left == 1.0
        clock.now += 1.01
    worker.succeed()

    assert not worker.admitted().probe


def test_an_outage_of_a_minute_is_probed_at_most_once_a_wait(hire: Hire, clock: ManualClock) -> None:
    workers = [hire() for _ in range(4)]
    workers[0].open()
    probes = 0
    ends = clock.now + 60

    while clock.now < ends:
        for worker in workers:
            answer = worker.ask()
            if isinstance(answer, Admission):
                answer.failed(SERVER_ERROR, alone=False)
                probes += 1
        clock.now += 0.25

    assert probes == 4  # after 5, 15, 35 and 55 s


def nobody() -> int:
    """A process id that was somebody's."""
    pid = os.posix_spawn("/bin/true", ["true"], {})
    os.waitpid(pid, 0)
    return pid


def test_every_turn_is_told_once_by_the_worker_that_caused_it(hire: Hire, clock: ManualClock) -> None:
    first, second = hire(), hire()
    first.open()
    assert (first.turns, second.turns) == ([f"{PROVIDER} OPEN"], [])
    clock.now += 5.01
    second.fail()
    assert second.turns == [f"{PROVIDER} HALF_OPEN", f"{PROVIDER} OPEN"]
    clock.now += 10.01
    first.succeed()
    second.succeed()
    assert first.turns == [f"{PROVIDER} OPEN", f"{PROVIDER} HALF_OPEN"]
    assert second.turns == [f"{PROVIDER} HALF_OPEN", f"{PROVIDER} OPEN", f"{PROVIDER} CLOSED"]
    first.succeed(3)
    assert len(first.turns) == 2


def test_a_turn_that_had_to_be_put_off_is_told_when_it_is_made(worker: Worker, tmp_path: Path) -> None:
    worker.fail(4)
    last = worker.admitted()
    with Process(tmp_path / "breakers") as holder:
        assert holder.do("hold") == "True"
        last.failed(SERVER_ERROR, alone=False)
        assert worker.turns == []
    assert worker.records.catch_up()
    assert worker.turns == [f"{PROVIDER} OPEN"]
