"""What providers refuse has one meaning each, and says nothing that is the house's own."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.errors import ErrorType, GatewayError
from app.core.json import dumps
from tests.providers.talk import provider

E = ErrorType


def refused(status: int, body: Any = b"", headers: dict[str, str] | None = None) -> GatewayError:
    by = provider()
    raw = body if isinstance(body, bytes) else dumps(body)
    return by.dialect.decode_error(by, status, headers or {}, raw)


@pytest.mark.parametrize(
    ("status", "meant", "told"),
    [
        *((status, E.INVALID_REQUEST, status) for status in (400, 406, 413, 422, 451)),
        (401, E.AUTHENTICATION, 502),
        (402, E.QUOTA_EXCEEDED, 503),
        (403, E.MODEL_NOT_FOUND, 502),
        *((status, E.MODEL_NOT_FOUND, 404) for status in (404, 405, 410, 415)),
        *((status, E.TIMEOUT, 504) for status in (408, 425)),
        *((status, E.RATE_LIMITED, 429) for status in (429, 498)),
        *((status, E.SERVER_ERROR, 502) for status in (409, 424, 500, 501, 502, 504, 520, 521, 522, 523, 524)),
        *((status, E.OVERLOADED, 503) for status in (503, 529)),
        *((status, E.INVALID_RESPONSE, 502) for status in (204, 301, 307)),
    ],
)
def test_a_status_alone_has_a_meaning(status: int, meant: ErrorType, told: int) -> None:
    error = refused(status)

    assert (error.type, error.status, error.provider) == (meant, told, "openai")
    assert str(status) in error.message


@pytest.mark.parametrize(
    ("status", "body", "meant"),
    [
        (400, {"error": {"message": "x", "code": "context_length_exceeded"}}, E.CONTEXT_LENGTH),
        (400, {"error": {"message": "This model's maximum context length is 8192 tokens."}}, E.CONTEXT_LENGTH),
        (400, {"code": "invalid", "error": "This model's maximum prompt length is 131072 but ..."}, E.CONTEXT_LENGTH),
        (400, {"error": {"message": "prompt too long; exceeded max context length by 9 tokens"}}, E.CONTEXT_LENGTH),
        (400, {"error": {"message": "Your input exceeds the context window of this model."}}, E.CONTEXT_LENGTH),
        (400, {"error": {"code": 400, "type": "exceed_context_size_error", "message": "x"}}, E.CONTEXT_LENGTH),
        (422, {"message": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4"}, E.CONTEXT_LENGTH),
        (413, {"error": {"message": "Request too large for model", "type": "tokens"}}, E.CONTEXT_LENGTH),
        (429, {"error": {"message": "Request too large for gpt", "type": "tokens"}}, E.CONTEXT_LENGTH),
        (429, {"error": {"message": "Rate limit reached", "type": "tokens"}}, E.RATE_LIMITED),
        (429, {"error": {"message": "x", "code": "insufficient_quota"}}, E.QUOTA_EXCEEDED),
        (429, {"error": {"message": "x", "type": "insufficient_quota"}}, E.QUOTA_EXCEEDED),
        (429, {"error": {"message": "Insufficient balance", "code": "1113"}}, E.QUOTA_EXCEEDED),
        (412, {"error": {"message": "Account a-b is suspended, possibly due to a spending limit"}}, E.QUOTA_EXCEEDED),
        (400, {"error": {"message": "x", "code": "content_filter"}}, E.CONTENT_FILTER),
        (400, {"error": {"message": "x", "innererror": {"code": "ResponsibleAIPolicyViolation"}}}, E.CONTENT_FILTER),
        (400, {"error": {"message": "Content Exists Risk"}}, E.CONTENT_FILTER),
        (403, {"error": {"message": "x", "metadata": {"flagged_input": "y"}}}, E.CONTENT_FILTER),
        (403, {"code": "denied", "error": "Content violates usage guidelines."}, E.CONTENT_FILTER),
        (400, {"code": "bad", "error": "Incorrect API key provided: in***ey."}, E.AUTHENTICATION),
        (400, {"error": {"message": "API key not valid. Please pass a valid API key."}}, E.AUTHENTICATION),
        (403, {"error": "This authentication method does not have sufficient permissions"}, E.AUTHENTICATION),
        (403, {"error": {"message": "Your team has used all available credits"}}, E.QUOTA_EXCEEDED),
        (403, {"error": {"message": "Country not supported", "code": "unsupported_country"}}, E.MODEL_NOT_FOUND),
        (400, {"error": {"message": "x", "code": "unknown_model"}}, E.MODEL_NOT_FOUND),
        (400, {"error": {"message": "x", "type": "invalid_model", "code": "1500"}}, E.MODEL_NOT_FOUND),
        (400, {"error": {"message": "Model Not Exist"}}, E.MODEL_NOT_FOUND),
        (400, {"error": {"message": "gpt-x is not a valid model ID", "code": 400}}, E.MODEL_NOT_FOUND),
        (404, {"error": {"code": "DeploymentNotFound", "message": "x"}}, E.MODEL_NOT_FOUND),
        (400, {"error": {"message": "Invalid token in prompt: 123456."}}, E.INVALID_REQUEST),
        (400, {"error": {"message": "x", "code": "unsupported_parameter"}}, E.INVALID_REQUEST),
        (500, {"error": {"message": "x", "code": "invalid_api_key"}}, E.SERVER_ERROR),
        (503, {"error": {"message": "maximum context length"}}, E.OVERLOADED),
    ],
)
def test_a_code_or_the_words_make_a_refusal_finer(status: int, body: Any, meant: ErrorType) -> None:
    assert refused(status, body).type is meant


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"error": {"message": "told"}}, "told"),
        ({"error": "told"}, "told"),
        ([{"error": {"message": "told"}}], "told"),
        ({"object": "error", "message": "told", "type": "BadRequestError", "code": 400}, "told"),
        ({"message": "told", "request_id": "r"}, "told"),
        ({"detail": "told"}, "told"),
        ({"detail": [{"loc": ["body", "messages", 0], "msg": "told"}]}, "messages.0: told"),
        ({"message": {"detail": [{"loc": ["body", "n"], "msg": "told"}, {"msg": "more"}]}}, "n: told; more"),
        ({"error": {"message": {"message": "told"}}}, "told"),
        ({"code": 400, "reason": "Bad", "message": "told"}, "told"),
        (b"told", "told"),
        (b'"told"', "told"),
        (b"<html><head><title>told</title></head><body>x</body></html>", "told"),
        (b"<html>", "openai answered 400 without a message"),
        (b"", "openai answered 400 without a message"),
        (b"\xff\xfe", "\ufffd\ufffd"),
        ({"error": {"message": "Provider returned error", "metadata": {"raw": '{"error": "told"}'}}}, "told"),
    ],
)
def test_a_message_is_found_in_every_shape(body: Any, message: str) -> None:
    assert refused(400, body).message.endswith(message)


def test_the_first_field_of_a_list_of_faults_is_named() -> None:
    assert refused(422, {"detail": [{"loc": ["body", "temperature"], "msg": "too hot"}]}).param == "temperature"


def test_code_and_field_survive_on_a_refused_request() -> None:
    error = refused(400, {"error": {"message": "m", "code": "unsupported_value", "param": "stop"}})

    assert (error.status, error.code, error.param) == (400, "unsupported_value", "stop")


def test_a_code_that_only_repeats_the_status_is_none() -> None:
    assert refused(422, {"message": "m", "code": 422}).code == "invalid_request"
    assert refused(400, {"message": "m", "code": "3230"}).code == "3230"


def test_a_refused_key_is_said_to_be_ours() -> None:
    """Or callers would look for the fault in their own."""
    error = refused(401, {"error": {"message": "Incorrect API key provided: sk-the-house-key."}})

    assert error.message == "openai refuses the gateway's own credentials: Incorrect API key provided: [removed]."


@pytest.mark.parametrize(
    ("status", "seconds"), [(429, 2.0), (503, 2.0), (500, 2.0), (402, 2.0), (400, None), (404, None), (401, None)]
)
def test_retry_after_counts_where_it_means_something(status: int, seconds: float | None) -> None:
    """Together sends it with every answer."""
    assert refused(status, {"error": {"message": "m"}}, {"retry-after": "2"}).retry_after == seconds
