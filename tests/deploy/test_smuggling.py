"""Requests whose end two servers could see in two places: nothing after the first one is ever served.

Each is sent in one piece with another request behind it, which has the id `canary`. That one is in the gateway's log
only if somebody has taken the rest of the first for a request of its own.
"""

import socket
from collections.abc import Iterator

import pytest

from app.core.json import dumps
from tests.gunicorn import CLASSES, Server, gunicorn
from tests.nginx import nginx

CONFIG = """
server: {open: true}
providers: {simulated: {latency: 0, tokens_per_second: 100000, words: 3}}
models: {fast: {targets: [simulated/x]}}
"""
BODY = dumps({"model": "fast", "messages": [{"role": "user", "content": "Hello"}]})
LINE = b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
CANARY = LINE + b"x-request-id: canary\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)
ALL = len(BODY) + len(CANARY)
CHUNKED = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)


def sized(*headers: bytes) -> bytes:
    """Headers of somebody who counts, before a body that another one might read as chunks."""
    return LINE + b"".join(header + b"\r\n" for header in headers) + b"\r\n" + CHUNKED + CANARY


def chunks(body: bytes) -> bytes:
    return LINE + b"Transfer-Encoding: chunked\r\n\r\n" + body + CANARY


LENGTH = b"Content-Length: %d" % (len(CHUNKED) + len(CANARY))
CORPUS = {
    "a length and chunks": sized(LENGTH, b"Transfer-Encoding: chunked"),
    "chunks and a length": sized(b"Transfer-Encoding: chunked", LENGTH),
    "chunks that are none": sized(LENGTH, b"Transfer-Encoding: xchunked"),
    "chunks with a space before the colon": sized(LENGTH, b"Transfer-Encoding : chunked"),
    "chunks with a tab": sized(LENGTH, b"Transfer-Encoding:\tchunked"),
    "chunks in a folded line": sized(LENGTH, b"Transfer-Encoding:\r\n chunked"),
    "chunks with a vertical tab": sized(LENGTH, b"Transfer-Encoding: \x0bchunked"),
    "chunks in quotes": sized(LENGTH, b'Transfer-Encoding: "chunked"'),
    "chunks twice": sized(LENGTH, b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"),
    "chunks and identity": sized(LENGTH, b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity"),
    "chunks, then gzip": sized(LENGTH, b"Transfer-Encoding: chunked, gzip"),
    "chunks of HTTP/1.0": sized(LENGTH, b"Transfer-Encoding: chunked").replace(b"HTTP/1.1\r\n", b"HTTP/1.0\r\n", 1),
    "chunks by an underscore": sized(LENGTH, b"Transfer_Encoding: chunked"),
    "two lengths": LINE + b"Content-Length: %d\r\nContent-Length: %d\r\n\r\n" % (ALL, len(BODY)) + BODY + CANARY,
    "two lengths in a line": LINE + b"Content-Length: %d, %d\r\n\r\n" % (ALL, len(BODY)) + BODY + CANARY,
    "a length with a sign": LINE + b"Content-Length: +%d\r\n\r\n" % len(BODY) + BODY + CANARY,
    "a negative length": LINE + b"Content-Length: -1\r\n\r\n" + BODY + CANARY,
    "a length in hexadecimal": LINE + b"Content-Length: 0x%x\r\n\r\n" % len(BODY) + BODY + CANARY,
    "a length with an underscore": LINE + b"Content-Length: 1_0\r\n\r\n" + BODY + CANARY,
    "a length with a space inside": LINE + b"Content-Length: 1 0\r\n\r\n" + BODY + CANARY,
    "a length of other digits": LINE + "Content-Length: ١٠\r\n\r\n".encode() + BODY + CANARY,
    "a name with a space": LINE + b"Content-Length: %d\r\nX Y: z\r\n\r\n" % ALL + BODY + CANARY,
    "a line without a colon": LINE + b"Content-Length: %d\r\nnonsense\r\n\r\n" % ALL + BODY + CANARY,
    "a name with a zero byte": LINE + b"Content-Length\x00: %d\r\n\r\n" % ALL + BODY + CANARY,
    "a bare carriage return": LINE + b"X: y\rContent-Length: %d\r\n\r\n" % ALL + BODY + CANARY,
    "a chunk's size in hexadecimal with a mark": chunks(b"0x%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)),
    "a chunk's size with a sign": chunks(b"+%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)),
    "a chunk's size with an underscore": chunks(b"1_0\r\n%s\r\n0\r\n\r\n" % BODY),
    "a chunk that is longer than it says": chunks(b"5\r\n%s\r\n0\r\n\r\n" % BODY),
    "a chunk without an end": chunks(b"%x\r\n%s0\r\n\r\n" % (len(BODY), BODY)),
    "a chunk larger than any": chunks(b"ffffffffffffffffff\r\n%s\r\n0\r\n\r\n" % BODY),
    "an upgrade to HTTP/2": sized(
        LENGTH, b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABk"
    ),
}


@pytest.fixture(scope="module", params=[*CLASSES, "nginx"])
def door(request: pytest.FixtureRequest) -> Iterator[tuple[int, Server]]:
    """A port, and the gateway that is behind it."""
    worker_class = "gevent" if request.param == "nginx" else request.param
    with gunicorn(CONFIG, worker_class=worker_class) as server:
        port = int(server.url.rpartition(":")[2])
        if request.param != "nginx":
            yield port, server
            return
        with nginx([port]) as front:
            yield front.port, server


def said(port: int, raw: bytes) -> bytes:
    """Everything that comes back, until the server hangs up or nothing more comes."""
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(raw)
        client.settimeout(1.0)
        found = b""
        try:
            while piece := client.recv(65536):
                found += piece
        except (TimeoutError, ConnectionResetError):
            pass
        return found


@pytest.mark.parametrize("name", CORPUS)
def test_what_stands_behind_an_ambiguous_request_is_not_served(door: tuple[int, Server], name: str) -> None:
    port, server = door
    answer = said(port, CORPUS[name])
    assert b"<html" not in answer.lower()
    assert answer.count(b"HTTP/1.") <= 1, answer
    assert "canary" not in server.log()


def test_two_honest_requests_in_one_piece_are_both_served(door: tuple[int, Server]) -> None:
    """The last one here: what the others look for can be seen."""
    port, server = door
    first = LINE + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
    answer = said(port, first + CANARY)
    assert answer.count(b"HTTP/1.1 200") == 2
    assert "canary" in server.log()
