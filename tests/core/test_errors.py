"""The table of errors is closed and whole."""

import pytest

from app.core.errors import RULES, ErrorType, GatewayError, Next, Status


def test_every_error_type_has_a_rule() -> None:
    assert set(RULES) == set(ErrorType)
    assert len(ErrorType) == 21


@pytest.mark.parametrize("error_type", list(ErrorType))
def test_what_is_the_callers_fault_is_never_asked_again_nor_held_against_a_target(error_type: ErrorType) -> None:
    rule = RULES[error_type]
    if rule.counts_as is Status.CLIENT_ERROR and error_type is not ErrorType.MODEL_NOT_FOUND:
        assert not rule.repeats
        assert not rule.trips_breaker
        assert rule.next is not Next.YES


@pytest.mark.parametrize("error_type", list(ErrorType))
def test_what_trips_a_breaker_is_answered_as_a_server_error(error_type: ErrorType) -> None:
    assert not RULES[error_type].trips_breaker or RULES[error_type].http >= 500


def test_a_providers_429_counts_as_an_error_and_ours_as_rate_limited() -> None:
    assert GatewayError(ErrorType.RATE_LIMITED, "slow down", provider="openai").counts_as is Status.ERROR
    assert GatewayError(ErrorType.RATE_LIMITED, "slow down").counts_as is Status.RATE_LIMITED


def test_a_configured_model_that_its_provider_does_not_know_counts_as_our_error() -> None:
    assert GatewayError(ErrorType.MODEL_NOT_FOUND, "?", status=502, provider="x").counts_as is Status.ERROR
    assert GatewayError(ErrorType.MODEL_NOT_FOUND, "?").counts_as is Status.CLIENT_ERROR
