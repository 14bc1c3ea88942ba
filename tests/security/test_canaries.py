"""Every secret there is, in a real gateway under faults; then it is looked for wherever anybody could read it.

LiteLLM: CVE-2024-9606 (masking hid five letters), CVE-2025-11203 (a health page showed keys).
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import requests

from app.core.errors import ErrorType
from tests.gunicorn import Server, gunicorn, until
from tests.journeys.house import hashed
from tests.journeys.plainly import request, send
from tests.memcached import Memcached, memcached
from tests.standin import Answer, Piece, Request, StandIn

PROMPT = "Zc4canary-prompt-81d2"
SECRETS = {
    "a provider's key": "Zc4canary-openai-key-19ab7731",
    "a provider's key out of a file": "Zc4canary-file-key-4de0bb52",
    "a provider's key out of the environment": "Zc4canary-environment-key-6f1",
    "a header of a provider": "Zc4canary-header-a09c",
    "the cache's secret": "Zc4canary-cache-secret-" + "0123456789abcdef" * 2,
    "the token of the metrics": "Zc4canary-metrics-token-5b",
    "a tenant's key": "gk-Zc4canary-tenant-key-000000000000000000000000",
    "a tenant's key that is expired": "gk-Zc4canary-expired-key-11111111111111111111111",
    "a stranger's key": "gk-Zc4canary-stranger-key-2222222222222222222222",
}
KEY = SECRETS["a tenant's key"]


def configuration(provider: StandIn, store: Memcached, directory: Path) -> dict[str, Any]:
    for name in ("a provider's key out of a file", "the cache's secret", "the token of the metrics"):
        (directory / name.replace(" ", "-")).write_text(SECRETS[name] + "\n")
    compatible = {"kind": "compatible", "base_url": f"{provider.url}/v1", "models": ["*"]}
    return {
        "health": {"interval": 1},
        "resilience": {"retries": 0, "breaker": {"consecutive": 1000, "min_calls": 1000}},
        "memcached": {"servers": [store.name]},
        "cache": {"secret_file": str(directory / "the-cache's-secret"), "ttl": 60},
        "metrics": {"token_file": str(directory / "the-token-of-the-metrics")},
        "providers": {
            "literal": {**compatible, "api_key": SECRETS["a provider's key"]},
            "file": {**compatible, "api_key_file": str(directory / "a-provider's-key-out-of-a-file")},
            "environment": {**compatible, "api_key": "${CANARY_KEY}"},
            "header": {**compatible, "headers": {"x-access-token": SECRETS["a header of a provider"]}},
            "gone": {**compatible, "base_url": "http://127.0.0.1:1/v1", "api_key": SECRETS["a provider's key"]},
            "claude": {
                "kind": "anthropic",
                "base_url": provider.url,
                "api_key": SECRETS["a provider's key"],
                "models": ["*"],
            },
        },
        "models": {"fast": {"targets": ["literal/words-2", "file/words-2"]}},
        "tenants": {
            "team": {
                "keys": [
                    hashed(KEY),
                    {"hash": hashed(SECRETS["a tenant's key that is expired"]), "expires": "2020-01-01T00:00:00Z"},
                ]
            }
        },
    }


@pytest.fixture(scope="module")
def provider() -> Iterator[StandIn]:
    with StandIn() as server:
        yield server


@pytest.fixture(scope="module")
def store() -> Iterator[Memcached]:
    with memcached() as server:
        yield server


@pytest.fixture(scope="module")
def server(provider: StandIn, store: Memcached, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    directory = tmp_path_factory.mktemp("secrets")
    text = json.dumps(configuration(provider, store, directory))
    with gunicorn(text, environment={"CANARY_KEY": SECRETS["a provider's key out of the environment"]}) as server:
        yield server


def telling(asked: Request) -> Answer:
    """The worst that a provider can do with a key: say it in every place that an error has."""
    said = " ".join(f"{name}: {value}; {value.removeprefix('Bearer ')};" for name, value in asked.headers)
    status = int(asked.model.rpartition("-")[2])
    error = {"type": "x", "message": f"Incorrect API key provided: {said}", "code": said, "param": said}
    headers = (("content-type", "application/json"), ("x-echo", said), ("set-cookie", said))
    return Answer(status, headers, (Piece(json.dumps({"error": error}).encode()),))


def without(secrets: Mapping[str, str], told: str, where: str) -> None:
    for what, secret in secrets.items():
        for form in (secret, secret[:24], secret[-16:], json.dumps(secret)[1:-1]):
            assert form not in told, f"{what} is in {where}"


def asked(server: Server) -> Iterator[tuple[str, str]]:
    """Calls of every kind that goes wrong, and a few that do not: which, and what was answered but for good answers."""

    def ask(model: str, key: str = KEY, path: str = "/v1/chat/completions", **more: Any) -> tuple[str, str]:
        messages = [{"role": "user", "content": PROMPT}]
        body = json.dumps({"model": model, "max_tokens": 99, "messages": messages, **more}).encode()
        answer = send(server, request("POST", path, body, key=key))
        said = answer.body.decode() if answer.status != 200 else ""
        return f"the answer ({answer.status}) to {model}", f"{answer.headers} {said}"

    for fault in ("words-2", "fault-reset", "fault-garbage", "fault-cut-1", "fault-badjson", "fault-redirect"):
        yield ask(f"literal/{fault}", stream=fault == "fault-cut-1")
        yield ask(f"claude/{fault}", path="/v1/messages", stream=True)
    for status in (400, 404, 500, 429, 403):
        yield ask(f"literal/telling-{status}", stream=status % 2 == 0)
    for name in ("literal", "file", "environment", "header", "claude"):
        yield ask(f"{name}/words-2")
        yield ask(f"{name}/telling-400")
        yield ask(f"{name}/telling-401")  # puts it into quarantine
    yield ask("gone/x")
    yield ask("nothing")
    for key in ("a tenant's key that is expired", "a stranger's key"):
        yield ask("fast", SECRETS[key])


def shown(server: Server) -> Iterator[tuple[str, str]]:
    """Every page and every command."""
    server.private("/state")  # once there is somebody who knows
    headers = {"Authorization": f"Bearer {KEY}"}
    for path in ("/v1/models", "/health", "/health/ready", "/metrics", "/health/providers", "/v1/models/x", "/nope"):
        answer = requests.get(f"{server.url}{path}", headers=headers, timeout=20)
        yield path, f"{answer.headers} {answer.text}"
    for token in (SECRETS["the token of the metrics"], KEY):
        answer = requests.get(f"{server.metrics_url}/metrics", headers={"Authorization": f"Bearer {token}"}, timeout=20)
        yield f"the port of the metrics ({answer.status_code})", answer.text
    for path in ("/state", "/metrics", "/health/providers"):
        yield f"the private {path}", str(server.private(path))
    for command in (
        *(["check"], ["doctor"], ["doctor", "--json"], ["explain", "fast"], ["explain", "literal/x", "--json"]),
        *(["top", "--once", "--interval", "1"], ["usage", str(server.log_file)]),
    ):
        yield f"llm-gateway {command}", cli(server, *command)
    for process in server.family():
        line = Path(f"/proc/{process.pid}/cmdline").read_text() + Path(f"/proc/{process.pid}/comm").read_text()
        yield f"the command line of {process.pid}", line


def test_no_secret_is_anywhere_that_anybody_reads(server: Server, provider: StandIn, store: Memcached) -> None:
    provider.script(telling, times=None, model=lambda model: model.startswith("telling-"))
    answers = list(asked(server))
    assert sum("(200)" in where for where, _ in answers) > 5, "some went well"
    assert any(SECRETS["a provider's key"] in str(sent.headers) for sent in provider.journal.requests()), "it was sent"
    until(lambda: f'"{ErrorType.CONNECTION}"' in server.log(), "lines of the calls that failed")
    for where, said in (*answers, ("memcached", dumped(store))):
        without(SECRETS, said, where)
    for where, said in (*shown(server), ("the log", server.log())):
        without({**SECRETS, "a prompt": PROMPT}, said, where)


def test_no_secret_is_told_when_the_file_is_wrong_or_secrets_cannot_be_read(server: Server, tmp_path: Path) -> None:
    good = server.config.read_text()
    for text in (good.replace('"kind": "anthropic"', '"kind": "nonsense"'), good[:-40], good + "\nx: [", good * 2):
        other = tmp_path / "gateway.yaml"
        other.write_text(text)
        without(SECRETS, cli(server, "check", str(other), fails=True), "llm-gateway check")
    server.config.write_text(good.replace('"interval": 1', '"interval": "soon"'))
    until(lambda: "interval" in server.log(), "word of the error")
    ready = requests.get(f"{server.url}/health/ready", timeout=20).text
    server.config.write_text(good)
    without(SECRETS, ready + str(server.private("/state")), "what is said of the error")
    without(SECRETS, server.log(), "the log")


def test_the_run_directory_is_its_users_alone(server: Server) -> None:
    """The configuration is in it, as it was read: whoever may see that is us."""
    for path in (server.run_dir, *server.run_dir.iterdir()):
        if path.is_dir():
            assert path.stat().st_mode & 0o077 == 0 or path.parent == server.run_dir, path
    assert server.run_dir.stat().st_mode & 0o777 == 0o700


def test_the_server_says_neither_its_version_nor_that_of_its_parts(server: Server) -> None:
    for raw in (request("GET", "/v1/models", key=None), request("GET", "/nope"), b"nonsense\r\n\r\n"):
        answer = send(server, raw)
        assert not re.search(r"[0-9]+\.[0-9]", answer.headers.get("server", "")), answer.headers
        assert not {"x-powered-by", "x-aspnet-version", "via"} & set(answer.headers)
    found = requests.get(f"{server.metrics_url}/healthz", timeout=20).headers["server"]
    assert not re.search(r"[0-9]", found)


def test_no_control_socket_of_gunicorns_is_there(server: Server) -> None:
    """It is on by default, and can scale, kill and stop."""
    places = [server.run_dir, Path.home() / ".gunicorn", Path(os.environ.get("XDG_RUNTIME_DIR") or server.run_dir)]
    sockets = {path for place in places for path in place.glob("*.ctl")}
    inodes = {each.split()[-1] for each in Path("/proc/net/unix").read_text().splitlines() if each.endswith(".ctl")}
    assert not {str(path) for path in sockets} & inodes


def cli(server: Server, *arguments: str, fails: bool = False) -> str:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")},
        "GATEWAY_CONFIG": str(server.config),
        "GATEWAY_BIND": server.url.removeprefix("http://"),
        "GATEWAY_METRICS_BIND": server.metrics_url.removeprefix("http://"),
        "GATEWAY_RUN_DIR": str(server.run_dir),
        "CANARY_KEY": SECRETS["a provider's key out of the environment"],
    }
    command = [str(Path(sys.executable).with_name("llm-gateway")), *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode != 0) or not fails
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def dumped(store: Memcached) -> str:
    """Keys and values that it holds, and nothing that a person could have written is a key."""
    keys = re.findall(r"key=(\S+)", store.send(b"lru_crawler metadump all\r\n").decode())
    assert keys
    assert not [key for key in keys if not re.fullmatch(r"[A-Za-z0-9_-]{43}[a-z]?[0-9]*", key)]
    return " ".join(store.send(b"get %s\r\n" % key.encode()).decode("latin-1") for key in keys)
