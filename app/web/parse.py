"""An HTTP request into a Call, or an error that names what is wrong with it."""

from __future__ import annotations

import re
from random import getrandbits

from flask import Request
from werkzeug.datastructures import Headers

from app.core.call import Call, Tenant
from app.core.errors import GatewayError, invalid
from app.core.json import Json, NotJson, TooMuch, loads
from app.core.language import Language
from app.web.keeping import keeping_of

_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_TRAVELS = ("anthropic-version", "anthropic-beta")
MAX_MODEL = 256  # characters of a model name
_KEPT = "gateway.call_id"  # where the request's environment keeps its id


def call_id(request: Request) -> str:
    """The client's x-request-id where it is harmless, else a fresh one; the same however often it is asked for."""
    known: str | None = request.environ.get(_KEPT)
    if known is None:
        given = request.headers.get("X-Request-Id", "")
        known = given if _ID.fullmatch(given) else f"req_{getrandbits(96):024x}"
        request.environ[_KEPT] = known
    return known


def call_of(request: Request, language: Language, tenant: Tenant, began: float, max_body: int, *, address: str) -> Call:
    """Read and check the body.

    Raises:
        GatewayError: invalid_request (400, 413 or 415), with the field where there is one.
    """
    body = body_of(request, max_body)
    model = body.get("model")
    if not isinstance(model, str) or not model or len(model) > MAX_MODEL:
        raise invalid(f"model must be a string of 1 to {MAX_MODEL} characters", "model")
    stream = body.get("stream")
    if stream is not None and not isinstance(stream, bool):
        raise invalid("stream must be true or false", "stream")
    language.check(body)
    headers = request.headers
    return Call(
        id=call_id(request),
        language=language,
        model=model,
        body=body,
        stream=bool(stream),
        tenant=tenant,
        headers={name: headers[name] for name in _TRAVELS if name in headers},
        patience=_patience(headers, bool(stream)),
        began=began,
        keeping=keeping_of(headers),
        client=_client(request),
        address=address,
    )


def body_of(request: Request, max_body: int) -> Json:
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise invalid("the body must not be compressed", status=415, code="unsupported_encoding")
    if (request.content_length or 0) > max_body:
        raise too_large(max_body)
    request.max_content_length = max_body + 1  # bodies that do not say how long they are end there without a word
    try:
        raw = request.get_data(cache=False)
    except Exception as error:  # whatever the server's parser makes of what the client sent
        raise invalid("the body broke off before its end, or its chunks are malformed") from error
    if len(raw) > max_body:
        raise too_large(max_body)
    if not raw:
        raise invalid("the body is empty; it must be a JSON object")
    try:
        body = loads(raw)
    except TooMuch as error:
        raise invalid(f"the body is {error}") from error
    except NotJson as error:
        raise invalid(f"the body is not valid JSON: {error}") from error
    if not isinstance(body, dict):
        raise invalid("the body must be a JSON object")
    return body


def too_large(max_body: int) -> GatewayError:
    return invalid(f"the body is larger than {max_body} bytes", status=413, code="request_too_large")


def _client(request: Request) -> int | None:
    """gunicorn gives the client's socket along; other servers do not."""
    sock = request.environ.get("gunicorn.socket")
    return sock.fileno() if sock is not None else None


def _patience(headers: Headers, stream: bool) -> float | None:
    """Seconds that the client will wait at most: its own header, and what OpenAI's SDK says of its read timeout."""
    hints = []
    if (milliseconds := _number(headers.get("X-Request-Timeout-Ms"))) is not None:
        hints.append(milliseconds / 1000)
    if not stream and (seconds := _number(headers.get("X-Stainless-Read-Timeout"))) is not None:
        hints.append(seconds)
    return min(hints) if hints else None


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if 0 < value < float("inf") else None
