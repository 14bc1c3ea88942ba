"""Requests that gunicorn refuses before the application sees them: JSON, and no HTML, from both worker classes."""

import socket
from collections.abc import Iterator

import pytest

from app.core import json
from tests.gunicorn import CLASSES, Server, gunicorn

HOST = b"Host: localhost\r\n"

REFUSED = [
    pytest.param(b"nonsense\r\n\r\n", 400, id="not a request"),
    pytest.param(b"GET / HTTP/9.9\r\n" + HOST + b"\r\n", 400, id="an unknown version"),
    pytest.param(b"GET / HTTP/1.1\r\n" + HOST + b"bad header\r\n\r\n", 400, id="a header without a colon"),
    pytest.param(b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414, id="a long path"),
    pytest.param(b"GET / HTTP/1.1\r\n" + HOST + b"x: " + b"y" * 10_000 + b"\r\n\r\n", 431, id="a long header"),
    pytest.param(b"GET / HTTP/1.1\r\n" + HOST + b"a: b\r\n" * 200 + b"\r\n", 431, id="many headers"),
    pytest.param(
        b"POST /v1/chat/completions HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: morse\r\n\r\n",
        501,
        id="an unknown transfer coding",
    ),
    pytest.param(
        b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
        id="two lengths",
    ),
]


@pytest.fixture(scope="module", params=CLASSES)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with gunicorn(workers=1, worker_class=request.param) as running:
        yield running


def ask(server: Server, raw: bytes) -> tuple[int, dict[str, str], bytes]:
    """Send these bytes and read to the end."""
    port = int(server.url.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(raw)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return int(status.split()[1]), headers, body


@pytest.mark.parametrize(("raw", "expected"), REFUSED)
def test_what_gunicorn_refuses_is_an_error_object(server: Server, raw: bytes, expected: int) -> None:
    status, headers, body = ask(server, raw)
    assert status == expected
    assert headers["content-type"] == "application/json"
    assert int(headers["content-length"]) == len(body)
    assert headers["x-request-id"].startswith("req_")
    error = json.loads(body)["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["code"] == "invalid_request"
    assert error["message"]
    assert b"<" not in body


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(
            b"GET / HTTP/1.1\r\n" + HOST + b"Authorization Bearer SECRET\r\n\r\n", id="a header without a colon"
        ),
        pytest.param(b'{"messages": "SECRET"}\r\n\r\n', id="a body where a request should be"),
        pytest.param(
            b"POST /v1/chat/completions HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nSECRET\r\n\r\n",
            id="a body where the size of a chunk should be",
        ),
    ],
)
def test_what_could_not_be_read_is_not_in_the_log(server: Server, raw: bytes) -> None:
    """It may have been a key, or a prompt."""
    _, _, body = ask(server, raw)
    assert b"SECRET" not in body
    assert "SECRET" not in server.log()


def test_the_name_of_a_broken_header_is_told(server: Server) -> None:
    _, _, body = ask(server, b"GET / HTTP/1.1\r\n" + HOST + b"Content-Length: many\r\n\r\n")
    assert json.loads(body)["error"]["message"] == "Invalid header: CONTENT-LENGTH"


def test_a_refusal_on_a_path_of_anthropics_is_put_as_anthropic_does(server: Server) -> None:
    """Where the path was read before what was wrong."""
    status, headers, body = ask(server, b"POST /v1/messages HTTP/1.1\r\n" + HOST + b"Content-Length: x\r\n\r\n{}")
    assert status == 400
    told = json.loads(body)
    assert told["type"] == "error"
    assert told["error"]["type"] == "invalid_request_error"
    assert told["request_id"] == headers["x-request-id"]
