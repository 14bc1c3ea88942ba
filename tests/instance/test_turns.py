"""Whoever is ready is served in turn: a worker that never has to wait would otherwise stay with one connection."""

import json
import socket
from contextlib import closing, suppress
from http.client import HTTPResponse
from itertools import count
from threading import Thread

import pytest
import requests

from tests.gunicorn import CLASSES, Server, gunicorn, until
from tests.standin import Answer, Framing, Piece, Request, StandIn
from tests.standin.openai import content_event

AHEAD = 1000
"""Calls on one connection, sent at once: a third of a second of work."""


def call(name: str) -> bytes:
    """A call that is refused for what is missing in it, so that nothing in it has to wait for anybody."""
    start = ("POST /v1/chat/completions HTTP/1.1", "Host: localhost", "Content-Type: application/json")
    return "\r\n".join([*start, f"X-Request-Id: {name}", "Content-Length: 2", "", "{}"]).encode()


def status(connection: socket.socket, sent: bytes) -> int:
    connection.sendall(sent)
    with closing(HTTPResponse(connection)) as answer:
        answer.begin()
        answer.read()
        return answer.status


def swallow(connection: socket.socket) -> None:
    while connection.recv(65536):
        pass


def order(server: Server) -> list[str]:
    """The calls in the order in which they ended."""
    lines = (json.loads(line) for line in server.log().splitlines() if line.startswith("{"))
    return [line["request_id"] for line in lines if "request_id" in line]


@pytest.mark.parametrize("worker_class", CLASSES)
def test_a_connection_that_always_has_a_call_ready_does_not_keep_another_waiting(worker_class: str) -> None:
    with gunicorn(workers=1, worker_class=worker_class) as server:
        port = int(server.url.rpartition(":")[2])
        greedy, modest = (closing(socket.create_connection(("127.0.0.1", port), 30)) for _ in range(2))
        with greedy as one, modest as other:
            assert status(other, call("before")) == 400
            reader = Thread(target=swallow, args=(one,))
            reader.start()
            one.sendall(b"".join(call(f"ahead-{n}") for n in range(AHEAD)))
            until(lambda: "ahead-0" in order(server), "the first of many calls on one connection")
            assert status(other, call("after")) == 400
            one.shutdown(socket.SHUT_WR)
            reader.join()
        ended = order(server)
    assert len(ended) == AHEAD + 2
    assert ended.index("after") < AHEAD + 1


def pour(request: Request) -> Answer:
    """A stream without an end, as fast as it is read."""
    lot = content_event(request, "word ").data * 1000
    kind = ("Content-Type", "text/event-stream")
    return Answer(headers=(kind,), body=(Piece(lot) for _ in count()), framing=Framing.CHUNKED)


@pytest.mark.parametrize("worker_class", CLASSES)
def test_a_provider_that_pours_out_its_stream_does_not_keep_another_call_waiting(worker_class: str) -> None:
    with StandIn() as provider, gunicorn(config(provider), workers=1, worker_class=worker_class) as server:
        provider.script(pour, model="much")
        body = {"model": "m", "stream": True, "messages": [{"role": "user", "content": "hello"}]}
        with requests.post(server.url + "/v1/chat/completions", json=body, stream=True, timeout=30) as much:
            read = Thread(target=read_on, args=(much,))
            read.start()
            for _ in range(3):
                assert requests.get(server.url + "/health/live", timeout=30).ok
            much.raw.shutdown()
            read.join()
        provider.journal.wait(outcome="aborted")


def config(provider: StandIn) -> str:
    return f"""
server: {{open: true}}
providers: {{openai: {{base_url: "{provider.url}/v1", api_key: sk-upstream}}}}
models: {{m: {{targets: [openai/much]}}}}
"""


def read_on(answer: requests.Response) -> None:
    with suppress(requests.RequestException):
        for _ in answer.iter_content(65536):
            pass
