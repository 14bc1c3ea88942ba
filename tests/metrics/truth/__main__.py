"""Calls of every kind in all kinds of trouble, with figures. The status is 1 if one of them is wrong."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import requests

from tests.gunicorn import Server, until
from tests.metrics.page import page_of
from tests.metrics.truth import run
from tests.metrics.truth.kinds import KEYS

RESTARTS = 50
NAMES = 10_000
TROUBLES = (run.kill, run.hang_up, run.restart, run.reconfigure, run.kill, run.hang_up, run.restart, run.kill)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.metrics.truth", description=__doc__)
    parser.add_argument("--calls", type=int, default=10_000)
    parser.add_argument("--class", dest="worker_class", default="gevent", choices=("gevent", "gthread"))
    given = parser.parse_args()
    with run.serving(workers=4, worker_class=given.worker_class) as server:
        began = time.monotonic()
        report = run.run(server, given.calls, TROUBLES)
        print(f"{given.worker_class}: {given.calls} calls in {time.monotonic() - began:.0f} s: {dict(report.calls)}")
        print(f"  meanwhile: {', '.join(trouble.__name__ for trouble in TROUBLES)}")
        print(f"  series compared: {report.series}; not what clients saw: {len(report.differences)}")
        print(f"  scrapes: {len(report.scrapes)}, the longest took {max(report.scrapes):.2f} s")
        print(f"  counters that fell between two of them: {len(report.fallen)}")
        print(f"  gauges that are not 0 at the end: {len(report.restless)}")
        print(f"  lines of calls in the log: {report.lines}; sums over them that are wrong: {len(report.ledger)}")
        wrong = [*report.differences, *report.fallen, *report.restless, *report.ledger]
        wrong += bombed(server)
        wrong += restarted(server)
    for one in wrong:
        print("  WRONG:", one)
    return 1 if wrong else 0


def bombed(server: Server) -> list[str]:
    """Names of models that nobody has configured."""
    before = size(server)
    headers = {"Authorization": f"Bearer {KEYS['acme']}"}

    def call(number: int) -> int:
        body = {"model": f"bomb-{number}-{'x' * (number % 50)}", "messages": [{"role": "user", "content": "hi"}]}
        return requests.post(f"{server.url}/v1/chat/completions", json=body, headers=headers, timeout=60).status_code

    with ThreadPoolExecutor(run.CLIENTS) as pool:
        answers = set(pool.map(call, range(NAMES)))
    time.sleep(1.1)  # a page is a second old at most
    after = size(server)
    print(f"  {NAMES} unknown names of models, answered with {answers}: series {before} to {after}")
    return [] if after <= before + 1 else [f"{after - before} more series"]


def restarted(server: Server) -> list[str]:
    """Workers that are killed, and none of their files left behind."""

    def files() -> int:
        return len(list((server.run_dir / "metrics").glob("*.db")))

    before, ended = files(), 0
    while ended < RESTARTS:
        old = server.workers()
        for pid in old:
            os.kill(pid, signal.SIGKILL)
        ended += len(old)
        until(lambda old=old: len(new := server.workers()) == len(old) and not set(new) & set(old), "new workers", 60)  # type: ignore[misc]
    time.sleep(1.1)
    after = files()
    print(f"  {ended} workers killed: files {before} to {after}")
    return [] if after <= before else [f"{after - before} more files"]


def size(server: Server) -> int:
    return page_of(server).size


if __name__ == "__main__":
    sys.exit(main())
