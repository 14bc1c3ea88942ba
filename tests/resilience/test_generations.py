"""Verdicts of calls that began before the last opening or closing do not count."""

from __future__ import annotations

from app.resilience.records import Kind
from app.resilience.state import State
from tests.clock import ManualClock
from tests.resilience.given import KEY, PROVIDER, SERVER_ERROR, Worker


def test_a_success_that_began_before_the_opening_closes_nothing(worker: Worker) -> None:
    old = [worker.admitted() for _ in range(10)]
    worker.half_open()

    for admission in old:
        admission.succeeded()

    assert worker.admitted().probe
    assert not worker.breakers.admits(KEY, PROVIDER)


def test_a_failure_that_began_before_the_opening_prolongs_nothing(worker: Worker, clock: ManualClock) -> None:
    old = [worker.admitted() for _ in range(10)]
    worker.open()
    clock.now += 3

    for admission in old:
        admission.failed(SERVER_ERROR, alone=False)

    assert worker.refused().left == 2.0


def test_what_fails_late_from_before_an_outage_opens_nothing_after_it(worker: Worker) -> None:
    old = [worker.admitted() for _ in range(10)]
    worker.half_open()
    worker.succeed(2)

    for admission in old:
        admission.failed(SERVER_ERROR, alone=False)

    assert worker.admitted()


def test_a_slow_probe_that_fails_opens_it_again_for_all(worker: Worker, clock: ManualClock) -> None:
    worker.half_open()
    slow = worker.admitted()
    clock.now += 5.01
    second = worker.admitted()

    slow.failed(SERVER_ERROR, alone=False)
    second.succeeded()

    assert worker.refused().left == 10.0
    clock.now += 10.01
    worker.admitted().succeeded()
    assert worker.admitted().probe, "the success of an earlier round does not count in this one"


def test_numbers_that_have_run_out_begin_again(worker: Worker, clock: ManualClock) -> None:
    worker.succeed()
    record = worker.records.find(Kind.TARGET, KEY, PROVIDER)
    assert record is not None

    def years_later(state: State) -> None:
        state.generation = state.probe = 2**32 - 1

    record.change(years_later)
    worker.half_open()
    worker.fail()
    clock.now += 10.01
    worker.succeed(2)

    assert not worker.admitted().probe
