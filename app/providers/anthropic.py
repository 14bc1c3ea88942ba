"""Anthropic's Messages API, for clients who speak it themselves and for those who speak OpenAI's chat."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from app.core.errors import ErrorType, GatewayError, invalid
from app.core.json import Json
from app.core.provider import Provider, Reader
from app.core.wire import Ask, Frame, Operation, UpstreamRequest
from app.providers.anthropic_answer import completion, counted, message
from app.providers.anthropic_request import to_messages
from app.providers.anthropic_stream import ChatReader, MessagesReader
from app.providers.errors import by_status, complaint, names_context_length, refusal
from app.providers.row import Feature, Row
from app.providers.signatures import without_others

_PINNED: Mapping[str, str] = {
    "anthropic-version": "2023-06-01"
}  # of what we write: later versions refuse temperature, top_p and top_k

#: The statuses that Anthropic's error types come with, for errors inside a stream, where there is none.
_STATUS: Mapping[str, int] = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
_NO_CREDIT = re.compile(r"credit balance is too low|billing", re.IGNORECASE)
_TOO_LONG = re.compile(r"prompt is too long|exceeds? (?:the )?context (?:limit|window)", re.IGNORECASE)
_OUR_KEY = re.compile(r"api[ -]key|credential|oauth|bearer", re.IGNORECASE)
_THREAD = "thread_"  # what codes about conversations that Anthropic keeps begin with
_FILTERED = re.compile(r"blocked by content filtering", re.IGNORECASE)


class AnthropicDialect:
    native = frozenset({Operation.CHAT, Operation.MESSAGES, Operation.COUNT_TOKENS})
    marks = True

    def encode(self, ask: Ask, provider: Provider, model: str) -> UpstreamRequest:
        if ask.operation not in self.native:
            raise invalid(f"{provider.name} has no {ask.operation}", "model", code="unsupported")
        url = _base(provider) + ("/messages/count_tokens" if ask.operation is Operation.COUNT_TOKENS else "/messages")
        if ask.operation is Operation.CHAT:
            body, dropped = to_messages(ask.body, model, ask.max_output)
            if ask.stream:
                body["stream"] = True
            return UpstreamRequest(url, {**provider.headers, **_PINNED}, body, ask.stream, dropped)
        body = {**without_others(ask.body), "model": model}
        return UpstreamRequest(url, _headers(ask, provider), body, ask.stream)

    def decode(self, ask: Ask, provider: Provider, body: Json) -> Frame:
        try:
            if ask.operation is Operation.COUNT_TOKENS:
                return counted(body)
            return completion(ask, body) if ask.operation is Operation.CHAT else message(body)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("not an answer of the Messages API") from error

    def reader(self, ask: Ask, provider: Provider) -> Reader:
        def failed(body: bytes) -> GatewayError:
            found = complaint(body)
            return self.decode_error(provider, _STATUS.get(found.type or "", 500), {}, body)

        return ChatReader(ask, failed) if ask.operation is Operation.CHAT else MessagesReader(failed)

    def decode_error(self, provider: Provider, status: int, headers: Mapping[str, str], body: bytes) -> GatewayError:
        found = complaint(body)
        details = (found.details or {}).get("details")
        code = details.get("error_code") if isinstance(details, dict) else None
        if isinstance(code, str) and code.startswith(_THREAD):  # of a conversation, not of a model, whatever the status
            return refusal(provider, ErrorType.INVALID_REQUEST, status, headers, replace(found, code=code))
        if status == 413:
            found = replace(found, code="request_too_large")
        return refusal(provider, _type(status, found.type, found.message or ""), status, headers, found)


def _headers(ask: Ask, provider: Provider) -> Mapping[str, str]:
    """A client who speaks Messages says which version it means, and adds its betas to those of the configuration."""
    headers = {**_PINNED, **provider.headers}
    if version := ask.headers.get("anthropic-version"):
        headers["anthropic-version"] = version
    betas = [each for each in (provider.headers.get("anthropic-beta"), ask.headers.get("anthropic-beta")) if each]
    if betas:
        headers["anthropic-beta"] = ",".join(betas)
    return headers


def _base(provider: Provider) -> str:
    base = provider.base_url.rstrip("/")
    return base if base.endswith("/v1") else f"{base}/v1"


def _type(status: int, kind: str | None, words: str) -> ErrorType:
    if status == 400:
        status = _STATUS.get(kind or "", 400)  # servers that answer 400 to everything say in the type what they mean
    if status in (400, 402, 403) and _NO_CREDIT.search(words):
        return ErrorType.QUOTA_EXCEEDED
    if status == 400:
        if names_context_length(words) or _TOO_LONG.search(words):
            return ErrorType.CONTEXT_LENGTH
        if _FILTERED.search(words):
            return ErrorType.CONTENT_FILTER
    if status == 403 and _OUR_KEY.search(words):
        return ErrorType.AUTHENTICATION
    return by_status(status)


ROWS = (
    Row(
        kind="anthropic",
        title="Anthropic",
        dialect=AnthropicDialect(),
        base_url="https://api.anthropic.com/v1",
        key_header="x-api-key",
        key_scheme="",
        headers=_PINNED,
        features=frozenset(Feature),
        docs="https://platform.claude.com/docs/en/api/messages",
    ),
)
