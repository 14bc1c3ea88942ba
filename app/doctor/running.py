"""A gateway that runs here: its processes, configuration, ports, providers, as it says itself."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator, Mapping
from typing import Any

from app.config.settings import Settings
from app.core.json import loads
from app.doctor.finding import Finding, bad, ok, warn
from app.instance import private
from app.instance.environment import Address, Environment, address
from app.instance.rundir import RunDir
from app.metrics.catalogue import CONFIG_HASH, FILE_ERRORS, LINES_LOST
from app.metrics.page import Page

_PATIENCE = 5.0  # seconds
_SLOW = 1.0  # seconds that a scrape should take at most


def check(settings: Settings, here: Environment, file_hash: str) -> Iterator[Finding]:
    """`file_hash`: of the configuration as the files have it now."""
    socket = RunDir(here.run_dir).socket
    try:
        state: Mapping[str, Any] = loads(private.get(socket, "/state")[2])
    except OSError:
        yield bad(
            "gateway", f"none answers in {here.run_dir}", "start it; GATEWAY_RUN_DIR or GATEWAY_BIND say which one"
        )
        return
    yield from _workers(state, here)
    yield from _configuration(state, file_hash)
    yield from _door(here)
    yield from _metrics(settings, here, state)
    for name, one in state["providers"].items():
        yield _provider(name, one)


def _workers(state: Mapping[str, Any], here: Environment) -> Iterator[Finding]:
    said = [f"{worker['slot']} {worker['state']}" for worker in state["workers"]]
    ready = sum(worker["state"] == "ready" for worker in state["workers"])
    if ready < here.workers:
        yield warn(
            "workers", f"{ready} of {here.workers} are ready: {', '.join(said)}", "see the log for why one ended"
        )
    else:
        yield ok("workers", f"{ready} are ready")


def _configuration(state: Mapping[str, Any], file_hash: str) -> Iterator[Finding]:
    if trouble := state["config"]["error"]:
        yield bad("configuration", "the file has errors, the last good one is in force", trouble["message"])
    elif state["config"]["hash"] != file_hash:
        do = "wait two seconds; or this is not the file, or not the environment, that the gateway was started with"
        yield warn("configuration", "what is in force is not what this file says", do)
    else:
        yield ok("configuration", f"{file_hash[:12]} is in force")


def _door(here: Environment) -> Iterator[Finding]:
    for bind in here.binds:
        found = address(bind)
        if found is None:
            continue  # a unix socket
        try:
            status, body = _get(found, "/health/ready", {})
        except OSError as error:
            yield bad(f"port {bind}", f"does not answer: {error}", "see whether the gateway listens there")
            continue
        degraded = loads(body).get("degraded", [])
        if status != 200 or degraded:
            yield warn(f"port {bind}", f"{status}: {'; '.join(degraded) or 'it is being stopped'}", "see what it says")
        else:
            yield ok(f"port {bind}", "ready")


def _metrics(settings: Settings, here: Environment, state: Mapping[str, Any]) -> Iterator[Finding]:
    what = f"metrics on {here.metrics}"
    if not state["metrics"]["serving"]:
        yield bad(what, str(state["metrics"]["error"]), "free that port, or set GATEWAY_METRICS_BIND; /metrics goes on")
        return
    token = settings.metrics.token
    headers = {"Authorization": f"Bearer {token.get_secret_value()}"} if token else {}
    began = time.monotonic()
    try:
        status, body = _get(here.metrics, "/metrics", headers)
    except OSError as error:
        yield bad(what, f"does not answer: {error}", "see the log of the housekeeper")
        return
    took = time.monotonic() - began
    if status != 200:
        yield bad(what, f"answers {status}", "see whether metrics.token is the one that the gateway has")
        return
    page = Page(body.decode())
    hashes = {value for _, value in page.series(CONFIG_HASH)}
    series = sum(not line.startswith("#") for line in body.decode().splitlines())
    said = f"{series} series in {took:.2f} s"
    yield from _lost(page)
    if len(hashes) > 1:
        yield warn(what, f"{said}; workers have {len(hashes)} configurations", "wait two seconds, then see the log")
    elif took > _SLOW:
        yield warn(what, said, "scrape less often, or name fewer models and tenants")
    else:
        yield ok(what, said)


def _lost(page: Page) -> Iterator[Finding]:
    if lines := page.sum(LINES_LOST):
        do = "see where standard error goes: a full disk, or a pipe that is not read"
        yield warn("log", f"{lines:.0f} lines were lost since the start", do)
    if errors := page.sum(FILE_ERRORS):
        do = "see the log for its name; a reload (SIGHUP) sets it aside"
        yield warn("metrics files", f"one that cannot be read was left out {errors:.0f} times", do)


def _provider(name: str, one: Mapping[str, Any]) -> Finding:
    what, probe = f"provider {name}", one["probe"]
    said = f"breaker {one['breaker'].replace('_', '-')}"
    if probe:
        said += f"; probe: {probe['result']} {probe['age']:.0f} s ago"
    if one["quarantine"]:
        do = "it refuses our key, or the account is empty: see api_key, and the provider's console"
        return bad(what, f"{said}; left alone for {one['quarantine']:.0f} s more", do)
    if not one["healthy"]:
        return bad(what, said, "see whether this machine reaches its base_url (proxy, ca_file), and its status page")
    if one["breaker"] != "closed":
        return warn(what, said, "some of its targets fail: `llm-gateway explain MODEL` says which")
    return ok(what, said)


def _get(at: Address, path: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
    """From this machine: an address that means all of them is asked at one of them. Raises OSError."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(at.host, at.host)  # noqa: S104 - to ask there, not to listen
    connection = http.client.HTTPConnection(host, at.port, timeout=_PATIENCE)
    try:
        connection.request("GET", path, headers=dict(headers))
        answer = connection.getresponse()
        return answer.status, answer.read()
    except http.client.HTTPException as error:
        raise OSError(str(error)) from error
    finally:
        connection.close()
