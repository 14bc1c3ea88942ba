"""What gunicorn refuses before the application sees it, as the JSON object of the language that was meant.

gunicorn's own pages are HTML, and quote the bytes that it could not read, in the page and in the log: a header that
lost its colon may hold a key, and what follows a wrong Content-Length is somebody's prompt.
"""

from __future__ import annotations

import contextlib
import re
import secrets
import socket
import time
from typing import Any

from gunicorn.http import errors  # type: ignore[import-untyped]

from app.core import json
from app.core.errors import ErrorType, GatewayError, invalid

_HARMLESS = (errors.LimitRequestLine, errors.LimitRequestHeaders)
_NAME = re.compile(r"[A-Za-z0-9_-]{1,40}")
_DRAIN = 1.0  # seconds
_DRAINED = 1024 * 1024  # bytes


class Page:
    """Stands in for the client's socket: takes the page that gunicorn would have sent."""

    def __init__(self) -> None:
        self.sent = b""

    def gettimeout(self) -> float:
        return 0.0

    def sendall(self, data: bytes) -> None:
        self.sent += data


def quiet(exc: BaseException) -> BaseException:
    """The same kind of error, which says what is wrong and quotes at most the name of a header."""
    if not isinstance(exc, errors.ParseException) or isinstance(exc, _HARMLESS):
        return exc
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(exc).__name__).capitalize()
    name = _NAME.match(str(getattr(exc, "hdr", "")))
    text = f"{words}: {name[0]}" if name else words
    made: BaseException = type(type(exc).__name__, (type(exc),), {"__init__": _nothing, "__str__": lambda _: text})()
    return made


def answer(worker: Any, page: Page, req: Any, client: socket.socket, exc: BaseException) -> None:
    """Send the client what gunicorn said of this (quiet) error."""
    head = page.sent.partition(b"\r\n")[0].split(b" ", 2)
    if len(head) < 3:
        return
    status, reason = int(head[1]), head[2].decode()
    request_id = "req_" + secrets.token_hex(12)
    if status < 500 or status == 501:
        error = invalid(str(exc) or reason, status=status)
    else:
        error = GatewayError(ErrorType.INTERNAL, "internal error; the log has the details under this request id")
        worker.log.error("request %s ended in the error above", request_id)
    path = getattr(req, "path", None) or ""
    with contextlib.suppress(OSError):
        client.settimeout(_DRAIN)
        client.sendall(written(error, reason, request_id, anthropic=path.startswith("/v1/messages"), status=status))


def written(error: GatewayError, reason: str, request_id: str, *, anthropic: bool, status: int) -> bytes:
    """A whole answer, after which the connection is closed."""
    body = json.dumps(_body(error, request_id, anthropic=anthropic))
    lines = [
        f"HTTP/1.1 {status} {reason}",
        "Connection: close",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        f"x-request-id: {request_id}",
        "X-Content-Type-Options: nosniff",
    ]
    if error.retry_after is not None:
        lines.append(f"Retry-After: {error.retry_after:.0f}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def drain(client: socket.socket) -> None:
    """Take what the client still sends: closing over unread bytes resets the connection, and the answer with it."""
    ends_at = time.monotonic() + _DRAIN
    left = _DRAINED
    with contextlib.suppress(OSError):
        client.shutdown(socket.SHUT_WR)
        while left > 0 and (seconds := ends_at - time.monotonic()) > 0:
            client.settimeout(seconds)
            piece = client.recv(65536)
            if not piece:
                return
            left -= len(piece)


def _nothing(_: object) -> None:
    """An error of gunicorn's without its arguments."""


def _body(error: GatewayError, request_id: str, *, anthropic: bool) -> json.Json:
    client = error.status < 500 or error.status == 501
    kind = "permission_error" if error.status == 403 else "invalid_request_error" if client else "api_error"
    if anthropic:
        return {"type": "error", "error": {"type": kind, "message": error.message}, "request_id": request_id}
    return {"error": {"message": error.message, "type": kind, "param": None, "code": error.code}}
