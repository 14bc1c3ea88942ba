"""The reference configuration of nginx, as users get it, in front of real gateways."""

import json
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from app.instance.server import settings
from app.instance.workers import LINGER
from tests.gunicorn import CLASSES, Server, free_port, gunicorn
from tests.nginx import CONFIGURATION, Front, nginx
from tests.soak import rolling
from tests.tools import tool

CONFIG = """
server: {open: true}
providers: {simulated: {latency: 0, tokens_per_second: 20, words: 40}}
models: {fast: {targets: [simulated/x]}}
"""
HELLO = {"model": "fast", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 20}


@pytest.fixture(scope="module")
def gateway() -> Iterator[Server]:
    with gunicorn(CONFIG) as server:
        yield server


@pytest.fixture(scope="module")
def front(gateway: Server) -> Iterator[Front]:
    with nginx([int(gateway.url.rpartition(":")[2])]) as found:
        yield found


@pytest.fixture(scope="module")
def orphan() -> Iterator[Front]:
    """nginx with nobody behind it."""
    with nginx([1]) as found:
        yield found


def test_what_its_first_lines_say_works(tmp_path: Path) -> None:
    home = tmp_path / "llm-gateway"
    shutil.copytree(CONFIGURATION, home)
    (home / "listen.conf").write_text(f"listen 127.0.0.1:{free_port()};\n")
    said = [line for line in (home / "nginx.conf").read_text().splitlines() if line.startswith("#   nginx -t")]
    command = said[0].strip("# ").partition("  ")[0].replace("/etc/nginx/llm-gateway", str(home)).split()
    done = subprocess.run([tool("nginx"), *command[1:]], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "[" not in done.stderr, "it has something to say"


def test_a_call_passes_with_its_headers(front: Front) -> None:
    answer = requests.post(front.url + "/v1/chat/completions", json=HELLO, headers={"x-request-id": "mine"}, timeout=30)
    assert answer.status_code == 200
    assert answer.headers["x-request-id"] == "mine"
    assert answer.headers["x-gateway-provider"] == "simulated"


def test_the_words_of_a_stream_come_as_they_are_said(front: Front) -> None:
    with requests.post(
        front.url + "/v1/chat/completions", json={**HELLO, "stream": True}, stream=True, timeout=30
    ) as answer:
        came = [time.monotonic() for line in answer.iter_lines() if b"content" in line]
    assert len(came) > 10
    assert len({round(at, 2) for at in came}) > len(came) / 2, "they came together"


@pytest.mark.parametrize(
    "path", ["/metrics", "/health/providers", "/v1/../metrics", "//metrics", "/v1/%2e%2e/metrics", "/"]
)
def test_what_is_for_operators_is_not_there(front: Front, path: str) -> None:
    with socket.create_connection(("127.0.0.1", front.port)) as client:
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        head, _, body = b"".join(iter(lambda: client.recv(65536), b"")).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 404")
    assert json.loads(body)["error"]["type"] == "invalid_request_error"


def test_health_passes(front: Front) -> None:
    assert requests.get(front.url + "/health/ready", timeout=30).json()["status"] == "ok"


@pytest.mark.parametrize(("path", "kind"), [("/v1/chat/completions", "error"), ("/v1/messages", "type")])
def test_a_gateway_that_is_not_there_is_told_in_the_language_of_whoever_asked(
    orphan: Front, path: str, kind: str
) -> None:
    answer = requests.post(orphan.url + path, json=HELLO, timeout=30)
    assert answer.status_code == 502
    assert answer.headers["content-type"] == "application/json"
    assert next(iter(answer.json())) == kind
    assert answer.json()["error"]["type"] == "api_error"


def test_a_body_that_is_too_large_is_refused_by_nginx_as_json(front: Front) -> None:
    answer = requests.post(front.url + "/v1/messages", data=b"x" * 11_000_000, timeout=30)
    assert answer.status_code == 413
    assert answer.json()["error"]["type"] == "request_too_large"


@pytest.mark.parametrize(
    "raw",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"POST /v1/messages HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 9000 + b"\r\n\r\n",
        b"BREW /v1/models HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    ],
)
def test_what_is_no_http_is_answered_in_json(front: Front, raw: bytes) -> None:
    with socket.create_connection(("127.0.0.1", front.port)) as client:
        client.sendall(raw)
        head, _, body = b"".join(iter(lambda: client.recv(65536), b"")).partition(b"\r\n\r\n")
    assert int(head.split()[1]) in (400, 405, 431)
    assert b"<" not in body
    assert "error" in json.loads(body)


def test_the_gateway_s_own_errors_pass_as_they_are(front: Front) -> None:
    answer = requests.post(front.url + "/v1/chat/completions", json={**HELLO, "model": "nope"}, timeout=30)
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "model_not_found"


def test_nginx_is_the_one_that_hangs_up() -> None:
    """What is sent on a kept connection while the other side hangs up is lost."""
    text = (CONFIGURATION / "nginx.conf").read_text()
    upstream = re.search(r"upstream gateway \{.*?keepalive_timeout (\d+)s;", text, re.DOTALL)
    assert upstream
    assert 2 * int(upstream[1]) < LINGER < int(str(settings()["keepalive"]))


@pytest.mark.parametrize("worker_class", CLASSES)
def test_a_rolling_restart_loses_nothing(worker_class: str) -> None:
    report = rolling.restarts(1, rate=40, drain=8, worker_class=worker_class, pause=1)
    assert report.complaints == [], str(report)


@pytest.mark.parametrize("worker_class", CLASSES)
def test_a_reload_loses_nothing(worker_class: str) -> None:
    report = rolling.reloads(1, rate=40, worker_class=worker_class)
    assert report.complaints == [], str(report)
