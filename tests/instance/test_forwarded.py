"""What a proxy may say of its client, and what it may not, with the real server on both kinds of socket."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.gunicorn import CLASSES, Server, free_port, gunicorn, starting, until
from tests.journeys.house import hashed

KEY = "sk-gw-behind-a-proxy"
CONFIG = f"""
providers: {{simulated: {{latency: 0, tokens_per_second: 100000, words: 3}}}}
models: {{fast: {{targets: [simulated/x]}}}}
tenants: {{team: {{keys: ["{hashed(KEY)}"]}}}}
"""
BODY = b'{"model": "fast", "messages": [{"role": "user", "content": "hi"}]}'
THERE = "203.0.113.9"


@dataclass(frozen=True)
class House:
    server: Server
    port: int
    unix: str

    def ask(self, *headers: str, unix: bool = False, path: str = "/v1/chat/completions", key: str = KEY) -> bytes:
        """The whole answer to a call on a connection of its own."""
        lines = [
            f"{'POST' if path.startswith('/v1') else 'GET'} {path} HTTP/1.1",
            "Host: localhost",
            f"Authorization: Bearer {key}",
            "Content-Type: application/json",
            f"Content-Length: {len(BODY)}",
            "Connection: close",
            *headers,
        ]
        with socket.socket(socket.AF_UNIX if unix else socket.AF_INET) as client:
            client.settimeout(30)
            client.connect(self.unix if unix else ("127.0.0.1", self.port))
            client.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + BODY)
            return b"".join(iter(lambda: client.recv(65536), b""))

    def logged(self, *headers: str, unix: bool = False, key: str = KEY) -> dict[str, Any]:
        """The line of such a call."""
        answer = self.ask(*headers, unix=unix, key=key)
        found = re.search(rb"(?i)\r\nx-request-id: (\S+)", answer)
        assert found, answer

        def line() -> dict[str, Any] | None:
            calls = (json.loads(line) for line in self.server.log().splitlines() if '"event":"call"' in line)
            return next((call for call in calls if call["request_id"] == found[1].decode()), None)

        return until(line, "a line of the call") or {}


@pytest.fixture(scope="module", params=CLASSES)
def house(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    port, unix = free_port(), str(tmp_path_factory.mktemp("unix") / "s")
    binds = {"GATEWAY_BIND": f"127.0.0.1:{port},unix:{unix}"}
    with gunicorn(CONFIG, workers=1, worker_class=request.param, environment=binds) as server:
        yield House(server, port, unix)


@pytest.mark.parametrize("unix", [False, True])
def test_a_call_is_logged_with_the_address_that_a_neighbour_tells(house: House, unix: bool) -> None:
    assert house.logged(unix=unix)["client"] == ("unix" if unix else "127.0.0.1")
    assert house.logged("X-Forwarded-For: 198.51.100.1", f"x-forwarded-for: {THERE}", unix=unix)["client"] == THERE
    assert house.logged("X_Forwarded_For: 198.51.100.1", f"X-Forwarded-For: {THERE}", unix=unix)["client"] == THERE


def test_one_who_is_refused_is_logged_with_the_address_too(house: House) -> None:
    line = house.logged(f"X-Forwarded-For: {THERE}", key="sk-wrong")
    assert (line["error_type"], line["client"]) == ("client_authentication", THERE)


@pytest.mark.parametrize("unix", [False, True])
@pytest.mark.parametrize(
    "header", ["SCRIPT_NAME: /v1", "Script-Name: /v1", "PATH_INFO: /metrics", "REMOTE_ADDR: 10.0.0.1", "X_Host: evil"]
)
def test_no_neighbour_moves_a_call_to_another_path(house: House, unix: bool, header: str) -> None:
    assert house.ask(header, unix=unix).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("unix", [False, True])
def test_what_is_said_of_the_scheme_neither_helps_nor_hurts(house: House, unix: bool) -> None:
    contradiction = ("X-Forwarded-Proto: https", "X-Forwarded-Ssl: off", "X-Forwarded-Protocol: http")
    assert house.ask(*contradiction, unix=unix).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("unix", [False, True])
@pytest.mark.parametrize(
    "header",
    [
        "X-Forwarded-For: 127.0.0.1",
        "X-Forwarded-For: ::1",
        f"X-Forwarded-For: {THERE}",
        "X-Forwarded-For:",
        "X-Forwarded-Proto: http",
        "X-Real-Ip: 127.0.0.1",
        "Forwarded: for=127.0.0.1",
        "Via: 1.1 proxy",
    ],
)
def test_no_address_that_is_told_opens_the_metrics(house: House, unix: bool, header: str) -> None:
    house.server.private("/state")
    for path in ("/metrics", "/health/providers"):
        assert house.ask(path=path, unix=unix).startswith(b"HTTP/1.1 200 ")
        assert house.ask(header, path=path, unix=unix).startswith(b"HTTP/1.1 404 ")


def test_whom_to_believe_changes_while_it_runs(house: House) -> None:
    """Without a restart; last, since it writes the file."""
    workers = house.server.workers()
    told = f"X-Forwarded-For: {THERE}"
    house.server.config.write_text(CONFIG + "server: {trusted_proxies: []}\n")
    until(lambda: house.logged(told)["client"] == "127.0.0.1", "the peer's own address")
    house.server.config.write_text(CONFIG + "server: {trusted_proxies: [127.0.0.0/8, 203.0.113.0/24]}\n")
    until(lambda: house.logged(f"X-Forwarded-For: 192.0.2.7, {THERE}")["client"] == "192.0.2.7", "one further away")
    assert house.server.workers() == workers


@pytest.mark.parametrize(
    ("variable", "value"), [("FORWARDED_ALLOW_IPS", "*"), ("GUNICORN_CMD_ARGS", "--forwarded-allow-ips=*")]
)
def test_gunicorn_s_own_trust_is_refused_at_the_start(variable: str, value: str) -> None:
    with starting(environment={variable: value}) as server:
        assert server.process.wait(30) != 0
        assert "server.trusted_proxies" in server.log()
        assert "Traceback" not in server.log()
