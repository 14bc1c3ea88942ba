"""Requests byte by byte, as no SDK would send them, and what comes back."""

from __future__ import annotations

import contextlib
import json
import socket
from dataclasses import dataclass
from typing import Any

from tests.gunicorn import Server
from tests.journeys.house import KEY

CHAT = "/v1/chat/completions"
MESSAGES = "/v1/messages"
RESPONSES = "/v1/responses"
SAID: list[Any] = [{"role": "user", "content": "two words"}]


@dataclass(frozen=True)
class Answered:
    status: int
    headers: dict[str, str]  # lower-case names
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> Any:
        """The error object, in either language."""
        assert self.headers["content-type"] == "application/json", self
        return self.json["error"]


def dial(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(server.url.rsplit(":", 1)[1])), timeout=20)


def send(server: Server, data: bytes, *, half: bool = False) -> Answered:
    """Send these bytes, and read to the end. `half`: and say that nothing more will come."""
    answer = b""
    with dial(server) as connection:
        connection.sendall(data)
        if half:
            connection.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionResetError):  # for what it did not read, after it has answered
            while piece := connection.recv(65536):
                answer += piece
    return answered(answer)


def answered(data: bytes) -> Answered:
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(": ") for line in lines)
    return Answered(int(first.split()[1]), {name.lower(): value for name, _, value in pairs}, body)


def request(
    method: str,
    path: str,
    body: bytes | None = None,
    *,
    headers: dict[str, str] | None = None,
    key: str | None = KEY,
    keep: bool = False,
) -> bytes:
    """A sound HTTP/1.1 request; headers may be replaced, and with "" left out."""
    given = {"Host": "localhost", "Content-Type": "application/json", "Connection": "keep-alive" if keep else "close"}
    if key is not None:
        given["Authorization"] = f"Bearer {key}"
    if body is not None:
        given["Content-Length"] = str(len(body))
    given |= headers or {}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items() if value)]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b"")


def ask(
    server: Server, model: str, *, path: str = CHAT, headers: dict[str, str] | None = None, **more: Any
) -> Answered:
    """One good call, on a connection of its own."""
    return send(server, request("POST", path, call(model, path=path, **more), headers=headers))


def call(model: str, *, path: str = CHAT, **more: Any) -> bytes:
    """The body of a good call."""
    if path == RESPONSES:
        return json.dumps({"model": model, "input": SAID, **more}).encode()
    limit = {"max_tokens": 99} if path == MESSAGES else {}
    return json.dumps({"model": model, "messages": SAID, **limit, **more}).encode()


def chunked(*chunks: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in (*chunks, b""))
