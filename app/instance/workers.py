"""gunicorn's worker classes, but for two things: no error page is HTML, and a worker that cannot boot is survived."""

from __future__ import annotations

import contextlib
import secrets
import socket
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from gunicorn.workers import gthread  # type: ignore[import-untyped]

from app.core import json
from app.core.errors import ErrorType, GatewayError, invalid
from app.instance.failing import HALT, exit_code

_LONGEST = 300  # characters of an error's text that go back to whoever sent the request


class ThreadWorker(gthread.ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    def init_process(self) -> None:
        boot(self, super().init_process)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        page = Page()
        super().handle_error(req, page, addr, exc)
        answer(self, page, req, client, exc)


class Page:
    """Stands in for the client's socket: takes the page that gunicorn would have sent."""

    def __init__(self) -> None:
        self.sent = b""

    def gettimeout(self) -> float:
        return 0.0

    def sendall(self, data: bytes) -> None:
        self.sent += data


def boot(worker: Any, run: Callable[[], None]) -> None:
    """Run a worker to its end; `run` returns when it is done."""
    try:
        run()
    except Exception:
        if worker.booted:
            raise
        fail(worker)


def fail(worker: Any) -> NoReturn:
    """Inside an except clause: this worker cannot boot."""
    code = exit_code(worker.run_dir)
    if code == HALT:
        worker.log.exception("the gateway cannot start")
    else:
        worker.log.exception("this worker cannot boot; the others go on")
    sys.exit(code)


def answer(worker: Any, page: Page, req: Any, client: socket.socket, exc: BaseException) -> None:
    """Send the client what gunicorn said in HTML as the JSON object of its language."""
    head = page.sent.partition(b"\r\n")[0].split(b" ", 2)
    if len(head) < 3:
        return
    status, reason = int(head[1]), head[2].decode()
    request_id = "req_" + secrets.token_hex(12)
    if status < 500 or status == 501:
        error = invalid(" ".join(str(exc).split())[:_LONGEST] or reason, status=status)
    else:
        error = GatewayError(ErrorType.INTERNAL, "internal error; the log has the details under this request id")
        worker.log.error("request %s ended in the error above", request_id)
    path = getattr(req or getattr(exc, "req", None), "path", None) or ""
    body = json.dumps(_body(error, request_id, anthropic=path.startswith("/v1/messages")))
    lines = [
        f"HTTP/1.1 {status} {reason}",
        "Connection: close",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        f"x-request-id: {request_id}",
    ]
    with contextlib.suppress(OSError):
        client.settimeout(1)
        client.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)


def _body(error: GatewayError, request_id: str, *, anthropic: bool) -> json.Json:
    client = error.status < 500
    kind = "permission_error" if error.status == 403 else "invalid_request_error" if client else "api_error"
    if anthropic:
        return {"type": "error", "error": {"type": kind, "message": error.message}, "request_id": request_id}
    return {"error": {"message": error.message, "type": kind, "param": None, "code": error.code}}
