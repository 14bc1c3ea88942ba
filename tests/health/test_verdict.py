"""What an answer to a probe means, and when a provider is well."""

import json

import pytest

from app.core.errors import ErrorType, GatewayError
from app.health import verdict
from app.health.verdict import Result
from app.providers import registry

OPENAI = registry.build("openai", "openai", key="sk-upstream-0123456789")
CLAUDE = registry.build("claude", "anthropic", key="sk-upstream-0123456789")


def openai_error(message: str, code: str | None) -> bytes:
    return json.dumps({"error": {"message": message, "type": "invalid_request_error", "code": code}}).encode()


@pytest.mark.parametrize("status", [200, 204, 301, 302, 402, 404, 405, 410, 415, 429, 451])
def test_any_answer_shows_that_a_provider_lives(status: int) -> None:
    for provider in (OPENAI, CLAUDE):
        assert verdict.of_answer(provider, status, {}, b"<html>whatever</html>") is Result.SUCCESS


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        *((status, Result.SERVER_ERROR) for status in (500, 501, 502, 504, 520, 524, 599)),
        *((status, Result.OVERLOADED) for status in (503, 529)),
    ],
)
def test_its_own_failure_does_not(status: int, expected: Result) -> None:
    assert verdict.of_answer(OPENAI, status, {}, b"") is expected


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, b""),
        (401, openai_error("Incorrect API key provided", "invalid_api_key")),
        (403, openai_error("no", "invalid_api_key")),
        (403, openai_error("Your API key has expired", None)),
        (400, openai_error("Incorrect API key provided: sk-...", None)),
    ],
)
def test_the_refusal_of_our_credentials_does_not(status: int, body: bytes) -> None:
    assert verdict.of_answer(OPENAI, status, {}, body) is Result.AUTHENTICATION


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (403, openai_error("You have no access to this model in your region", None)),
        (403, b""),
        (400, openai_error("bad request", None)),
        (404, openai_error("Incorrect API key provided", None)),
    ],
)
def test_a_refusal_of_anything_else_is_an_answer(status: int, body: bytes) -> None:
    assert verdict.of_answer(OPENAI, status, {}, body) is Result.SUCCESS


def test_anthropic_names_a_refused_key_in_its_own_way() -> None:
    body = json.dumps({"type": "error", "error": {"type": "authentication_error", "message": "invalid x-api-key"}})
    assert verdict.of_answer(CLAUDE, 401, {}, body.encode()) is Result.AUTHENTICATION


@pytest.mark.parametrize("error_type", ErrorType)
def test_every_failure_without_an_answer_has_a_result(error_type: ErrorType) -> None:
    result = verdict.of_failure(GatewayError(error_type, "it went wrong"))
    assert result is not Result.SUCCESS
    if error_type in (ErrorType.TIMEOUT, ErrorType.CONNECTION, ErrorType.INVALID_RESPONSE):
        assert result == str(error_type)


@pytest.mark.parametrize(
    ("failed", "quarantine", "all_open", "well"),
    [
        (0, 0.0, False, True),
        (1, 0.0, False, True),
        (2, 0.0, False, False),
        (9, 0.0, False, False),
        (0, 0.1, False, False),
        (0, 0.0, True, False),
        (2, 60.0, True, False),
    ],
)
def test_a_provider_is_well_unless_something_says_otherwise(
    failed: int, quarantine: float, all_open: bool, well: bool
) -> None:
    assert verdict.is_well(failed, quarantine, all_open=all_open) is well
