"""The head of an answer leaves with the first of its body: one packet, for which the client wakes up once.

gunicorn sends it by itself, and each packet costs a call some thirty microseconds.
"""

from __future__ import annotations

from typing import Any

from gunicorn.http import wsgi  # type: ignore[import-untyped]  # gunicorn has no types

SMALL = 65_536  # bytes of a body that is worth copying


class Response(wsgi.Response):  # type: ignore[misc]  # gunicorn has no types
    sock: Any

    def write(self, arg: bytes) -> None:
        if self.headers_sent or len(arg) > SMALL:
            super().write(arg)
            return
        client, held = self.sock, _Held()
        self.sock = held
        try:
            super().write(arg)
        finally:
            self.sock = client
        client.sendall(b"".join(held.pieces))


class _Held:
    """All that gunicorn asks of a client that it answers."""

    __slots__ = ("pieces",)

    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    def sendall(self, data: Any) -> None:
        self.pieces.append(data)


def together() -> None:
    """For all workers of this process. gunicorn makes its responses of the class that stands there."""
    wsgi.Response = Response
