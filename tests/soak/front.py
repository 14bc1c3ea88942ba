"""nginx reads its configuration anew under load; and the moment at which both sides would hang up."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections import Counter
from contextlib import ExitStack

import psutil

from tests.gunicorn import free_port, until
from tests.nginx import nginx
from tests.soak.caller import Callers, Got
from tests.soak.report import Report
from tests.soak.rolling import replica, under_load


def reloads(times: int = 20, rate: float = 100, pause: float = 1.0, worker_class: str = "gevent") -> Report:
    report = Report(f"{times} reloads of nginx at {rate:.0f} calls/s ({worker_class})")
    with ExitStack() as stack:
        ports = [free_port(), free_port()]
        for port in ports:
            replica(stack, port, 60, worker_class)
        front = stack.enter_context(nginx(ports))

        def going() -> bool:
            workers = psutil.Process(front.process.pid).children()
            return any("shutting down" in " ".join(worker.cmdline()) for worker in workers)

        def act() -> None:
            for _ in range(times):
                front.reload()
                time.sleep(pause)

        under_load(report, front.url, rate, act, again=True)
        until(lambda: not going(), "end of the old workers")
        said = [line for line in front.log().splitlines() if "[error]" in line]
        report.tell("nginx complained", said or 0, good=not said, wanted="0")
    return report


def kept(seconds: float = 60.0, connections: int = 40, worker_class: str = "gevent") -> Report:
    """Calls with pauses about as long as nginx keeps a connection, and as a worker that is replaced does."""
    report = Report(
        f"{connections} clients with pauses of 1.6 to 5.4 s, reloads all the time, {seconds:g} s ({worker_class})"
    )
    with ExitStack() as stack:
        ports = [free_port(), free_port()]
        replicas = [replica(stack, port, 60, worker_class) for port in ports]
        front = stack.enter_context(nginx(ports))
        callers = stack.enter_context(Callers(front.url))
        made, over = list[Got](), threading.Event()

        def client(number: int) -> None:
            chance = random.Random(number)
            while not over.wait(chance.uniform(1.6, 5.4)):
                made.append(callers.call("fast", stream=False))

        threads = [threading.Thread(target=client, args=(number,)) for number in range(connections)]
        for thread in threads:
            thread.start()
        reloaded, ends = 0, time.monotonic() + seconds
        try:
            while time.monotonic() < ends:
                replicas[reloaded % 2].process.send_signal(signal.SIGHUP)
                reloaded += 1
                time.sleep(2.7)
        finally:
            over.set()
            for thread in threads:
                thread.join()
        failed = Counter(f"{one.status} {one.code}" for one in made if one.status != 200)
        report.tell("reloads", reloaded)
        report.tell("calls", len(made))
        report.tell("  failed", dict(failed) or 0, good=not failed, wanted="0")
    return report
