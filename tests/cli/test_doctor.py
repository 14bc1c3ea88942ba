"""`llm-gateway doctor` against live gateways that are well and unwell."""

import hashlib
import os
import resource
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import requests

from app.config.load import load, parse
from app.core import json
from app.core.clock import SystemClock
from app.doctor import machine
from app.doctor.finding import Level
from app.doctor.memcached import check
from app.store.memcached import Memcached as Client
from tests.gunicorn import Server, free_port, gunicorn, until
from tests.memcached import Memcached, memcached

CONFIG = """
health: {{interval: 1}}
memcached: {{servers: ["127.0.0.1:{memcached}"], connect_timeout: 1, timeout: 1}}
cache: {{ttl: 60, secret: "{secret}"}}
metrics: {{token: "a-token-of-prometheus"}}
providers:
  dead: {{kind: compatible, base_url: "http://127.0.0.1:{dead}/v1", api_key: sk-dead}}
  simulated: {{latency: 0.01}}
models:
  fast: {{targets: [dead/a, simulated/x]}}
tenants:
  acme: {{keys: ["sha256:{hash}"], models: ["*"]}}
"""

Findings = Mapping[str, json.Json]


def doctor(environment: Mapping[str, str], *arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [Path(sys.executable).with_name("llm-gateway"), "doctor", *arguments],
        env={**{k: v for k, v in os.environ.items() if not k.startswith("GATEWAY_")}, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stderr == ""
    return done.returncode, done.stdout


def environment(server: Server) -> dict[str, str]:
    return {
        "GATEWAY_CONFIG": str(server.config),
        "GATEWAY_BIND": server.url.removeprefix("http://"),
        "GATEWAY_METRICS_BIND": server.metrics_url.removeprefix("http://"),
        "GATEWAY_RUN_DIR": str(server.run_dir),
        "WEB_CONCURRENCY": "2",
    }


def findings(server: Server, **more: str) -> Findings:
    _, out = doctor({**environment(server), **more}, "--json")
    return {one["what"].split(" 127.")[0]: one for one in map(json.loads, out.splitlines())}


@pytest.fixture(scope="module")
def store() -> Iterator[Memcached]:
    with memcached() as server:
        yield server


@pytest.fixture(scope="module")
def live(store: Memcached) -> Iterator[Server]:
    digest = hashlib.sha256(b"gk-acme").hexdigest()
    with gunicorn(CONFIG.format(memcached=store.port, secret="s" * 40, dead=free_port(), hash=digest)) as server:
        yield server


def test_what_is_well_is_ok_and_a_dead_provider_is_bad(live: Server) -> None:
    until(lambda: findings(live).get("provider dead", {}).get("level") == "bad", "two probes that failed")
    found = findings(live)
    assert {what for what, one in found.items() if one["level"] != "ok"} == {"provider dead"}, found
    assert found["memcached"]["said"].startswith("version 1.")
    assert "its clock is " in found["memcached"]["said"]
    code, out = doctor(environment(live))
    assert code == 1
    assert "\n      -> see whether this machine reaches its base_url" in out
    assert "a-token-of-prometheus" not in out


def test_a_file_that_is_not_in_force_is_noticed(live: Server, tmp_path: Path) -> None:
    other = tmp_path / "gateway.yaml"
    other.write_text(live.config.read_text() + "logging: {level: error}\n")
    found = findings(live, GATEWAY_CONFIG=str(other))
    assert found["configuration"]["level"] == "warn"


def test_a_file_with_errors_is_bad_though_the_last_good_one_is_in_force(live: Server) -> None:
    good = live.config.read_text()
    live.config.write_text(good + "nonsense: 1\n")
    try:
        done = subprocess.run(
            [Path(sys.executable).with_name("llm-gateway"), "doctor"],
            env={**os.environ, **environment(live)},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 1
        assert "nonsense" in done.stderr
    finally:
        live.config.write_text(good)


def test_a_memcached_that_is_gone_is_bad_and_the_calls_go_on(live: Server, store: Memcached) -> None:
    store.kill()
    try:
        assert findings(live)["memcached"]["level"] == "bad"
        body = {"model": "fast", "messages": [{"role": "user", "content": "Hello"}]}
        headers = {"authorization": "Bearer gk-acme"}
        assert requests.post(live.url + "/v1/chat/completions", json=body, headers=headers, timeout=30).ok
    finally:
        store.start()


def test_without_a_gateway_it_says_so(tmp_path: Path) -> None:
    file = tmp_path / "gateway.yaml"
    file.write_text("providers: {simulated: {}}\nmodels: {fast: {targets: [simulated/x]}}\n")
    code, out = doctor({"GATEWAY_CONFIG": str(file), "GATEWAY_RUN_DIR": str(tmp_path / "run")})
    assert code == 1
    assert "bad   gateway: none answers" in out


def test_the_limit_of_open_files_is_that_of_the_gateway(tmp_path: Path) -> None:
    """Under systemd it is another one than the shell's."""
    (tmp_path / "gateway.yaml").write_text("providers: {simulated: {}}\nmodels: {fast: {targets: [simulated/x]}}\n")
    lock = tmp_path / "lock"
    with subprocess.Popen(["sleep", "60"]) as gateway:
        resource.prlimit(gateway.pid, resource.RLIMIT_NOFILE, (500, 500))
        lock.write_text(f"{gateway.pid}\n")
        (found,) = machine.files(load(tmp_path / "gateway.yaml", {}), lock)
        gateway.kill()
    (without,) = machine.files(load(tmp_path / "gateway.yaml", {}), tmp_path / "none")

    assert (found.level, found.said) == (Level.BAD, "a worker may open 500, and may want 2400")
    assert f"may open {resource.getrlimit(resource.RLIMIT_NOFILE)[1]}," in without.said


def test_a_run_directory_that_others_can_read_is_bad_and_another_user_s_is_told_unless_root_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def said() -> list[str]:
        return [one.said for one in machine.run_directory(tmp_path) if one.level is not Level.OK]

    tmp_path.chmod(0o755)
    assert said() == ["is open to other users"]
    tmp_path.chmod(0o700)
    owner = tmp_path.stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    assert said() == ["belongs to another user"]
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert said() == []


@pytest.mark.parametrize(("apart", "level"), [(-6.0, "bad"), (-2.9, "ok"), (-1.5, "ok"), (3.0, "bad")])
def test_a_clock_that_is_read_late_is_no_wrong_one(store: Memcached, apart: float, level: str) -> None:
    """memcached's own may be up to two seconds behind though both are right."""
    looking = Client((store.name,), (), 1.0, 1.0, 1)
    answers = looking.stats()[store.name]
    looking.close()
    assert answers is not None
    its = int(answers["time"])

    class Ours(SystemClock):
        def time(self) -> float:
            return its - apart

    text = f'providers: {{simulated: {{models: [x]}}}}\nmemcached: {{servers: ["{store.name}"]}}\n'
    settings = parse(text, {}, lambda name: "")
    (found,) = check(settings, Ours())
    assert found.level == level, found
