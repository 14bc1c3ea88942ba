"""Where requests go, what goes with them, and what refusals mean."""

from __future__ import annotations

import pytest

from app.core.errors import ErrorType, GatewayError
from app.core.json import Json, dumps
from app.core.wire import Operation, UpstreamRequest
from app.providers import registry
from tests.providers.anthropic_given import DIALECT, ask, provider

HELLO: Json = {"model": "fast", "max_tokens": 5, "messages": [{"role": "user", "content": "Hi"}]}


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        ("https://api.anthropic.com", "https://api.anthropic.com/v1/messages"),
        ("https://api.anthropic.com/", "https://api.anthropic.com/v1/messages"),
        ("https://api.anthropic.com/v1", "https://api.anthropic.com/v1/messages"),
        ("https://api.deepseek.com/anthropic", "https://api.deepseek.com/anthropic/v1/messages"),
    ],
)
def test_a_base_url_may_or_may_not_end_in_the_version(base_url: str, url: str) -> None:
    given = registry.build("claude", "anthropic", base_url=base_url, key="sk-ant-1")

    assert DIALECT.encode(ask(body=HELLO), given, "claude-sonnet-4-5").url == url
    counting = DIALECT.encode(ask(Operation.COUNT_TOKENS, HELLO), given, "claude-sonnet-4-5")
    assert counting.url == f"{url}/count_tokens"


def test_the_key_goes_where_anthropic_looks_for_it() -> None:
    given = registry.build("claude", "anthropic", key="sk-ant-1")

    assert DIALECT.encode(ask(body=HELLO), given, "claude-x").headers["x-api-key"] == "sk-ant-1"


@pytest.mark.parametrize("operation", [Operation.MESSAGES, Operation.COUNT_TOKENS])
def test_its_own_language_travels_unchanged_but_for_the_model(operation: Operation) -> None:
    body = {**HELLO, "made_up": {"deep": [1, None]}, "stream": True}
    before = dumps(body)

    sent = DIALECT.encode(ask(operation, body, stream=True), provider(), "claude-x")
    assert sent.body == {**body, "model": "claude-x"}
    assert sent.dropped == ()
    assert dumps(body) == before


def test_a_client_says_which_version_it_means_and_adds_its_betas_to_ours() -> None:
    given = provider(headers={"x-api-key": "k", "anthropic-version": "2023-06-01", "anthropic-beta": "ours"})
    headers = {"anthropic-version": "2026-10-21", "anthropic-beta": "theirs,more"}

    sent = DIALECT.encode(ask(Operation.MESSAGES, HELLO, headers=headers), given, "claude-x")
    assert sent.headers == {"x-api-key": "k", "anthropic-version": "2026-10-21", "anthropic-beta": "ours,theirs,more"}
    assert _version(DIALECT.encode(ask(Operation.MESSAGES, HELLO), provider(), "claude-x")) == "2023-06-01"


def test_no_other_header_of_the_clients_travels() -> None:
    headers = {"x-api-key": "theirs", "host": "elsewhere"}

    assert DIALECT.encode(ask(Operation.MESSAGES, HELLO, headers=headers), provider(), "c").headers == {
        "x-api-key": "sk-ant-of-ours",
        "anthropic-version": "2023-06-01",
    }


def test_what_we_write_ourselves_is_pinned_to_the_version_that_takes_temperatures() -> None:
    sent = DIALECT.encode(ask(body={**HELLO, "temperature": 0.5}), provider(), "claude-sonnet-4-5")

    assert _version(sent) == "2023-06-01"
    assert sent.body["temperature"] == 0.5


def test_a_stream_is_asked_for_and_dropped_fields_are_named() -> None:
    sent = DIALECT.encode(ask(body={**HELLO, "seed": 1, "stream": True}, stream=True), provider(), "claude-sonnet-4-5")

    assert sent.body["stream"] is True
    assert sent.stream
    assert sent.dropped == ("seed",)
    assert "stream" not in DIALECT.encode(ask(body={**HELLO, "stream": False}), provider(), "claude-x").body


def test_what_anthropic_does_not_offer_is_refused() -> None:
    with pytest.raises(GatewayError) as caught:
        DIALECT.encode(ask(Operation.EMBEDDINGS, {"input": "x"}), provider(), "claude-x")
    assert caught.value.type is ErrorType.INVALID_REQUEST


def _version(sent: UpstreamRequest) -> str:
    return sent.headers["anthropic-version"]


@pytest.mark.parametrize(
    ("status", "kind", "message", "expected", "code"),
    [
        (400, "invalid_request_error", "messages: roles must alternate", ("invalid_request", 400), "invalid_request"),
        (400, "invalid_request_error", "prompt is too long: 300 tokens > 200 maximum", ("context_length", 400), None),
        (
            400,
            "invalid_request_error",
            "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000",
            ("context_length", 400),
            "context_length_exceeded",
        ),
        (
            400,
            "invalid_request_error",
            "Your credit balance is too low to access the Anthropic API.",
            ("quota_exceeded", 503),
            "insufficient_quota",
        ),
        (400, "invalid_request_error", "Output blocked by content filtering policy", ("content_filter", 400), None),
        (400, "overloaded_error", "busy", ("overloaded", 503), None),
        (401, "authentication_error", "invalid x-api-key", ("authentication", 502), None),
        (402, "billing_error", "pay first", ("quota_exceeded", 503), None),
        (403, "permission_error", "Your API key does not have permission", ("authentication", 502), None),
        (403, "permission_error", "This model is not available to you", ("model_not_found", 502), None),
        (404, "not_found_error", "model: claude-x", ("model_not_found", 404), None),
        (413, "request_too_large", "Request exceeds the maximum size", ("invalid_request", 413), "request_too_large"),
        (429, "rate_limit_error", "slow down", ("rate_limited", 429), "rate_limit_exceeded"),
        (500, "api_error", "Internal server error", ("server_error", 502), None),
        (504, "timeout_error", "too slow", ("server_error", 502), None),
        (529, "overloaded_error", "Overloaded", ("overloaded", 503), None),
    ],
)
def test_each_refusal_has_its_name(
    status: int, kind: str, message: str, expected: tuple[str, int], code: str | None
) -> None:
    body = dumps({"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"})

    error = DIALECT.decode_error(provider(), status, {"retry-after": "7"}, body)
    assert (error.type, error.status) == expected
    assert error.provider == "anthropic"
    assert code in (None, error.code)
    assert message.rsplit(maxsplit=1)[-1].rstrip(".") in error.message
    if status in (429, 529):
        assert error.retry_after == 7


def test_a_refusal_that_is_no_json_is_told_too() -> None:
    error = DIALECT.decode_error(provider(), 503, {}, b"upstream connect error or disconnect/reset before headers")

    assert error.type is ErrorType.OVERLOADED
    assert "upstream connect error" in error.message


def test_our_key_is_never_shown() -> None:
    error = DIALECT.decode_error(provider(), 401, {}, dumps({"error": {"message": "bad key sk-ant-of-ours"}}))

    assert "sk-ant-of-ours" not in error.message
