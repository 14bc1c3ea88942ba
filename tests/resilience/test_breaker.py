"""When a target is left alone, when it is tried again, and what an error means for it."""

from __future__ import annotations

import gc
import weakref

import pytest
from circuitbreaker import CircuitBreaker, CircuitBreakerMonitor  # type: ignore[import-untyped]  # it has no types

from app.core.errors import ErrorType
from app.resilience.breaker import Reason, TargetBreaker
from app.resilience.standing import snapshot
from app.resilience.state import Breaking
from tests.clock import ManualClock
from tests.resilience.conftest import Hire
from tests.resilience.given import KEY, PROVIDER, SERVER_ERROR, Worker, error

COUNTED = [
    ErrorType.TIMEOUT,
    ErrorType.CONNECTION,
    ErrorType.SERVER_ERROR,
    ErrorType.OVERLOADED,
    ErrorType.INVALID_RESPONSE,
    ErrorType.STREAM_INTERRUPTED,
]
ABOUT_THE_REQUEST = [
    ErrorType.INVALID_REQUEST,
    ErrorType.CONTEXT_LENGTH,
    ErrorType.CONTENT_FILTER,
    ErrorType.MODEL_NOT_FOUND,
]


def test_failures_in_a_row_open_it_for_as_long_as_the_policy_says(worker: Worker, clock: ManualClock) -> None:
    worker.fail(4)
    assert worker.breakers.admits(KEY, PROVIDER)

    worker.fail()

    refusal = worker.refused()
    assert (refusal.reason, refusal.left) == (Reason.OPEN, 5.0)
    clock.now += 4.99
    assert not worker.breakers.admits(KEY, PROVIDER)
    clock.now += 0.02
    assert worker.breakers.admits(KEY, PROVIDER)


def test_a_success_between_failures_begins_a_new_row(worker: Worker) -> None:
    for _ in range(4):
        worker.fail(4)
        worker.succeed()

    assert worker.breakers.admits(KEY, PROVIDER)


def test_half_of_twenty_calls_failing_opens_it_whatever_their_order(worker: Worker) -> None:
    for _ in range(9):
        worker.fail()
        worker.succeed()
    worker.succeed()
    assert worker.breakers.admits(KEY, PROVIDER)

    worker.fail()  # the twentieth call, the tenth failure

    assert worker.refused().reason is Reason.OPEN


def test_failures_that_have_left_the_window_are_forgotten(worker: Worker, clock: ManualClock) -> None:
    for _ in range(9):
        worker.fail()
        worker.succeed()
    clock.now += 31

    worker.succeed()
    worker.fail()

    assert worker.breakers.admits(KEY, PROVIDER)


def test_the_window_moves_in_tenths(worker: Worker, clock: ManualClock) -> None:
    for _ in range(9):
        worker.fail()
        worker.succeed()
        clock.now += 2.9
    worker.succeed()

    worker.fail()

    assert worker.refused().reason is Reason.OPEN


def test_all_workers_of_an_instance_judge_alike(hire: Hire) -> None:
    first, second = hire(), hire()

    first.fail(3)
    second.fail(2)

    assert first.refused() == second.refused()


def test_targets_are_judged_apart(worker: Worker) -> None:
    worker.open()

    assert worker.admitted("openai/gpt-4.1-mini")
    assert worker.admitted("azure/gpt-4.1", "azure")


@pytest.mark.parametrize("error_type", COUNTED)
def test_what_its_rule_holds_against_a_target_counts(worker: Worker, error_type: ErrorType) -> None:
    worker.fail(5, error(error_type))

    assert worker.refused().reason is Reason.OPEN


@pytest.mark.parametrize("error_type", ABOUT_THE_REQUEST)
def test_an_error_about_the_request_neither_counts_nor_ends_a_row(worker: Worker, error_type: ErrorType) -> None:
    worker.fail(4)
    worker.fail(50, error(error_type))
    assert worker.breakers.admits(KEY, PROVIDER)

    worker.fail()

    assert not worker.breakers.admits(KEY, PROVIDER)


def test_an_error_of_ours_says_nothing_about_the_target(worker: Worker) -> None:
    worker.fail(5, error(ErrorType.TIMEOUT, provider=None))
    worker.fail(5, error(ErrorType.RATE_LIMITED, provider=None))
    worker.fail(5, error(ErrorType.INTERNAL, provider=None))

    assert worker.breakers.admits(KEY, PROVIDER)


def test_a_client_that_leaves_neither_counts_nor_ends_a_row(worker: Worker) -> None:
    worker.fail(4)
    worker.admitted().abandoned()
    worker.fail()

    assert not worker.breakers.admits(KEY, PROVIDER)


def test_an_attempt_is_judged_once_by_its_first_verdict(worker: Worker) -> None:
    worker.fail(4)
    admission = worker.admitted()
    admission.abandoned()

    admission.failed(SERVER_ERROR, alone=False)
    admission.succeeded()
    admission.abandoned()

    assert worker.breakers.admits(KEY, PROVIDER)
    worker.fail()
    assert not worker.breakers.admits(KEY, PROVIDER)


