"""No files are left: calls are refused at once, and neither a provider nor the worker is blamed."""

from __future__ import annotations

import http.client
import time

import psutil
import pytest

from tests.gunicorn import CLASSES, until
from tests.host.house import all_well, calls, endings, few_files, is_well
from tests.metrics.page import page_of
from tests.soak.scene import gateway
from tests.standin import StandIn


@pytest.mark.parametrize(("worker_class", "more"), [("gevent", 24), ("gevent", 0), ("gthread", 24)])
def test_who_comes_when_no_files_are_left_is_told_so_and_all_is_well_again(worker_class: str, more: int) -> None:
    with (
        StandIn() as standin,
        gateway({"north": standin.port}, {"m": {"targets": ["north/delay-200"]}}, workers=1, worker_class=worker_class)
        as server,
    ):  # fmt: skip
        all_well(server, 2)
        (pid,) = server.workers()
        with few_files(pid, more):
            began, busy = time.monotonic(), psutil.Process(pid).cpu_times()
            found = calls(server, 60, at_once=30)
            hasty = set() if more else {"0 broken"}  # without any file it is closed over what still comes
            assert set(endings(found)) <= {"200 None", "503 saturated"} | hasty
            refused = [got for got in found if got.status == 503]
            assert refused
            assert all(got.retry_after == "1" for got in refused)
            assert max(got.took for got in refused) < 10
            spent, took = psutil.Process(pid).cpu_times(), time.monotonic() - began
            assert spent.user + spent.system - busy.user - busy.system < max(1.0, 0.9 * took)
        until(lambda: is_well(server), "good calls again")
        assert server.workers() == [pid]
        page = page_of(server)
        assert page.sum("errors_total", provider="north") == 0
        assert page.sum("circuit_breaker_state") == 0


@pytest.mark.parametrize("worker_class", CLASSES)
def test_what_is_missing_on_the_way_to_a_provider_is_not_its_fault(worker_class: str) -> None:
    """Clients are connected already, so that the first file that is missing is a provider's connection."""
    with (
        StandIn() as standin,
        gateway({"north": standin.port}, {"m": {"targets": ["north/words-1"]}}, workers=1, worker_class=worker_class)
        as server,
    ):  # fmt: skip
        address = server.url.removeprefix("http://")
        clients = [http.client.HTTPConnection(address, timeout=20) for _ in range(4)]
        for client in clients:
            client.request("GET", "/health/live")
            client.getresponse().read()
        (pid,) = server.workers()
        body = '{"model": "m", "messages": [{"role": "user", "content": "hi"}]}'
        with few_files(pid, 0):
            for client in clients:
                client.request("POST", "/v1/chat/completions", body, {"content-type": "application/json"})
                answer = client.getresponse()
                assert answer.status == 503
                assert b'"saturated"' in answer.read()
                assert answer.headers["retry-after"] == "1"
        until(lambda: is_well(server), "good calls again")
        assert page_of(server).sum("errors_total", provider="north") == 0
        for client in clients:
            client.close()
