"""What leaves together: the head of an answer, and the first of its body."""

from types import SimpleNamespace
from typing import Any

import pytest

from app.instance.heads import SMALL, Response


class Client:
    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def sendall(self, data: bytes) -> None:
        self.sent.append(data)


def response(client: Client, *headers: tuple[str, str], method: str = "POST") -> Response:
    request: Any = SimpleNamespace(method=method, version=(1, 1), should_close=lambda: False)
    made = Response(request, client, SimpleNamespace(protocol="http"))
    made.start_response("200 OK", list(headers))
    return made


@pytest.mark.parametrize("length", [("Content-Length", "5"), ("X-Other", "1")], ids=["plain", "in chunks"])
def test_a_small_answer_is_one_packet(length: tuple[str, str]) -> None:
    client = Client()
    response(client, length).write(b"hello")
    (sent,) = client.sent
    head, _, body = sent.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert body in (b"hello", b"5\r\nhello\r\n")


def test_what_follows_leaves_when_it_comes() -> None:
    client = Client()
    made = response(client, ("X-Other", "1"))
    for piece in (b"one", b"two"):
        made.write(piece)
    made.close()
    assert client.sent[1:] == [b"3\r\ntwo\r\n", b"0\r\n\r\n"]


def test_a_large_body_is_not_copied_for_that() -> None:
    client, body = Client(), bytes(SMALL + 1)
    response(client, ("Content-Length", str(len(body)))).write(body)
    assert client.sent[1] is body


def test_a_head_alone_leaves_at_once() -> None:
    client = Client()
    made = response(client, ("Content-Length", "5"), method="HEAD")
    made.write(b"")
    assert client.sent[0].startswith(b"HTTP/1.1 200 OK\r\n")
    empty = Client()
    response(empty, ("Content-Length", "0")).close()
    assert len(empty.sent) == 1
