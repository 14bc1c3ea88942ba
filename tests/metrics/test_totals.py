"""What is counted is what clients saw, over several workers, whatever happens to one of them."""

import itertools
import os
import signal
import threading
from collections import Counter

import pytest
import requests

from tests.gunicorn import CLASSES, Server, gunicorn, until
from tests.metrics.page import page_of

CONFIG = """
providers: {simulated: {latency: 0, tokens_per_second: 100000, words: 5}}
models: {fast: {targets: [simulated/x]}}
"""
CALLS = 2000
AT_ONCE = 16


class Load:
    """Calls from several threads, every third of them streamed, and how each ended."""

    def __init__(self, server: Server, calls: int) -> None:
        self.ended: Counter[str] = Counter()
        self._server = server
        self._numbers = iter(range(calls))
        self._third = threading.Event()  # of the calls are over
        self._lock = threading.Lock()
        self._calls = calls
        self._threads = [threading.Thread(target=self._run) for _ in range(AT_ONCE)]
        for thread in self._threads:
            thread.start()

    def wait_for_a_third(self) -> None:
        assert self._third.wait(60)

    def wait(self) -> None:
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        with requests.Session() as session:
            while True:
                with self._lock:
                    number = next(self._numbers, None)
                if number is None:
                    return
                how = self._call(session, stream=number % 3 == 0)
                with self._lock:
                    self.ended[how] += 1
                    if self.ended.total() > self._calls // 3:
                        self._third.set()

    def _call(self, session: requests.Session, *, stream: bool) -> str:
        body = {"model": "fast", "messages": [{"role": "user", "content": "Hello"}], "stream": stream}
        try:
            answer = session.post(self._server.url + "/v1/chat/completions", json=body, timeout=30)
        except requests.RequestException:
            return "lost"
        if answer.status_code != 200 or (stream and not answer.text.endswith("data: [DONE]\n\n")):
            return "wrong"
        return "streamed" if stream else "plain"


@pytest.mark.parametrize("worker_class", CLASSES)
def test_totals_are_what_clients_saw_although_a_worker_is_killed(worker_class: str) -> None:
    with gunicorn(CONFIG, workers=4, worker_class=worker_class) as server:
        load = Load(server, CALLS)
        load.wait_for_a_third()
        victim = server.workers()[0]
        os.kill(victim, signal.SIGKILL)
        load.wait()
        assert load.ended["wrong"] == 0
        lost = load.ended["lost"]
        assert lost <= AT_ONCE, "a killed worker loses the calls that were in it, and no others"

        def settled() -> bool:
            found = page_of(server)
            exits = found.sum("worker_exits_total", reason="killed")
            return exits == 1 and found.sum("requests_total") >= load.ended.total() - lost

        until(settled, "a page with everything on it")
        page = page_of(server)
        total = page.sum("requests_total")
        assert total == page.sum("requests_total", model="fast", provider="simulated", status="success")
        for streaming, kind in (("true", "streamed"), ("false", "plain")):
            counted = page.sum("requests_total", streaming=streaming)
            assert load.ended[kind] <= counted <= load.ended[kind] + lost
            assert page.sum("request_duration_seconds_count", streaming=streaming) == counted
        # A worker may die between two counters of the same call.
        assert abs(page.sum("ttft_seconds_count") - page.sum("requests_total", streaming="true")) <= lost
        assert abs(page.sum("tokens_total", type="output") - 5 * total) <= 5 * lost
        assert page.sum("errors_total") == 0
        assert page.sum("active_requests") == 0


def test_files_are_bounded_however_many_workers_die() -> None:
    with gunicorn(CONFIG, workers=2) as server:
        before = {path.name for path in (server.run_dir / "metrics").glob("*.db")}
        for _ in range(10):
            victims = server.workers()
            for victim in victims:
                os.kill(victim, signal.SIGKILL)

            def replaced(gone: list[int] = victims) -> bool:
                found = server.workers()
                return len(found) == 2 and not set(found) & set(gone)

            until(replaced, "two new workers")
        assert {path.name for path in (server.run_dir / "metrics").glob("*.db")} == before
        until(lambda: page_of(server).sum("worker_exits_total", reason="killed") == 20, "count of 20 kills")


@pytest.mark.parametrize("worker_class", CLASSES)
def test_how_workers_ended_is_counted_by_its_reason(worker_class: str) -> None:
    """SIGABRT is what the master sends to a worker that gives no sign of life."""
    with gunicorn(CONFIG, workers=3, worker_class=worker_class) as server:
        for victim, number in zip(server.workers(), (signal.SIGTERM, signal.SIGABRT, signal.SIGKILL), strict=True):
            os.kill(victim, number)

        def counted() -> bool:
            found = page_of(server).series("worker_exits_total")
            return {labels["reason"]: value for labels, value in found} == {
                "graceful": 1,
                "timeout": 1,
                "failed": 0,
                "killed": 1,
            }

        until(counted, "count of one exit each")


@pytest.mark.parametrize("worker_class", CLASSES)
def test_no_counter_falls_over_a_reload(worker_class: str) -> None:
    with gunicorn(CONFIG, workers=2, worker_class=worker_class) as server:
        Load(server, 100).wait()
        until(lambda: page_of(server).sum("requests_total") == 100, "count of 100 calls")
        old = server.workers()
        seen: list[float] = []
        server.process.send_signal(signal.SIGHUP)
        load = Load(server, 300)

        def renewed() -> bool:
            seen.append(page_of(server).sum("requests_total"))
            found = server.workers()
            return len(found) == 2 and not set(found) & set(old)

        until(renewed, "two new workers")
        load.wait()
        assert load.ended.total() == 300
        assert load.ended["wrong"] == 0
        until(lambda: page_of(server).sum("requests_total") >= 400 - load.ended["lost"], "count of all calls")
        assert all(one <= other for one, other in itertools.pairwise(seen))
