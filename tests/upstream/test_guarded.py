"""What bounds a call wakes it over TLS as well, on both kinds of workers, and while it still sends."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import requests

from tests.faults.run import calls_in
from tests.gunicorn import CLASSES, Server, gunicorn, until
from tests.soak.scene import inside, total
from tests.standin import StandIn, make_authority

LARGE = "x" * 8_000_000  # more than the buffers of two sockets hold


@dataclass(frozen=True)
class Scene:
    server: Server
    secure: StandIn

    def ask(self, model: str, *, stream: bool, content: str = "hi", name: str = "x") -> requests.Response:
        body = {"model": model, "stream": stream, "messages": [{"role": "user", "content": content}]}
        url = f"{self.server.url}/v1/chat/completions"
        return requests.post(url, json=body, headers={"x-request-id": name}, timeout=30)


@contextlib.contextmanager
def deaf(context: ssl.SSLContext | None = None) -> Iterator[int]:
    """A port that takes connections, with a handshake if need be, and reads nothing more."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        taken: list[socket.socket] = []

        def run() -> None:
            with contextlib.suppress(OSError):
                while True:
                    one = listener.accept()[0]
                    taken.append(context.wrap_socket(one, server_side=True) if context else one)

        threading.Thread(target=run, daemon=True).start()
        yield int(listener.getsockname()[1])
        listener.shutdown(socket.SHUT_RDWR)
        for one in taken:
            one.close()


@pytest.fixture(scope="module", params=CLASSES)
def scene(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    authority = make_authority(tmp_path_factory.mktemp("authority"))
    with StandIn(tls=authority.context()) as secure, deaf() as port, deaf(authority.context()) as other:
        provider = {"kind": "compatible", "base_url": f"{secure.url}/v1", "ca_file": str(authority.ca_file)}
        deafness = {"models": ["*"], "timeouts": {"connect": 1, "first_byte": 2.5}}
        config = {
            "health": {"probe": False},
            "resilience": {"breaker": {"consecutive": 1000, "min_calls": 1000}},
            "providers": {
                "short": {**provider, "models": ["*"], "timeouts": {"first_byte": 1, "idle": 1}},
                "long": {**provider, "models": ["*"], "timeouts": {"first_byte": 60, "idle": 60}},
                "deaf": {"kind": "compatible", "base_url": f"http://127.0.0.1:{port}/v1", **deafness},
                "deaf-secure": {**provider, "base_url": f"https://127.0.0.1:{other}/v1", **deafness},
            },
        }
        with gunicorn(
            json.dumps(config), workers=1, worker_class=request.param, app="tests.faults.inside:app"
        ) as server:
            yield Scene(server, secure)


@pytest.mark.parametrize(
    ("model", "stream", "status"),
    [
        ("fault-hang", True, 504),
        ("fault-hang", False, 504),
        ("fault-headonly-hang", True, 504),
        ("fault-stall", False, 504),
        ("fault-stall-3", True, 200),
    ],
)
def test_silence_over_tls_ends_in_time(scene: Scene, model: str, stream: bool, status: int) -> None:
    began = time.monotonic()
    answer = scene.ask(f"short/{model}", stream=stream)
    assert answer.status_code == status
    assert '"timeout"' in answer.text or '"stream_interrupted"' in answer.text
    assert 1 <= time.monotonic() - began < 30, "the usual limits are 60 and more"


@pytest.mark.parametrize(("model", "stream"), [("fault-hang", True), ("fault-stall", False), ("fault-stall-3", True)])
def test_a_client_that_leaves_ends_a_silence_over_tls(scene: Scene, model: str, stream: bool) -> None:
    name = f"leaves-{model}-{stream}"
    host, _, port = scene.server.url.removeprefix("http://").partition(":")
    body = json.dumps(
        {"model": f"long/{model}", "stream": stream, "messages": [{"role": "user", "content": name}]}
    ).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nx-request-id: {name}\r\n"
    head += f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    with socket.create_connection((host, int(port)), timeout=30) as client:
        client.sendall(head.encode() + body)
        until(lambda: total(inside(scene.server))["guards"] == 1, "a call")
        scene.secure.journal.wait(model=model, outcome="open")
    until(lambda: total(inside(scene.server))["guards"] == 0, "end of the call")
    (line,) = until(lambda: calls_in(scene.server.log())[name], "line of the log")
    assert line["status"] == "cancelled"


@pytest.mark.parametrize("provider", ["deaf", "deaf-secure"])
def test_a_provider_that_does_not_even_read_has_the_time_of_one_that_says_nothing(scene: Scene, provider: str) -> None:
    """And not that of connecting: a large body takes a while to send."""
    began = time.monotonic()
    answer = scene.ask(f"{provider}/x", stream=True, content=LARGE)
    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "timeout")
    assert answer.headers["x-gateway-attempts"] == "1"
    assert 2.5 <= time.monotonic() - began < 30, "the usual limits are 60 and more"
