"""A question leaves as one packet: the provider wakes up once for it."""

from typing import Any

import pytest

from app.instance import system
from app.upstream.pool import SMALL, Holder, _Connection


class Provider:
    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def sendall(self, data: bytes) -> None:
        self.sent.append(data)

    def settimeout(self, seconds: float | None) -> None:
        pass


def asked(body: bytes) -> list[bytes]:
    provider: Any = Provider()
    connection = _Connection(Holder(system.poll), host="provider.test")
    connection.sock = provider
    connection.request("POST", "/v1", body, {"content-length": str(len(body))})
    sent: list[bytes] = provider.sent
    return sent


def test_a_small_question_is_one_packet() -> None:
    (sent,) = asked(b"{}")
    assert sent.startswith(b"POST /v1 HTTP/1.1\r\n")
    assert sent.endswith(b"\r\n\r\n{}")


@pytest.mark.parametrize("more", [0, 1])
def test_a_large_question_is_not_copied_for_that(more: int) -> None:
    body = bytes(SMALL + more)
    sent = asked(body)
    assert [piece.startswith(b"POST") for piece in sent] == [True, False]
    assert sent[1] is body
