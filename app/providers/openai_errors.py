"""What a refusal in OpenAI's language, or in one of its many accents, means.

Status first, then the provider's code or type, then, for the providers that have no codes, the words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from app.core.errors import ErrorType, GatewayError
from app.core.provider import Provider
from app.providers.errors import Complaint, by_status, complaint, complaint_of, names_context_length, refusal

#: Codes and types (in lower case) that say more than a 4xx does.
_CODES: Mapping[str, ErrorType] = {
    "context_length_exceeded": ErrorType.CONTEXT_LENGTH,
    "exceed_context_size_error": ErrorType.CONTEXT_LENGTH,  # llama.cpp
    "too_many_tokens": ErrorType.CONTEXT_LENGTH,
    "1261": ErrorType.CONTEXT_LENGTH,  # z.ai
    "content_filter": ErrorType.CONTENT_FILTER,
    "content_policy_violation": ErrorType.CONTENT_FILTER,
    "image_content_policy_violation": ErrorType.CONTENT_FILTER,
    "moderation_blocked": ErrorType.CONTENT_FILTER,
    "invalid_prompt": ErrorType.CONTENT_FILTER,  # OpenAI: flagged as violating the usage policy
    "responsibleaipolicyviolation": ErrorType.CONTENT_FILTER,
    "1301": ErrorType.CONTENT_FILTER,  # z.ai
    "model_not_found": ErrorType.MODEL_NOT_FOUND,
    "deploymentnotfound": ErrorType.MODEL_NOT_FOUND,
    "unknown_model": ErrorType.MODEL_NOT_FOUND,
    "invalid_model": ErrorType.MODEL_NOT_FOUND,
    "model_not_available": ErrorType.MODEL_NOT_FOUND,
    "model_not_supported": ErrorType.MODEL_NOT_FOUND,  # Hugging Face: by no provider that is enabled
    "1211": ErrorType.MODEL_NOT_FOUND,  # z.ai
    "invalid_api_key": ErrorType.AUTHENTICATION,
    "api_key_invalid": ErrorType.AUTHENTICATION,
    "authentication_error": ErrorType.AUTHENTICATION,
    "insufficient_quota": ErrorType.QUOTA_EXCEEDED,
    "insufficient_credits": ErrorType.QUOTA_EXCEEDED,
    "billing_hard_limit_reached": ErrorType.QUOTA_EXCEEDED,
    "billing_not_active": ErrorType.QUOTA_EXCEEDED,
    "1113": ErrorType.QUOTA_EXCEEDED,  # z.ai: insufficient balance
}

#: Codes and types of errors inside a stream, whose status was 200.
_IN_STREAM: Mapping[str, ErrorType] = {
    **_CODES,
    "rate_limit_exceeded": ErrorType.RATE_LIMITED,
    "rate_limit_error": ErrorType.RATE_LIMITED,
    "rate_limited": ErrorType.RATE_LIMITED,
    "overloaded": ErrorType.OVERLOADED,
    "overloaded_error": ErrorType.OVERLOADED,
    "service_unavailable": ErrorType.OVERLOADED,
    "server_is_overloaded": ErrorType.OVERLOADED,
    "slow_down": ErrorType.OVERLOADED,
    "timeout": ErrorType.TIMEOUT,
    "invalid_request_error": ErrorType.INVALID_REQUEST,
    **dict.fromkeys(  # of a failed response: what is wrong with an image of the request
        (
            "invalid_image",
            "invalid_image_format",
            "invalid_base64_image",
            "invalid_image_url",
            "invalid_image_mode",
            "image_too_large",
            "image_too_small",
            "image_parse_error",
            "image_file_too_large",
            "image_file_not_found",
            "empty_image_file",
            "unsupported_image_media_type",
            "failed_to_download_image",
        ),
        ErrorType.INVALID_REQUEST,
    ),
    "tool_use_failed": ErrorType.INVALID_REQUEST,  # Groq: what the model said does not fit the tools of the request
}

_KEY = re.compile(
    r"""
      \b(?:incorrect|invalid|missing|expired|wrong|no)\b .{0,30}
      \b(?:api[ -]?key|api\ token|access\ token|security\ token|subscription\ key|auth\w*\ credentials|credentials)\b
    | \bapi\ key\b .{0,20} \b(?:not\ valid|is\ invalid|expired|revoked|disabled)\b
    | \bauthentication\ (?:fails|failed|method)\b | \bsecurity\ token\b .{0,40} \b(?:invalid|expired)\b
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_BLOCKED = re.compile(
    r"""
      \bcontent\ management\ policy | \bcontent\ exists\ risk | \bcontent[ _]filter
    | \bviolat\w+\ (?:our\ |the\ )?(?:usage|content|safety) | \bflagged\ (?:as|by|for) | \brequires\ moderation
    | \bsafety\ (?:system|check)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_NO_MODEL = re.compile(
    r"""
      \bmodel\b .{0,80} \b(?:does\ not\ exist|not\ exist|not\ found|was\ removed|not\ supported\ by\ any)\b
    | \b(?:unknown|invalid|no\ such)\ model\b | \bnot\ a\ valid\ model
    """,
    re.VERBOSE | re.IGNORECASE,
)
_EMPTY = re.compile(
    r"""
      \binsufficient\ (?:balance|credits?|funds|quota) | \bcredit\ balance | \b(?:out\ of|all\ available)\ credits
    | \bspending\ limit | \bkey\ limit\ exceeded | \baccount\b .{0,60} \bsuspended
    """,
    re.VERBOSE | re.IGNORECASE,
)


def refused(provider: Provider, status: int, headers: Mapping[str, str], body: bytes) -> GatewayError:
    """An answer whose status is not 200."""
    found = _whole(complaint(body))
    return refusal(provider, _meaning(status, found), status, headers, found)


def failed(provider: Provider, said: Any) -> GatewayError:
    """An error inside a 200: an event of a stream, or a body. Its own status counts where it names one."""
    found = _whole(complaint_of(said))
    if found.status is not None:
        return refusal(provider, _meaning(found.status, found), found.status, {}, found)
    named = next((_IN_STREAM[name] for name in _names(found) if name in _IN_STREAM), ErrorType.SERVER_ERROR)
    return refusal(provider, named, 400 if named is ErrorType.INVALID_REQUEST else 502, {}, found)


def _meaning(status: int, found: Complaint) -> ErrorType:
    named = by_status(status)
    if named not in (ErrorType.INVALID_REQUEST, ErrorType.RATE_LIMITED) and status != 403:
        return named
    known = next((_CODES[name] for name in _names(found) if name in _CODES), None)
    said = found.message or ""
    if status == 429:
        if known is ErrorType.QUOTA_EXCEEDED or _EMPTY.search(said):
            return ErrorType.QUOTA_EXCEEDED
        return ErrorType.CONTEXT_LENGTH if _can_never_fit(found) else ErrorType.RATE_LIMITED
    if known is not None:
        return known
    if status == 413 and _can_never_fit(found):
        return ErrorType.CONTEXT_LENGTH
    return _by_words(status, said, found) or named


def _by_words(status: int, said: str, found: Complaint) -> ErrorType | None:
    details = found.details or {}
    metadata = details.get("metadata")
    if _BLOCKED.search(said) or (isinstance(metadata, dict) and "flagged_input" in metadata):  # OpenRouter
        return ErrorType.CONTENT_FILTER
    if _KEY.search(said):
        return ErrorType.AUTHENTICATION
    if _EMPTY.search(said):
        return ErrorType.QUOTA_EXCEEDED
    if status == 403:
        return None
    if names_context_length(said):
        return ErrorType.CONTEXT_LENGTH
    return ErrorType.MODEL_NOT_FOUND if _NO_MODEL.search(said) else None


def _can_never_fit(found: Complaint) -> bool:
    """A request that is larger than a whole minute's allowance: waiting does not help, a smaller one does."""
    return found.type == "tokens" and "too large" in (found.message or "").lower()


def _names(found: Complaint) -> list[str]:
    inner = (found.details or {}).get("innererror")  # Azure
    codes = (found.code, found.type, inner.get("code") if isinstance(inner, dict) else None)
    return [code.lower() for code in codes if isinstance(code, str)]


def _whole(found: Complaint) -> Complaint:
    """OpenRouter says "Provider returned error" and what that provider said as text beside it; both are cut to 4 KB."""
    message = found.message[:4096] if found.message else None
    metadata = (found.details or {}).get("metadata")
    raw = metadata.get("raw") if isinstance(metadata, dict) else None
    if isinstance(raw, str) and raw:
        message = f"{message}: {complaint(raw).message or raw}"[:4096]
    return replace(found, message=message)
