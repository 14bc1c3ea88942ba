"""What a probe's answer means, and whether a provider is well."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from app.core.errors import ErrorType, GatewayError
from app.core.provider import Provider
from app.providers.errors import by_status

ENOUGH = 2  # failed probes in a row that say that a provider is not well: one alone may be the network


class Result(StrEnum):
    """How a probe ended, as it is counted."""

    SUCCESS = "success"
    AUTHENTICATION = ErrorType.AUTHENTICATION.value
    TIMEOUT = ErrorType.TIMEOUT.value
    CONNECTION = ErrorType.CONNECTION.value
    SERVER_ERROR = ErrorType.SERVER_ERROR.value
    OVERLOADED = ErrorType.OVERLOADED.value
    INVALID_RESPONSE = ErrorType.INVALID_RESPONSE.value


def of_answer(provider: Provider, status: int, headers: Mapping[str, str], body: bytes) -> Result:
    """Any answer shows that it lives, but for its own failure and for the refusal of our credentials.

    So do a 404 and a 405: not everybody who answers calls lists models. `headers` have lower-case names.
    """
    if status >= 500:
        return Result(by_status(status))
    if status >= 400:
        meant = provider.dialect.decode_error(provider, status, headers, body).type
        if meant is ErrorType.AUTHENTICATION:
            return Result.AUTHENTICATION
    return Result.SUCCESS


def of_failure(error: GatewayError) -> Result:
    """Where there was no answer."""
    try:
        return Result(error.type.value)
    except ValueError:
        return Result.INVALID_RESPONSE


def is_well(failed_in_a_row: int, quarantine_left: float, *, all_open: bool) -> bool:
    """`failed_in_a_row`: free probes, the last one included. `all_open`: no target would be asked."""
    return failed_in_a_row < ENOUGH and quarantine_left <= 0 and not all_open
