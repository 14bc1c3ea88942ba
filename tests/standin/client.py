"""The barest client: one call and its bytes, with nothing in between that could mend what is broken."""

from __future__ import annotations

import http.client
import json
import socket
from typing import Any

from tests.standin.server import StandIn


def body_of(model: str, **fields: Any) -> bytes:
    return json.dumps({"model": model, "messages": [{"role": "user", "content": "two words"}], **fields}).encode()


def ask(standin: StandIn, model: str, path: str = "/v1/chat/completions", **fields: Any) -> tuple[int, bytes]:
    """One call on a connection of its own."""
    client = http.client.HTTPConnection("127.0.0.1", standin.port, timeout=10)
    try:
        client.request("POST", path, body_of(model, **fields))
        answer = client.getresponse()
        return answer.status, answer.read()
    finally:
        client.close()


def dial(standin: StandIn, model: str, path: str = "/v1/chat/completions", **fields: Any) -> socket.socket:
    """A raw connection on which one call was sent."""
    body = body_of(model, **fields)
    raw = socket.create_connection(("127.0.0.1", standin.port), timeout=10)
    try:
        raw.sendall(f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)
    except OSError:
        raw.close()
        raise
    return raw


def read_until(raw: socket.socket, mark: bytes) -> bytes:
    seen = b""
    while mark not in seen:
        data = raw.recv(65536)
        assert data, f"the end came before {mark!r}: {seen!r}"
        seen += data
    return seen


def content(stream: bytes) -> str:
    """The text of an OpenAI stream."""
    said = ""
    for event in stream.decode().split("\n\n"):
        if event.startswith("data: {"):
            said += "".join(choice["delta"].get("content") or "" for choice in json.loads(event[6:])["choices"])
    return said
