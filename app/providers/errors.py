"""What every dialect does alike with a provider's refusal: read it, name it by its status, and clean it for the caller.

A dialect decodes in three steps: `complaint()` finds the facts in whatever shape the body has, the dialect (and nobody
else) names the type by status, then code, then words, and `refusal()` makes the error that the rest of the house reads.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.core.errors import ErrorType, GatewayError
from app.core.json import NotJson, loads
from app.core.provider import Provider
from app.providers.cleaning import clean
from app.providers.retry_after import retry_after

_BY_STATUS: Mapping[int, ErrorType] = {
    401: ErrorType.AUTHENTICATION,
    402: ErrorType.QUOTA_EXCEEDED,
    403: ErrorType.MODEL_NOT_FOUND,  # no access to this model or region, unless the code or the words know better
    404: ErrorType.MODEL_NOT_FOUND,
    405: ErrorType.MODEL_NOT_FOUND,
    408: ErrorType.TIMEOUT,
    409: ErrorType.SERVER_ERROR,
    410: ErrorType.MODEL_NOT_FOUND,
    415: ErrorType.MODEL_NOT_FOUND,
    424: ErrorType.SERVER_ERROR,
    425: ErrorType.TIMEOUT,
    429: ErrorType.RATE_LIMITED,
    498: ErrorType.RATE_LIMITED,  # Groq: flex capacity exceeded
    503: ErrorType.OVERLOADED,
    529: ErrorType.OVERLOADED,
}

#: Types whose Retry-After means something. Together sends one with its 400s and 200s too.
_WAITS = frozenset(
    {
        ErrorType.RATE_LIMITED,
        ErrorType.QUOTA_EXCEEDED,
        ErrorType.OVERLOADED,
        ErrorType.SERVER_ERROR,
        ErrorType.TIMEOUT,
    }
)

#: Types that tell the caller about its own request, so that the provider's `param` means something to it.
_THE_CALLERS = frozenset(
    {
        ErrorType.INVALID_REQUEST,
        ErrorType.CONTEXT_LENGTH,
        ErrorType.CONTENT_FILTER,
        ErrorType.MODEL_NOT_FOUND,
    }
)

_TOO_LONG = re.compile(
    r"""
      \b(?:maximum|max|model'?s?)\ context\ (?:length|window|size) | \bexceeds?\ the\ (?:available\ )?context
    | context[\ _](?:length|window|size)[\ _]exceeded
    | \b(?:prompt|input)\ (?:is\ )?too\ long | \bmaximum\ (?:prompt|input|model)\ length | \bprompt\ exceeds\ max
    | \btoo\ many\ (?:total\ text\ bytes|tokens:) | \binput\ tokens\ exceeded | \btoo\ large\ for\ model\ with
    | \bexceeds?\ the\ maximum\ number\ of\ (?:input\ )?tokens | `inputs`\ tokens
    | \breduce\ the\ length\ of\ (?:the\ )?(?:messages|prompt|input|either\ one)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_READ = 4096  # characters of a message: patterns are looked for in it
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)


def by_status(status: int) -> ErrorType:
    """What an HTTP status of a provider means where its code says nothing better."""
    if known := _BY_STATUS.get(status):
        return known
    if 400 <= status < 500:
        return ErrorType.INVALID_REQUEST
    return ErrorType.SERVER_ERROR if status >= 500 else ErrorType.INVALID_RESPONSE


def names_context_length(message: str | None) -> bool:
    """Whether a refusal (400, 413, 422) says that the prompt is too long: few providers have a code for it."""
    return message is not None and _TOO_LONG.search(message, 0, _READ) is not None


@dataclass(frozen=True, slots=True)
class Complaint:
    """The facts of an error body, None where it has none. `status` is the one that the body itself names."""

    message: str | None = None
    code: str | None = None
    type: str | None = None
    param: str | None = None
    status: int | None = None
    details: Mapping[str, Any] | None = None  # the error object, for what only one provider sends


