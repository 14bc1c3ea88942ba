"""A question leaves as one packet: the provider wakes up once for it."""

from typing import Any

import pytest

from app.instance import system
from app.upstream.pool import SMALL, Holder, _Connection


class Provider:
    def __init__(self, most: int = 1 << 30) -> None:
        """`most`: bytes that it takes at a time."""
        self.sent: list[Any] = []
        self._most = most

    def send(self, data: Any) -> int:
        taken = data if len(data) <= self._most else data[: self._most]
        self.sent.append(taken)
        return len(taken)

    def sendall(self, data: Any) -> None:
        self.sent.append(data)

    def settimeout(self, seconds: float | None) -> None:
        pass


def asked(body: bytes, provider: Any) -> list[Any]:
    connection = _Connection(Holder(system.poll), host="provider.test")
    connection.sock = provider
    connection.request("POST", "/v1", body, {"content-length": str(len(body))})
    sent: list[Any] = provider.sent
    return sent


def test_a_small_question_is_one_packet() -> None:
    (sent,) = asked(b"{}", Provider())
    assert sent.startswith(b"POST /v1 HTTP/1.1\r\n")
    assert sent.endswith(b"\r\n\r\n{}")


@pytest.mark.parametrize("more", [0, 1])
def test_a_large_question_is_not_copied_for_that(more: int) -> None:
    body = bytes(SMALL + more)
    sent = asked(body, Provider())
    assert [piece.startswith(b"POST") for piece in sent] == [True, False]
    assert sent[1] is body


def test_what_does_not_fit_at_once_follows() -> None:
    sent = asked(b'{"model": "m"}', Provider(most=20))
    assert len(sent) == 2
    assert b"".join(map(bytes, sent)) == b"".join(asked(b'{"model": "m"}', Provider()))
