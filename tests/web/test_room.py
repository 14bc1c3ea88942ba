"""A provider that hangs takes its share of a worker and no more, and what has no room is told so at once."""

from __future__ import annotations

import json
import select
import socket
from collections.abc import Iterator

import pytest
import requests

from tests.gunicorn import CLASSES, Server, until
from tests.metrics.page import page_of
from tests.soak.scene import gateway
from tests.standin import StandIn

PLACES, QUEUE = 64, 16  # of a worker of threads, whatever more is configured; and here of one of greenlets, too
SHARE = PLACES * 4 // 5


@pytest.fixture(params=CLASSES)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    room = {"max_in_flight": PLACES, "queue": QUEUE} if request.param == "gevent" else {}
    names = ("hangs", "spare")
    with StandIn() as standin:
        port = int(standin.url.rpartition(":")[2])
        models = {
            **{name: {"targets": [f"{name}/fault-hang"]} for name in names},
            "well": {"targets": ["spare/words-3"]},
        }
        with gateway(dict.fromkeys(names, port), models, workers=1, worker_class=request.param, server=room) as server:
            yield server


class Calls:
    """Plain calls on connections of their own, of which nobody reads the answers yet."""

    def __init__(self, server: Server, model: str, count: int) -> None:
        host, _, port = server.url.removeprefix("http://").partition(":")
        body = json.dumps({"model": model, "messages": [{"role": "user", "content": "hi"}]}).encode()
        head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
        self._open = []
        for _ in range(count):
            one = socket.create_connection((host, int(port)), timeout=20)
            one.sendall(head + b"content-length: %d\r\n\r\n" % len(body) + body)
            self._open.append(one)

    def answers(self) -> list[bytes]:
        readable, _, _ = select.select(self._open, [], [], 0)
        return [one.recv(65536, socket.MSG_PEEK) for one in readable]

    def close(self) -> None:
        for one in self._open:
            one.close()


def refused(answer: bytes) -> bool:
    head, _, body = answer.partition(b"\r\n\r\n")
    return b" 503 " in head and b"retry-after: " in head.lower() and b'"code":"saturated"' in body


def well(server: Server) -> bool:
    body = {"model": "well", "messages": [{"role": "user", "content": "hi"}]}
    return requests.post(f"{server.url}/v1/chat/completions", json=body, timeout=20).status_code == 200


def test_a_provider_that_hangs_leaves_room_for_the_others_and_a_full_worker_says_so(server: Server) -> None:
    hanging = Calls(server, "hangs", SHARE + 9)
    until(lambda: len(hanging.answers()) == 9, "refusal of those beyond the share of a provider")
    assert all(map(refused, hanging.answers()))
    assert well(server)

    filling = Calls(server, "spare", PLACES - SHARE)
    until(lambda: _inside(server) == PLACES, "full worker")
    late = Calls(server, "spare", QUEUE + 7)
    until(lambda: len(late.answers()) == 7, "refusal of those beyond the queue")
    assert all(map(refused, late.answers()))
    assert requests.get(f"{server.url}/health/ready", timeout=5).json()["status"] == "ok"

    for calls in (hanging, filling, late):
        calls.close()
    until(lambda: _inside(server) == 0, "end of all calls")
    assert well(server)


def _inside(server: Server) -> float:
    page = page_of(server)
    return page.sum("active_requests", provider="hangs") + page.sum("active_requests", provider="spare")
