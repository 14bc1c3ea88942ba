"""The life of an instance: what starts, what ends, what survives whom."""

import contextlib
import http.client
import os
import signal
from pathlib import Path

import psutil
import pytest
import requests

from app.core import json
from tests.gunicorn import CLASSES, Server, free_port, gunicorn, starting, until

FAST = """
providers: {simulated: {latency: 0, tokens_per_second: 100000, words: 5}}
models: {fast: {targets: [simulated/x]}}
"""
SLOW = """
providers: {simulated: {latency: 0, tokens_per_second: 5, words: 1000}}
models: {fast: {targets: [simulated/x]}}
"""


def housekeeper(server: Server) -> int:
    """The process id of the one that answers."""
    return int(json.loads(server.private("/state")[2])["pid"])


def another(server: Server, gone: int) -> int:
    """The process id of the housekeeper that came after this one."""

    def found() -> int:
        pid = housekeeper(server)
        return pid if pid != gone else 0

    return until(found, "another housekeeper")


def degraded(server: Server) -> json.Json:
    """What it says of itself, once that is that something is wrong."""
    state: json.Json = json.loads(server.private("/state")[2])
    return state if state["degraded"] else {}


def alive(server: Server) -> bool:
    return requests.get(server.url + "/health/live", timeout=10).status_code == 200


def kept(server: Server) -> http.client.HTTPConnection:
    """A connection that is open and idle."""
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"))
    connection.request("GET", "/health/live")
    connection.getresponse().read()
    return connection


@pytest.mark.parametrize("worker_class", CLASSES)
def test_a_sigterm_ends_every_process_though_connections_are_kept(worker_class: str) -> None:
    with gunicorn(FAST, worker_class=worker_class) as server, contextlib.closing(kept(server)):
        assert psutil.pid_exists(housekeeper(server))
        assert server.stop() == 0
        until(lambda: not server.family(), "end of every process")


@pytest.mark.parametrize("worker_class", CLASSES)
def test_ctrl_c_ends_every_process_at_once_though_streams_run(worker_class: str) -> None:
    """The terminal sends SIGINT to the whole group; the housekeeper, too, gets it and waits for the workers."""
    with gunicorn(SLOW, worker_class=worker_class) as server:
        housekeeper(server)
        body = {"model": "fast", "messages": [{"role": "user", "content": "Hello"}], "stream": True}
        stream = requests.post(server.url + "/v1/chat/completions", json=body, stream=True, timeout=30)
        next(stream.iter_lines())
        os.killpg(server.process.pid, signal.SIGINT)
        server.process.wait(10)
        until(lambda: not server.family(), "end of every process")
        stream.close()
        assert "Traceback" not in server.log()


@pytest.mark.parametrize("worker_class", CLASSES)
def test_a_killed_housekeeper_is_replaced_and_there_is_always_one(worker_class: str) -> None:
    with gunicorn(FAST, worker_class=worker_class) as server:
        gone = housekeeper(server)
        for _ in range(2):
            os.kill(gone, signal.SIGKILL)
            gone = another(server, gone)
            found = [p for p in server.family() if "app.housekeeper" in p.cmdline()]
            assert [p.pid for p in found] == [gone]


def test_a_housekeeper_survives_signals_to_its_group_and_the_worker_that_started_it() -> None:
    with gunicorn(FAST) as server:
        keeper = housekeeper(server)
        parent = psutil.Process(keeper).ppid()
        assert parent in server.workers()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            os.kill(keeper, number)
        os.kill(parent, signal.SIGKILL)
        until(lambda: len(server.workers()) == 2 and parent not in server.workers(), "another worker")
        assert housekeeper(server) == keeper


def test_a_housekeeper_holds_nothing_that_only_workers_need() -> None:
    with gunicorn(FAST) as server:
        mapped = {Path(m.path).name for m in psutil.Process(housekeeper(server)).memory_maps() if m.path}
        assert not [name for name in mapped if "gevent" in name or name.endswith(".db")]


def test_a_housekeeper_lets_streams_go_first() -> None:
    with gunicorn(FAST) as server:
        nice = {psutil.Process(worker).nice() for worker in server.workers()}
        assert psutil.Process(housekeeper(server)).nice() >= min(max(nice) + 1, 19)


def test_a_second_master_over_the_same_run_directory_is_refused_and_the_first_goes_on() -> None:
    with gunicorn(FAST) as first:
        workers = first.workers()
        with starting(FAST, environment={"GATEWAY_RUN_DIR": str(first.run_dir)}) as second:
            assert second.process.wait(20) == 1
            assert f"another gateway (process {first.process.pid}) runs in {first.run_dir}" in second.log()
            assert "Traceback" not in second.log()
        assert first.workers() == workers
        assert alive(first)


