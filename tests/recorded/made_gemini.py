"""Exchanges of Google's that nobody has recorded, made from its published schemas: google.rpc.Status with its details
(RetryInfo, QuotaFailure, ErrorInfo), and the reasons in GenerateContentResponse of google-genai 3.6.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.standin import Exchange
from tests.standin.recording import RecordedRequest, RecordedResponse

Json = dict[str, Any]

MODEL = "gemini-2.5-flash"
_URL = f"https://generativelanguage.googleapis.com/v1beta/models/{MODEL}:"


def exchanges() -> Iterator[Exchange]:
    """As in `made.py`: `made-gemini-<error_type>-...`."""
    for stream in (False, True):
        for error_type, status, word, message, details in _REFUSALS:
            refused = {"error": {"code": status, "status": word, "message": message, "details": details}}
            yield _exchange(f"{error_type}-{status}-{word.lower()}", _json(refused), status=status, stream=stream)
        feedback = {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": {"promptTokenCount": 4}}
        body = _events([feedback]) if stream else _json(feedback)
        yield _exchange("content_filter-blocked", body, stream=stream, features=("prompt_blocked",))
        for reason in ("MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL"):
            nothing = _answer([], reason)
            body = _events([nothing]) if stream else _json(nothing)
            name = f"invalid_response-{reason.lower()}"
            yield _exchange(name, body, stream=stream, features=("error_before_content",))
    yield from _broken()
    yield from _answers()


_RETRY = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "7s"}
_DAY = {
    "@type": "type.googleapis.com/google.rpc.QuotaFailure",
    "violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier", "quotaValue": "50"}],
}
_DISABLED = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "SERVICE_DISABLED"}
_REFUSALS: tuple[tuple[str, int, str, str, list[Json]], ...] = (
    ("rate_limited", 429, "RESOURCE_EXHAUSTED", "You exceeded your current quota.", [_DAY, _RETRY]),
    ("rate_limited", 429, "ABORTED", "Resource exhausted. Please try again later.", []),
    ("quota_exceeded", 429, "OUT_OF_CREDIT", "Your prepayment credits are depleted.", []),
    ("authentication", 403, "PERMISSION_DENIED", "Generative Language API is disabled.", [_DISABLED]),
    ("authentication", 401, "UNAUTHENTICATED", "Request had invalid authentication credentials.", []),
    ("server_error", 500, "INTERNAL", "An internal error has occurred.", []),
    ("overloaded", 503, "UNAVAILABLE", "The model is overloaded. Please try again later.", []),
    ("server_error", 504, "DEADLINE_EXCEEDED", "Deadline expired before operation could complete.", []),
)


def _broken() -> Iterator[Exchange]:
    half = _answer([{"text": "Half of an ans"}], None)
    error = {"error": {"code": 503, "status": "UNAVAILABLE", "message": "The service is currently unavailable."}}
    for name, last in (("midstream", [error]), ("midstream-list", [[error]]), ("cut", [])):
        yield _exchange(name, _events([half, *last]), stream=True, features=("breaks_off",))
    yield _exchange("overloaded-early", _events([error]), stream=True, features=("error_before_content",))


def _answers() -> Iterator[Exchange]:
    call: Json = {"functionCall": {"name": "weather", "args": {"city": "Köln"}}}
    other: Json = {"functionCall": {"name": "now"}}
    made: list[tuple[str, list[Json], str]] = [
        ("parallel", [{**call, "thoughtSignature": "c2ln"}, call, other], "STOP"),
        ("filtered", [{"text": "Half of an ans"}], "SAFETY"),
        ("called-and-cut", [{"text": "Hm."}, call], "MAX_TOKENS"),
    ]
    for stream in (False, True):
        for name, parts, reason in made:
            whole = _answer(parts, reason)
            yield _exchange(name, _events([whole]) if stream else _json(whole), stream=stream)
    pieces = [_answer([{"text": "Hm", "thought": True}], None), _answer([{"text": "Hi"}], None), _answer([], "STOP")]
    signed = _answer([{"text": "", "thoughtSignature": "bGF0ZQ=="}], None)
    yield _exchange("late-signature", _events([*pieces, signed]), stream=True)


def _answer(parts: list[Json], reason: str | None) -> Json:
    candidate: Json = {"content": {"role": "model", "parts": parts} if parts else {}, "index": 0}
    if reason:
        candidate["finishReason"] = reason
    counts = {"promptTokenCount": 4, "candidatesTokenCount": 6, "thoughtsTokenCount": 2, "totalTokenCount": 12}
    return {"candidates": [candidate], "usageMetadata": counts, "modelVersion": MODEL, "responseId": "x"}


def _json(body: Json) -> bytes:
    return json.dumps(body).encode()


def _events(answers: list[Any]) -> bytes:
    return "".join(f"data: {json.dumps(each, ensure_ascii=False)}\r\n\r\n" for each in answers).encode()


def _exchange(
    name: str, body: bytes, *, status: int = 200, stream: bool = False, features: tuple[str, ...] = ()
) -> Exchange:
    kind = "text/event-stream" if stream and status == 200 else "application/json; charset=UTF-8"
    url = _URL + ("streamGenerateContent?alt=sse" if stream else "generateContent")
    asked = {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}
    return Exchange(
        id=f"made-gemini-{name}{'-stream' if stream else ''}",
        provider="gemini",
        operation="generate_content" + ("_stream" if stream else ""),
        model=MODEL,
        features=features,
        fidelity={},
        request=RecordedRequest("POST", url, (), asked),
        response=RecordedResponse(status, (("content-type", kind),), body),
    )
