"""An instance that is told to stop: nobody is hung up on, and nobody keeps it for ever."""

import contextlib
import http.client
import socket
import threading
import time
from pathlib import Path

import pytest
import requests

from app.core import json
from tests.gunicorn import CLASSES, Server, gunicorn, until
from tests.metrics.page import page_of
from tests.pressure import without_pause

FAST = """
providers: {simulated: {latency: 0.01, tokens_per_second: 100000, words: 5}}
models: {fast: {targets: [simulated/x]}}
"""
SLOW = """
server: {drain: DRAIN}
providers: {simulated: {latency: LATENCY, tokens_per_second: 20, words: WORDS}}
models: {fast: {targets: [simulated/x]}}
"""
HELLO = {"model": "fast", "messages": [{"role": "user", "content": "Hello"}]}


def slow(*, drain: float, latency: float = 0.0, words: int = 2000) -> str:
    return SLOW.replace("DRAIN", str(drain)).replace("LATENCY", str(latency)).replace("WORDS", str(words))


class Stranger:
    """A call on a connection of its own; what it came to."""

    def __init__(self, server: Server, path: str | None) -> None:
        self._address = ("127.0.0.1", int(server.url.rpartition(":")[2]))
        self._path = path

    def __call__(self) -> str:
        try:
            sock = self._connected()
        except (ConnectionRefusedError, FileNotFoundError):
            time.sleep(0.01)
            return "refused"
        connection = http.client.HTTPConnection("localhost", timeout=30)
        connection.sock = sock
        with contextlib.closing(connection):
            try:
                connection.request(
                    "POST", "/v1/chat/completions", json.dumps(HELLO), {"Content-Type": "application/json"}
                )
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException) as error:
                return repr(error)
            return str(answer.status)

    def _connected(self) -> socket.socket:
        if self._path is None:
            return socket.create_connection(self._address, timeout=30)
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(30)
        try:
            sock.connect(self._path)
        except OSError:
            sock.close()
            raise
        return sock


@pytest.mark.parametrize("worker_class", CLASSES)
@pytest.mark.parametrize("kind", ["tcp", "unix"])
def test_who_has_been_let_in_is_answered_though_the_instance_ends(kind: str, worker_class: str, tmp_path: Path) -> None:
    path = str(tmp_path / "door") if kind == "unix" else None
    environment = {"GATEWAY_BIND": f"unix:{path}"} if path else {}
    with gunicorn(FAST, workers=3, worker_class=worker_class, environment=environment) as server:
        with without_pause(*[Stranger(server, path)] * 8) as outcomes:
            until(lambda: outcomes["200"] > 50, "calls")
            assert server.stop() == 0
            until(lambda: outcomes["refused"] > 20, "refusals")
        assert set(outcomes) == {"200", "refused"}
        assert "Traceback" not in server.log()


@pytest.mark.parametrize("worker_class", CLASSES)
def test_a_stream_that_ends_in_time_is_whole(worker_class: str) -> None:
    with gunicorn(slow(drain=60, words=40), worker_class=worker_class) as server:
        answer = requests.post(
            server.url + "/v1/chat/completions", json={**HELLO, "stream": True}, stream=True, timeout=30
        )
        lines = answer.iter_lines()
        next(lines)
        server.process.terminate()
        assert list(lines)[-2] == b"data: [DONE]"
        assert server.process.wait(30) == 0


@pytest.mark.parametrize("worker_class", CLASSES)
def test_a_stream_that_outlives_the_drain_ends_in_an_error_that_says_so(worker_class: str) -> None:
    with gunicorn(slow(drain=1), worker_class=worker_class) as server:
        answers = [
            requests.post(server.url + path, json={**HELLO, "stream": True, **more}, stream=True, timeout=30)
            for path, more in (("/v1/chat/completions", {}), ("/v1/messages", {"max_tokens": 9999}))
        ]
        streams = [answer.iter_lines() for answer in answers]
        for stream in streams:
            next(stream)
        server.process.terminate()
        chat, messages = (b"\n".join(stream) for stream in streams)
        assert json.loads(chat.rstrip().rpartition(b"data: ")[2])["error"]["code"] == "shutting_down"
        assert b"[DONE]" not in chat
        assert json.loads(messages.rstrip().rpartition(b"data: ")[2])["error"]["type"] == "api_error"
        assert b"event: error" in messages
        assert b"message_stop" not in messages
        assert server.process.wait(30) == 0
        ends = [line for line in server.log().splitlines() if '"event":"call"' in line]
        assert len(ends) == 2
        assert all(json.loads(line)["error_type"] == "shutting_down" for line in ends)


@pytest.mark.parametrize("worker_class", CLASSES)
def test_a_plain_call_that_outlives_the_drain_is_told_to_come_again(worker_class: str) -> None:
    with gunicorn(slow(drain=1, latency=60), worker_class=worker_class) as server:
        found: list[requests.Response] = []
        caller = threading.Thread(
            target=lambda: found.append(requests.post(server.url + "/v1/chat/completions", json=HELLO, timeout=30))
        )
        caller.start()
        until(lambda: _active(server) == 1, "call that runs")
        server.process.terminate()
        caller.join(30)
        assert found[0].status_code == 503
        assert found[0].json()["error"]["code"] == "shutting_down"
        assert int(found[0].headers["retry-after"]) >= 1
        assert server.process.wait(30) == 0


@pytest.mark.parametrize("worker_class", CLASSES)
def test_a_client_that_reads_nothing_does_not_keep_it(worker_class: str) -> None:
    flood = FAST.replace("words: 5", "words: 100000").replace("providers", "server: {drain: 0}\nproviders")
    with gunicorn(flood, workers=1, worker_class=worker_class) as server:
        host, _, port = server.url.removeprefix("http://").partition(":")
        body = json.dumps({**HELLO, "stream": True})
        with socket.create_connection((host, int(port))) as deaf:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            head = "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            deaf.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            until(lambda: _active(server) == 1, "call that runs")
            began = time.monotonic()
            assert server.stop(patience=60) == 0
            assert time.monotonic() < began + 30


def _active(server: Server) -> float:
    return page_of(server).sum("active_requests")