@pytest.mark.parametrize(
    ("asked", "left"), [(None, 5.0), (0.0, 1.0), (0.3, 1.0), (1.5, 1.5), (20.0, 20.0), (3600.0, 60.0)]
)
def test_a_429_cools_its_target_down(worker: Worker, clock: ManualClock, asked: float | None, left: float) -> None:
    worker.fail(1, error(ErrorType.RATE_LIMITED, retry_after=asked))

    refusal = worker.refused()

    assert (refusal.reason, refusal.left) == (Reason.COOLING, left)
    assert worker.admitted("openai/other")
    clock.now += left
    assert worker.admitted()


def test_a_later_429_never_shortens_a_cooldown(worker: Worker) -> None:
    early, late = worker.admitted(), worker.admitted()
    early.failed(error(ErrorType.RATE_LIMITED, retry_after=30.0), alone=False)
    late.failed(error(ErrorType.RATE_LIMITED, retry_after=2.0), alone=False)

    assert worker.refused().left == 30.0


def test_the_call_that_has_waited_itself_passes_through_the_cooldown(worker: Worker, clock: ManualClock) -> None:
    worker.fail(1, error(ErrorType.RATE_LIMITED))
    clock.now += 0.7

    assert worker.refused().reason is Reason.COOLING
    assert worker.admitted(waited=True)


def test_429s_never_open_a_breaker(worker: Worker, clock: ManualClock) -> None:
    for _ in range(50):
        worker.fail(1, error(ErrorType.RATE_LIMITED))
        clock.now += 5

    assert worker.breakers.admits(KEY, PROVIDER)


@pytest.mark.parametrize(
    ("error_type", "seconds"), [(ErrorType.AUTHENTICATION, 60.0), (ErrorType.QUOTA_EXCEEDED, 300.0)]
)
def test_a_refused_key_quarantines_all_targets_of_its_provider(
    hire: Hire, clock: ManualClock, error_type: ErrorType, seconds: float
) -> None:
    worker, other = hire(), hire()
    worker.fail(1, error(error_type))

    for key in (KEY, "openai/other"):
        refusal = other.refused(key)
        assert (refusal.reason, refusal.left) == (Reason.QUARANTINED, seconds)
    assert other.admitted("azure/x", "azure")
    clock.now += seconds
    assert other.admitted()


def test_new_credentials_end_the_quarantine_of_the_old_ones(hire: Hire, clock: ManualClock) -> None:
    old, new = hire(credentials="Bearer old"), hire(credentials="Bearer new")
    before = old.admitted()
    old.fail(1, error(ErrorType.QUOTA_EXCEEDED))

    assert old.refused().reason is Reason.QUARANTINED
    new.succeed()
    clock.now += 1
    new.fail(1, error(ErrorType.AUTHENTICATION))
    assert new.refused().left == 60.0
    before.failed(error(ErrorType.AUTHENTICATION), alone=False)
    assert old.refused().left == 60.0


def test_a_shorter_quarantine_does_not_end_a_longer_one(worker: Worker) -> None:
    late = worker.admitted()
    worker.fail(1, error(ErrorType.QUOTA_EXCEEDED))

    late.failed(error(ErrorType.AUTHENTICATION), alone=False)

    assert worker.refused().left == 300.0


def test_a_target_named_like_a_quarantine_is_not_mistaken_for_one(worker: Worker, clock: ManualClock) -> None:
    worker.fail(1, error(ErrorType.AUTHENTICATION))

    worker.admitted("provider/openai", "provider").succeeded()

    seen = snapshot(worker.records, clock.now, worker.keys)
    assert set(seen.targets) == {KEY, "provider/openai"}
    assert set(seen.quarantined) == {PROVIDER}


def test_the_library_admits_and_cannot_be_used_in_a_way_that_would_not_refuse(worker: Worker) -> None:
    breaker = worker.breakers._of(KEY, PROVIDER)
    assert isinstance(breaker, CircuitBreaker)
    assert breaker.closed
    worker.open()
    assert (breaker.opened, breaker.open_remaining) == (True, 5)

    with pytest.raises(TypeError):
        breaker.call(int)
    with pytest.raises(TypeError), breaker:
        pass


def test_no_call_is_admitted_past_the_library_s_verdict(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CircuitBreaker, "opened", property(lambda self: True))

    assert worker.refused().reason is Reason.OPEN


def test_breakers_leave_nothing_behind_in_the_library(worker: Worker) -> None:
    worker.open()

    breaker = weakref.ref(worker.breakers._of(KEY, PROVIDER))
    assert isinstance(breaker(), TargetBreaker)
    assert CircuitBreakerMonitor.circuit_breakers == {}
    worker.breakers = None  # type: ignore[assignment]  # as when a configuration is swapped
    gc.collect()
    assert breaker() is None


def test_a_failure_is_not_kept_with_its_traceback(worker: Worker) -> None:
    failure = error(ErrorType.SERVER_ERROR)
    gone = weakref.ref(failure)
    worker.fail(5, failure)

    del failure
    gc.collect()

    assert gone() is None
    assert worker.breakers._of(KEY, PROVIDER).last_failure is None


def test_workers_of_two_configurations_count_in_the_same_window(hire: Hire) -> None:
    old, new = hire(Breaking(window=60.0)), hire(Breaking(window=10.0, consecutive=3))

    old.fail(2)
    new.fail(1)

    assert not old.breakers.admits(KEY, PROVIDER)