def test_workers_and_housekeeper_end_when_their_master_is_killed_and_a_new_one_can_start() -> None:
    with gunicorn(FAST) as server:
        housekeeper(server)
        server.process.kill()
        server.process.wait()
        with gunicorn(FAST, environment={"GATEWAY_RUN_DIR": str(server.run_dir)}) as again:
            assert not server.family()
            assert alive(again)


def test_a_new_master_waits_for_a_worker_of_a_killed_one() -> None:
    with gunicorn(FAST) as server:
        slow = server.workers()[0]
        os.kill(slow, signal.SIGSTOP)
        server.process.kill()
        server.process.wait()
        with starting(FAST, environment={"GATEWAY_RUN_DIR": str(server.run_dir)}) as again:
            until(lambda: "Starting gunicorn" in again.log(), "second master")
            os.kill(slow, signal.SIGCONT)
            until(lambda: (server.run_dir / "lock").read_text().strip() == str(again.process.pid), "claim")
            until(lambda: len(again.workers()) == 2, "its workers")


def test_sigusr2_starts_no_second_master() -> None:
    with gunicorn(FAST) as server:
        server.process.send_signal(signal.SIGUSR2)
        until(lambda: "SIGUSR2 is not supported" in server.log(), "refusal")
        workers = server.workers()
        assert alive(server)
        assert server.workers() == workers


def test_a_taken_metrics_port_is_said_and_metrics_stay_on_the_main_port() -> None:
    with gunicorn(FAST) as other:
        port = other.metrics_url.removeprefix("http://")
        until(lambda: requests.get(other.metrics_url + "/healthz", timeout=5).ok, "first housekeeper's port")
        with gunicorn(FAST, environment={"GATEWAY_METRICS_BIND": port}) as server:
            housekeeper(server)
            state = until(lambda: degraded(server), "degraded state")
            assert state["metrics"] == {
                "address": port,
                "serving": False,
                "error": f"{port} cannot be opened: Address already in use",
            }
            assert server.log().count("metrics are served on the gateway's own port only") == 1
            assert "requests_total" in requests.get(server.url + "/metrics", timeout=10).text
            other.stop()
            until(lambda: json.loads(server.private("/state")[2])["metrics"]["serving"], "port that is free again")
            assert requests.get(f"http://{port}/metrics", timeout=10).ok


@pytest.mark.parametrize("worker_class", CLASSES)
def test_a_configuration_that_is_bad_from_the_beginning_refuses_the_start(worker_class: str) -> None:
    with starting("models: {fast: {targets: [nobody/x]}}", workers=3, worker_class=worker_class) as server:
        assert server.process.wait(30) == 3
        log = server.log()
        assert "models.fast.targets[0]" in log
        assert log.count("problem") == 1, "one worker says it for all"
        assert "Traceback" not in log


def test_without_tenants_a_start_on_every_address_is_refused() -> None:
    with starting(FAST, environment={"GATEWAY_BIND": f"0.0.0.0:{free_port()}"}) as server:
        assert server.process.wait(30) == 3
        assert "only this machine may be served, but 0.0.0.0 is bound" in server.log()


def test_metrics_for_everybody_refuse_the_start() -> None:
    with starting(FAST, environment={"GATEWAY_METRICS_BIND": f"0.0.0.0:{free_port()}"}) as server:
        assert server.process.wait(30) == 3
        assert "metrics.token" in server.log()


def test_a_wrong_environment_is_one_clear_line() -> None:
    with starting(FAST, environment={"WEB_CONCURRENCY": "0"}) as server:
        assert server.process.wait(30) == 1
        assert server.log().strip() == "WEB_CONCURRENCY: expected a number of workers, 1 to 999"


def test_a_first_start_that_fails_in_the_application_halts() -> None:
    with starting(FAST, app="tests.instance.broken:app") as server:
        assert server.process.wait(30) == 3
        assert "the application is broken" in server.log()


def test_later_a_worker_that_cannot_boot_does_not_end_the_service() -> None:
    with gunicorn(FAST) as server:
        name = (server.run_dir / "config" / "current").read_text()
        published = server.run_dir / "config" / name
        content = published.read_bytes()
        published.write_bytes(b"not a configuration")
        os.kill(server.workers()[0], signal.SIGKILL)
        until(lambda: server.log().count("exited with code 1") >= 2, "worker that could not boot, twice")
        assert alive(server)
        published.write_bytes(content)
        until(lambda: len(server.workers()) == 2, "worker that could")
        assert server.process.poll() is None
