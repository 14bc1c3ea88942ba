"""Who is asked again, and when."""

from __future__ import annotations

import pytest

from app.core.errors import RULES, ErrorType, GatewayError
from app.resilience.repeat import Repeating, pause

POLICY = Repeating()
ONCE = [ErrorType.SERVER_ERROR, ErrorType.OVERLOADED, ErrorType.INVALID_RESPONSE]
NEVER = [
    error_type
    for error_type in ErrorType
    if error_type not in (*ONCE, ErrorType.CONNECTION, ErrorType.RATE_LIMITED, ErrorType.TIMEOUT)
]


def after(
    error_type: ErrorType,
    *repeated: ErrorType,
    policy: Repeating = POLICY,
    chance: float = 0.5,
    retry_after: float | None = None,
    silent: bool = False,
    lasting: bool = False,
) -> float | None:
    error = GatewayError(
        error_type, "it went wrong", provider="openai", retry_after=retry_after, silent=silent, lasting=lasting
    )
    return pause(error, repeated, policy, lambda: chance)


@pytest.mark.parametrize("error_type", NEVER)
def test_what_would_go_wrong_again_is_not_repeated(error_type: ErrorType) -> None:
    assert after(error_type) is None
    assert RULES[error_type].repeats == 0


def test_a_connection_is_tried_again_once_and_at_once() -> None:
    assert after(ErrorType.CONNECTION) == 0.0
    assert after(ErrorType.CONNECTION, ErrorType.CONNECTION, policy=Repeating(retries=5)) is None


def test_a_bad_certificate_or_an_unknown_name_is_not_tried_again() -> None:
    assert after(ErrorType.CONNECTION, lasting=True) is None


def test_a_connection_that_took_too_long_is_tried_again_and_a_silent_target_never() -> None:
    assert after(ErrorType.TIMEOUT) == 0.25
    assert after(ErrorType.TIMEOUT, silent=True) is None


@pytest.mark.parametrize("error_type", ONCE)
@pytest.mark.parametrize("chance", [0.0, 0.5, 1.0])
def test_a_fault_of_the_provider_is_repeated_once_with_full_jitter(error_type: ErrorType, chance: float) -> None:
    assert after(error_type, chance=chance) == 0.5 * chance
    assert after(error_type, error_type, policy=Repeating(retries=5)) is None


@pytest.mark.parametrize("asked", [0.0, 0.3, 2.0, 3.0])
def test_a_short_retry_after_of_a_429_is_waited_out_once(asked: float) -> None:
    assert after(ErrorType.RATE_LIMITED, retry_after=asked) == asked
    assert after(ErrorType.RATE_LIMITED, ErrorType.RATE_LIMITED, retry_after=asked, policy=Repeating(5)) is None


def test_a_long_retry_after_is_for_others_to_wait_out() -> None:
    assert after(ErrorType.RATE_LIMITED, retry_after=3.01) is None
    assert after(ErrorType.RATE_LIMITED, retry_after=20.0, policy=Repeating(rate_limit_wait=30)) == 20.0


@pytest.mark.parametrize(("chance", "seconds"), [(0.0, 0.5), (0.5, 0.75), (1.0, 1.0)])
def test_a_429_that_says_nothing_waits_half_a_second_to_a_whole_one(chance: float, seconds: float) -> None:
    assert after(ErrorType.RATE_LIMITED, chance=chance) == seconds


def test_who_does_not_want_to_wait_for_rate_limits_does_not() -> None:
    assert after(ErrorType.RATE_LIMITED, policy=Repeating(rate_limit_wait=0.0)) is None
    assert after(ErrorType.RATE_LIMITED, chance=1.0, policy=Repeating(rate_limit_wait=0.6)) == 0.6


@pytest.mark.parametrize("error_type", [ErrorType.OVERLOADED, ErrorType.SERVER_ERROR])
def test_a_503_that_says_when_to_come_back_is_taken_at_its_word(error_type: ErrorType) -> None:
    assert after(error_type, retry_after=2.0) == 2.0
    assert after(error_type, retry_after=0.0) == 0.25
    assert after(error_type, retry_after=4.0) is None


def test_retries_bound_the_repeats_of_all_causes_together() -> None:
    assert after(ErrorType.SERVER_ERROR, policy=Repeating(retries=0)) is None
    assert after(ErrorType.SERVER_ERROR, ErrorType.CONNECTION) is None
    assert after(ErrorType.SERVER_ERROR, ErrorType.CONNECTION, policy=Repeating(retries=2)) == 0.25
