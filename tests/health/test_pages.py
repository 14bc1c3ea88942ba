"""/health/live, /health/ready, /health/providers: who is told what, and when."""

import http.client
import json
import signal
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from app.metrics import slots
from tests.gunicorn import CLASSES, Server, gunicorn, until
from tests.health.house import KEY, OFTEN, chat
from tests.standin import StandIn

TOKEN = "let-me-in-0123456789"


@pytest.fixture(scope="module")
def a() -> Iterator[StandIn]:
    with StandIn() as standin:
        yield standin


def configured(a: StandIn, more: str = "") -> str:
    return f"""
{OFTEN}
providers: {{a: {{kind: compatible, base_url: "{a.url}/v1", api_key: {KEY}}}}}
models: {{held: {{targets: [a/words-2-hold-1]}}}}
{more}
"""


@pytest.fixture(params=CLASSES)
def server(request: pytest.FixtureRequest, a: StandIn) -> Iterator[Server]:
    with gunicorn(configured(a), worker_class=request.param) as running:
        yield running


class Kept:
    """A connection that is used again."""

    def __init__(self, server: Server) -> None:
        self._connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=10)

    def get(self, path: str) -> tuple[int, Any, http.client.HTTPResponse]:
        self._connection.request("GET", path)
        answer = self._connection.getresponse()
        return answer.status, json.loads(answer.read()), answer

    def close(self) -> None:
        self._connection.close()


def marks(server: Server) -> list[str]:
    """What the workers say of themselves."""
    return sorted(said.partition(" ")[2] for said in slots.held(server.run_dir / "metrics").values())


def test_a_gateway_that_is_told_to_stop_is_alive_and_no_longer_ready(server: Server, a: StandIn) -> None:
    kept = Kept(server)
    try:
        assert kept.get("/health/ready")[:2] == (200, {"status": "ok", "degraded": []})
        body = {**chat("held"), "stream": True}
        held = [requests.post(server.url + "/v1/chat/completions", json=body, stream=True, timeout=30) for _ in "12"]
        server.process.send_signal(signal.SIGTERM)
        until(lambda: set(marks(server)) == {"draining"}, "workers that were told to stop")
        status, told, answer = kept.get("/health/ready")
        assert (status, told["status"], answer.getheader("Retry-After")) == (503, "draining", "1")
        a.release("words-2-hold-1")
        assert all("[DONE]" in answer.text for answer in held)
    finally:
        kept.close()
    assert server.process.wait(20) == 0


def test_a_worker_that_a_reload_replaces_is_still_one_of_a_gateway_that_is_ready(server: Server) -> None:
    kept = Kept(server)
    try:
        assert kept.get("/health/ready")[0] == 200
        server.process.send_signal(signal.SIGHUP)
        until(lambda: "replaced" in marks(server), "a worker that was told to stop")
        assert kept.get("/health/ready")[:2] == (200, {"status": "ok", "degraded": []})
    finally:
        kept.close()


def test_trouble_with_the_configuration_is_told_and_keeps_nobody_away(server: Server) -> None:
    good = server.config.read_text()
    server.config.write_text(good + "nonsense: 1\n")

    def told() -> Any:
        answer = requests.get(server.url + "/health/ready", timeout=10)
        assert answer.status_code == 200
        return answer.json()

    until(lambda: told()["status"] == "degraded", "a complaint")
    (complaint,) = told()["degraded"]
    assert complaint.startswith("configuration: ")
    assert "nonsense" not in complaint  # which anybody may read
    assert "nonsense" in server.log()
    assert requests.get(server.url + "/health", timeout=10).json()["degraded"] == [complaint]
    assert requests.get(server.url + "/health/live", timeout=10).json() == {"status": "ok"}
    server.config.write_text(good)
    until(lambda: told() == {"status": "ok", "degraded": []}, "end of the complaint")


def test_providers_are_for_whom_metrics_are_for(server: Server) -> None:
    server.private("/state")
    url = server.url + "/health/providers"
    answer = requests.get(url, timeout=10)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    assert set(answer.json()["providers"]["a"]) == {"healthy", "breaker", "quarantine", "probe"}
    assert KEY not in answer.text
    assert "127.0.0.1" not in answer.text
    for headers in ({"X-Forwarded-For": "10.0.0.1"}, {"Forwarded": "for=10.0.0.1"}, {"X-Real-IP": "10.0.0.1"}):
        assert requests.get(url, headers=headers, timeout=10).status_code in (403, 404)
    assert requests.get(url, headers={"Host": "evil.example"}, timeout=10).status_code == 403
    assert requests.get(server.url + "/health/ready", headers={"Host": "evil.example"}, timeout=10).status_code == 200


def test_with_a_token_providers_are_for_whoever_has_it(a: StandIn) -> None:
    more = f'metrics: {{token: {TOKEN}}}\ntenants: {{t: {{keys: ["sha256:{"0" * 64}"]}}}}'
    with gunicorn(configured(a, more), workers=1) as server:
        server.private("/state")
        url = server.url + "/health/providers"
        for headers in ({}, {"Authorization": "Bearer let-me"}):
            assert requests.get(url, headers=headers, timeout=10).status_code == 404
        told = requests.get(url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=10)
        assert list(told.json()["providers"]) == ["a"]


def test_without_its_housekeeper_a_gateway_lives_and_knows_nothing_of_providers(a: StandIn) -> None:
    with gunicorn(configured(a), workers=1) as server:
        server.private("/state")
        (server.run_dir / "private.sock").unlink()
        answer = requests.get(server.url + "/health/providers", timeout=10)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "no_provider")
        assert requests.get(server.url + "/health/ready", timeout=10).status_code == 200
