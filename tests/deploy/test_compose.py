"""What deploy/ names exists, fits together, and runs, as far as that can be seen without an engine for containers."""

import configparser
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
import yaml

from app.config.settings import ServerS
from tests.gunicorn import ROOT, Server, free_port, gunicorn, until
from tests.memcached import memcached
from tests.nginx import Front, nginx
from tests.tools import tool

DEPLOY = ROOT / "deploy"
COMPOSE: Mapping[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: Mapping[str, Any] = COMPOSE["services"]
DRAIN = ServerS().drain


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What deploy/compose/init makes, in a copy."""
    home = tmp_path_factory.mktemp("compose")
    shutil.copy(DEPLOY / "compose" / "init", home / "init")
    for _ in range(2):
        subprocess.run([home / "init"], check=True, capture_output=True)
    return home


def environment(secrets: Path) -> dict[str, str]:
    name, _, value = (secrets / ".env").read_text().strip().partition("=")
    return {name: value}


def test_init_makes_each_secret_once_and_shows_none(secrets: Path) -> None:
    before = {path.name: path.read_text() for path in (secrets / "secrets").iterdir()}
    shown = subprocess.run([secrets / "init"], check=True, capture_output=True, text=True).stdout
    assert {path.name: path.read_text() for path in (secrets / "secrets").iterdir()} == before
    assert len(set(before.values())) == 3
    assert not any(value in shown for value in before.values())
    assert (secrets / "secrets").stat().st_mode & 0o077 == 0


def mounts() -> Iterator[tuple[str, str]]:
    for name, service in SERVICES.items():
        for volume in service.get("volumes", ()):
            source, _, inside = volume.partition(":")
            if source.startswith("."):
                yield name, source
            else:
                assert source in COMPOSE["volumes"], inside


@pytest.mark.parametrize(("service", "source"), list(mounts()))
def test_what_compose_mounts_is_there(service: str, source: str) -> None:
    assert (DEPLOY / source).is_file(), service


def test_what_compose_calls_secrets_is_what_init_makes(secrets: Path) -> None:
    files = {Path(secret["file"]).name for secret in COMPOSE["secrets"].values()}
    assert files == {path.name for path in (secrets / "secrets").iterdir()} - {"key"}
    used = {name for service in SERVICES.values() for name in service.get("secrets", ())}
    assert used == set(COMPOSE["secrets"])


def test_ports_and_names_agree() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    bind = re.search(r"GATEWAY_BIND=\S+:(\d+)", dockerfile)
    assert bind is not None
    gateways = [name for name in SERVICES if name.startswith("gateway")]
    replicas = (DEPLOY / "compose" / "replicas.conf").read_text()
    assert re.findall(r"server (\S+):(\d+)", replicas) == [(name, bind[1]) for name in gateways]
    prometheus = yaml.safe_load((DEPLOY / "compose" / "prometheus.yml").read_text())
    metrics = SERVICES[gateways[0]]["environment"]["GATEWAY_METRICS_BIND"].rpartition(":")[2]
    targets = prometheus["scrape_configs"][0]["static_configs"][0]["targets"]
    assert targets == [f"{name}:{metrics}" for name in gateways]


def test_whatever_stops_the_gateway_waits_twice_the_drain() -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(DEPLOY / "systemd" / "llm-gateway.service")
    assert float(unit["Service"]["TimeoutStopSec"]) >= 2 * DRAIN
    assert float(SERVICES["gateway-a"]["stop_grace_period"].removesuffix("s")) >= 2 * DRAIN


@pytest.mark.parametrize("name", ["llm-gateway.service", "llm-gateway-watch.service"])
def test_systemd_knows_every_line_of_the_unit(name: str, tmp_path: Path) -> None:
    text = (DEPLOY / "systemd" / name).read_text()
    unit = tmp_path / name
    unit.write_text(re.sub(r"(?m)^(ExecStart=)\S+", r"\1/bin/true", text))
    done = subprocess.run([tool("systemd-analyze"), "verify", str(unit)], capture_output=True, text=True, check=False)
    said = [line for line in done.stderr.splitlines() if name in line]
    assert said == []


def test_nginx_and_its_watch_start_as_their_container_starts_them(tmp_path: Path) -> None:
    tool("nginx")
    given, port = tmp_path / "given", free_port()
    shutil.copytree(DEPLOY / "nginx", given)
    (given / "listen.conf").write_text(f"listen 127.0.0.1:{port};\n")
    (given / "replicas.conf").write_text("server 127.0.0.1:1 max_fails=0;\n")
    shell, option, line = SERVICES["nginx"]["command"]
    line = line.replace("/etc/nginx/llm-gateway", str(given)).replace("/tmp/nginx", str(tmp_path / "nginx"))  # noqa: S108
    path = f"{os.environ['PATH']}:/usr/sbin"
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen([shell, option, line], stderr=log, env={"PATH": path}, start_new_session=True)
    try:
        url = f"http://127.0.0.1:{port}/v1/models"
        assert until(lambda: requests.get(url, timeout=10).status_code, "nginx") == 502
        names = [each.cmdline() for each in psutil.Process(process.pid).children()]
        assert [name for name in names if str(tmp_path / "nginx" / "watch") in name], names
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(15)


def test_prometheus_takes_its_file(tmp_path: Path) -> None:
    text = (DEPLOY / "compose" / "prometheus.yml").read_text()
    token = tmp_path / "token"
    token.write_text("t")
    file = tmp_path / "prometheus.yml"
    file.write_text(
        text.replace("/etc/prometheus/rules", str(ROOT / "monitoring")).replace(
            "/run/secrets/metrics_token", str(token)
        )
    )
    file.write_text(file.read_text().replace("monitoring/*.yaml", "monitoring/a*.yaml"))
    subprocess.run([tool("promtool"), "check", "config", str(file)], check=True, capture_output=True)


def test_every_image_has_a_version_and_ours_the_one_that_is_built() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    images = {name: service["image"].rpartition(":") for name, service in SERVICES.items()}
    assert [name for name, (image, _, tag) in images.items() if not image or tag == "latest"] == []
    assert {images[name][2] for name in SERVICES if name.startswith("gateway")} == {setup["metadata"]["version"]}


def test_only_this_machine_is_served_and_services_name_each_other() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", ())]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)
    assert {other for service in SERVICES.values() for other in service.get("depends_on", ())} <= set(SERVICES)
    targets = yaml.safe_load((DEPLOY / "compose" / "datasource.yaml").read_text())["datasources"][0]["url"]
    assert re.fullmatch(r"http://(\w+):9090", targets)[1] in SERVICES  # type: ignore[index]


@pytest.mark.parametrize("name", [name for name in SERVICES if name.startswith("gateway")])
def test_a_gateway_has_nothing_that_it_does_not_need(name: str) -> None:
    """No root file system to write to but a run directory in memory, no capability, no new privilege."""
    service = SERVICES[name]
    assert service["read_only"]
    assert [each.partition(":")[0] for each in service["tmpfs"]] == ["/tmp"]  # noqa: S108 - inside the container
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert all(volume.endswith(":ro") for volume in service["volumes"])


@pytest.fixture(scope="module")
def bare(secrets: Path) -> Iterator[tuple[Front, Server, str]]:
    """The same processes with the same files, without containers: nginx, one of its gateways, the key of the tenant."""
    text = (DEPLOY / "compose" / "gateway.yaml").read_text().replace("/run/secrets", str(secrets / "secrets"))
    with ExitStack() as stack:
        store = stack.enter_context(memcached())
        text = text.replace("memcached:11211", f"127.0.0.1:{store.port}")
        ports = [free_port(), free_port()]
        gateways = [
            stack.enter_context(
                gunicorn(text, environment={"GATEWAY_BIND": f"127.0.0.1:{port}", **environment(secrets)})
            )
            for port in ports
        ]
        yield stack.enter_context(nginx(ports)), gateways[0], (secrets / "secrets" / "key").read_text()


def test_it_runs_bare_and_shares_its_cache_and_limits(bare: tuple[Front, Server, str], secrets: Path) -> None:
    front, gateway, key = bare
    body = {"model": "simulated", "messages": [{"role": "user", "content": "Hello"}]}
    answers = [
        requests.post(
            front.url + "/v1/chat/completions", json=body, headers={"authorization": f"Bearer {key}"}, timeout=30
        )
        for _ in range(4)
    ]
    assert [answer.status_code for answer in answers] == [200] * 4
    assert [answer.headers["x-gateway-cache"] for answer in answers] == ["miss", "hit", "hit", "hit"]
    assert [int(answer.headers["x-ratelimit-remaining-requests"]) for answer in answers] == [599, 598, 597, 596]
    assert requests.post(front.url + "/v1/chat/completions", json=body, timeout=30).status_code == 401
    token = (secrets / "secrets" / "metrics_token").read_text()
    assert requests.get(gateway.metrics_url + "/metrics", headers={"authorization": f"Bearer {token}"}, timeout=30).ok
    assert not requests.get(gateway.metrics_url + "/metrics", timeout=30).ok