def complaint(body: bytes | str) -> Complaint:
    """Find the facts in a body of any shape: JSON of many kinds, a page of HTML, plain text, nothing."""
    try:
        parsed = loads(body)
    except NotJson:
        text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
        if text.lstrip()[:1] == "<":
            title = _TITLE.search(text, 0, _READ)
            return Complaint(title.group(1).strip() if title else None)
        return Complaint(text.strip()[:_READ] or None)
    return complaint_of(parsed)


def complaint_of(parsed: Any) -> Complaint:
    """The same, from parsed JSON."""
    if isinstance(parsed, list):  # Gemini wraps its error in an array
        parsed = parsed[0] if parsed else None
    if not isinstance(parsed, dict):
        return Complaint(parsed[:_READ] if isinstance(parsed, str) else None)
    inner = parsed.get("error")
    error = inner if isinstance(inner, dict) else parsed
    said = inner if isinstance(inner, str) else _first(error, "message", "detail", "msg", "reason", "error_message")
    message, param = _words(said)
    return Complaint(
        message=message and message[:_READ],
        code=_code(error.get("code")),
        type=_string(error.get("type")) or _string(error.get("error_type")) or _string(parsed.get("error_type")),
        param=_string(error.get("param")) or param,
        status=_status(error),
        details=error,
    )


def refusal(
    provider: Provider,
    error_type: ErrorType,
    status: int,
    headers: Mapping[str, str],
    found: Complaint,
) -> GatewayError:
    """The error that the caller and the books get.

    The provider's own status and code stay where its answer is about the request itself (`invalid_request`); everywhere
    else the type's own say more to a client than a provider's dialect. A 403 is our lack of access: never the caller's.
    """
    own = error_type is ErrorType.INVALID_REQUEST and 400 <= status < 500
    forbidden = error_type is ErrorType.MODEL_NOT_FOUND and status == 403
    return GatewayError(
        error_type,
        _told(provider, error_type, status, found.message),
        status=status if own else 502 if forbidden else None,
        code=clean(found.code, provider)[:128] if own and found.code else None,
        param=clean(found.param, provider)[:256] if error_type in _THE_CALLERS and found.param else None,
        retry_after=retry_after(headers) if error_type in _WAITS else None,
        provider=provider.name,
        silent=error_type is ErrorType.TIMEOUT,  # it had the request, and may have worked on it
    )


def _told(provider: Provider, error_type: ErrorType, status: int, message: str | None) -> str:
    said = clean(message or "", provider) or f"{provider.name} answered {status} without a message"
    if error_type is ErrorType.AUTHENTICATION:  # or the caller would look for the fault in its own key
        return f"{provider.name} refuses the gateway's own credentials: {said}"
    if error_type is ErrorType.QUOTA_EXCEEDED:
        return f"the gateway's account with {provider.name} is exhausted: {said}"
    return said


def _first(error: Mapping[str, Any], *names: str) -> Any:
    for name in names:
        if error.get(name):
            return error[name]
    return None


def _words(said: Any) -> tuple[str | None, str | None]:
    """A message that may be text, an object around it, or FastAPI's list of faults; and the first field named."""
    if isinstance(said, str):
        return said, None
    if isinstance(said, dict):
        return _words(_first(said, "message", "detail", "msg", "reason", "error"))
    if isinstance(said, list):
        found = [_one_of_many(each) for each in said[:10]]
        text = "; ".join(f"{field}: {words}" if field else words for words, field in found if words)
        return text or None, next((field for _, field in found if field), None)
    return None, None


def _one_of_many(each: Any) -> tuple[str | None, str | None]:
    words, field = _words(each)
    place = each.get("loc") if isinstance(each, dict) else None
    if isinstance(place, list):
        field = ".".join(str(step) for step in place if step != "body") or field
    return words, field


def _code(code: Any) -> str | None:
    """A code in words. A number that only repeats an HTTP status is none: it is `Complaint.status`."""
    if isinstance(code, bool) or not isinstance(code, int | str) or code == "":
        return None
    text = str(code)
    return None if text.isdecimal() and 100 <= int(text) < 600 else text


def _status(error: Mapping[str, Any]) -> int | None:
    for name in ("status_code", "code", "status"):
        value = error.get(name)
        if isinstance(value, str) and value.isdecimal():
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and 400 <= value < 600:
            return value
    return None


def _string(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
