"""How Google says no: `{"error": {code, message, status, details}}`, sometimes in a list, with typed details."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from app.core.errors import ErrorType, GatewayError
from app.core.json import Json
from app.core.provider import Provider
from app.providers.errors import Complaint, by_status, complaint, names_context_length, refusal

_TOO_LONG = re.compile(r"input token count\b.{0,80}\b(?:exceeds|only supports)", re.IGNORECASE)
_OUR_KEY = re.compile(
    r"""
      \bAPI[ -]key\b | unregistered\ callers | credential | \bOAuth\b | access\ token | \bpermission\ '
    | has\ not\ been\ used\ in\ project
    """,
    re.VERBOSE | re.IGNORECASE,
)
_NO_CREDIT = re.compile(
    r"\bcredits? (?:is|are|balance)|\bprepa(?:id|yment)|\benable billing|billing is disabled", re.IGNORECASE
)
_REGION = re.compile(r"location is not supported", re.IGNORECASE)
_RETRY_IN = re.compile(r"retry in (\d+(?:\.\d+)?)(ms|s)\b", re.IGNORECASE)

#: Google's reasons (google.api.ErrorReason) that are about who asks.
_WHO_ASKS = re.compile(r"API_KEY_|ACCESS_TOKEN_|CREDENTIALS_|ACCOUNT_STATE_|CONSUMER_|SERVICE_DISABLED|IAM_PERMISSION_")
_CANCELLED = 499  # Google's own word for what it gave up


def decoded(provider: Provider, status: int, headers: Mapping[str, str], body: bytes) -> GatewayError:
    """The same at any time: `status` is HTTP's, or inside a stream the one that the error names."""
    found = complaint(body)
    details = list(_details(found))
    reasons = [str(detail.get("reason") or "") for detail in details]
    kind = _type(status, found.message or "", reasons)
    if "retry-after" not in headers and (wait := _retry_after(details, found.message or "")):
        headers = {**headers, "retry-after": wait}
    if status == 413:
        found = replace(found, code="request_too_large")
    forbidden = kind is ErrorType.MODEL_NOT_FOUND and status == 400  # a region that Google does not serve
    return refusal(provider, kind, 403 if forbidden else status, headers, found)


def _type(status: int, words: str, reasons: list[str]) -> ErrorType:
    if status in (400, 403, 429) and (_NO_CREDIT.search(words) or "BILLING_DISABLED" in reasons):
        return ErrorType.QUOTA_EXCEEDED
    if status in (400, 403) and (any(_WHO_ASKS.match(reason) for reason in reasons) or _OUR_KEY.search(words)):
        return ErrorType.AUTHENTICATION
    if status == 400 and (names_context_length(words) or _TOO_LONG.search(words)):
        return ErrorType.CONTEXT_LENGTH
    if status == 400 and _REGION.search(words):
        return ErrorType.MODEL_NOT_FOUND
    return ErrorType.SERVER_ERROR if status == _CANCELLED else by_status(status)


def _details(found: Complaint) -> Iterator[Json]:
    details: Any = (found.details or {}).get("details")
    yield from (detail for detail in (details if isinstance(details, list) else ()) if isinstance(detail, dict))


def _retry_after(details: list[Json], words: str) -> str | None:
    """Seconds. Google sends no header, but a detail for programs, and the same to the nanosecond in the message."""
    for detail in details:
        delay = detail.get("retryDelay")
        if isinstance(delay, str) and (known := re.fullmatch(r"(\d+(?:\.\d+)?)s", delay)):
            return known[1]
    if known := _RETRY_IN.search(words):
        return known[1] if known[2] == "s" else str(float(known[1]) / 1000)
    return None
