"""Keys of a role, as a container's agent gives them out, fetched by botocore itself."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count

import pytest

from app.aws.keys import Keys
from app.aws.machine import MachineKeys
from app.core.clock import SystemClock
from app.core.errors import ErrorType, GatewayError
from app.core.provider import Cloud
from app.providers import registry
from tests.standin.sigv4 import ACCESS_KEY, SECRET_KEY

LONG = 3600.0


class Patient:
    def until(self, ready: threading.Event, provider: str) -> None:
        assert ready.wait(20)


class Later(SystemClock):
    """Each look at it is an hour after the last one."""

    def __init__(self) -> None:
        self._hours = count()

    def monotonic(self) -> float:
        return next(self._hours) * LONG


class Agent:
    """Gives out a new token with each question; `lasts` are the seconds that the next ones are good for."""

    def __init__(self) -> None:
        self.asked = 0
        self.lasts = LONG
        self.broken = False
        self.open = threading.Event()
        self.open.set()
        agent = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                agent.asked += 1
                agent.open.wait(20)
                until = datetime.now(UTC) + timedelta(seconds=agent.lasts)
                told = {"AccessKeyId": ACCESS_KEY, "SecretAccessKey": SECRET_KEY, "Token": f"token-{agent.asked}"}
                body = json.dumps({**told, "Expiration": until.strftime("%Y-%m-%dT%H:%M:%SZ")}).encode()
                self.send_response(500 if agent.broken else 200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Nothing on the console."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/creds"


@pytest.fixture
def agent(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> Iterator[Agent]:
    agent = Agent()
    thread = threading.Thread(target=agent.server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", agent.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDOFTHEENVIRONMENT")  # which no file names
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", f"{tmp_path}/none")
    monkeypatch.setenv("AWS_CONFIG_FILE", f"{tmp_path}/none")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    yield agent
    agent.open.set()
    agent.server.shutdown()
    agent.server.server_close()
    thread.join()


def test_the_role_s_keys_sign_and_those_of_the_environment_do_not(agent: Agent) -> None:
    by = registry.build("bedrock", "bedrock", cloud=Cloud(region="eu-central-1")).credentials
    assert by is not None
    headers = by.headers("POST", "https://bedrock-runtime/model/m/converse", {}, b"{}", Patient())

    assert headers["X-Amz-Security-Token"] == "token-1"
    assert f"Credential={ACCESS_KEY}/" in headers["Authorization"]


def test_many_calls_wait_for_one_question(agent: Agent) -> None:
    agent.open.clear()
    machine = MachineKeys("bedrock")
    machine.prepare()
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(machine.keys, Patient()) for _ in range(8)]
        agent.open.set()
        found = {each.result() for each in asked}

    assert found == {Keys(ACCESS_KEY, SECRET_KEY, "token-1")}
    assert agent.asked == 1


def test_keys_that_grow_old_are_renewed_while_calls_go_on_with_them(agent: Agent) -> None:
    agent.lasts = 300.0
    machine = MachineKeys("bedrock", clock=Later())
    old = machine.keys(Patient())
    agent.lasts = LONG
    asked = agent.asked

    assert machine.keys(Patient()) == old
    for thread in threading.enumerate():
        if thread.name == "aws-keys":
            thread.join(20)
    new = machine.keys(Patient())
    assert new != old
    assert machine.keys(Patient()) == new
    assert agent.asked == asked + 1


def test_a_call_whose_time_is_up_does_not_wait(agent: Agent) -> None:
    class Gone:
        def until(self, ready: threading.Event, provider: str) -> None:
            raise GatewayError(ErrorType.TIMEOUT, "late", provider=provider)

    agent.open.clear()
    with pytest.raises(GatewayError, match="late"):
        MachineKeys("bedrock").keys(Gone())


def test_an_agent_that_is_broken_is_nobody_to_be_reached(agent: Agent) -> None:
    agent.broken = True
    with pytest.raises(GatewayError) as caught:
        MachineKeys("bedrock").keys(Patient())

    assert caught.value.type is ErrorType.CONNECTION
    assert agent.url not in caught.value.message


def test_a_machine_without_any_is_refused_as_ours(agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_CONTAINER_CREDENTIALS_FULL_URI")
    with pytest.raises(GatewayError) as caught:
        MachineKeys("bedrock").keys(Patient())

    assert caught.value.type is ErrorType.AUTHENTICATION
