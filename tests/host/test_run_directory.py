"""The run directory is full, foreign, gone: calls go on, and so does the service."""

from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path

import pytest
import requests

from tests.gunicorn import CLASSES, Server, gunicorn, until
from tests.host.house import CONFIG, SIMULATED, all_well, fill, is_well, small
from tests.metrics.page import page_of

OTHER = json.dumps({**SIMULATED, "models": {**SIMULATED["models"], "new": {"targets": ["simulated/x"]}}})


def degraded(server: Server) -> str:
    return str(requests.get(f"{server.url}/health/ready", timeout=10).json()["degraded"])


def renewed(server: Server, old: list[int]) -> None:
    until(lambda: len(new := server.workers()) == len(old) and not set(new) & set(old), "new workers", 60)


@pytest.mark.parametrize("worker_class", CLASSES)
def test_a_full_one_costs_series_of_metrics_and_nothing_else(worker_class: str) -> None:
    with (
        small() as place,
        gunicorn(CONFIG, worker_class=worker_class, environment={"GATEWAY_RUN_DIR": str(place / "run")}) as server,
    ):
        all_well(server)
        until(lambda: server.private("/healthz"), "housekeeper")
        full = fill(place)
        all_well(server, 40, "n")  # whose series have no room, and are no SIGBUS
        assert "no room for metrics" in server.log()
        server.config.write_text(OTHER)
        until(lambda: "cannot take the configuration" in server.log(), "word about the configuration")
        until(lambda: page_of(server).sum("config_last_reload_successful") == 0, "the same in the metrics")
        old = server.workers()
        os.kill(old[0], signal.SIGKILL)
        until(lambda: len(new := server.workers()) == 2 and old[0] not in new, "new worker", 60)
        all_well(server)
        server.process.send_signal(signal.SIGHUP)
        renewed(server, server.workers())
        all_well(server)
        full.unlink()
        until(lambda: is_well(server, 4, "new"), "the configuration that there is room for again")
        assert server.log().count("cannot take the configuration") == 1


@pytest.mark.parametrize("worker_class", CLASSES)
def test_one_that_is_taken_away_is_made_anew_for_the_next_worker(worker_class: str) -> None:
    with gunicorn(CONFIG, worker_class=worker_class) as server:
        old = server.workers()
        shutil.rmtree(server.run_dir)
        all_well(server)
        assert "run directory: it is gone" in degraded(server)
        os.kill(old[0], signal.SIGKILL)
        until(server.workers, "new worker", 60)
        all_well(server, 40)
        server.process.send_signal(signal.SIGHUP)
        renewed(server, old)
        until(lambda: degraded(server) == "[]", "no word about it")
        all_well(server)
        until(lambda: page_of(server).sum("requests_total") > 0, "counts of the new ones")
        assert server.stop() == 0


def test_files_of_metrics_that_are_none_keep_no_worker_and_no_page() -> None:
    with gunicorn(CONFIG) as server:
        all_well(server)
        until(lambda: page_of(server).sum("requests_total") == 20, "every call on the page")
        metrics = server.run_dir / "metrics"
        (metrics / "foreign.db").write_bytes(b"which somebody has put here")
        broken = Path(metrics / "histogram_w0.db")
        fresh = metrics / "noise"
        fresh.write_bytes(os.urandom(70_000))
        fresh.rename(broken)  # who has the old one mapped goes on in it
        until(lambda: page_of(server).sum("metrics_file_errors_total") >= 2, "both of them counted")
        assert page_of(server).sum("requests_total") == 20
        old = server.workers()
        for pid in old:
            os.kill(pid, signal.SIGKILL)
        renewed(server, old)
        all_well(server)
        until(lambda: page_of(server).sum("requests_total") == 40, "every call on the page")


def test_a_configuration_that_is_gone_leaves_the_last_good_one_in_force() -> None:
    with gunicorn(CONFIG) as server:
        until(lambda: server.private("/healthz"), "housekeeper")
        server.config.unlink()
        until(lambda: "configuration" in degraded(server), "word about it")
        old = server.workers()
        server.process.send_signal(signal.SIGHUP)
        renewed(server, old)
        all_well(server)
        server.config.write_text(OTHER)
        until(lambda: is_well(server, 4, "new"), "the next good one")
        assert degraded(server) == "[]"
