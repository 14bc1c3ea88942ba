"""Two small HTTP servers, over TCP and over a unix socket. A thread a connection, few of them, none for long."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import socketserver
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from app.housekeeper.pages import Answer, said
from app.instance.environment import Address

log = logging.getLogger(__name__)

#: Path and headers (lower-case names) to an answer.
Route = Callable[[str, Mapping[str, str]], Answer]

_CONNECTIONS = 32
_SILENCE = 10.0  # seconds that a connection may say nothing, and that an answer may wait for its reader


class _Threaded(socketserver.ThreadingMixIn):
    daemon_threads = True
    allow_reuse_address = True
    route: Route
    room: threading.BoundedSemaphore

    def open(self, route: Route) -> None:
        self.route = route
        self.room = threading.BoundedSemaphore(_CONNECTIONS)
        threading.Thread(target=self.serve_forever, name="door", daemon=True).start()  # type: ignore[attr-defined]

    def process_request(self, request: Any, client_address: Any) -> None:
        if self.room.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)  # type: ignore[attr-defined]

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        log.debug("a connection ended in an error", exc_info=True)


class _Tcp(_Threaded, socketserver.TCPServer):
    pass


class _Tcp6(_Tcp):
    address_family = socket.AF_INET6


class _Unix(_Threaded, socketserver.UnixStreamServer):
    pass


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _SILENCE
    error_content_type = "application/json"
    error_message_format = '{"error": {"message": "bad request (%(code)d)"}}'
    server: _Threaded  # type: ignore[assignment]  # the mixin is all that is asked here

    def do_GET(self) -> None:
        try:
            asked = {name.lower(): value for name, value in self.headers.items()}
            status, headers, body = self.server.route(self.path.partition("?")[0], asked)
        except Exception:
            log.exception("GET %s failed", self.path)
            status, headers, body = said(500, "internal error")
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(body)

    def version_string(self) -> str:
        return "llm-gateway"

    def log_message(self, format: str, *args: object) -> None:
        """A scrape is not worth a line."""


def open_tcp(address: Address, route: Route) -> socketserver.BaseServer:
    """Raises OSError if the address is taken or not ours."""
    family, *_, found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)[0]
    kind = _Tcp6 if family == socket.AF_INET6 else _Tcp
    server = kind((str(found[0]), address.port), _Handler)
    server.open(route)
    return server


def open_unix(path: Path, route: Route) -> socketserver.BaseServer:
    """In place of whatever a predecessor left under that name."""
    fresh = path.with_suffix(".new")
    with contextlib.suppress(FileNotFoundError):
        fresh.unlink()
    server = _Unix(str(fresh), _Handler)
    os.rename(fresh, path)
    server.open(route)
    return server
