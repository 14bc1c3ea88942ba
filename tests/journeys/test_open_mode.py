"""Without tenants the gateway serves this machine alone, and no web page through somebody's browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.gunicorn import Server, gunicorn, until
from tests.journeys.house import configuration
from tests.journeys.plainly import CHAT, MESSAGES, ask, call, request, send
from tests.standin import StandIn


@pytest.fixture(scope="module")
def server(provider: StandIn) -> Iterator[Server]:
    with gunicorn(configuration(provider, tenants=False)) as server:
        yield server


@pytest.mark.parametrize("host", ["localhost", "LocalHost:8080", "127.0.0.1", "127.0.0.1:9", "[::1]", "[::1]:8080"])
def test_this_machine_is_served_without_a_key(server: Server, host: str) -> None:
    assert ask(server, "simulated", headers={"Host": host, "Authorization": ""}).status == 200
    assert ask(server, "simulated", headers={"Host": host, "Authorization": "Bearer anything"}).status == 200


@pytest.mark.parametrize(
    "host",
    [
        *(
            "evil.example",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "evil.example:8080",
            "10.0.0.1",
        ),
        *("[::2]", "[::1", "localhost@evil.example", "127.0.0.2", "localhost:80:80", ""),
    ],
)
@pytest.mark.parametrize("path", [CHAT, MESSAGES, "/v1/models"])
def test_a_name_that_is_not_this_machines_is_refused(server: Server, path: str, host: str) -> None:
    """A page of that name, rebound to 127.0.0.1, would be of the same origin as the gateway."""
    body = call("simulated", path=path) if path != "/v1/models" else None
    answer = send(server, request("POST" if body else "GET", path, body, headers={"Host": host}))
    assert (answer.status, answer.error["type"]) == (403, "permission_error")


@pytest.mark.parametrize(
    "header",
    ["Origin", "Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "x-forwarded-server"],
)
def test_calls_from_pages_and_proxies_are_refused(server: Server, header: str) -> None:
    for value in ("null", "http://localhost:3000"):
        answer = ask(server, "simulated", headers={header: value})
        assert (answer.status, answer.error["code"]) == (403, "permission")
        assert "tenants" in answer.error["message"]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_a_body_that_a_form_could_send_is_refused(server: Server, kind: str) -> None:
    answer = ask(server, "simulated", headers={"Content-Type": kind})
    assert (answer.status, answer.error["code"]) == (415, "unsupported_media_type")
    assert ask(server, "simulated", headers={"Content-Type": "application/json; charset=utf-8"}).status == 200


def test_health_is_for_everybody(server: Server) -> None:
    for path in ("/health/live", "/health/ready", "/health"):
        assert (
            send(server, request("GET", path, headers={"Host": "10.0.0.9", "X-Forwarded-For": "1.1.1.1"})).status == 200
        )


def test_open_lifts_all_of_it_while_running(server: Server, provider: StandIn) -> None:
    stranger = {"Host": "gateway.example", "Origin": "http://x", "X-Forwarded-For": "1.1.1.1", "Content-Type": ""}
    assert ask(server, "simulated", headers=stranger).status == 403
    text = configuration(provider, tenants=False)
    server.config.write_text(text.replace("server: {", "server: {open: true, "))
    until(lambda: ask(server, "simulated", headers=stranger).status == 200, "an open gateway")
